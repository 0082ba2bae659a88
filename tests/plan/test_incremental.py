"""A plan of what moved is, byte for byte, the plan of everything."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from histories import History, take_step, told_time
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

OPTIONS = (
    [], [], [], ["-o", "json"], ["-o", "json"], ["-o", "markdown"], ["-q"], ["--no-prune"], ["--adopt", "-o", "json"],
    ["--max-deletes", "0"], ["--as", "ada"], ["--ref", "main"], ["--ref", "HEAD"], ["--tokens", "apply"], ["--detailed-exitcode"],
)  # fmt: skip
APPLIES = ([], [], ["--adopt"], ["--no-prune"], ["--ref", "HEAD"], ["--max-deletes", "100%"], ["--as", "ada"])


def live_through(folder: Path, seed: int, steps: int) -> Counter[str]:
    """A random history; after each step both ways of planning are compared."""
    history = History(folder, seed)
    done: list[str] = []
    with told_time(history):
        for _ in range(steps):
            if history.random.random() < 0.45 or not done:
                words = [*history.random.choice(APPLIES), "--tokens", "demand"]
                done.append(f"apply {words}")
                whole, part = history.apply_both_ways(*words)
                assert part == whole, (seed, done)
            else:
                done += [take_step(history) for _ in range(history.random.choice([1, 1, 2]))]
                if history.random.random() < 0.6:
                    history.commit()
                    done.append("commit")
            words = history.random.choice(OPTIONS)
            done.append(f"plan {words}")
            whole = history.call("plan", *words, "--full")
            part = history.call("plan", *words, "-v")
            assert whole[0] != 1, (seed, done, whole)
            assert part == whole, (seed, done)
            quick = history.quick("plan", *words)
            assert quick is None or (0, quick, "") == whole, (seed, done)
            history.told.append("looked quickly" if quick is not None else "")
    return Counter("part" if "looked at " in line else "whole" for line in history.told if line.startswith("look"))


def histories(examples: int):
    return settings(
        max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip


@histories(40)
@given(seed=st.integers(0, 2**32))
@example(seed=248)  # a category goes that a grant refers to which had ended before, and so is not live
def test_a_plan_of_what_moved_is_the_plan_of_everything(seed: int) -> None:
    """Whatever happened to git, to the store or to the clock."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 5)


@pytest.mark.long
@histories(4000)
@given(seed=st.integers(0, 2**32))
def test_a_plan_of_what_moved_is_the_plan_of_everything_at_length(seed: int) -> None:
    """The same, for long."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 20)
