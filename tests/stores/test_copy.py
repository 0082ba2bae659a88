"""``store copy``: from one store to another, what it refuses, and what it says."""

import json
import re
import time

import pytest
from conftest import CONNECTOR, Result, Workspace, timeless
from live_state import drift, sql
from schema_checks import fits

NEW_KEY = "another key for the tests, of more than thirty-two characters"


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A repository that was applied to a file, with a deleted record, and one that others wrote to."""
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: a/b\n")
    workspace.write("connectors/old.yaml", CONNECTOR.replace("crm-contacts", "old").replace("Sales team's", "Old"))
    workspace.ok("apply", "-y", "-q")
    (workspace.root / "connectors/old.yaml").unlink()
    workspace.ok("apply", "-y", "-q")
    return workspace


HERE = "sqlite:.reconciler/store.db"


def test_a_store_is_copied(applied: Workspace) -> None:
    """And says how much, and the head that both have; then there is nothing to do."""
    done = applied.ok("store", "copy", HERE, "sqlite:new.db")
    head = applied.ok("store", "check").stdout.rpartition("history head ")[2].strip()
    assert done.stdout.startswith(f"Copied {HERE} to sqlite:new.db: 4 records, 1 secret,")
    assert f"history head {head}\n" in done.stdout
    assert applied.ok("plan", "--store", "sqlite:new.db").stdout.startswith("Nothing to do")
    said = json.loads(applied.ok("store", "copy", HERE, "sqlite:other.db", "-o", "json").stdout)
    fits(said, "store.schema.json")
    assert said["head"] == head and said["copied"]["records"] == 4


def test_what_is_not_empty(applied: Workspace) -> None:
    """Is never written over."""
    applied.ok("store", "copy", HERE, "sqlite:new.db", "-q")
    again = applied.run("store", "copy", HERE, "sqlite:new.db")
    assert again.exit_code == 6 and "is not empty; nothing was copied" in again.stderr


def test_what_cannot_be_copied(applied: Workspace) -> None:
    """A store without a run, one that is damaged, and one that was lost."""
    nothing = applied.run("store", "copy", "sqlite:no.db", "sqlite:new.db")
    assert nothing.exit_code == 64 and "nothing was ever applied" in nothing.stderr
    sql(applied.store, "DELETE FROM meta WHERE key = 'history_head'")
    damaged = applied.run("store", "copy", HERE, "sqlite:new.db")
    assert damaged.exit_code == 10 and "the store is not whole" in damaged.stderr
    (applied.root / ".reconciler/store.db").unlink()
    lost = applied.run("store", "copy", HERE, "sqlite:new.db")
    assert lost.exit_code == 5 and "it is gone" in lost.stderr
    assert not (applied.root / "new.db").exists()


def test_to_a_server_and_back(applied: Workspace, database) -> None:
    """With drift, what was deleted, and secrets sealed anew; the same questions have the same answers."""
    drift(applied, "crm-contacts", "$.spec.description", '"by hand"')
    questions = [["drift", "-o", "json"], ["history", "-o", "json"], ["restore", "-o", "json"], ["get", "-o", "json"]]
    before = [stable(applied.run(*words)) for words in questions]
    there = {**database.environment, "RECONCILER_STORE_KEY": NEW_KEY}
    applied.ok("store", "copy", HERE, database.url, env={**database.environment, "RECONCILER_NEW_STORE_KEY": NEW_KEY})
    assert [stable(applied.run(*words, "--store", database.url, env=there)) for words in questions] == before
    assert "unbroken" in applied.ok("store", "check", "--store", database.url, env=there).stdout
    assert sql(applied.store, "SELECT ciphertext FROM secrets") != database.sql("SELECT ciphertext FROM secrets")
    applied.ok("restore", "connector/old", "--yes", "--store", database.url, env=there)
    applied.ok("store", "copy", database.url, "sqlite:back.db", env=there)
    back = {"RECONCILER_STORE_KEY": NEW_KEY}
    assert "unbroken" in applied.ok("store", "check", "--store", "sqlite:back.db", env=back).stdout
    (change,) = json.loads(applied.run("plan", "connector/old", "-o", "json", "--store", "sqlite:back.db", env=back).stdout)["changes"]  # fmt: skip
    assert change["action"] == "delete", "it was restored there, and git does not have it"
    applied.ok("apply", "--yes", "--secrets", "check", "--store", "sqlite:back.db", env=back)


def stable(result: Result) -> str:
    """An answer without what names the store."""
    return re.sub(r'"target": "[^"]*"', "", timeless(result.stdout))


def test_a_run_that_writes_to_it(applied: Workspace) -> None:
    """Is waited for: what it is about to write would be lost."""
    sql(applied.store, "INSERT INTO leases (name, holder, expires) VALUES ('apply/a/b', 'elsewhere:7:1:kernel:nonce', ?)", time.time() + 20)  # fmt: skip
    busy = applied.run("store", "copy", HERE, "sqlite:new.db")
    assert busy.exit_code == 8 and "is locked by a run" in busy.stderr


def test_a_url_with_a_password(applied: Workspace) -> None:
    """Is refused, and not repeated."""
    found = applied.run("store", "copy", HERE, "postgresql://u:canary-7@db/x")
    assert found.exit_code == 64 and "holds a password" in found.stderr and "canary" not in found.output
