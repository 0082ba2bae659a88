"""``store copy``: what it refuses, and what it says. The driver that is copied to takes the file as it is."""

import json
from pathlib import Path

import pytest
from conftest import Workspace
from live_state import sql
from schema_checks import fits

DRIVER = '''
from pathlib import Path

from reconciler.core.care import Copied
from reconciler.stores.drivers import open_url


class Taking:
    """A store of SQLite that can take over another one."""

    def __init__(self, path, context):
        self._path, self._inner = path, open_url(f"sqlite:{path}", context)

    def take_over(self, source, interrupts):
        source.back_up(self._path, replace=False)
        if self._path.name == "torn.db":
            return Copied({"records": 0}, "0" * 64)
        audit = source.audit("")
        return Copied(audit.counts, audit.head)


for name in ("store", "beside", "files", "lost", "history", "locks", "keys", "repairs", "tokens", "audit", "back_up"):
    setattr(Taking, name, lambda self, *a, _name=name, **k: getattr(self._inner, _name)(*a, **k))


def open_taking(url, context):
    return Taking(context.root / url.partition(":")[2], context)
'''


@pytest.fixture
def applied(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A repository that was applied to a file, and a driver to copy it to."""
    site = tmp_path / "site"
    (site / "taking-1.0.dist-info").mkdir(parents=True)
    (site / "taking.py").write_text(DRIVER)
    (site / "taking-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: taking\nVersion: 1.0\n")
    (site / "taking-1.0.dist-info/entry_points.txt").write_text("[reconciler.stores]\ntaking = taking:open_taking\n")
    workspace.env |= {"PYTHONPATH": str(site)}
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: a/b\n")
    workspace.ok("apply", "-y", "-q")
    return workspace


HERE = "sqlite:.reconciler/store.db"


def test_a_store_is_copied(applied: Workspace) -> None:
    """And says how much, and the head that both have; then there is nothing to do."""
    done = applied.ok("store", "copy", HERE, "taking:new.db")
    head = applied.ok("store", "check").stdout.rpartition("history head ")[2].strip()
    assert done.stdout.startswith(f"Copied {HERE} to taking:new.db: 4 records, 1 secret,")
    assert f"history head {head}\n" in done.stdout
    assert applied.ok("plan", "--store", "taking:new.db").stdout.startswith("Nothing to do")
    said = json.loads(applied.ok("store", "copy", HERE, "taking:other.db", "-o", "json").stdout)
    fits(said, "store.schema.json")
    assert said["head"] == head and said["copied"]["records"] == 4


def test_what_is_not_empty(applied: Workspace) -> None:
    """Is never written over."""
    applied.ok("store", "copy", HERE, "taking:new.db", "-q")
    again = applied.run("store", "copy", HERE, "taking:new.db")
    assert again.exit_code == 6 and "is not empty; nothing was copied" in again.stderr


def test_what_cannot_be_copied(applied: Workspace) -> None:
    """A store without a run, one that is damaged, and one that was lost."""
    nothing = applied.run("store", "copy", "sqlite:no.db", "taking:new.db")
    assert nothing.exit_code == 64 and "nothing was ever applied" in nothing.stderr
    sql(applied.store, "DELETE FROM meta WHERE key = 'history_head'")
    damaged = applied.run("store", "copy", HERE, "taking:new.db")
    assert damaged.exit_code == 10 and "the store is not whole" in damaged.stderr
    (applied.root / ".reconciler/store.db").unlink()
    lost = applied.run("store", "copy", HERE, "taking:new.db")
    assert lost.exit_code == 5 and "it is gone" in lost.stderr
    assert not (applied.root / "new.db").exists()


def test_a_copy_that_is_not_whole(applied: Workspace) -> None:
    """Is told: its history has to have the head that was copied."""
    torn = applied.run("store", "copy", HERE, "taking:torn.db")
    assert torn.exit_code == 10 and "the copy is not whole" in torn.stderr


def test_a_url_with_a_password(applied: Workspace) -> None:
    """Is refused, and not repeated."""
    found = applied.run("store", "copy", HERE, "postgresql://u:canary-7@db/x")
    assert found.exit_code == 64 and "holds a password" in found.stderr and "canary" not in found.output
