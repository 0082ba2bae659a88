"""Where the tests' repositories have their store: in the embedded store's file, or in a schema of PostgreSQL.

A module that is about stores as such says `pytestmark = pytest.mark.both_stores`: its tests run on both. With
`--store postgresql` all tests run there, but for those that are about the embedded store's file and say
`pytestmark = pytest.mark.store_file`.

Nothing else differs for a test: `Workspace` and `InProcess` come with a project file that names a schema of its own,
`store` and `path` are that schema instead of a file, and `live_state.sql` runs a statement there, written as for SQLite.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from servers.postgresql import Database, PostgreSQL

SQLITE, POSTGRESQL = "sqlite", "postgresql"
PROJECT = "reconciler.yaml"


@dataclass(frozen=True)
class Placed:
    """A store's schema; what a `Path` is to the embedded store.

    Attributes:
        url: without a password.
    """

    database: "Database"
    schema: str

    @property
    def url(self) -> str:
        return f"{self.database.url}?schema={self.schema}"

    def __str__(self) -> str:
        """As a URL has it behind ``sqlite:``; see `Engine.placing`."""
        return self.url

    def exists(self) -> bool:
        """Whether there is a store."""
        return bool(connection(self.database).execute("SELECT to_regclass(%s)", [f"{self.schema}.meta"]).fetchone()[0])

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement of SQLite as the superuser; what it gives. Commits by itself."""
        open_one = connection(self.database)
        open_one.execute("SELECT set_config('search_path', %s, false)", [f"{self.schema}, tests"])
        found = open_one.execute(translated(statement), values)
        return found.fetchall() if found.description else []

    def tamper(self, script: str) -> None:
        """Run statements while no trigger is at work, and no foreign key."""
        query = """SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled FROM pg_trigger
            JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = CAST(? AS regnamespace)"""
        found = self.sql(query, self.schema)
        for table, name, _ in found:
            self.sql(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        self.sql("SET session_replication_role = replica")
        for statement in filter(str.strip, re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", script)):
            self.sql(statement)
        self.sql("SET session_replication_role = origin")
        for table, name, enabled in found:
            self.sql(f"ALTER TABLE {table} ENABLE {'ALWAYS ' if enabled in (b'A', 'A') else ''}TRIGGER {name}")

    def keep(self) -> None:
        """Keep what is in its tables for `put_back`."""
        self.sql("SELECT tests.keep(?)", self.schema)

    def put_back(self) -> None:
        """Make it what it was when it was kept, without a trace of what was there since; no store where there was none."""
        self.sql("SELECT tests.put_back(?)", self.schema)

    def read_bytes(self) -> bytes:
        """All that stands in its tables, as comparing needs it."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = ? ORDER BY 1"
        rows = [
            [table, *row] for (table,) in self.sql(query, self.schema) for row in self.sql(f'SELECT * FROM "{table}"')
        ]
        told = [b"|".join(one if isinstance(one, bytes) else str(one).encode() for one in row) for row in rows]
        return b"\n".join(sorted(told))


def refusals() -> type[Exception]:
    """What a constraint that is not kept raises."""
    import psycopg

    return psycopg.IntegrityError


class Connected:
    """What `sqlite3.connect` gives, as far as tests use it: statements commit by themselves, or when the block ends."""

    def __init__(self, placed: Placed) -> None:
        self._own = placed.database.server.superuser(placed.database.name, application_name="tests")
        self._own.execute("SELECT set_config('search_path', %s, false)", [f"{placed.schema}, tests"])

    def __enter__(self) -> "Connected":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, statement: str, values: Sequence[object] = ()) -> "psycopg.Cursor":
        return self._own.execute(translated(statement), values)

    def commit(self) -> None:
        """Everything is."""

    def close(self) -> None:
        self._own.close()


class Engine:
    """PostgreSQL for the tests of this worker: one database, in which each store has a schema of its own."""

    def __init__(self, server: "PostgreSQL") -> None:
        self.database = server.create()
        self._numbers = count(1)
        self._placed: dict[str, Placed] = {}
        self.opened: dict[str, Any] = {}
        """What tests have opened in this process, and may have left open: by URL, or by the object's number."""
        connection(self.database).execute(LIKE_SQLITE)

    def at(self, path: Path) -> Placed:
        """The schema in place of a file; the same for the same path."""
        key = os.path.abspath(path)
        if key not in self._placed:
            self._placed[key] = Placed(self.database, f"store_{next(self._numbers)}")
        return self._placed[key]

    def forget(self) -> None:
        """From here on each file has another schema: one test's paths may be those of another."""
        self._placed.clear()
        for one in [*self.opened.values()]:
            one.close()
        self.opened.clear()

    def named(self, url: str) -> Placed:
        """The schema that a URL names."""
        return Placed(self.database, url.rpartition("?schema=")[2])

    def placing(self, root: Path, text: str) -> str:
        """A project file with a schema for each file of SQLite, and for the one that would be there without a target."""

        def place(found: re.Match[str]) -> str:
            return found[1] if found[1].startswith("postgresql:") else self.at(root / found[1]).url

        text = re.sub(r"\bsqlite:([^\s,'\"}\]]+)", place, text)
        if text.startswith("{"):  # tests that write JSON name their targets
            return json.dumps({"owner": "local", **json.loads(text)})
        if not re.search(r"^targets:", text, re.MULTILINE):
            text = f"{text.rstrip()}\ntargets:\n  local: {{store: '{self.at(root / DEFAULT).url}'}}\n".lstrip()
        if not re.search(r"^owner:", text, re.MULTILINE):
            text += "owner: local\n"  # as it is for a file in the repository
        return text


DEFAULT = ".reconciler/store.db"
HEAD = "apiVersion: reconciler/v1\nkind: Project\n"
_current: list[Engine] = []


class running_on:
    """While this lasts, repositories that are made have their stores on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        self._engine.forget()
        _current.append(self._engine)
        os.environ["PGPASSWORD"] = self._engine.database.password

    def __exit__(self, *_: object) -> None:
        _current.pop()
        self._engine.forget()
        del os.environ["PGPASSWORD"]


@contextmanager
def as_one_process() -> Iterator[None]:
    """Connections that are made meanwhile in this process are closed, as the end of one would have them."""
    if not current():
        yield
        return
    from reconciler.stores.postgresql.database import PostgresDatabase

    wires: list[Any] = []
    connect = PostgresDatabase._connect
    PostgresDatabase._connect = lambda *arguments: wires.append(connect(*arguments)) or wires[-1]
    try:
        yield
    finally:
        PostgresDatabase._connect = connect
        for wire in wires:
            wire.close()


def current() -> Engine | None:
    """What stores are on now; None for files."""
    return _current[-1] if _current else None


def environment() -> dict[str, str]:
    """What a command needs to reach its store."""
    engine = current()
    return engine.database.environment if engine else {}


def settle(root: Path) -> None:
    """See to it that a repository's project file says where the store is."""
    if current() and not (root / PROJECT).exists():
        (root / PROJECT).write_text(project(root, HEAD))


def project(root: Path, text: str) -> str:
    """A project file's text, as it has to be where the stores are now."""
    engine = current()
    return engine.placing(root, text) if engine else text


def argument(root: Path, text: str) -> str:
    """An argument of a command, with a schema in the place of a file of SQLite."""
    engine = current()
    return engine.at(root / text[7:]).url if engine and text.startswith("sqlite:") and text[7:] else text


def store_of(root: Path) -> Path | Placed:
    """The store of a repository's usual target."""
    engine = current()
    if engine and (root / PROJECT).exists():
        found = re.search(r"postgresql://[^\s'\"]+", (root / PROJECT).read_text())
        if found:
            return engine.named(found[0])
    return root / DEFAULT


_CONNECTIONS: dict[str, "psycopg.Connection"] = {}


def connection(database: "Database") -> "psycopg.Connection":
    """One for all that tests write themselves; another one where a test has restarted the server since."""
    found = _CONNECTIONS.get(database.name)
    if found is None or not _answers(found):
        found = _CONNECTIONS[database.name] = database.server.superuser(database.name, application_name="tests")
    return found


def _answers(found: "psycopg.Connection") -> bool:
    from psycopg import OperationalError

    try:
        found.execute("SELECT 1")
    except OperationalError:
        found.close()
        return False
    return True


_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) (.+? ON \w+)( WHEN .+?)? BEGIN (.+); END$", re.DOTALL)


def _trigger(name: str, event: str, condition: str | None, body: str) -> str:
    body = re.sub(r"SELECT RAISE\(ABORT, ('[^']*')\)", r"RAISE EXCEPTION \1", translated(body))
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS"
        f" $$ BEGIN {body}; RETURN NEW; END $$;"
        f" CREATE TRIGGER {name} {event} FOR EACH ROW"  # and not for what it writes itself, as in SQLite
        f" WHEN (pg_trigger_depth() = 0 AND {(condition or ' WHEN true')[6:]}) EXECUTE FUNCTION {name}()"
    )


_QUOTED = re.compile(r"('(?:[^']|'')*')")


def translated(statement: str) -> str:
    """A statement of SQLite as PostgreSQL has it; functions of the same names are in the schema `tests`."""
    statement = re.sub(
        r"INSERT INTO attempts \((started.*?)\)(\s+VALUES \(|\s+SELECT )",
        r"INSERT INTO attempts (id, \1)\2(SELECT coalesce(max(id), 0) + 1 FROM attempts), ",
        statement,
    )  # SQLite numbers them by itself
    if found := _TRIGGER.match(statement):
        return _trigger(*found.groups())
    if found := re.match(r"DROP TRIGGER (theirs|looks|writes)$", statement):
        return f"DROP FUNCTION {found[1]}() CASCADE"
    statement = re.sub(r"\bx'([0-9a-fA-F]*)'", r"'\\x\1'::bytea", statement)
    parts = [
        part if number % 2 else re.sub(r'(?<!")\bauthorization\b(?!")', '"authorization"', part).replace("?", "%s")
        for number, part in enumerate(_QUOTED.split(statement.replace("%", "%%")))
    ]
    text = "".join(parts)
    if found := re.match(r"\s*(?:INSERT OR (REPLACE|IGNORE)|(REPLACE)) INTO (\w+)", text, re.IGNORECASE):
        text = re.sub(r"^\s*(INSERT OR \w+|REPLACE) INTO", "INSERT INTO", text, flags=re.IGNORECASE)
        if (found[1] or "").upper() == "IGNORE":
            return f"{text} ON CONFLICT DO NOTHING"
        keys, rest = KEYS[found[3]]
        return f"{text} ON CONFLICT ({keys}) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in rest)
    return text


KEYS = {
    "documents": ("uid", ("live",)),
    "applied": ("uid", ("body",)),
    "refs": ("uid, kind, name", ("name",)),
    "records": ("uid", ("kind", "name", "display", "owner")),
    "tokens": ('uid, "authorization"', ("made_with", "obtained", "expires", "scope", "access", "refresh")),
    "secrets": ("uid, address", ("reference", "fingerprint", "ciphertext")),
}
"""Of each table the primary key, and what REPLACE sets in rows that are there."""

LIKE_SQLITE = r"""
SET check_function_bodies = off;  -- one calls itself
CREATE SCHEMA tests;
GRANT USAGE ON SCHEMA tests TO PUBLIC;
CREATE FUNCTION tests.steps(path text) RETURNS text[] LANGUAGE sql IMMUTABLE AS
  $$ SELECT string_to_array(replace(replace(replace(substr(path, 3), '[', '.'), ']', ''), '#', '2147483647'), '.') $$;
CREATE FUNCTION tests.written(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE jsonb_typeof(value)
    WHEN 'object' THEN '{' || coalesce((SELECT string_agg(to_jsonb(key)::text || ':' || tests.written(one), ',' ORDER BY key COLLATE "C")
      FROM jsonb_each(value) AS found (key, one)), '') || '}'
    WHEN 'array' THEN '[' || coalesce((SELECT string_agg(tests.written(one), ',' ORDER BY number)
      FROM jsonb_array_elements(value) WITH ORDINALITY AS found (one, number)), '') || ']'
    ELSE value::text END $$;
CREATE FUNCTION tests.put(document jsonb, path text, value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE steps text[] := tests.steps(path); holder jsonb := document;
BEGIN
  FOR i IN 1 .. cardinality(steps) LOOP
    IF jsonb_typeof(holder) <> (CASE WHEN steps[i] ~ '^\d+$' THEN 'array' ELSE 'object' END) THEN RETURN document; END IF;
    EXIT WHEN i = cardinality(steps);
    IF document #> steps[1:i] IS NULL THEN document := jsonb_set(document, steps[1:i], '{}'); END IF;
    holder := document #> steps[1:i];
  END LOOP;
  RETURN jsonb_set(document, steps, value);
END $$;
CREATE FUNCTION tests.json_set(document text, path text, value json) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT tests.written(tests.put(document::jsonb, path, value::jsonb)) $$;
CREATE FUNCTION tests.json_set(document text, path text, value text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT tests.written(tests.put(document::jsonb, path, coalesce(to_jsonb(value), 'null'))) $$;
CREATE FUNCTION tests.json_set(document text, path text, value integer) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT tests.written(tests.put(document::jsonb, path, to_jsonb(value))) $$;
CREATE FUNCTION tests.json_set(document text, one text, value json, other text, another text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT tests.json_set(tests.json_set(document, one, value), other, another) $$;
CREATE FUNCTION tests.json_set(document text, one text, value text, other text, another text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT tests.json_set(tests.json_set(document, one, value), other, another) $$;
CREATE FUNCTION tests.json_remove(document text, VARIADIC paths text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE path text; left_over jsonb := document::jsonb;
BEGIN
  FOREACH path IN ARRAY paths LOOP
    IF left_over #> tests.steps(path) IS NOT NULL THEN left_over := left_over #- tests.steps(path); END IF;
  END LOOP;
  RETURN tests.written(left_over);
END $$;
CREATE FUNCTION tests."json"(value text) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT value::json $$;
CREATE FUNCTION tests.json_extract(document text, path text) RETURNS json LANGUAGE sql IMMUTABLE AS
  $$ SELECT (document::jsonb #> tests.steps(path))::json $$;
CREATE FUNCTION tests.strftime(format text, at text, shift text DEFAULT '0 s') RETURNS text LANGUAGE sql AS
  $$ SELECT to_char((at::timestamptz + shift::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
CREATE FUNCTION tests.julianday(at text) RETURNS numeric LANGUAGE sql AS
  $$ SELECT extract(epoch FROM at::timestamptz) / 86400 $$;
CREATE FUNCTION tests.joined(before text, one text) RETURNS text LANGUAGE sql AS
  $$ SELECT CASE WHEN one IS NULL THEN before ELSE coalesce(before || ',', '') || one END $$;
CREATE AGGREGATE tests.group_concat(text) (SFUNC = tests.joined, STYPE = text);
CREATE FUNCTION tests.keep(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one text;
BEGIN
  EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', place || '_kept');
  IF to_regclass(format('%I.meta', place)) IS NULL THEN RETURN; END IF;
  EXECUTE format('CREATE SCHEMA %I', place || '_kept');
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = place LOOP
    EXECUTE format('CREATE TABLE %I.%I AS TABLE %I.%2$I', place || '_kept', one, place);
  END LOOP;
END $$;
CREATE FUNCTION tests.put_back(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one text; always text; columns text;
BEGIN
  IF to_regclass(format('%I.meta', place || '_kept')) IS NULL THEN
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', place);
    RETURN;
  END IF;
  FOR one IN SELECT format('%I.%I', place, tablename) FROM pg_tables WHERE schemaname = place LOOP
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', one);
    EXECUTE format('DELETE FROM %s', one);
  END LOOP;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = place LOOP
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
      WHERE attrelid = to_regclass(format('%I.%I', place, one)) AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('INSERT INTO %I.%I (%s) SELECT %3$s FROM %I.%2$I', place, one, columns, place || '_kept');
    EXECUTE format('ALTER TABLE %I.%I ENABLE TRIGGER ALL', place, one);
    FOR always IN SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(format('%I.%I', place, one)) AND NOT tgisinternal LOOP
      EXECUTE format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I', place, one, always);
    END LOOP;
  END LOOP;
END $$;
CREATE FUNCTION tests.hex(value bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(encode(value, 'hex')) $$;
CREATE FUNCTION tests.zeroblob(size integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT decode(repeat('00', size), 'hex') $$;
CREATE FUNCTION tests.randomblob(size integer) RETURNS bytea LANGUAGE sql AS
  $$ SELECT substr(decode(md5(random()::text), 'hex'), 1, size) $$;
"""
