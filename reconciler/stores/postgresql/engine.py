"""What PostgreSQL has words of its own for."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from reconciler.stores.postgresql import tables
from reconciler.stores.postgresql.functions import FUNCTIONS, KEPT_PICTURE, PICTURE, SEALED
from reconciler.stores.postgresql.triggers import TRIGGERS
from reconciler.stores.sql.columns import COLUMNS, SINCE
from reconciler.stores.sql.database import Connection

_HERE = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())"
_OWN_RIGHTS = """coalesce(p.prosecdef
  AND p.proconfig = ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp', 'enable_seqscan=off'], false)"""
_DIGEST = "encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')"
_TRIGGERS = f"""
SELECT c.relname::text || '.' || t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled = 'A', {_DIGEST}, {_OWN_RIGHTS}
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND c.relnamespace = {_HERE}
UNION ALL
SELECT c.relname::text || '.' || r.rulename, pg_get_ruledef(r.oid, true), false, '', false
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN' AND c.relnamespace = {_HERE}
"""
"""Rules, too, do something else than what is asked."""
_PRESENT = f"""
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' ELSE 'view' END, relname::text
  FROM pg_catalog.pg_class WHERE relnamespace = {_HERE} AND relkind IN ('r', 'i', 'v')
UNION ALL SELECT 'constraint', conname::text FROM pg_catalog.pg_constraint WHERE connamespace = {_HERE}
UNION ALL SELECT 'function', p.proname || ' ' || {_OWN_RIGHTS} || ' ' || {_DIGEST}
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = {_HERE}
"""
_SILENCED = f"""
SELECT 'the foreign keys of ' || c.relname || ' are switched off', 'ALTER TABLE ' || c.oid::regclass || ' ENABLE TRIGGER ALL'
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  WHERE t.tgisinternal AND t.tgenabled NOT IN ('O', 'A') AND c.relnamespace = {_HERE} GROUP BY c.relname, c.oid
UNION ALL SELECT 'the index ' || c.relname || ' is not valid', 'REINDEX INDEX ' || c.oid::regclass
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  WHERE NOT i.indisvalid AND c.relnamespace = {_HERE}
UNION ALL SELECT 'row-level security hides rows of ' || relname, 'ALTER TABLE ' || oid::regclass || ' DISABLE ROW LEVEL SECURITY'
  FROM pg_catalog.pg_class WHERE relnamespace = {_HERE} AND relkind = 'r' AND relrowsecurity
UNION ALL SELECT 'the rule ' || r.rulename || ' does something else than what is written to ' || c.relname,
    'DROP RULE ' || quote_ident(r.rulename) || ' ON ' || c.oid::regclass
  FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  WHERE r.rulename <> '_RETURN' AND c.relkind = 'r' AND c.relnamespace = {_HERE}
UNION ALL SELECT 'rows of ' || i.inhrelid::regclass || ' count as rows of ' || c.relname || ', which that table inherits from',
    'ALTER TABLE ' || i.inhrelid::regclass || ' NO INHERIT ' || c.oid::regclass
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
  WHERE c.relkind = 'r' AND c.relnamespace = {_HERE}
UNION SELECT 'somebody wrote as only an apply does, and left a row in writing', '' FROM writing
ORDER BY 1
"""
"""What is so, and the statement that ends it; "" for what a repair does."""
_NEARBY = """
SELECT found.kind, found.name FROM near CROSS JOIN (SELECT CAST(? AS text)) owned (by) CROSS JOIN LATERAL (
  SELECT d.kind, d.name FROM declared o JOIN declared d ON d.owner = o.owner AND d.file = o.file
    WHERE o.owner = owned.by AND o.kind = near.k AND o.name = near.n
  UNION ALL SELECT f.kind, f.name FROM records r JOIN refs f ON f.uid = r.uid WHERE r.kind = near.k AND r.name = near.n
  UNION ALL SELECT d.kind, d.name FROM claimed c JOIN declared d ON d.owner = c.owner AND d.file = c.file
    WHERE c.owner = owned.by AND c.kind = near.k AND c.name = near.n
) found
"""


class PostgresEngine:
    """PostgreSQL; see `Engine`."""

    most = 30_000
    picture = PICTURE
    pictured = KEPT_PICTURE
    renewable = "renewable"
    elements = "SELECT json_array_elements_text(CAST(? AS json))"
    pairs = "json_each_text(CAST(? AS json))"
    for_update = "FOR UPDATE"
    for_share = "FOR SHARE"
    ends_at_refusals = True
    nearby = _NEARBY
    triggers = _TRIGGERS

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """Also what the checks and triggers raise that somebody has added."""
        from psycopg.errors import DataError, IntegrityError, RaiseException

        return (IntegrityError, DataError, RaiseException)

    def is_taken(self, failure: Exception) -> bool:
        """Whether a refusal says that a name or an identity is taken."""
        from psycopg.errors import UniqueViolation

        return isinstance(failure, UniqueViolation)

    def said(self, failure: Exception) -> str:
        """What a refusal says; its details would repeat values."""
        from psycopg import Error

        primary = failure.diag.message_primary if isinstance(failure, Error) else None
        return primary or type(failure).__name__

    def broken(self, connection: Connection, most: int) -> Iterator[str]:
        """Nothing: the server looks after its own files."""
        yield from ()

    def silenced(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """What is switched off, or does something else than it should."""
        for message, statement in connection.execute(_SILENCED).fetchall():
            end = f"have a superuser end it: {statement}; then: " if statement else ""
            yield message, f"find out who did it; {end}reconciler store check --repair"

    def unsilence(self, connection: Connection) -> Iterator[str]:
        """Remove rows that no apply has left: its own is gone when it ends."""
        if connection.execute("SELECT 1 FROM writing").fetchall():
            connection.execute("DELETE FROM writing")
            yield "a row in writing"

    def misfits(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Of each table a condition that is true of rows which hold what does not fit; "" for a table that is missing.

        Of what is sealed nothing is said, so that readers can ask: constraints and types see to that.
        """
        there = set(map(tuple, connection.execute(_PRESENT).fetchall()))
        later = _later(connection)
        for table, columns in COLUMNS.items():
            if table in later:
                continue
            wrong = [_misfit(column, held) for column, held in columns.items() if column not in SEALED.get(table, ())]
            yield table, " OR ".join(filter(None, wrong)) or "false" if ("table", table) in there else ""

    def own_triggers(self) -> Mapping[str, object]:
        """By table and name what a store of this version has: statement, whether ALWAYS, and its function's digest and rights."""
        return {one.address: (one.statement, True, FUNCTIONS[one.function].digest, True) for one in TRIGGERS}

    def found_triggers(self, connection: Connection) -> Mapping[str, object]:
        """The same of those that are there, and the rules, of which a store has none."""
        return {name: tuple(rest) for name, *rest in connection.execute(self.triggers).fetchall()}

    def differing(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Sort and name of what is missing in a store of this version, or of triggers and functions that were altered."""
        for sort, name, _ in self._differing(connection):
            yield sort, name

    def put_back(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Make what differs anew; sort and name of each. Rows that are there already need not keep a constraint."""
        for sort, name, made in list(self._differing(connection)):
            for statement in made:
                connection.execute(statement)
            yield sort, name

    def _differing(self, connection: Connection) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        there = set(map(tuple, connection.execute(_PRESENT).fetchall()))
        (quoted,) = connection.execute("SELECT quote_ident(current_schema())").fetchone()
        later = _later(connection)
        for (sort, name), made in tables.PARTS.items():
            if (sort, name) not in there and name not in later:
                yield sort, name, (made,)
        for name, (table, made) in tables.CONSTRAINTS.items():
            if ("constraint", name) not in there and ("table", table) in there:
                yield "constraint", name, (made + (" NOT VALID" if re.search("FOREIGN|CHECK", made) else ""),)
        for name, function in FUNCTIONS.items():
            if ("function", f"{name} true {function.digest}") not in there:
                yield "function", name, function.statements(quoted)
        found = self.found_triggers(connection)
        own = self.own_triggers()
        for trigger in TRIGGERS:
            if found.get(trigger.address) != own[trigger.address]:
                yield "trigger", trigger.address, trigger.statements()

    @contextmanager
    def as_present(self, connection: Connection) -> Iterator[Connection]:
        """The store itself: what an older version lacks is not asked for."""
        yield connection

    def overwrite(self, connection: Connection, table: str) -> None:
        """Nothing: what was deleted is overwritten by VACUUM, which no transaction can ask for."""


def _later(connection: Connection) -> frozenset[str]:
    """The tables that a store of an older version does not have yet."""
    rows = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchall()
    version = int(rows[0][0]) if rows else 0
    return frozenset(table for table, since in SINCE.items() if since > version)


def _misfit(column: str, held: str) -> str:
    """An SQL condition: what is in a column does not fit to it; "" where its type sees to that."""
    sort = held.removesuffix("?")
    value = f'"{column}"'
    if sort == "json":
        return f"NOT is_json({value})"
    if sort == "kind":
        return f"NOT {tables.condition('IS_KIND', value)}"
    return f"NOT {tables.condition('IS_TIME', value)}" if sort == "time" else ""
