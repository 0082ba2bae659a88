"""A store in PostgreSQL by a connection that runs each statement at once: what the schema is tested with."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from reconciler.stores.postgresql import schema
from reconciler.stores.postgresql.engine import PostgresEngine
from reconciler.stores.sql.database import Transient, Values

SCHEMA = "reconciler"


class Plain:
    """See `Connection`; `raw` is psycopg's."""

    engine = PostgresEngine()

    def __init__(self, raw: psycopg.Connection, schema: str = SCHEMA) -> None:
        self.raw = raw
        self._path = '"' + schema.replace('"', '""') + '", pg_temp'

    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def begin(self) -> "Plain":
        """Begin a transaction as ours begin."""
        self.raw.execute("BEGIN")
        self.raw.execute("SELECT set_config('search_path', %s, true)", (self._path,))
        return self

    def execute(self, statement: str, values: Values = ()) -> Any:
        text = statement.replace("%", "%%").replace("?", "%s") if values else statement
        try:
            return self.raw.execute(text, tuple(values) or None)
        except LockNotAvailable as failure:
            raise Transient from failure

    def executemany(self, statement: str, rows: Iterable[Values]) -> None:
        for row in rows:
            self.execute(statement, row)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values], conflict: str = "") -> None:
        marks = ",".join("?" * len(columns))
        self.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {conflict}", rows)

    def commit(self) -> None:
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        self.raw.close()

    def ignore(self) -> None:
        self.execute("INSERT INTO writing VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING")
        self.execute("SELECT set_config('reconciler.writing', '1', true)")

    def watch(self) -> None:
        self.execute("DELETE FROM writing WHERE xid = pg_current_xact_id()")
        self.execute("SELECT set_config('reconciler.writing', '', true)")

    def all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.execute(statement, values).fetchall()


def plain(server: Any, database: str, name: str = SCHEMA, **options: object) -> Plain:
    """A connection as the superuser; `server` is `servers.postgresql.PostgreSQL`."""
    return Plain(server.superuser(database, prepare_threshold=None, **options), name)


def make_store(connection: Plain, name: str = SCHEMA) -> None:
    """A new store in a schema."""
    connection.begin()
    schema.lock_for_ddl(connection, name)
    schema.create(connection)
    connection.commit()


@contextmanager
def taken_back(connection: Plain) -> Iterator[Plain]:
    """A transaction of which nothing stays."""
    connection.begin()
    try:
        yield connection
    finally:
        connection.rollback()


def fill(connection: Plain) -> None:
    """What an apply would have written: two connectors in a category, with all that belongs to the first."""
    connection.begin().ignore()
    for uid, kind, name in (("a", "Connector", "contacts"), ("b", "Connector", "orders"), ("c", "Category", "crm")):
        row = (uid, kind, name, f"the {name}", "acme", "f" * 64, "f" * 64, 3)
        columns = ("uid", "kind", "name", "display", "owner", "fingerprint", "applied", "revision")
        connection.insert("records", columns, [row])
        connection.insert("documents", ("uid", "live"), [(uid, json.dumps({"spec": {"displayName": name}}))])
    connection.insert("applied", ("uid", "body"), [("a", '{"spec":{}}')])
    connection.insert("refs", ("uid", "kind", "name"), [("a", "Category", "crm"), ("b", "Category", "crm")])
    sealed = ("a", "authorization.password", '{"env":"PASSWORD"}', "print", b"\x01\xab")
    connection.insert("secrets", ("uid", "address", "reference", "fingerprint", "ciphertext"), [sealed])
    token = ("a", "", "made", "2027-01-01T00:00:00Z", "", b"\x02", b"\x03")
    columns = ("uid", '"authorization"', "made_with", "obtained", "scope", "access", "refresh")
    connection.insert("tokens", columns, [token])
    at = "2027-01-01T00:00:00Z"
    run = (1, at, at, "ci", "acme", "dev", "c0ffee", 1, "apply", "applied", b"\x04")
    columns = (
        "id",
        "started",
        "finished",
        "actor",
        "owner",
        "target",
        "git_commit",
        "changes",
        "verb",
        "outcome",
        "hash",
    )
    connection.insert("runs", columns, [run])
    columns = ("seq", "run", "uid", "kind", "name", "action", "fingerprint", "hash")
    connection.insert("history", columns, [(1, 1, "a", "Connector", "contacts", "create", "f" * 64, b"\x05")])
    columns = ("uid", "kind", "name", "owner", "live", "deleted_at", "run")
    connection.insert("quarantine", columns, [("q", "Connector", "gone", "acme", '{"spec":{}}', at, 1)])
    columns = ("uid", "address", "reference", "fingerprint", "ciphertext")
    connection.insert("quarantined_secrets", columns, [("q", *sealed[1:])])
    base = ("acme", "t1", "t2", "r", 3, 1, "{}", "", "[]", "[]")
    columns = (
        "owner",
        "connectors",
        "policies",
        "rules",
        "revision",
        "total",
        "records",
        "judged",
        "warnings",
        "dated",
    )
    connection.insert("baselines", columns, [base])
    connection.insert(
        "declared",
        ("owner", "kind", "name", "file", "odd", "token"),
        [("acme", "Connector", "contacts", "c.yaml", False, 1)],
    )
    connection.insert("claimed", ("owner", "kind", "name", "file"), [("acme", "Connector", "contact", "c.yaml")])
    connection.execute("UPDATE meta SET value = '1' WHERE key = 'revision'")
    connection.watch()
    connection.commit()
