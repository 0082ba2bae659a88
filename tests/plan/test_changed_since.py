"""What `validate --changed-since` says is what `validate` says, as far as the commit was valid."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from histories import STEPS, History, document, told_time
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.kinds.canonical import fold
from reconciler.source.since import Search, letters_of
from reconciler.source.yaml.loader import load

ELSEWHERE = {"drift", "keep_token", "other_owner", "forget", "apply_saved"}
"""Steps that happen to the store alone."""


def live_through(folder: Path, seed: int, steps: int) -> Counter[str]:
    """A random history of a repository; after each step both ways of looking at it are compared."""
    history = History(folder, seed)
    moves = [(weight, step) for weight, step in STEPS if step.__name__ not in ELSEWHERE]
    moves = [(0.5 if step.__name__ == "break_something" else weight, step) for weight, step in moves]
    seen: Counter[str] = Counter()
    done: list[str] = []
    with told_time(history):
        for _ in range(steps):
            for _ in range(history.random.choice([1, 1, 2, 4])):
                (step,) = history.random.choices([step for _, step in moves], [weight for weight, _ in moves])
                step(history)
                done.append(step.__name__)
            if history.random.random() < 0.6:
                history.commit()
                done.append("commit")
            rev = history.random.choice(history.git("rev-list", "--all", "--max-count=4").split())
            words = history.random.choice([[], [], ["--coverage"], ["--strict"], ["--ref", "HEAD"]])
            seen[compare(history, rev, words, (seed, done, words, rev))] += 1
    return seen


def compare(history: History, rev: str, words: list[str], told: Any) -> str:
    """Compare the verdicts; says what the case was."""
    with_ref = [word for word in words if word not in ("--ref", "HEAD")]
    (before_code, before), (whole_code, whole), (part_code, part) = (
        validated(history, *more) for more in (["--ref", rev, *with_ref], words, [*words, "--changed-since", rev])
    )
    assert whole_code != 1, told
    if before_code:
        assert errors(part) == [] or part == whole, told
        return "invalid before"
    assert part_code == whole_code, told
    if errors(whole):
        assert part == whole, told
        return "invalid now"
    changed = changed_files(history, rev, words)
    assert [found for found in part if found not in whole] == [], told
    missing = [found for found in whole if found not in part]
    assert all(found in before and found["file"] not in changed for found in missing), (told, missing)
    return "warned" if whole else "valid"


def validated(history: History, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code, and diagnostics as JSON."""
    code, said, told = history.call("validate", "-o", "json", *words)
    assert said, told
    return code, json.loads(said)["diagnostics"]


def errors(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are errors."""
    return [one for one in found if one["severity"] == "error"]


def changed_files(history: History, rev: str, words: list[str]) -> set[str]:
    """Files that differ from the commit, as git says."""
    found = history.git("diff", "--name-only", "--no-renames", rev, *(["HEAD"] if "HEAD" in words else [])).split()
    beside = [] if "HEAD" in words else history.git("ls-files", "--others").split()
    return {*found, *beside}


def histories(examples: int):
    return settings(
        max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip


@histories(5)
@given(seed=st.integers(0, 2**32))
def test_what_changed_is_judged_as_everything_is(seed: int) -> None:
    """Whatever happened to the files since."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 4)


@pytest.mark.long
@histories(3000)
@given(seed=st.integers(0, 2**32))
def test_what_changed_is_judged_as_everything_is_at_length(seed: int) -> None:
    """The same, for long."""
    with TemporaryDirectory() as folder:
        live_through(Path(folder), seed, 12)


def test_names_that_others_trade(tmp_path: Path) -> None:
    """One of a ring goes: then others claim a name that is borne, which is told though they did not change."""
    history = History(tmp_path, 1)
    ring = ["r1", "r2", "r3", "r4"]
    for index, name in enumerate(ring):
        found = history.connector(name)
        found["metadata"] = {"name": name, "previously": [ring[index - 1]]}
        history.files[f"connectors/{name}.yaml"] = [found]
    history.write_all()
    history.commit()
    with told_time(history):
        assert compare(history, "HEAD", [], "unchanged") == "valid"
        history.files["connectors/r1.yaml"][0]["spec"]["description"] = "Another."
        history.save("connectors/r1.yaml")
        assert compare(history, "HEAD", [], "edited") == "valid"
        history.files["connectors/r1.yaml"] = []
        history.save("connectors/r1.yaml")
        assert compare(history, "HEAD", [], "gone") == "invalid now"
        found = validated(history, "--changed-since", "HEAD")[1]
    assert {(one["code"], one["file"]) for one in found} == {("RC304", f"connectors/{name}.yaml") for name in ring[2:]}


def test_a_warning_that_a_change_of_policies_causes_elsewhere(tmp_path: Path) -> None:
    """It stands in an access test that did not change."""
    history = History(tmp_path, 1)
    members = {"mode": "authoritative", "users": ["bob"]}
    expect = [{"user": "grace.hopper", "cannot": "connectors:edit"}]
    history.files["policies/one.yaml"] = [document("Group", "one", {"displayName": "One", "members": members})]
    history.files["policies/two.yaml"] = [document("AccessTest", "two", {"expect": expect})]
    history.write_all()
    history.commit()
    with told_time(history):
        assert compare(history, "HEAD", [], "before") == "valid"
        members["users"] = ["grace.hoper"]
        history.save("policies/one.yaml")
        assert compare(history, "HEAD", [], "after") == "warned"
        found = validated(history, "--changed-since", "HEAD")[1]
    assert [(one["code"], one["file"]) for one in found] == [("RC705", "policies/two.yaml")]


@pytest.mark.parametrize(
    "written",
    ["Sales team", "SALES  TEAM", '"Sales\\x20team"', '"\\u0053ales team"', "Sáles team", "Ｓales team", "Sales\n    team",
     ">-\n    Sales\n    team", '"Sal\\\n    es team"', "&n Sales team", "'sales TEAM'"],
)  # fmt: skip
def test_a_display_name_is_found_however_it_is_written(written: str) -> None:
    """What reads as the same name is never overlooked, and files without it mostly are."""
    data = f"spec:\n  displayName: {written}\n".encode()
    ((_, document),) = load(data, "x.yaml", None).documents
    assert fold(document["spec"]["displayName"]) == "sales team"
    search = Search(displays={letters_of("sales team")})
    assert search.matches(data)
    assert not search.matches(b"displayName: Sales people\n")


def test_only_what_the_change_concerns_is_read(empty: Workspace) -> None:
    """A path that is asked for beside it need not be among that, and has to be there."""
    for name in ("one", "two", "three"):
        empty.write(f"connectors/{name}.yaml", CONNECTOR.replace("crm-contacts", name).replace("Sales", name))
    empty.write("connectors/category.yaml", CATEGORY)
    empty.commit()
    empty.edit("connectors/one.yaml", "Contacts of", "People of")
    said = empty.ok("validate", "--changed-since", "HEAD", "connectors/two.yaml", "connectors/one.yaml")
    assert said.stdout == "1 file, 1 document, looked at for what changed since HEAD: valid.\n"
    assert empty.run("validate", "--changed-since", "HEAD", "connectors/four.yaml").exit_code == 64
    empty.edit("connectors/one.yaml", "one team's", "TWO team's")
    said = empty.run("validate", "--changed-since", "HEAD", "connectors/two.yaml")
    assert said.exit_code == 3
    assert "error[RC303]: connector/one in connectors/one.yaml has the same display name" in said.stdout


def test_a_commit_that_a_shallow_clone_lacks(workspace: Workspace) -> None:
    """It is the world's fault, and the command that is told gets it."""
    workspace.commit()
    workspace.git("branch", "target")
    workspace.write("connectors/bad.yaml", "a: [")
    workspace.commit()
    clone = Workspace(workspace.root.parent / "clone")
    workspace.git("clone", "-q", "--depth=1", f"file://{workspace.root}", str(clone.root))
    missing = clone.run("validate", "--changed-since", "origin/target")
    assert (missing.exit_code, missing.stdout) == (10, "")
    assert "there is no commit 'origin/target' in this clone, which is shallow" in missing.stderr
    hint = missing.stderr.partition("run: git ")[2].split()
    clone.git(*hint)
    assert clone.run("validate", "--changed-since", "origin/target").exit_code == 3
