"""What the tests of plan, apply and the store share: plans as data, and changes made outside of a run."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import engines
import jsonschema
from msgspec.structs import replace
from schema_checks import fits
from conftest import KEY, Workspace

from reconciler.core.lease import Host
from reconciler.core.plan import Plan
from reconciler.core.ports.store import Clock
from reconciler.kinds import registry
from reconciler.render.plan_formats import plan_json
from reconciler.core.history import Report
from reconciler.services.apply import TokenOptions, apply_plan
from reconciler.services.apply import ApplyOptions, Report, TokenOptions, apply_plan
from reconciler.services.plan import PlanOptions, make_plan
from reconciler.settings import Overrides
from reconciler.stores.drivers import open_url
from reconciler.stores.host import LocalHost
from reconciler.stores.sql.database import Database
from reconciler.stores.sql.store import LiveSqlStore
from reconciler.stores.sqlite.database import SqliteDatabase
from reconciler.wiring.run import context_of, load_settings, now, open_secrets, open_source, open_store, open_tokens


def plan_of(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The plan as JSON, held against its schema."""
    result = workspace.run("plan", "-o", "json", *arguments)
    assert result.exit_code in (0, 5, 6), result.output
    content = json.loads(result.stdout)
    fits(content, "plan.schema.json")
    return content


def actions(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """Action and address of each change."""
    return [(change["action"], change["address"]) for change in plan["changes"]]


def fields(plan: dict[str, Any]) -> dict[str, tuple[Any, Any, str]]:
    """Before, after and origin of every field of the only change, by dotted path below the body."""
    (change,) = plan["changes"]
    return {
        ".".join(field["path"][1:]): (field.get("before"), field.get("after"), field["origin"])
        for field in change["fields"]
    }


def sql(store: Path | engines.Placed, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement straight on a store; written for SQLite, whatever the store is."""
    if engine := engines.current():
        return (engine.at(store) if isinstance(store, Path) else store).sql(statement, *values)
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        found = connection.execute(statement, values).fetchall()
    connection.close()
    return found


def tamper(store: Path | engines.Placed, script: str) -> None:
    """Run SQL as somebody would who can write to the file: the triggers are put back afterwards."""
    if isinstance(store, engines.Placed):
        store.tamper(script)
        return
    with sqlite3.connect(store) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(script)
        for _, text in triggers:
            connection.execute(text)
    connection.close()


def file_bytes(store: Path | engines.Placed) -> bytes:
    """The store's file with its journal, or what stands in its tables."""
    if isinstance(store, engines.Placed):
        return store.read_bytes()
    return b"".join(path.read_bytes() for path in sorted(store.parent.glob(f"{store.name}*")))


def connected(store: Path | engines.Placed) -> AbstractContextManager[sqlite3.Connection | engines.Connected]:
    """A connection straight to a store, which commits and closes with its block; statements are those of SQLite."""
    return engines.Connected(store) if isinstance(store, engines.Placed) else _committed(store)


@contextmanager
def _committed(store: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store)) as connection, connection:
        yield connection


def database_at(store: Path | engines.Placed) -> Database:
    """The store in a file, or in what is in its place."""
    engine = engines.current()
    if engine is None:
        return SqliteDatabase(store, LocalHost, now, 0)
    placed = engine.at(store) if isinstance(store, Path) else store
    if placed.url not in engine.opened:
        context = context_of(Path("/"), {"RECONCILER_STORE_KEY": KEY, **engines.environment()})
        engine.opened[placed.url] = open_url(placed.url, context)._database
    return engine.opened[placed.url]


def told(database: Database, host: Host, clock: Clock, lock_seconds: float | None = None) -> Database:
    """A database that reads other clocks than it would, and waits as long as it is told."""
    seconds = database.lock_seconds if lock_seconds is None else lock_seconds
    if isinstance(database, SqliteDatabase):
        return replace(database, host=lambda: host, clock=clock, lock_seconds=seconds)
    database.host, database.clock, database.lock_seconds = lambda: host, clock, seconds
    return database


def holds_nothing(store: Path | engines.Placed) -> bool:
    """Whether there is no store, or one that tells of attempts at most."""
    tables = ("records", "documents", "secrets", "tokens", "runs", "history", "leases")
    return not store.exists() or not any(sql(store, f"SELECT count(*) FROM {table}")[0][0] for table in tables)


def drift(workspace: Workspace, name: str, path: str, value: str) -> None:
    """Set a field of a live body outside of a run; `value` is JSON."""
    sql(
        workspace.store,
        "UPDATE documents SET live = json_set(live, ?, json(?)) WHERE uid = (SELECT uid FROM records WHERE name = ?)",
        path,
        value,
        name,
    )


def live_spec(workspace: Workspace, address: str) -> dict[str, Any]:
    """The spec of a live record."""
    content = json.loads(workspace.ok("get", address, "-o", "json").stdout)
    spec: dict[str, Any] = content["records"][0]["document"]["spec"]
    return spec


class InProcess:
    """Plans and applies of one repository in this process: for properties, where a process for each would take too long."""

    def __init__(
        self, root: Path, environment: dict[str, str], clock: Clock | None = None, host: Host | None = None
    ) -> None:
        engines.settle(root)
        self.root = root
        self.clock = clock or now
        self.host = host
        self.environment = {"RECONCILER_STORE_KEY": KEY, **engines.environment(), **environment}
        self.settings = load_settings(root, Overrides())

    @property
    def path(self) -> Path | engines.Placed:
        """The store's file, or what is in its place."""
        return engines.store_of(self.root)

    def store(self) -> LiveSqlStore:
        """The store, opened anew."""
        store = open_store(self.settings, self.environment)
        assert isinstance(store, LiveSqlStore)
        if self.host is not None or self.clock is not now:
            store._database = told(store._database, self.host or LocalHost(), self.clock)
        if engine := engines.current():  # a store lets go of its connections when its process ends, which is not now
            close, database = store.close, store._database
            engine.opened[str(id(store))] = store
            store.close = lambda: (engine.opened.pop(str(id(store)), None), close(), database.close())
        return store

    def plan(self, store: LiveSqlStore | None = None, **options: Any) -> Plan:
        """A plan of the working tree."""
        source = open_source(self.root, "")
        desired = source.load()
        assert not [found for found in desired.diagnostics if found.severity == "error"], desired.diagnostics
        opened = store or self.store()
        try:
            return make_plan(desired, source, opened, PlanOptions(self.settings.target, self.settings.owner, **options))
        finally:
            if store is None:
                opened.close()

    def plan_json(self, **options: Any) -> dict[str, Any]:
        """A plan as `plan -o json` prints it, held against its schema."""
        content: dict[str, Any] = json.loads(plan_json(self.plan(**options)))
        fits(content, "plan.schema.json")
        return content

    def apply(self, *, fetch: bool = False, **options: Any) -> Report:
        """Plan and apply; `fetch` says whether access tokens are fetched."""
        store = self.store()
        try:
            plan = self.plan(store, **options)
            tools = replace(open_tokens(self.settings, store), clock=self.clock)
            return apply_plan(
                plan,
                store,
                ApplyOptions(
                    open_secrets(self.settings, self.environment), TokenOptions(tools, fetch=fetch), "ada", self.clock
                ),
            )
        finally:
            store.close()
