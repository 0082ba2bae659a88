"""A store that a version wrote on PostgreSQL is read by all later ones; two versions at work do each other no harm."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import CONNECTOR, Result, Workspace
from servers.postgresql import Database, on_both_majors

from reconciler.errors import ExitCode
from reconciler.stores.postgresql import schema
from reconciler.wiring.run import context_of
from pg_plain import make_store, plain

KEPT = Path(__file__).parents[1] / "versions"
"""`postgresql-N.sql` is a store of version N as pg_dump writes it; `--update` adds the one of the present version."""
OLD = CONNECTOR.replace("crm-contacts", "old").replace("Sales team's contacts", "Old contacts")
LATER = schema.VERSION + 1
PROJECT = "apiVersion: reconciler/v1\nkind: Project\nowner: local\ntargets:\n  local: {store: 'URL'}\n"
"""As where the kept stores of SQLite were written: owner and target are in the history."""


@pytest.fixture
def team(workspace: Workspace, database: Database) -> Workspace:
    """A repository with one resource of each kind, and an empty database."""
    return placed(workspace, database)


def placed(workspace: Workspace, database: Database) -> Workspace:
    """The same repository with its store in a database."""
    workspace.write("reconciler.yaml", PROJECT.replace("URL", database.url))
    workspace.env |= database.environment
    return workspace


def lay(database: Database, version: int) -> None:
    """Have the store that is kept of a version in a database that has none; its role's, as if that had made it."""
    text = (KEPT / f"postgresql-{version}.sql").read_text("utf-8")
    with database.connect() as connection:
        connection.execute(text)


def write_kept(team: Workspace, database: Database) -> None:
    """Keep a store of the present version: with every sort of change, a deleted record, and what others wrote."""
    team.write("connectors/old.yaml", OLD)
    team.ok("apply", "--yes")
    team.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    team.edit("policies/team.yaml", "[ada, grace]", "[ada]")
    policy = "uid = (SELECT uid FROM records WHERE name = 'integration-team')"
    changed = "jsonb_set(live::jsonb, '{spec,description}', '\"by hand\"')"
    database.sql(f"UPDATE documents SET live = {changed} WHERE {policy}")
    (team.root / "connectors/old.yaml").unlink()
    team.ok("apply", "--yes")
    database.sql("UPDATE attempts SET holder = 'somewhere'")  # and not which machine it was
    options = ["--no-owner", "--no-privileges", "--inserts", "--schema=reconciler", f"--dbname={database.name}"]
    lines = database.server.run("pg_dump", *options).splitlines()
    odd = ("\\", "SET transaction_timeout")  # of psql, and of the newest major alone
    kept = [line for line in lines if not line.startswith(odd)]
    (KEPT / f"postgresql-{schema.VERSION}.sql").write_text("\n".join(kept) + "\n", "utf-8")


MADE_OF = """
SELECT 'column', a.attrelid::regclass::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
    a.attidentity::text || a.attgenerated::text, a.attcollation::regcollation::text, pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'reconciler'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')
UNION ALL SELECT 'relation', c.relname::text, c.relkind::text, c.relpersistence::text, c.reloptions::text, '', '',
    CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
  FROM pg_class c WHERE c.relnamespace = 'reconciler'::regnamespace
UNION ALL SELECT 'constraint', conname::text, conrelid::regclass::text, '', '', '', '', pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'reconciler'::regnamespace
UNION ALL SELECT 'function', p.oid::regprocedure::text, '', '', '', '', '', pg_get_functiondef(p.oid)
  FROM pg_proc p WHERE p.pronamespace = 'reconciler'::regnamespace
UNION ALL SELECT 'trigger', t.tgname::text, t.tgrelid::regclass::text, t.tgenabled::text, '', '', '', pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND c.relnamespace = 'reconciler'::regnamespace
"""


def test_a_store_of_each_version_is_kept(team: Workspace, database: Database, request: pytest.FixtureRequest) -> None:
    """Up to the present one; the first that ran on PostgreSQL is 3."""
    if request.config.getoption("--update") and not (KEPT / f"postgresql-{schema.VERSION}.sql").exists():
        write_kept(team, database)
    wanted = {f"postgresql-{version}.sql" for version in range(3, schema.VERSION + 1)}
    assert {path.name for path in KEPT.glob("postgresql-*")} == wanted
    assert {*schema.MIGRATIONS} == {*range(4, schema.VERSION + 1)}


@on_both_majors
def test_the_present_version_is_the_one_that_is_kept(database: Database) -> None:
    """Whoever changes a table, an index, a view, a function or a trigger adds a version."""
    lay(database, schema.VERSION)
    connection = plain(database.server, database.name)
    try:
        kept = set(connection.all(MADE_OF))
        connection.execute("DROP SCHEMA reconciler CASCADE")
        make_store(connection)
        assert kept == set(connection.all(MADE_OF))
        assert {sort for sort, *_ in kept} == {"column", "relation", "constraint", "function", "trigger"}
    finally:
        connection.close()


def answer(team: Workspace, *arguments: str) -> dict[str, Any]:
    """A command's JSON."""
    content: dict[str, Any] = json.loads(team.ok(*arguments, "-o", "json").stdout)
    return content


@on_both_majors
@pytest.mark.parametrize("version", range(3, schema.VERSION + 1))
def test_a_store_of_each_version_is_read(team: Workspace, database: Database, version: int) -> None:
    """Its records, its history and what was deleted; nothing is left to do, and the next apply goes on from there."""
    lay(database, version)
    team.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    team.edit("policies/team.yaml", "[ada, grace]", "[ada]")
    assert answer(team, "plan")["changes"] == answer(team, "plan", "--full")["changes"] == []
    assert len(answer(team, "get")["records"]) == 4
    assert answer(team, "store", "check")["fine"]
    assert [run["id"] for run in answer(team, "history")["runs"]] == [2, 1]
    assert "connector/old" in team.ok("restore").stdout
    team.write("connectors/old.yaml", OLD)
    team.ok("restore", "connector/old", "--yes")
    assert "Nothing to do" in team.ok("apply", "--yes", "--secrets", "check").stdout
    assert answer(team, "store", "check")["fine"]
    assert database.sql("SELECT value FROM meta WHERE key = 'version'") == [(str(schema.VERSION),)]


# two versions at work


class Upgrade:
    """The next version of the tool, which has one more column."""

    def __init__(self, team: Workspace, database: Database) -> None:
        from reconciler.stores.drivers import open_url

        self._state = open_url(database.url, context_of(team.root, team.env))
        self.seconds = 0.0

    def __call__(self) -> None:
        """Its `store init`."""
        began = time.monotonic()
        try:
            assert self._state.init() is False
        finally:
            self._state._server.close()
        self.seconds = time.monotonic() - began


@pytest.fixture
def upgrade(team: Workspace, database: Database, monkeypatch: pytest.MonkeyPatch) -> Upgrade:
    """Run in this process; commands are the present version still."""
    following = schema.VERSION + 1
    monkeypatch.setattr(schema, "VERSION", following)
    monkeypatch.setitem(schema.MIGRATIONS, following, ["ALTER TABLE records ADD COLUMN more bigint"])
    return Upgrade(team, database)


def refused(done: Result) -> None:
    """In one sentence, with what to do."""
    assert done.exit_code == ExitCode.WORLD, done.output
    first, hint = done.stderr.strip().splitlines()[-2:]
    assert f"was written by a newer reconciler (store version {LATER}, this one knows {LATER - 1})" in first
    assert hint.strip() == "hint: install the newer reconciler"


def test_a_store_that_moves_on_between_plan_and_apply(team: Workspace, database: Database, upgrade: Upgrade) -> None:
    """The older tool writes nothing more, whatever it has read before."""
    team.ok("apply", "--yes")
    team.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    team.ok("plan", "--out", str(team.root.parent / "plan.json"))
    before = database.sql("SELECT live FROM documents ORDER BY uid")
    upgrade()
    refused(team.run("apply", str(team.root.parent / "plan.json"), "--yes"))
    refused(team.run("plan"))
    assert database.sql("SELECT live FROM documents ORDER BY uid") == before
    assert database.sql("SELECT count(*) FROM runs") == [(1,)]


def test_a_store_that_moves_on_while_an_apply_is_about_to_write(
    team: Workspace, database: Database, upgrade: Upgrade
) -> None:
    """It has its lease and its plan, and waits for a row: what it began to write is whole, or not there at all."""
    team.ok("apply", "--yes")
    team.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    done: list[Result] = []
    with database.connect(autocommit=False) as other:
        other.execute("SELECT 1 FROM reconciler.documents FOR UPDATE")
        apply = threading.Thread(target=lambda: done.append(team.run("apply", "--yes", "--lock-timeout", "20")))
        apply.start()
        waits("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", database)
        moving = threading.Thread(target=upgrade)
        moving.start()
        time.sleep(0.5)
        assert moving.is_alive(), "it waits for the apply"
    apply.join(30)
    moving.join(30)
    assert database.sql("SELECT value FROM reconciler.meta WHERE key = 'version'") == [(str(LATER),)]
    assert done[0].exit_code == 0, done[0].output
    assert database.sql("SELECT count(*) FROM reconciler.runs") == [(2,)]
    refused(team.run("plan"))


def test_a_reader_that_stands_idle_is_in_nobodys_way(team: Workspace, database: Database, upgrade: Upgrade) -> None:
    """The migration waits for it, and gives way meanwhile: others read on, and write; then it is done."""
    team.ok("apply", "--yes")
    with database.connect(autocommit=False) as idle:
        idle.execute("SELECT count(*) FROM reconciler.records")
        moving = threading.Thread(target=upgrade)
        moving.start()
        waits("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", database)
        for _ in range(3):
            began = time.monotonic()
            assert "Nothing to do" in team.ok("plan").stdout
            assert time.monotonic() - began < 5
        team.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
        team.ok("apply", "--yes")
        assert moving.is_alive()
        assert idle.execute("SELECT count(*) FROM reconciler.records").fetchone() == (4,)
    moving.join(30)
    assert not moving.is_alive()
    refused(team.run("plan"))


def waits(query: str, database: Database) -> None:
    """Until somebody does."""
    until = time.monotonic() + 20
    while not database.sql(query)[0][0]:
        assert time.monotonic() < until
        time.sleep(0.05)
