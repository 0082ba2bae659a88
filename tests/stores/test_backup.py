"""store backup: a consistent copy, private, whole or not at all."""

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, Workspace, clean_environment
from programs import needs_mounts
from live_state import InProcess, sql

from reconciler.kinds import registry

NO_KEY = {"RECONCILER_STORE_KEY": ""}


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """Applied, with the key in the environment."""
    workspace.ok("apply", "--yes")
    return workspace


def test_a_backup_is_a_store(applied: Workspace, tmp_path: Path) -> None:
    """Private, one file; plans, calls for secrets and applies work with it, and its history goes on."""
    to = tmp_path / "backup.db"
    said = applied.ok("store", "backup", to)
    assert said.stdout == (
        f"Copied local to {to}.\n"
        "The key to its secrets is not in it: that is in RECONCILER_STORE_KEY. Keep a copy of the key somewhere else.\n"
    )
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["backup.db"]
    assert to.stat().st_mode & 0o777 == 0o600
    assert "a-password-for-the-tests".encode() not in to.read_bytes()
    applied.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: local\ntargets:\n  copy: {{store: 'sqlite:{to}'}}\n")  # fmt: skip
    assert "Nothing to do" in applied.ok("plan", "--secrets", "check").stdout
    assert "Authorization: ********" in applied.ok("call", "crm-contacts", "list", "--set", "account=1", "--dry-run").stdout  # fmt: skip
    applied.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    applied.ok("apply", "--yes")
    applied.ok("store", "check")
    assert len(applied.ok("history").stdout.splitlines()) == 4


def test_the_key_of_an_embedded_store(workspace: Workspace, tmp_path: Path) -> None:
    """It is said where it is, and where the copy would look for it; there it works."""
    workspace.env |= NO_KEY
    workspace.ok("apply", "--yes")
    to, key = tmp_path / "backup.db", workspace.store.with_suffix(".key")
    assert workspace.ok("store", "backup", to).stdout.splitlines()[1:] == [
        f"The key to its secrets is not in it: that is in {key}. Keep a copy of the key somewhere else.",
        f"Used as a store where it is, it looks for the key in {tmp_path}/backup.key.",
    ]
    assert key.read_bytes().strip() not in to.read_bytes()
    lost = ("plan", "--secrets", "check", "--store", f"sqlite:{to}")
    workspace.env["RECONCILER_OWNER"] = ""
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: local\n")
    assert workspace.run(*lost).exit_code == 10
    to.with_suffix(".key").write_bytes(key.read_bytes())
    to.with_suffix(".key").chmod(0o600)
    assert "Nothing to do" in workspace.ok(*lost).stdout


def test_one_from_before_the_key_was_changed(workspace: Workspace, tmp_path: Path) -> None:
    """Put in the place of the store it works, by the key that was kept."""
    workspace.env |= NO_KEY
    workspace.ok("apply", "--yes")
    to = tmp_path / "backup.db"
    workspace.ok("store", "backup", to)
    workspace.ok("store", "rotate-key")
    workspace.store.write_bytes(to.read_bytes())
    assert "Nothing to do" in workspace.ok("plan", "--secrets", "check").stdout
    workspace.ok("store", "rotate-key")
    assert "Nothing to do" in workspace.ok("plan", "--secrets", "check").stdout


def test_nothing_is_overwritten(applied: Workspace, tmp_path: Path) -> None:
    """Unless --force says so; never the store itself, nor what is in use as a database."""
    to = tmp_path / "backup.db"
    to.write_text("mine")
    for arguments, words in (
        ((to,), "is there already"),
        ((applied.store, "--force"), "is the store itself"),
        ((tmp_path, "--force"), "is a directory"),
    ):
        refused = applied.run("store", "backup", *arguments)
        assert refused.exit_code == 64 and words in refused.stderr, refused.output
    assert to.read_text() == "mine"
    journal = tmp_path / "backup.db-wal"
    journal.write_bytes(b"x")
    refused = applied.run("store", "backup", to, "--force")
    assert refused.exit_code == 64 and f"in use as a database: there is {journal}" in refused.stderr
    journal.unlink()
    result = json.loads(applied.ok("store", "backup", to, "--force", "-o", "json").stdout)
    fits(result, "store.schema.json")
    assert result == {"version": 1, "type": "backup", "target": "local", "file": str(to), "key": "RECONCILER_STORE_KEY"}
    assert sql(to, "SELECT count(*) FROM records") == sql(applied.store, "SELECT count(*) FROM records")


def test_what_cannot_be_copied_or_written(applied: Workspace, empty: Workspace, tmp_path: Path) -> None:
    """Exit code 10, and no file is left."""
    folder = tmp_path / "to"
    folder.mkdir()
    nowhere = applied.run("store", "backup", folder / "no" / "backup.db")
    assert nowhere.exit_code == 10 and "cannot be written: No such file or directory" in nowhere.stderr
    none = applied.run("store", "backup", folder / "backup.db", "--store", "sqlite:.reconciler/none.db")
    assert none.exit_code == 10 and "there is no store" in none.stderr
    applied.store.write_bytes(damaged(applied.store))
    broken = applied.run("store", "backup", folder / "backup.db")
    assert broken.exit_code == 10 and "damaged" in broken.stderr, broken.output
    assert not list(folder.iterdir())


def damaged(store: Path) -> bytes:
    """The file with a page of records overwritten."""
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(store.read_bytes())
    content[(page - 1) * size : page * size] = os.urandom(size)
    return bytes(content)


def test_a_full_disk(applied: Workspace) -> None:
    """It is said, and nothing is left there."""
    needs_mounts()
    applied.write("full/.keep", "")
    script = f"mount -t tmpfs -o size=64k none full && {sys.executable} -m reconciler store backup full/backup.db; echo $?; ls -A full"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=applied.root, env=clean_environment(applied.env), capture_output=True, text=True, check=True)  # fmt: skip
    assert "the disk is full" in done.stderr
    assert done.stdout.split() == ["10"]


def test_while_others_write(empty: Workspace, tmp_path: Path) -> None:
    """Each copy is one state: all records say the same, though an apply changes all of them all the time."""
    body = CATEGORY.replace("{displayName: Customer data}", "{displayName: NAME, description: TEXT}")

    def apply(text: str) -> None:
        documents = [body.replace("crm", f"c{n}").replace("NAME", f"C{n}").replace("TEXT", text) for n in range(40)]
        empty.write("connectors/many.yaml", "---\n".join(documents))
        InProcess(empty.root, empty.env).apply()

    apply("v0")
    copied = []
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [apply(f"v{number}") for number in range(1, 16)])
        while not writing.done() or len(copied) < 5:
            to = tmp_path / f"{len(copied)}.db"
            empty.ok("store", "backup", to)
            ((count, texts, text),) = sql(to, "SELECT count(*), count(DISTINCT description), max(description) FROM categories")  # fmt: skip
            ((runs,),) = sql(to, "SELECT count(*) FROM runs")
            assert (count, texts, text) == (40, 1, f"v{runs - 1}")
            copied.append(text)
        writing.result()
    assert len(set(copied)) > 1, "they wrote meanwhile"
