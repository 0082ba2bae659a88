"""A store that a version wrote is read by all later ones, and a version that was released is not changed any more."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import CONNECTOR, Workspace
from live_state import database_at, drift, plan_of, sql

from reconciler.errors import StoreUnavailable
from reconciler.stores.sqlite import file as sqlite
from reconciler.stores.host import APPLICATION_ID
from reconciler.stores.sqlite import schema

pytestmark = pytest.mark.store_file

KEPT = Path(__file__).parent / "versions"
"""One store of each version, as the statements that make it; `--update` adds the one of the present version."""
OLD = CONNECTOR.replace("crm-contacts", "old").replace("Sales team's contacts", "Old contacts")


def begun(path: Path):
    """A connection that has begun to write."""
    database = database_at(path)
    connection = database.writer()
    try:
        with database.translated():
            database.begin(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def statements_of(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """What a database is made of: sort, name and statement, without regard to white space."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    return {(sort, name, " ".join(text.split())) for sort, name, text in connection.execute(query)}


def lay(path: Path, version: int) -> None:
    """Make the store that is kept of a version."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((KEPT / f"{version}.sql").read_text("utf-8"))


def answer(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """A command's JSON."""
    content: dict[str, Any] = json.loads(workspace.ok(*arguments, "-o", "json").stdout)
    return content


def write_kept(workspace: Workspace) -> None:
    """Keep a store of the present version: with every sort of change, a deleted record, and what others wrote."""
    workspace.write("connectors/old.yaml", OLD)
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    workspace.edit("policies/team.yaml", "[ada, grace]", "[ada]")
    drift(workspace, "integration-team", "$.spec.description", '"by hand"')
    (workspace.root / "connectors/old.yaml").unlink()
    workspace.ok("apply", "--yes")
    sql(workspace.store, "UPDATE attempts SET holder = 'somewhere'")  # and not which machine it was
    with closing(sqlite3.connect(workspace.store)) as connection:
        lines = [*connection.iterdump(), f"PRAGMA application_id = {APPLICATION_ID};", f"PRAGMA user_version = {schema.VERSION};"]  # fmt: skip
    (KEPT / f"{schema.VERSION}.sql").write_text("\n".join(lines) + "\n", "utf-8")


def test_a_store_of_each_version_is_kept(workspace: Workspace, request: pytest.FixtureRequest) -> None:
    """Up to the present one."""
    if request.config.getoption("--update") and not (KEPT / f"{schema.VERSION}.sql").exists():
        write_kept(workspace)
    assert {path.name for path in KEPT.glob("[0-9]*")} == {f"{n}.sql" for n in range(1, schema.VERSION + 1)}


def test_the_present_version_is_the_one_that_is_kept(tmp_path: Path) -> None:
    """Whoever changes a table, an index, a view or a trigger adds a version."""
    lay(tmp_path / "kept.db", schema.VERSION)
    with closing(sqlite3.connect(tmp_path / "kept.db")) as kept, closing(sqlite3.connect(":memory:")) as new:
        schema.create(new)
        assert statements_of(kept) == statements_of(new)
        assert {*schema.MIGRATIONS} == {*range(2, schema.VERSION + 1)}


@pytest.mark.parametrize("version", range(1, schema.VERSION + 1))
def test_a_store_of_each_version_is_read(workspace: Workspace, version: int) -> None:
    """Its records, its history and what was deleted; nothing is left to do, and the next apply goes on from there."""
    lay(workspace.store, version)
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    workspace.edit("policies/team.yaml", "[ada, grace]", "[ada]")
    assert plan_of(workspace)["changes"] == plan_of(workspace, "--full")["changes"] == []
    assert len(answer(workspace, "get")["records"]) == 4
    assert answer(workspace, "store", "check")["fine"]
    assert [run["id"] for run in answer(workspace, "history")["runs"]] == [2, 1]
    assert "connector/old" in workspace.ok("restore").stdout
    workspace.write("connectors/old.yaml", OLD)
    workspace.ok("restore", "connector/old", "--yes")
    assert "Nothing to do" in workspace.ok("apply", "--yes", "--secrets", "check").stdout
    assert answer(workspace, "store", "check")["fine"]
    assert sql(workspace.store, "PRAGMA user_version") == [(schema.VERSION,)]


def test_an_older_store_is_brought_up_to_date_by_the_transaction_that_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All the way, step by step, or not at all."""
    path = tmp_path / ".reconciler/store.db"
    lay(path, 1)
    monkeypatch.setattr(schema, "VERSION", 3)
    monkeypatch.setattr(
        schema, "MIGRATIONS", {2: "CREATE TABLE two (a);\n", 3: "INSERT INTO two VALUES (3);\nno SQL;\n"}
    )
    with pytest.raises(StoreUnavailable):
        begun(path)
    assert sql(path, "PRAGMA user_version") == [(1,)]
    monkeypatch.setattr(schema, "MIGRATIONS", {**schema.MIGRATIONS, 3: "INSERT INTO two VALUES (3);\n"})
    with closing(begun(path)) as connection:
        connection.execute("ROLLBACK")
    assert sql(path, "PRAGMA user_version") == [(1,)]
    with closing(begun(path)) as connection:
        connection.execute("COMMIT")
    assert sql(path, "PRAGMA user_version") == [(3,)]
    assert sql(path, "SELECT a FROM two") == [(3,)]
