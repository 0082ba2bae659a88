"""A store that is gone is told and stops what would make a new one in silence, until somebody says that it is meant."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Workspace

GONE = "there was a store, and it is gone"
NO_KEY = {"RECONCILER_STORE_KEY": ""}


@pytest.fixture(params=["key beside", "key elsewhere"])
def applied(workspace: Workspace, request: pytest.FixtureRequest) -> Workspace:
    """Applied, with the key beside the store or in the environment."""
    if request.param == "key beside":
        workspace.env |= NO_KEY
    workspace.ok("apply", "--yes")
    return workspace


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(b"")


def _no_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("VACUUM")
    connection.close()
    assert path.stat().st_size


def _link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "volume.db")


LOSSES = (_remove, _cut, _no_tables, _link_to_nowhere)


def lose(workspace: Workspace, how: Callable[[Path], None] = _remove) -> None:
    """Have the store gone, and SQLite's own files."""
    how(workspace.store)
    for suffix in ("-wal", "-shm"):
        workspace.store.with_name(f"store.db{suffix}").unlink(missing_ok=True)


@pytest.mark.parametrize("how", LOSSES)
def test_an_apply_into_the_void_is_stopped_until_it_is_meant(applied: Workspace, how: Callable[[Path], None]) -> None:
    """Plan and apply stop with 5 and name what speaks of it; the override makes a new one, and the run says so."""
    lose(applied, how)
    plan = applied.run("plan")
    assert plan.exit_code == 5 and GONE in plan.stdout, plan.output
    if how is _link_to_nowhere:
        assert "store.db is a link that leads nowhere" in plan.stdout
    else:
        assert "store.db.made says that there was one" in plan.stdout
        assert ("store.key" in plan.stdout) == applied.store.with_suffix(".key").exists()
    stopped = applied.run("apply", "--yes", "--as", "mallory")
    assert stopped.exit_code == 5 and GONE in stopped.stderr
    assert not sqlite_tables(applied.store)
    (override,) = set(re.findall(r"--override (\S+:lost-store=\d)", stopped.stderr))
    applied.ok("apply", "--yes", "--as", "ada", "--override", override)
    assert f"override {override.partition(':')[2]}" in applied.ok("history").stdout
    assert "Nothing to do" in applied.ok("plan").stdout
    assert GONE not in applied.ok("get").output


def sqlite_tables(path: Path) -> list[str]:
    if not path.exists() or not path.stat().st_size:
        return []
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    return [name for (name,) in rows]


READING = ("get", "drift", "history", "lock show", "token status", "can ada connectors:edit --live", "export --out X", "adopt --dry-run")  # fmt: skip


@pytest.mark.parametrize("command", READING)
def test_reading_commands_tell_that_nothing_can_be_known(applied: Workspace, tmp_path: Path, command: str) -> None:
    """On stderr, whatever they answer; and they make no store."""
    lose(applied)
    said = applied.run(*(str(tmp_path / part) if part == "X" else part for part in command.split()))
    assert said.exit_code in (0, 4), said.output
    assert said.stderr.startswith(f"warning: {GONE}")
    assert not applied.store.exists()


@pytest.mark.parametrize("command", ["rollback 1 --yes", "restore", "restore connector/x --yes", "store purge --yes", "store rotate-key"])  # fmt: skip
def test_what_needs_the_store_stops(applied: Workspace, command: str) -> None:
    """It would say that there is nothing to roll back to, restore, purge or seal anew."""
    lose(applied)
    said = applied.run(
        *command.split(), env={"RECONCILER_NEW_STORE_KEY": "another key for the tests, of more than 32 characters"}
    )
    assert said.exit_code == 5 and GONE in said.stderr, said.output
    assert not applied.store.exists()


def test_care_of_a_lost_store(applied: Workspace, tmp_path: Path) -> None:
    """The check finds it broken, and a backup of nothing replaces nothing."""
    backup = tmp_path / "backup.db"
    applied.ok("store", "backup", backup)
    before = backup.read_bytes()
    lose(applied)
    said = applied.run("store", "check")
    assert said.exit_code == 10 and "there is no store, and" in said.stdout
    assert applied.run("store", "backup", backup, "--force").exit_code == 10
    assert backup.read_bytes() == before


def test_a_saved_plan_of_the_store_that_was_lost(applied: Workspace, tmp_path: Path) -> None:
    """It is not applied into a new one."""
    applied.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    applied.ok("plan", "--out", tmp_path / "saved")
    lose(applied)
    said = applied.run("apply", tmp_path / "saved", "--yes")
    assert said.exit_code == 5 and GONE in said.stderr
    applied.run("plan", "--out", tmp_path / "into-the-void")
    assert applied.run("apply", tmp_path / "into-the-void", "--yes").exit_code == 5


def test_an_apply_of_nothing_makes_no_store(applied: Workspace) -> None:
    """Not even to remember that there was nothing to do."""
    lose(applied)
    for file in ("connectors/crm.yaml", "policies/team.yaml"):
        (applied.root / file).unlink()
    assert applied.run("apply", "--yes").exit_code == 5
    assert not applied.store.exists()


def test_a_journal_without_its_store_is_a_sign(workspace: Workspace) -> None:
    """Also where neither key nor mark are there."""
    workspace.ok("apply", "--yes")
    lose(workspace)
    workspace.store.with_name("store.db.made").unlink()
    workspace.store.with_name("store.db-wal").write_bytes(b"what was written and not moved into the file yet")
    said = workspace.run("plan")
    assert said.exit_code == 5 and "the journal of a store is in store.db-wal" in said.stdout


def test_a_first_apply_is_as_smooth_as_ever(workspace: Workspace) -> None:
    """No key, no store, or an empty file that a process left which died at its very first step; and nothing is told."""
    assert GONE not in workspace.ok("plan").output + workspace.ok("get").output
    workspace.store.parent.mkdir()
    workspace.store.touch()
    assert GONE not in workspace.ok("plan").output + workspace.ok("apply", "--yes").output


def test_a_store_that_is_brought_back_is_as_before(applied: Workspace, tmp_path: Path) -> None:
    """From a backup, with the file of SQLite's own left behind as well."""
    applied.ok("store", "backup", tmp_path / "backup.db")
    lose(applied)
    shutil.copy(tmp_path / "backup.db", applied.store)
    assert "Nothing to do" in applied.ok("plan").stdout
    applied.ok("store", "check")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to a device"])
@pytest.mark.parametrize("command", ["plan", "apply --yes", "get", "store check"])
def test_what_is_no_file_is_refused(workspace: Workspace, kind: str, command: str) -> None:
    """At once: a pipe would be waited for, and a device read without end."""
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: acme/x\n")
    workspace.store.parent.mkdir()
    if kind == "folder":
        workspace.store.mkdir()
    elif kind == "pipe":
        os.mkfifo(workspace.store)
    elif kind == "link to a device":
        workspace.store.symlink_to("/dev/zero")
    store = ("--store", "sqlite:/dev/zero") if kind == "device" else ()
    said = workspace.run(*command.split(), *store, timeout=20)
    assert said.exit_code == 10 and "is not a file, but" in said.stderr, said.output


def test_files_are_private_whatever_the_umask(workspace: Workspace, tmp_path: Path) -> None:
    """The store, its journal, its key and backups."""
    workspace.env |= NO_KEY
    old = os.umask(0)
    try:
        workspace.ok("apply", "--yes")
        reader = sqlite3.connect(workspace.store)  # keeps the journal there
        reader.execute("SELECT count(*) FROM records").fetchone()
        workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
        workspace.ok("apply", "--yes")
        workspace.ok("store", "rotate-key")
        workspace.ok("store", "backup", tmp_path / "backup.db")
        modes = {path.name: path.stat().st_mode & 0o777 for path in [*workspace.store.parent.iterdir(), tmp_path / "backup.db"]}  # fmt: skip
        reader.close()
    finally:
        os.umask(old)
    assert {"store.db", "store.db-wal", "store.db-shm", "store.key", "backup.db"} <= modes.keys()
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {".gitignore": 0o644}
