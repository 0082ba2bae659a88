"""A store in PostgreSQL is made once, found again, told from what others have, and brought up to date without blocking them."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg_plain import SCHEMA, Plain, fill, make_store, plain, taken_back
from psycopg.errors import CheckViolation, DataError, UniqueViolation
from servers.postgresql import DEBIANS, NEWEST

from reconciler.core.access import PERMISSIONS
from reconciler.core.model import Key
from reconciler.errors import StoreLocked, StoreUnavailable
from reconciler.kinds.access import make_access
from reconciler.stores.postgresql import schema, tables
from reconciler.stores.sql.columns import COLUMNS
from reconciler.stores.sqlite.engine import in_memory
from reconciler.stores.sqlite.schema import create as create_sqlite

on_both = pytest.mark.parametrize("major", [NEWEST, DEBIANS], indirect=True)
ODD = 'My "own" schema, $body$'


@pytest.fixture(scope="module")
def server(_postgresql) -> Any:
    """The newest major."""
    return _postgresql(NEWEST)


@pytest.fixture(scope="module")
def filled(server: Any) -> Iterator[Plain]:
    """A store with some records, of which no test alters anything for good."""
    database = server.create()
    connection = plain(server, database.name)
    make_store(connection)
    fill(connection)
    yield connection
    connection.close()
    server.drop(database)


@pytest.fixture
def store(filled: Plain) -> Iterator[Plain]:
    """A transaction on it."""
    with taken_back(filled):
        yield filled


@pytest.fixture
def empty(postgresql, database) -> Iterator[Plain]:
    """A connection to a database in which nothing is."""
    connection = plain(postgresql, database.name)
    yield connection
    connection.close()


# made and found


@on_both
@pytest.mark.parametrize("name", [SCHEMA, ODD])
def test_a_store_is_made_and_found(postgresql, database, name: str) -> None:
    """In a schema of whatever name, beside others' tables of the same names."""
    connection = plain(postgresql, database.name, name)
    connection.execute("CREATE TABLE public.meta (key text, value text); CREATE TABLE public.records (id int)")
    with taken_back(connection):
        assert schema.examine(connection, name) is None
    make_store(connection, name)
    fill(connection)
    with taken_back(connection):
        assert schema.examine(connection, name) == schema.VERSION
        engine = connection.engine
        assert list(engine.differing(connection)) == [] and list(engine.silenced(connection)) == []
        assert engine.found_triggers(connection) == engine.own_triggers()
        notes = dict(connection.all("SELECT key, value FROM meta"))
        assert len(bytes.fromhex(notes["store"])) == 16 and notes["version"] == str(schema.VERSION)
        connection.execute("UPDATE documents SET live = '{}' WHERE uid = 'a'")
        assert connection.all("SELECT uid FROM drifts") == [("a",)]
    connection.close()


def test_every_column_is_sorted_by_bytes(store: Plain) -> None:
    """Wherever the database is; else a plan would come in another order."""
    query = (
        "SELECT attrelid::regclass, attname FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'reconciler'::regnamespace) AND attnum > 0 AND atttypid = 'text'::regtype AND attcollation <> '\"C\"'::regcollation"
    )
    assert store.all(query) == []


def test_tables_have_the_columns_that_every_engine_has(store: Plain) -> None:
    """And beside them the row that tells an apply, and whether a token can be renewed, for those who may not read it."""
    own = {table: set(columns) for table, columns in tables.COLUMNS.items()}
    assert own.pop("writing") == {"xid"}
    own["tokens"].remove("renewable")
    assert own == {table: set(columns) for table, columns in COLUMNS.items()}
    for table, columns in tables.COLUMNS.items():
        query = "SELECT attname::text FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 ORDER BY attnum"
        assert tuple(name for (name,) in store.all(query, table)) == columns


@on_both
def test_many_make_it_at_once(postgresql, database) -> None:
    """One does, and the others find it."""

    def make(_: int) -> str:
        connection = plain(postgresql, database.name)
        try:
            connection.begin()
            schema.lock_for_ddl(connection, SCHEMA)
            if schema.examine(connection, SCHEMA) is None:
                schema.create(connection)
            connection.commit()
            with taken_back(connection):
                return connection.all("SELECT value FROM meta WHERE key = 'store'")[0][0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(make, range(8)))) == 1


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ("CREATE TABLE meta (id int, key int)", "is not a reconciler store, and holds tables of the same names: meta"),
        ("CREATE TABLE meta (key text, value text); CREATE TABLE records (id int)", "holds tables of the same names: meta, records"),
        ("CREATE TABLE meta (key text, value text); CREATE TABLE records (id int); INSERT INTO meta VALUES ('version', 'one')", "holds tables of the same names"),
        ("CREATE VIEW documents AS SELECT 1", "holds tables of the same names: documents"),
    ],
)  # fmt: skip
def test_what_another_application_has_is_left_alone(empty: Plain, statements: str, said: str) -> None:
    """And the message says where to go instead."""
    empty.execute("CREATE SCHEMA reconciler")
    with taken_back(empty):
        empty.execute(statements)
        with pytest.raises(StoreUnavailable, match=said) as refused:
            schema.examine(empty, SCHEMA)
    assert refused.value.hint == "name another schema in the store's URL: ?schema=NAME"


def test_other_tables_are_in_nobodys_way(empty: Plain) -> None:
    """In the same schema, which may be there already."""
    empty.execute("CREATE SCHEMA reconciler; CREATE TABLE reconciler.customers (id int)")
    make_store(empty)
    with taken_back(empty):
        assert schema.examine(empty, SCHEMA) == schema.VERSION


def test_a_newer_store_is_refused_in_one_sentence(store: Plain) -> None:
    """With what to do."""
    store.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(StoreUnavailable) as refused:
        schema.examine(store, SCHEMA)
    message = f"the store in schema reconciler was written by a newer reconciler (store version 99, this one knows {schema.VERSION})"
    assert (refused.value.message, refused.value.hint) == (message, "install the newer reconciler")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_must_be_utf8(postgresql, encoding: str) -> None:
    """Else some texts could not be written, or not be read again."""
    made = postgresql.create(options=f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    connection = plain(postgresql, made.name)
    try:
        with taken_back(connection), pytest.raises(StoreUnavailable, match=f"has the encoding {encoding}"):
            schema.examine(connection, SCHEMA)
    finally:
        connection.close()
        postgresql.drop(made)


# brought up to date


def test_an_older_store_is_brought_up_to_date(store: Plain) -> None:
    """Step by step, from where it is."""
    steps = {
        4: ["ALTER TABLE records ADD COLUMN more bigint"],
        5: ["INSERT INTO meta VALUES ('step5', 'done') ON CONFLICT DO NOTHING"],
    }
    schema.migrate(store, 4, steps)
    assert dict(store.all("SELECT key, value FROM meta WHERE key IN ('version', 'step5')")) == {
        "version": "5",
        "step5": "done",
    }
    assert store.all("SELECT 1 FROM pg_attribute WHERE attrelid = 'records'::regclass AND attname = 'more'") == []
    schema.migrate(store, 3, steps)
    assert store.all("SELECT more FROM records LIMIT 1") == [(None,)]


def test_nobody_waits_behind_a_migration_that_waits(server: Any, filled: Plain) -> None:
    """An idle reader stops it for a moment at a time; others read on meanwhile, and it ends when the reader does."""
    idle, other, mine = (plain(server, filled.raw.info.dbname) for _ in range(3))
    try:
        idle.begin().all("SELECT count(*) FROM records")

        def migrate() -> None:
            mine.rollback()
            mine.begin()
            schema.lock_for_ddl(mine, SCHEMA)
            schema.migrate(mine, schema.VERSION, {schema.VERSION + 1: ["ALTER TABLE records ADD COLUMN more bigint"]})

        with pytest.raises(StoreLocked, match="others use its tables; waited 0.5 s"):
            schema.persistently(migrate, 0.5)
        migration = threading.Thread(target=partial(schema.persistently, migrate, 20.0))
        migration.start()
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            with taken_back(other):
                other.all("SELECT count(*) FROM records")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.03)
        assert slowest < 2.0 and migration.is_alive()
        idle.rollback()
        migration.join(20)
        assert mine.all("SELECT more FROM records LIMIT 1") == [(None,)]
    finally:
        for connection in (mine, idle, other):
            connection.close()


# what tables refuse


@pytest.mark.parametrize("body", ["{", "", "not json", '{"a":"x\\u0000"}', '{"a":["\\ud800"]}', '{"a":1e999999}'])
@pytest.mark.parametrize(("table", "column"), [("documents", "live"), ("applied", "body"), ("quarantine", "live")])
def test_a_body_that_no_view_could_decode_is_refused(store: Plain, table: str, column: str, body: str) -> None:
    """It would make the views fail for everybody, whichever record they ask for."""
    with pytest.raises((DataError, CheckViolation)):
        store.execute(f"UPDATE {table} SET {column} = ?", (body,))


def test_what_only_looks_like_an_escape_is_kept(store: Plain) -> None:
    """A backslash that is escaped itself; every byte comes back."""
    body = '{"a" : "\\\\u0000 é \\u00e9 \\/", "b":1e2, "a":-0}'
    store.execute("UPDATE documents SET live = ? WHERE uid = 'a'", (body,))
    assert store.all("SELECT live FROM documents WHERE uid = 'a'") == [(body,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET kind = 'Nonsense' WHERE uid = 'a'",
        "UPDATE refs SET kind = ''",
        "UPDATE tokens SET obtained = 'yesterday'",
        "UPDATE tokens SET expires = '2027-01-01'",
        "UPDATE quarantine SET deleted_at = ''",
        "UPDATE baselines SET warnings = 'x'",
    ],
)
def test_what_does_not_fit_is_refused(store: Plain, statement: str) -> None:
    """A kind that there is not, a time that is none."""
    with pytest.raises((CheckViolation, DataError)) as refused:
        store.execute(statement)
    assert isinstance(refused.value, store.engine.refusals) and not store.engine.is_taken(refused.value)
    assert store.engine.said(refused.value) and "Failing row" not in store.engine.said(refused.value)


def test_a_name_that_is_taken_is_told_from_other_refusals(store: Plain) -> None:
    """Names and display names."""
    for column, value in (("name", "orders"), ("display", "the orders")):
        store.execute("SAVEPOINT s")
        with pytest.raises(UniqueViolation) as refused:
            store.execute(f"UPDATE records SET {column} = ? WHERE uid = 'a'", (value,))
        assert isinstance(refused.value, store.engine.refusals) and store.engine.is_taken(refused.value)
        store.execute("ROLLBACK TO s")


# what the engine finds


def test_what_does_not_fit_is_found(store: Plain) -> None:
    """Where somebody has taken the constraints away, and put back; what was written meanwhile is told still."""
    conditions = dict(store.engine.misfits(store))
    counted = {
        table: store.all(f"SELECT count(*) FROM {table} WHERE {wrong}")[0][0] for table, wrong in conditions.items()
    }
    assert counted == dict.fromkeys(COLUMNS, 0)
    store.execute(
        "ALTER TABLE documents DROP CONSTRAINT documents_live_check; ALTER TABLE records DROP CONSTRAINT records_kind_check"
    )
    store.execute("UPDATE documents SET live = '{' WHERE uid = 'a'; UPDATE records SET kind = 'x' WHERE uid = 'b'")
    store.execute("UPDATE drifts SET since = 'then' WHERE uid = 'b'; DROP TABLE claimed")
    assert set(store.engine.put_back(store)) >= {
        ("constraint", "documents_live_check"),
        ("constraint", "records_kind_check"),
        ("table", "claimed"),
    }
    assert list(store.engine.differing(store)) == []
    found = {
        table: store.all(f"SELECT count(*) FROM {table} WHERE {wrong}")[0][0]
        for table, wrong in store.engine.misfits(store)
    }
    assert {table for table, count in found.items() if count} == {"documents", "records", "drifts"}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP INDEX records_by_revision", ("index", "records_by_revision")),
        ("DROP VIEW connectors", ("view", "connectors")),
        ("DROP TABLE declared", ("table", "declared")),
        ("ALTER TABLE records DROP CONSTRAINT records_kind_name_key", ("constraint", "records_kind_name_key")),
        ("ALTER TABLE secrets DROP CONSTRAINT secrets_uid_fkey", ("constraint", "secrets_uid_fkey")),
        ("DROP FUNCTION is_json", ("function", "is_json")),
        ("DROP FUNCTION watch_beside CASCADE", ("trigger", "refs.watch")),
        ("CREATE OR REPLACE FUNCTION pictured_of(of text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = reconciler, pg_temp AS 'SELECT secrets FROM drifts WHERE uid = of'", ("function", "pictured_of")),
    ],
)  # fmt: skip
def test_what_is_missing_is_found_and_put_back(store: Plain, statement: str, what: tuple[str, str]) -> None:
    """With all that belongs to it."""
    store.execute(statement)
    assert what in list(store.engine.differing(store))
    assert what in list(store.engine.put_back(store))
    assert list(store.engine.differing(store)) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE documents DISABLE TRIGGER ALL", "the foreign keys of documents are switched off"),
        ("ALTER TABLE secrets ENABLE ROW LEVEL SECURITY", "row-level security hides rows of secrets"),
        ("CREATE RULE hush AS ON UPDATE TO documents DO INSTEAD NOTHING", "the rule hush does something else than what is written to documents"),
        ("CREATE TABLE more () INHERITS (records)", "rows of more count as rows of records, which that table inherits from"),
        ("INSERT INTO writing VALUES ('7')", "somebody wrote as only an apply does, and left a row in writing"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'refs_by_target'::regclass", "the index refs_by_target is not valid"),
    ],
)  # fmt: skip
def test_what_is_switched_off_is_said(store: Plain, statement: str, said: str) -> None:
    """One line each."""
    assert list(store.engine.silenced(store)) == []
    store.execute(statement)
    assert [message for message, _ in store.engine.silenced(store)] == [said]


def test_lists_and_objects_are_one_value(store: Plain) -> None:
    """However long they are."""
    engine = store.engine
    query = f"SELECT uid FROM records WHERE name NOT IN ({engine.elements}) ORDER BY uid"
    assert store.all(query, json.dumps(["crm", "é"])) == [("a",), ("b",)]
    query = f"SELECT uid FROM records WHERE EXISTS (SELECT 1 FROM {engine.pairs} WHERE key = name AND value = kind)"
    assert store.all(query, json.dumps({"crm": "Category", "orders": "Group"})) == [("c",)]


# views


def put(connection: Any, kind: str, name: str, body: Any) -> None:
    """A live record, as an apply writes one."""
    connection.insert("records", ("uid", "kind", "name"), [(f"{kind} {name}", kind, name)])
    connection.insert("documents", ("uid", "live"), [(f"{kind} {name}", json.dumps(body, separators=(",", ":")))])


VIEWED = {
    ("Category", "plain"): {"spec": {"displayName": "Plain"}},
    ("Category", "full"): {"spec": {"displayName": "Full é", "description": "d", "status": "inactive"}},
    ("Connector", "least"): {"spec": {"displayName": "L", "categories": ["crm"], "endpoints": {"list": {"method": "GET", "url": "https://a"}}}},
    ("Connector", "most"): {"spec": {
        "displayName": "M", "description": "d", "categories": ["b", "a"], "status": "inactive", "tls": {"verify": False},
        "authorization": {"method": "basic"}, "endpoints": {"list": {
            "method": "POST", "url": "u", "authorization": "x", "params": [{"name": "p", "value": "1"}], "headers": [{"name": "h"}],
            "body": "b", "bodyType": "xml", "timeoutSeconds": 7, "retry": {"attempts": 2, "waitSeconds": 9}}, "get": {"method": "GET", "url": "v"}}}},
    ("Connector", "odd"): {"spec": 7},
    ("Connector", "odder"): {"spec": {"endpoints": [1], "tls": 5, "authorization": None, "categories": "x"}},
}  # fmt: skip


def same(value: Any) -> Any:
    """A value of either engine: SQLite has texts where PostgreSQL has JSON, and 0 and 1 where it has truth."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        return json.loads(value)
    return int(value) if isinstance(value, bool) else value


@pytest.mark.parametrize("view", ["categories", "connectors", "endpoints"])
def test_views_have_the_columns_and_values_that_sqlite_has(store: Plain, view: str) -> None:
    """Of records as applies write them; and no view fails for what others have written."""
    reference = in_memory()
    create_sqlite(reference)
    store.execute("DELETE FROM records")
    for connection in (store, reference):
        connection.ignore()
        for (kind, name), body in VIEWED.items():
            put(connection, kind, name, body)
    names = "('odd', 'odder')"
    where = f"WHERE {'connector' if view == 'endpoints' else 'name'} NOT IN {names} ORDER BY 1, 2"
    theirs, ours = (connection.execute(f"SELECT * FROM {view} {where}") for connection in (reference, store))
    assert [column[0] for column in ours.description] == [column[0] for column in theirs.description]
    assert [[*map(same, row)] for row in ours.fetchall()] == [[*map(same, row)] for row in theirs.fetchall()]
    assert store.all(f"SELECT * FROM {view}")


def test_odd_numbers_in_a_view_are_none(store: Plain) -> None:
    """It goes on with the others."""
    for written in ('"soon"', "1.5", "1e300", "-1"):
        store.execute(
            "UPDATE documents SET live = ? WHERE uid = 'a'",
            (f'{{"spec":{{"endpoints":{{"x":{{"timeoutSeconds":{written}}}}}}}}}',),
        )
        assert store.all("SELECT timeout_seconds FROM endpoints") == [(None,)]


NAMES = st.sampled_from(["g", "h", "i"])
USERS = st.sampled_from(["ada", "bob", "eve"])
ODD_VALUES = st.sampled_from([None, 7, "x", [], {}, [1], ["a", 2], {"a": 1}])
NOW = datetime.fromisoformat("2027-01-01T00:00:00+00:00")
TIMES = st.sampled_from(["1999-12-31T23:59:59Z", "2999-01-01T00:00:00+05:30", "2999-02-30T00:00:00Z", "2996-02-29T00:00:00.5Z", "2900-02-29T00:00:00Z", "2999-01-01", "soon"])  # fmt: skip


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Now and then something else, as others may have written it."""
    return st.one_of(*[strategy] * 6, ODD_VALUES)


def some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    return mostly(st.fixed_dictionaries(required, optional=optional))


ON = some({}, {"connectors": mostly(st.lists(NAMES, max_size=2)), "categories": mostly(st.lists(NAMES, max_size=2)), "labels": st.just({"a": "b"}), "typo": st.just(["x"])})  # fmt: skip
GRANT = some({"permissions": mostly(st.lists(st.sampled_from(PERMISSIONS), max_size=3))}, {"on": ON, "expires": TIMES, "typo": ODD_VALUES})  # fmt: skip
SUBJECT = mostly(
    st.one_of(st.builds(lambda name: {"user": name}, USERS), st.builds(lambda name: {"group": name}, NAMES))
)
POLICY = some({"subjects": mostly(st.lists(SUBJECT, max_size=3))}, {"superAdmin": mostly(st.booleans()), "grants": mostly(st.lists(GRANT, max_size=3))})  # fmt: skip
MEMBERS = some({}, {"users": mostly(st.lists(USERS, max_size=2)), "groups": mostly(st.lists(NAMES, max_size=2))})
GROUP = some({}, {"members": MEMBERS})


def granted(bodies: dict[tuple[str, str], Any]) -> tuple[set[Any], dict[tuple[str, str], set[str]]]:
    """What decisions rest on, as rows without groups; and by user and policy the groups that may lead there."""
    access = make_access((Key(*key), body) for key, body in bodies.items())
    rows, ways = set(), {}
    for user in access.users():
        reached = access.groups_of(user)
        for _, policy in access.policies_of(user):
            ways[user, policy.name] = (policy.groups & reached.keys()) | ({""} if user in policy.users else set())
            if policy.super_admin:
                rows |= {(user, permission, None, None, None, policy.name, None) for permission in PERMISSIONS}
            for grant in policy.grants:
                if grant.expires is not None and grant.expires <= NOW:
                    continue
                written = bodies["PermissionPolicy", policy.name]["spec"]["grants"][grant.index]
                on = [json.dumps(written.get("on", {}).get(key)) for key in ("connectors", "categories", "labels")]
                narrowed = [None if text == "null" else text for text in on]
                rows |= {
                    (user, permission, *narrowed, policy.name, written.get("expires"))
                    for permission in grant.permissions
                }
    return rows, ways


@settings(max_examples=60, deadline=timedelta(seconds=10), suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, GROUP, max_size=3), st.dictionaries(NAMES, POLICY, max_size=3))
def test_effective_grants_are_what_decisions_rest_on(
    store: Plain, groups: dict[str, Any], policies: dict[str, Any]
) -> None:
    """Whatever others have written into policies and groups: what is no grant to the tool is none in the view of either engine."""
    bodies = {("Group", name): {"spec": spec} for name, spec in groups.items()}
    bodies |= {("PermissionPolicy", name): {"spec": spec} for name, spec in policies.items()}
    rows, ways = granted(bodies)
    with in_memory() as sqlite:
        create_sqlite(sqlite)
        for connection in (store, sqlite):
            connection.execute("SAVEPOINT s")
            connection.ignore()
            for (kind, name), body in bodies.items():
                put(connection, kind, name, body)
            found = connection.execute(f"SELECT {GRANTED} FROM effective_grants").fetchall()
            connection.execute("ROLLBACK TO s")
            assert {(*row[:2], *map(narrowed, row[2:5]), row[5], row[7]) for row in found} == rows
            via: dict[tuple[str, str], set[str]] = {}
            for row in found:
                via.setdefault((row[0], row[5]), set()).add(row[6])
            assert all(groups == ways[key] for key, groups in via.items())
    sqlite.close()


GRANTED = "user_name, permission, connectors, categories, labels, policy, group_name, expires"


def narrowed(value: Any) -> str | None:
    """What a grant is narrowed to, as one text: of PostgreSQL a value, of SQLite its text."""
    return None if value is None else json.dumps(json.loads(value) if isinstance(value, str) else value)


def test_no_statement_holds_a_mark_for_values() -> None:
    """As statements are run by what takes question marks and per cent signs for such."""
    assert [text for text in schema.statements('"s"') if "?" in text or "%" in text] == []
