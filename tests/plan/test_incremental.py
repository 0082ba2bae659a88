"""A plan of what moved is, byte for byte, the plan of everything."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from histories import Document, History, document, revived, take_step, told_time
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
    return Counter("part" if "looked at " in line else "whole" for line in history.told if line.startswith("look"))


def histories(examples: int):
    return settings(
        max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip


@histories(16)
@given(seed=st.integers(0, 2**32))
@example(seed=3552080)  # a category goes, and nothing but the file in which it stood had to be read
@example(seed=248)  # a category goes that a grant refers to which had ended before, and so is not live
def test_a_plan_of_what_moved_is_the_plan_of_everything(seed: int) -> None:
    """Whatever happened to git, to the store or to the clock."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 5)


@pytest.mark.on_postgresql
@histories(3)
@given(seed=st.integers(0, 2**32))
def test_a_plan_of_what_moved_in_postgresql_is_the_plan_of_everything(seed: int) -> None:
    """The same, with the store in PostgreSQL."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 5)


@histories(2)
@given(seed=st.integers(0, 2**32))
def test_what_a_policy_is_for_is_counted_on_what_is_not_read(seed: int) -> None:
    """By categories and labels, and less what somebody had before; nothing but policies/ is read."""
    with TemporaryDirectory() as folder:
        history = History(Path(folder), seed)
        for index in range(6):
            history.files[f"connectors/more{index}.yaml"] = [history.connector(f"m{index}")]
        history.files["policies/one.yaml"] = [policy(history)]
        history.write_all()
        history.commit()
        with told_time(history):
            history.call("apply", "--yes", "-q", "--tokens", "demand")
            for _ in range(8):
                history.files["policies/one.yaml"] = [policy(history)]
                history.save("policies/one.yaml")
                whole = history.call("plan", "-o", "json", "--tokens", "demand", "--full")
                part = history.call("plan", "-o", "json", "--tokens", "demand", "-v")
                assert part == whole, seed
                assert "looked at" in history.told[-1]
                if history.random.random() < 0.3:
                    history.commit()
                    history.call("apply", "--yes", "-q", "--tokens", "demand")


def policy(history: History) -> Document:
    """A policy with grants that are narrowed to something or not."""
    names = ("connectors:view", "connectors:edit", "categories:view", "connectors:call")
    grants = [{"permissions": [history.random.choice(names)], **history.scope()} for _ in range(3)]
    spec = {"subjects": [{"user": "eve"}], "grants": grants, "superAdmin": history.random.random() < 0.1}
    return document("PermissionPolicy", "one", spec)


def test_a_saved_plan_is_remembered_as_any_other(tmp_path: Path) -> None:
    """The next plan looks at nothing; but not when the plan kept what git no longer has."""
    history = History(tmp_path, 1)
    saved = str(tmp_path / "plan.json")
    with told_time(history):
        history.call("plan", "-q", "--tokens", "demand", "--out", saved)
        assert history.call("apply", saved, "--yes", "-q", "--tokens", "demand")[0] == 0
        history.call("plan", "-v", "--tokens", "demand")
        assert history.told[-1].startswith("looked at 0 files")
        history.files["connectors/a0.yaml"] = []
        history.save("connectors/a0.yaml")
        history.commit()
        history.call("plan", "-q", "--no-prune", "--tokens", "demand", "--out", saved)
        assert history.call("apply", saved, "--yes", "-q", "--tokens", "demand")[0] == 0
        assert "to delete" in history.call("plan", "--tokens", "demand")[1]


def test_a_saved_plan_sees_who_took_a_display_name(tmp_path: Path) -> None:
    """It looks at the records that it concerns, and that is one of them."""
    history = History(tmp_path, 3)
    saved = str(tmp_path / "plan.json")
    with told_time(history):
        history.call("apply", "--yes", "-q", "--tokens", "demand")
        history.files["connectors/x.yaml"] = [history.connector("x1")]
        history.save("connectors/x.yaml")
        history.commit()
        history.call("plan", "-q", "--tokens", "demand", "--out", saved)
        history.sql(
            "INSERT INTO records (uid, kind, name, display, owner) VALUES ('z', 'Connector', 'z', 'connector x1', '')"
        )
        found = revived(history, saved, whole=False)
        assert "connector/x1 has the display name of connector/z, which belongs to nobody" in found
        assert found == revived(history, saved, whole=True)


@pytest.mark.long
@histories(4000)
@given(seed=st.integers(0, 2**32))
def test_a_plan_of_what_moved_is_the_plan_of_everything_at_length(seed: int) -> None:
    """The same, for long."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 20)
