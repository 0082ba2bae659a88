"""A store that went back agrees with itself; what was noted outside of it tells."""

import json
import os
import shutil
from pathlib import Path

import pytest
from conftest import Workspace
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.history import RunEntry
from reconciler.core.witness import Witness, gone_back

PLACES = ("git", "file")


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A repository in git that was applied once, without a witness."""
    workspace.write(".gitignore", ".reconciler\nwitness.json\n")
    workspace.commit()
    workspace.ok("apply", "-y", "-q")
    return workspace


def where(workspace: Workspace, place: str) -> str:
    """What the option takes."""
    return place if place == "git" else str(workspace.root / "witness.json")


def noted(workspace: Workspace, place: str) -> dict[str, object]:
    """What is noted."""
    if place == "git":
        found = workspace.git("show", "refs/reconciler/local:witness.json")
    else:
        found = (workspace.root / "witness.json").read_text()
    said: dict[str, object] = json.loads(found)
    return said


def change(workspace: Workspace, text: str, *arguments: str) -> None:
    """One more run."""
    path = workspace.root / "connectors/crm.yaml"
    lines = [f"spec: {{displayName: {text}}}" if line.startswith("spec: {displayName") else line for line in path.read_text().splitlines()]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    workspace.ok("apply", "-y", "-q", *arguments)


def copied(workspace: Workspace, name: str) -> Path:
    """A copy of the store, as a backup has it."""
    to = workspace.root / ".reconciler" / name
    workspace.ok("store", "backup", to, "-q")
    return to


def put_back(workspace: Workspace, backup: Path) -> None:
    """The store is what it was."""
    for end in ("-wal", "-shm"):
        workspace.store.with_name(workspace.store.name + end).unlink(missing_ok=True)
    shutil.copy(backup, workspace.store)


@pytest.mark.parametrize("place", PLACES)
def test_a_store_that_went_back(applied: Workspace, place: str) -> None:
    """Is told by plan, drift and check, refused by whatever writes, and gone on with where that is meant."""
    option = f"--witness={where(applied, place)}"
    first = applied.ok("plan", option)
    assert f"there is no witness at {'refs/reconciler/local' if place == 'git' else ''}" in first.stdout
    report = json.loads(applied.ok("apply", "-y", option, "-o", "json").stdout)
    assert report["changes"] == [] and noted(applied, place)["run"] == 1
    change(applied, "One", option)
    backup = copied(applied, "backup.db")
    change(applied, "Two", option)
    change(applied, "Three", option)
    assert noted(applied, place)["run"] == 4
    assert "witness" not in applied.ok("plan", option).output
    applied.ok("drift", option)
    applied.ok("store", "check", option)

    put_back(applied, backup)
    plan = applied.run("plan", option)
    assert plan.exit_code == 5 and "the last 2 runs that were noted are missing" in plan.stdout
    assert f"history head {noted(applied, place)['head']}" in plan.stdout
    assert "the last run that the store has is 2" in plan.stdout
    drift = applied.run("drift", option)
    assert drift.exit_code == 5 and "has gone back" in drift.stderr
    check = applied.run("store", "check", option)
    assert check.exit_code == 10 and "BROKEN  not so: the history has what was noted elsewhere" in check.stdout
    assert json.loads(applied.run("store", "check", option, "-o", "json").stdout)
    before = applied.store.read_bytes()
    for command in (["apply", "-y"], ["rollback", "1", "-y"], ["store", "purge", "-y"], ["store", "rotate-key"], ["store", "check", "--repair"]):  # fmt: skip
        found = applied.run(*command, option)
        assert found.exit_code == 5 and "has gone back" in found.stderr, (command, found.output)
    assert applied.store.read_bytes() == before and noted(applied, place)["run"] == 4
    problem = json.loads(applied.run("plan", option, "-o", "json").stdout)
    assert [(item["guard"], item["count"]) for item in problem["problems"]] == [("gone-back", 2)]
    assert "**It will not be applied like this:** the store has gone back" in applied.run("plan", option, "-o", "markdown").stdout  # fmt: skip

    override = f"--override={problem['fingerprint'][:12]}:gone-back=2"
    applied.ok("apply", "-y", option, override)
    assert noted(applied, place)["run"] == 3
    applied.ok("plan", option)
    history = json.loads(applied.ok("history", "-o", "json").stdout)
    assert history["runs"][0]["overrides"] == ["gone-back=2"]


def test_without_a_witness_nothing_tells(applied: Workspace) -> None:
    """What the promise is about: the same store passes every check."""
    backup = copied(applied, "backup.db")
    change(applied, "Two")
    put_back(applied, backup)
    applied.ok("store", "check")
    assert applied.run("plan").exit_code == 0


def test_a_store_that_took_another_way(applied: Workspace) -> None:
    """Has runs of the same numbers, and others: as long, or longer, than what was noted."""
    backup = copied(applied, "backup.db")
    change(applied, "Two", "--witness=git")
    put_back(applied, backup)
    change(applied, "Other")
    found = applied.run("plan", "--witness=git")
    assert found.exit_code == 5 and "its run 2 is another one than was noted" in found.stdout
    change(applied, "More")
    assert applied.run("drift", "--witness=git").exit_code == 5


def test_another_store(applied: Workspace) -> None:
    """Or none, where there was one."""
    change(applied, "Two", "--witness=git")
    for name in os.listdir(applied.store.parent):
        (applied.store.parent / name).unlink()
    found = applied.run("plan", "--witness=git")
    assert found.exit_code == 5 and "the store that was noted is not there" in found.stdout
    applied.ok("apply", "-y", "-q")
    found = applied.run("plan", "--witness=git")
    assert found.exit_code == 5 and "this is another store than the one that was noted" in found.stdout


@pytest.mark.parametrize("place", PLACES)
def test_what_writes_notes(applied: Workspace, place: str) -> None:
    """Every command that writes history, by option or variable; the note is the head that the store has."""
    env = {"RECONCILER_WITNESS": where(applied, place)}
    change(applied, "Two")
    applied.ok("rollback", "1", "-y", "-q", env=env)
    assert noted(applied, place)["run"] == 3
    applied.ok("store", "rotate-key", env={**env, "RECONCILER_NEW_STORE_KEY": "another key, of more than thirty-two characters"})  # fmt: skip
    applied.env["RECONCILER_STORE_KEY"] = "another key, of more than thirty-two characters"
    assert noted(applied, place)["run"] == 4
    applied.edit("policies/team.yaml", "connectors:edit", "connectors:create")
    (applied.root / "policies/team.yaml").unlink()
    applied.ok("apply", "-y", "-q", "--max-deletes", "9", env=env)
    assert noted(applied, place)["run"] == 5
    applied.ok("restore", "group/integrators", "-y", "-q", env=env)
    assert noted(applied, place)["run"] == 6
    applied.ok("store", "purge", "-y", "--older-than", "0", env=env)
    assert noted(applied, place)["run"] == 7
    head = applied.ok("store", "check", env=env).stdout.rpartition("history head ")[2].strip()
    assert noted(applied, place)["head"] == head
    applied.ok("store", "check", "--head", head)


def test_a_run_that_another_overtook(applied: Workspace) -> None:
    """What is noted of a later run stays."""
    file = applied.root / "witness.json"
    change(applied, "Two", f"--witness={file}")
    earlier = file.read_bytes()
    change(applied, "Three", f"--witness={file}")
    later = file.read_bytes()
    file.write_bytes(earlier)
    applied.ok("plan", f"--witness={file}")
    applied.ok("apply", "-y", f"--witness={file}")  # there is nothing to do, so nothing to note
    assert file.read_bytes() == earlier
    change(applied, "Four", f"--witness={file}")
    assert file.read_bytes() not in (earlier, later) and noted(applied, "file")["run"] == 4


def test_the_ref_goes_forward(applied: Workspace, tmp_path: Path) -> None:
    """A commit a note, so that a push is refused from a clone that has not the last one."""
    bare = tmp_path / "bare.git"
    applied.git("init", "-q", "--bare", str(bare))
    applied.git("remote", "add", "origin", str(bare))
    change(applied, "Two", "--witness=git")
    push = ("push", "-q", "origin", "refs/reconciler/*:refs/reconciler/*")
    applied.git(*push)
    behind = applied.git("rev-parse", "refs/reconciler/local")
    change(applied, "Three", "--witness=git")
    applied.git(*push)
    assert applied.git("rev-list", "--count", "refs/reconciler/local") == "2"
    applied.git("update-ref", "refs/reconciler/local", behind)
    change(applied, "Four", "--witness=git")
    with pytest.raises(Exception, match="push"):
        applied.git(*push)
    assert applied.git("status", "--porcelain", "--untracked-files=no") == "M connectors/crm.yaml"


def test_what_is_no_witness(applied: Workspace, tmp_path: Path) -> None:
    """Stops the run: without it nobody can tell."""
    file = tmp_path / "witness"
    for content in (b"", b"{", b"[]", b'{"version":1}', b'{"version":2,"store":"a","run":1,"head":"b","noted":"c"}', b'{"version":1,"store":"a","run":"1","head":"b","noted":"c"}', b"x" * 100_000, b"\xff"):  # fmt: skip
        file.write_bytes(content)
        for command in ("plan", "apply", "drift"):
            found = applied.run(command, f"--witness={file}", *(("-y",) if command == "apply" else ()))
            assert found.exit_code == 10 and f"the witness {file} cannot be read" in found.stderr, found.output


def test_a_witness_that_cannot_be_written(applied: Workspace, tmp_path: Path) -> None:
    """Is told before anything is done; where it fails afterwards, the run says that it is done."""
    found = applied.run("apply", "-y", f"--witness={tmp_path}/no/witness")
    assert found.exit_code == 64 and "could not be written" in found.stderr
    outside = Workspace(tmp_path / "plain")
    shutil.copytree(applied.root, outside.root, ignore=shutil.ignore_patterns(".git", ".reconciler"))
    found = outside.run("apply", "-y", "--witness=git")
    assert found.exit_code == 64 and "is not inside a git repository" in found.stderr
    (applied.root / ".git/refs/reconciler").write_text("in the way\n")
    applied.edit("connectors/crm.yaml", "Customer data", "Two")
    found = applied.run("apply", "-y", "--witness=git")
    assert found.exit_code == 10 and "everything was done, but git cannot write the witness" in found.stderr
    assert "Applied to local: 1 updated" in found.stdout
    assert applied.run("plan").stdout.startswith("Nothing to do")


def test_a_saved_plan(applied: Workspace) -> None:
    """Is held against the witness when it is applied."""
    change(applied, "One", "--witness=git")
    backup = copied(applied, "backup.db")
    applied.edit("connectors/crm.yaml", "{displayName: One}", "{displayName: Saved}")
    applied.ok("plan", "--out", "plan.json")
    applied.edit("connectors/crm.yaml", "{displayName: Saved}", "{displayName: One}")
    applied.edit("policies/team.yaml", "Integration team", "Another")
    applied.ok("apply", "-y", "-q", "--witness=git")
    put_back(applied, backup)
    found = applied.run("apply", "plan.json", "-y", "--witness=git")
    assert found.exit_code == 5 and "has gone back" in found.stderr


@given(st.integers(1, 6), st.integers(0, 6), st.booleans(), st.sampled_from(["a", "b", ""]))
def test_a_store_passes_only_with_what_was_noted(run: int, last: int, same: bool, identity: str) -> None:
    """Whatever else it holds."""
    heads = {number: f"{number:064x}" for number in range(1, last + 1)}
    witness = Witness("a", run, f"{run:064x}" if same else "f" * 64, "2026-01-01T00:00:00Z")
    entries = [RunEntry(run, "", "", "", "", "", "", {}, heads[run])] if run in heads else []
    problem = gone_back(witness, identity, entries, last)
    assert (problem is None) == (identity == "a" and heads.get(run) == witness.head)
    assert problem is None or problem.count > 0
