"""A store in a schema of PostgreSQL: looked for, made, and brought up to date.

A new store gets all of it at once. Whoever changes `tables.py`, `views.py`, `functions.py` or `triggers.py` raises
`VERSION` and says in `MIGRATIONS` what turns a store of the version before into the same.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from reconciler.errors import StoreLocked, StoreUnavailable
from reconciler.stores.postgresql.functions import FUNCTIONS
from reconciler.stores.postgresql.statements import quoted
from reconciler.stores.postgresql.tables import PARTS, TABLES, VIEW_NAMES
from reconciler.stores.postgresql.triggers import TRIGGERS
from reconciler.stores.sql.columns import SINCE
from reconciler.stores.sql.database import Connection, Transient

VERSION = 4
"""The same number as SQLite's, which has the same tables; the first was 3."""

MIGRATIONS: dict[int, Sequence[str]] = {4: [PARTS["table", table] for table in SINCE]}
"""By version the statements that make a store of it from one of the version before."""


def create(connection: Connection) -> None:
    """Make all of it in the schema that `search_path` names first, inside the caller's transaction.

    The caller has the lock (`lock_for_ddl`), and knows that there is no store (`examine`).
    """
    named = "SELECT n, quote_ident(n) FROM (SELECT (parse_ident(current_setting('search_path'), false))[1] AS n) s"
    name, schema = connection.execute(named).fetchone()
    if not connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?", (name,)).fetchone():
        connection.execute(f"CREATE SCHEMA {schema}")
    for statement in statements(schema):
        connection.execute(statement)
    values = ("store", os.urandom(16).hex(), "revision", "0", "version", str(VERSION))
    connection.execute("INSERT INTO meta (key, value) VALUES (?,?), (?,?), (?,?)", values)


def statements(schema: str) -> Iterator[str]:
    """What makes a store of this version.

    Args:
        schema: quoted.
    """
    yield from PARTS.values()
    for function in FUNCTIONS.values():
        yield from function.statements(schema)
    for trigger in TRIGGERS:
        yield from trigger.statements()


def lock_for_ddl(connection: Connection, schema: str) -> None:
    """Let no other process of ours make or alter the schema until this transaction ends.

    From here on a statement that waits for others gives up after a moment, lest everybody else waits behind it.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (f"reconciler {schema}",)).fetchone()
    connection.execute("SELECT set_config('lock_timeout', ?, true)", (f"{_LOCK_MILLISECONDS}ms",)).fetchone()


_LOCK_MILLISECONDS = 300
_PATIENCE_SECONDS = 30.0
Done = TypeVar("Done")


def persistently(transaction: Callable[[], Done], seconds: float = _PATIENCE_SECONDS) -> Done:
    """What a whole transaction with DDL gives, tried again while others use its tables.

    Raises:
        StoreLocked: they still do after so many seconds.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return transaction()
        except Transient as failure:
            if time.monotonic() >= until:
                message = f"the store is to be brought up to date, and others use its tables; waited {seconds:g} s"
                hint = "end what reads from it for so long (see pg_stat_activity), and run the command again"
                raise StoreLocked(message, hint=hint) from failure
        time.sleep(random.uniform(0.1, 0.5))  # noqa: S311  # nosec B311


_FOUND = """
SELECT current_setting('server_encoding'), ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ? AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname)
"""


def examine(connection: Connection, schema: str) -> int | None:
    """The version of the store in a schema; None where there is none, and nothing in the way of one.

    Raises:
        StoreUnavailable: another application's tables are there, a newer version's, or no store can be.
    """
    encoding, found = connection.execute(_FOUND, (schema,)).fetchone()
    if isinstance(encoding, bytes):  # from SQL_ASCII no text comes as one
        encoding = encoding.decode()
    if encoding != "UTF8":
        message = f"the database has the encoding {encoding}, in which not every text can be kept"
        hint = "make one for the store: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        raise StoreUnavailable(message, hint=hint)
    ours = sorted({*TABLES, *VIEW_NAMES}.intersection(found))
    if not ours:
        return None
    version = _noted_version(connection, schema) if "meta" in ours and "records" in ours else None
    if version is None:
        raise StoreUnavailable(
            f"the schema {schema} is not a reconciler store, and holds tables of the same names: {', '.join(ours[:5])}",
            hint="name another schema in the store's URL: ?schema=NAME",
        )
    if version > VERSION:
        raise StoreUnavailable(
            f"the store in schema {schema} was written by a newer reconciler (store version {version}, this one knows {VERSION})",
            hint="install the newer reconciler",
        )
    return version


_NOTES = "SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(?) AND attname IN ('key', 'value') AND atttypid = 'text'::regtype"


def _noted_version(connection: Connection, schema: str) -> int | None:
    """What a table `meta` notes; None for one that is not ours."""
    meta = f"{quoted(schema)}.meta"
    if len(connection.execute(_NOTES, (meta,)).fetchall()) != 2:
        return None
    rows = connection.execute(f"SELECT value FROM {meta} WHERE key = 'version'").fetchall()
    return int(rows[0][0]) if len(rows) == 1 and re.fullmatch("[0-9]{1,9}", rows[0][0]) else None


def migrate(connection: Connection, version: int, migrations: Mapping[int, Sequence[str]] = MIGRATIONS) -> None:
    """Bring a store of an older version to the present one, inside the caller's transaction, which has the lock."""
    for step in sorted(step for step in migrations if step > version):
        for statement in migrations[step]:
            connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (str(step),))
