"""What a store has to say of itself is told by every plan, in every format."""

import json
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace
from schema_checks import fits

NOTE = "the server of db.example.com is not verified"
DRIVER = f'''
from reconciler.stores.drivers import open_url


def open_noting(url, context):
    """A store of SQLite that says something of itself once it was read."""
    state = open_url("sqlite:inner.db", context)
    made = state.store

    def store():
        found = made()
        found.notes = lambda: ({NOTE!r},)
        return found

    state.store = store
    return state
'''


@pytest.fixture
def noting(empty: Workspace, tmp_path: Path) -> Workspace:
    """A repository with such a store."""
    site = tmp_path / "site"
    (site / "noting-1.0.dist-info").mkdir(parents=True)
    (site / "noting.py").write_text(DRIVER)
    (site / "noting-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: noting\nVersion: 1.0\n")
    (site / "noting-1.0.dist-info/entry_points.txt").write_text("[reconciler.stores]\nnoting = noting:open_noting\n")
    empty.env |= {"PYTHONPATH": str(site)}
    empty.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: a/b\ntargets: {local: {store: 'noting:x'}}\n")  # fmt: skip
    empty.write("connectors/c.yaml", CATEGORY)
    return empty


def told(workspace: Workspace, *arguments: str) -> None:
    """The note is in all forms."""
    assert f"note: {NOTE}\n" in workspace.run("plan", *arguments).stdout
    assert f"note: {NOTE}\n" in workspace.run("plan", "--summary", *arguments).stdout
    plan = json.loads(workspace.run("plan", "-o", "json", *arguments).stdout)
    fits(plan, "plan.schema.json")
    assert plan["notices"] == [NOTE]
    assert f"> **Note:** {NOTE}\n" in workspace.run("plan", "-o", "markdown", *arguments).stdout


def test_of_a_plan_with_changes_and_of_one_without(noting: Workspace) -> None:
    """Also where nothing is to be done."""
    told(noting)
    noting.ok("plan", "--out", "plan.json")
    assert NOTE in noting.ok("apply", "plan.json", "--yes").stdout
    told(noting)
    told(noting, "--full")
    noting.edit("connectors/c.yaml", "Customer data", "Another")
    assert NOTE in noting.ok("apply", "--yes").stdout
    assert NOTE in noting.ok("rollback", "1", "--dry-run").stdout
