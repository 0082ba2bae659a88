"""Whatever others write into the tables in PostgreSQL is seen, with what there was before and who it was; or refused."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pg_plain import Plain, fill, make_store, plain, taken_back
from psycopg.errors import InsufficientPrivilege, RestrictViolation
from servers.postgresql import DEBIANS, NEWEST

from reconciler.stores.sql.columns import PICTURED


@pytest.fixture(scope="module", params=[NEWEST, DEBIANS])
def server(_postgresql, request: pytest.FixtureRequest) -> Any:
    """A server of each major."""
    return _postgresql(request.param)


@pytest.fixture(scope="module")
def filled(server: Any) -> Iterator[Plain]:
    """A store with some records, of which no test alters anything for good."""
    database = server.create()
    connection = plain(server, database.name, application_name="psql")
    make_store(connection)
    fill(connection)
    connection.execute("CREATE ROLE app_of_others") if not connection.all(
        "SELECT 1 FROM pg_roles WHERE rolname = 'app_of_others'"
    ) else None
    connection.execute("GRANT USAGE ON SCHEMA reconciler TO app_of_others")
    for table in ("records", "documents", "applied", "refs", "secrets"):
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON reconciler.{table} TO app_of_others")
    yield connection
    connection.close()
    server.drop(database)


@pytest.fixture
def store(filled: Plain) -> Iterator[Plain]:
    """A transaction on it."""
    with taken_back(filled):
        yield filled


DRIFTS = f"SELECT uid, {', '.join(PICTURED)} FROM drifts ORDER BY uid"
BODY = """'{"spec":{"displayName":"by hand"}}'"""

SEEN: dict[str, tuple[str, str]] = {
    "update": (f"UPDATE documents SET live = {BODY} WHERE uid = 'a'", "a"),
    "update of all": (f"UPDATE documents SET live = {BODY}", "abc"),
    "insert a record": (f"INSERT INTO records (uid, kind, name) VALUES ('n', 'Connector', 'new'); INSERT INTO documents VALUES ('n', {BODY})", "n"),
    "insert beside": ("INSERT INTO refs VALUES ('b', 'Category', 'other')", "b"),
    "insert what was declared": ("INSERT INTO applied VALUES ('b', '{}')", "b"),
    "delete": ("DELETE FROM records WHERE uid = 'a'", "a"),
    "delete a body": ("DELETE FROM documents WHERE uid = 'a'", "a"),
    "delete what refers": ("DELETE FROM refs WHERE name = 'crm'", "ab"),
    "on conflict do update": (f"INSERT INTO documents VALUES ('a', {BODY}) ON CONFLICT (uid) DO UPDATE SET live = excluded.live", "a"),
    "on conflict over the name": ("INSERT INTO records (uid, kind, name, owner) VALUES ('n', 'Connector', 'contacts', 'x') ON CONFLICT (kind, name) DO UPDATE SET owner = excluded.owner", "a"),
    "on conflict over a secret": (r"INSERT INTO secrets VALUES ('a', 'authorization.password', '{}', 'print', '\x00') ON CONFLICT (uid, address) DO UPDATE SET ciphertext = excluded.ciphertext", "a"),
    "one of several is in the way": (f"INSERT INTO records (uid, kind, name) VALUES ('n', 'Connector', 'new'), ('m', 'Connector', 'orders') ON CONFLICT DO NOTHING", "n"),
    "merge": (f"MERGE INTO documents d USING (VALUES ('a', {BODY}), ('b', {BODY})) v (uid, live) ON d.uid = v.uid WHEN MATCHED THEN UPDATE SET live = v.live WHEN NOT MATCHED THEN INSERT VALUES (v.uid, v.live)", "ab"),
    "with over two tables": (f"WITH d AS (UPDATE documents SET live = {BODY} WHERE uid = 'a') UPDATE records SET owner = 'x' WHERE uid = 'b'", "ab"),
    "rename": ("UPDATE records SET name = 'other' WHERE uid = 'a'", "a"),
    "trade names": ("UPDATE records SET name = '~' || name WHERE uid IN ('a', 'b'); UPDATE records SET name = CASE uid WHEN 'a' THEN 'orders' ELSE 'contacts' END WHERE uid IN ('a', 'b')", "ab"),
    "kind": ("UPDATE records SET kind = 'Group' WHERE uid = 'c'", "c"),
    "owner": ("UPDATE records SET owner = 'x' WHERE uid = 'a'", "a"),
    "display": ("UPDATE records SET display = NULL WHERE uid = 'a'", "a"),
    "applied": ("UPDATE records SET applied = 'x' WHERE uid = 'a'", "a"),
    "fingerprint": ("UPDATE records SET fingerprint = 'x' WHERE uid = 'a'", "a"),
    "ciphertext": (r"UPDATE secrets SET ciphertext = '\x00' WHERE uid = 'a'", "a"),
    "move beside": ("UPDATE secrets SET uid = 'b' WHERE uid = 'a'", "ab"),
    "truncate": ("TRUNCATE documents", "abc"),
    "truncate secrets": ("TRUNCATE secrets", "a"),
    "truncate with what belongs to it": ("TRUNCATE records CASCADE", "abc"),
    "unknown apply": ("INSERT INTO writing VALUES (pg_current_xact_id()); UPDATE records SET owner = 'x' WHERE uid = 'a'", "a"),
    "replica": (f"SET LOCAL session_replication_role = replica; UPDATE documents SET live = {BODY} WHERE uid = 'a'", "a"),
    "delete as a replica": ("SET LOCAL session_replication_role = replica; DELETE FROM records WHERE uid = 'a'", "a"),
    "as another role": (f"SET LOCAL ROLE app_of_others; UPDATE reconciler.documents SET live = {BODY} WHERE uid = 'a'; RESET ROLE", "a"),
    "with another search path": (f"SET LOCAL search_path = pg_temp; CREATE TEMP TABLE drifts (uid text); CREATE TEMP TABLE records (uid text); UPDATE reconciler.documents SET live = {BODY} WHERE uid = 'a'; SET LOCAL search_path = reconciler, pg_temp", "a"),
}  # fmt: skip
"""By how it is done: what others run, and the identities of the records that have drifted then."""


def pictures(store: Plain) -> dict[str, tuple[Any, ...]]:
    """By identity what the store holds of each record."""
    return {uid: tuple(rest) for uid, *rest in store.all(f"SELECT r.uid, {store.engine.picture} FROM records r")}


def states(store: Plain) -> dict[str, tuple[Any, ...]]:
    return {uid: rest for uid, *rest in store.all("SELECT uid, fingerprint, revision, version FROM records")}


@pytest.mark.parametrize("way", SEEN)
def test_a_write_around_the_tool_is_seen(store: Plain, way: str) -> None:
    """With all that there was of the record; its fingerprint goes, and its version moves on."""
    statements, expected = SEEN[way]
    before = pictures(store)
    store.execute(statements)
    found = store.all(f"SELECT uid, since, {store.engine.pictured} FROM drifts ORDER BY uid")
    assert "".join(uid for uid, *_ in found) == expected
    for uid, since, *picture in found:
        assert tuple(picture) == before.get(uid, (None,) * len(PICTURED))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", since)
    for uid, (printed, revision, version) in states(store).items():
        if uid in expected:
            assert (printed, revision) == (None, None) and (version > 1 or uid not in before)
        else:
            assert (printed, revision, version) == ("f" * 64, 3, 1)


def test_pictures_are_the_texts_that_sqlite_keeps(store: Plain) -> None:
    """Compact arrays in the order of their keys, and ciphertext in upper-case digits."""
    store.execute("INSERT INTO refs VALUES ('a', 'Category', 'B\"x')")
    store.execute("UPDATE drifts SET uid = 'old'")
    store.execute("DELETE FROM records WHERE uid = 'a'")
    ((body, kind, name, display, owner, declared, refs, secrets, applied),) = store.all(
        f"SELECT {', '.join(PICTURED)} FROM drifts WHERE uid = 'a'"
    )
    assert (body, kind, name, display) == (
        '{"spec": {"displayName": "contacts"}}',
        "Connector",
        "contacts",
        "the contacts",
    )
    assert (owner, declared, applied) == ("acme", '{"spec":{}}', "f" * 64)
    assert refs == '[["Category","B\\"x"],["Category","crm"]]'
    assert secrets == '[["authorization.password","{\\"env\\":\\"PASSWORD\\"}","print","01AB"]]'
    store.execute("UPDATE documents SET live = '{}' WHERE uid = 'c'")
    assert store.all("SELECT refs, secrets FROM drifts WHERE uid = 'c'") == [("[]", "[]")]


def test_the_first_picture_stays(store: Plain) -> None:
    """Whatever follows, also when the record comes and goes."""
    store.execute(f"UPDATE documents SET live = {BODY} WHERE uid = 'a'")
    first = store.all("SELECT * FROM drifts")
    store.execute("UPDATE records SET owner = 'x' WHERE uid = 'a'")
    store.execute("DELETE FROM records WHERE uid = 'a'")
    store.execute("INSERT INTO records (uid, kind, name) VALUES ('a', 'Connector', 'contacts')")
    assert store.all("SELECT * FROM drifts") == first


UNSEEN = {
    "same body": "UPDATE documents SET live = live",
    "same columns": "UPDATE records SET name = name, owner = owner, display = display, applied = applied, fingerprint = fingerprint",
    "do nothing": f"INSERT INTO documents VALUES ('a', {BODY}) ON CONFLICT DO NOTHING",
    "do nothing over the name": "INSERT INTO records (uid, kind, name) VALUES ('n', 'Connector', 'contacts') ON CONFLICT DO NOTHING",
    "do nothing over the display name": "INSERT INTO records (uid, kind, name, display) VALUES ('n', 'Connector', 'new', 'the contacts') ON CONFLICT DO NOTHING",
    "do nothing beside": r"INSERT INTO refs VALUES ('a', 'Category', 'crm') ON CONFLICT DO NOTHING; INSERT INTO secrets VALUES ('a', 'authorization.password', '', '', '\x00') ON CONFLICT DO NOTHING",
    "of no content": "UPDATE records SET version = version + 7, changed_at = ''",
    "a token": "DELETE FROM tokens",
}


@pytest.mark.parametrize("way", UNSEEN)
def test_what_alters_nothing_is_no_drift(store: Plain, way: str) -> None:
    """And leaves fingerprints as they are."""
    store.execute(UNSEEN[way])
    assert store.all("SELECT uid FROM drifts") == []
    assert store.all("SELECT count(*) FROM records WHERE fingerprint IS NULL") == [(0,)]


def test_others_give_no_record_a_number(store: Plain) -> None:
    """By which the next plan would take it for unmoved."""
    store.execute(f"UPDATE documents SET live = {BODY} WHERE uid = 'a'")
    store.execute("UPDATE records SET revision = 1")
    assert store.all("SELECT DISTINCT revision FROM records") == [(None,)]


def test_a_copy_is_seen(store: Plain) -> None:
    """COPY into the tables."""
    with store.raw.cursor().copy("COPY records (uid, kind, name, fingerprint) FROM STDIN") as rows:
        rows.write("n\tCategory\tnew\tforged\n")
    with store.raw.cursor().copy("COPY documents FROM STDIN") as rows:
        rows.write("n\t{}\n")
    assert store.all("SELECT uid, kind FROM drifts") == [("n", None)]
    assert store.all("SELECT fingerprint FROM records WHERE uid = 'n'") == [(None,)]


@pytest.mark.parametrize(
    ("settings", "writer"),
    [
        ("", "postgres (psql at 127.0.0.1)"),
        ("SET LOCAL application_name = ''", "postgres (at 127.0.0.1)"),
        ("SET LOCAL application_name = 'crm'; SET LOCAL ROLE app_of_others", "postgres as app_of_others (crm at 127.0.0.1)"),
        ("SET LOCAL ROLE postgres", "postgres (psql at 127.0.0.1)"),
    ],
)  # fmt: skip
def test_who_it_was(store: Plain, settings: str, writer: str) -> None:
    """Login, role, program and address, in one text."""
    if settings:
        store.execute(settings)
    store.execute("UPDATE reconciler.records SET owner = 'x' WHERE uid = 'a'")
    store.execute("RESET ROLE")
    assert store.all("SELECT writer FROM drifts") == [(writer,)]


def test_an_apply_is_not_seen(store: Plain) -> None:
    """As long as it says so; not any more afterwards."""
    store.ignore()
    store.execute(
        f"UPDATE documents SET live = {BODY}; UPDATE records SET owner = 'x'; DELETE FROM records WHERE uid = 'a'"
    )
    assert store.all("SELECT uid FROM drifts") == []
    assert store.all("SELECT count(*) FROM baselines") == [(1,)]
    store.watch()
    store.execute("UPDATE records SET owner = 'y' WHERE uid = 'b'")
    assert store.all("SELECT uid FROM drifts") == [("b",)]


REFUSED = {
    "faked setting": "SET LOCAL reconciler.writing = '1'; UPDATE {table} SET {column} = {column}",
    "faked setting, insert": "SET LOCAL reconciler.writing = '1'; INSERT INTO {table} SELECT * FROM {table} LIMIT 0",
    "faked setting, delete": "SET LOCAL reconciler.writing = '1'; DELETE FROM {table} WHERE false",
}
COLUMN = {"records": "owner", "documents": "live", "applied": "body", "refs": "name", "secrets": "reference", "declared": "file", "claimed": "file", "baselines": "rules"}  # fmt: skip


@pytest.mark.parametrize("table", COLUMN)
def test_the_setting_alone_silences_nothing(store: Plain, table: str) -> None:
    """It is anybody's to make; an apply is told by a row that only the writing role can have put there."""
    for statement in REFUSED.values():
        store.execute("SAVEPOINT s")
        with pytest.raises(InsufficientPrivilege, match="no apply is under way in this transaction"):
            store.execute(statement.format(table=table, column=COLUMN[table]))
        store.execute("ROLLBACK TO s")


def test_the_row_of_another_apply_silences_nobody(server: Any, filled: Plain) -> None:
    """Nor does one that an apply has left behind."""
    other = plain(server, filled.raw.info.dbname)
    try:
        with taken_back(filled), taken_back(other):
            filled.ignore()
            other.execute("INSERT INTO writing VALUES ('1')")
            other.execute("SET LOCAL reconciler.writing = '1'")
            with pytest.raises(InsufficientPrivilege):
                other.execute("UPDATE records SET owner = 'x'")
    finally:
        other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET action = 'update'",
        "DELETE FROM history",
        "TRUNCATE history",
        "UPDATE runs SET actor = 'x'",
        "DELETE FROM runs",
        "TRUNCATE runs CASCADE",
        "INSERT INTO runs SELECT * FROM runs ON CONFLICT (id) DO UPDATE SET actor = 'x'",
        "MERGE INTO history h USING runs r ON h.run = r.id WHEN MATCHED THEN DELETE",
        "SET LOCAL session_replication_role = replica; DELETE FROM history",
    ],
)
@pytest.mark.parametrize("applying", [False, True], ids=["", "applying"])
def test_the_history_is_append_only(store: Plain, statement: str, applying: bool) -> None:
    """For whoever writes, the tool included."""
    if applying:
        store.ignore()
    with pytest.raises(RestrictViolation, match="the history is append-only"):
        store.execute(statement)


def test_what_is_in_the_history_is_not_inserted_again(store: Plain) -> None:
    """Over the number of what is there."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.execute("INSERT INTO history SELECT * FROM history")


def test_a_record_keeps_its_identity(store: Plain) -> None:
    """As all that is known of it goes by that."""
    with pytest.raises(RestrictViolation, match="a record keeps its identity"):
        store.execute("UPDATE records SET uid = 'z' WHERE uid = 'a'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE declared SET file = 'x'",
        "DELETE FROM declared",
        "INSERT INTO declared VALUES ('acme', 'Connector', 'more', 'x', true, 0)",
        "TRUNCATE declared",
        "DELETE FROM claimed",
        "TRUNCATE claimed",
        "UPDATE baselines SET rules = 'x'",
        "DELETE FROM meta WHERE key = 'revision'",
        "UPDATE meta SET value = '1' WHERE key = 'revision'",
        "UPDATE meta SET value = 'x' WHERE key = 'revision'",
        "UPDATE meta SET key = 'revisions' WHERE key = 'revision'",
        "TRUNCATE meta",
    ],
)
def test_whoever_writes_to_what_a_baseline_rests_on_ends_it(store: Plain, statement: str) -> None:
    """Also by setting the store back."""
    store.execute("UPDATE meta SET value = '2' WHERE key = 'revision'")
    store.execute("UPDATE meta SET value = 'x' WHERE key = 'store'")
    assert store.all("SELECT owner FROM baselines") == [("acme",)]
    store.execute(statement)
    assert store.all("SELECT owner FROM baselines") == []


def test_another_owners_baseline_stays(store: Plain) -> None:
    """What is declared of one owner is nothing to the others."""
    store.execute("INSERT INTO declared VALUES ('other', 'Connector', 'more', 'x', true, 0)")
    assert store.all("SELECT owner FROM baselines") == [("acme",)]


def test_what_belongs_to_a_record_goes_with_it(store: Plain) -> None:
    """Where foreign keys are switched off, too: nothing sealed stays behind."""
    store.execute("SET LOCAL session_replication_role = replica")
    store.execute("DELETE FROM records; DELETE FROM quarantine")
    for table in ("documents", "applied", "refs", "secrets", "tokens", "quarantined_secrets"):
        assert store.all(f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_dump_brings_everything_back(server: Any, filled: Plain) -> None:
    """The triggers as they were, and no drift: whole, in another database."""
    dump = server.folder / f"{filled.raw.info.dbname}.dump"
    server.run("pg_dump", "-Fc", "-f", dump, filled.raw.info.dbname)
    database = server.create()
    server.run("pg_restore", "--exit-on-error", "-d", database.name, dump)
    restored = plain(server, database.name)
    try:
        with taken_back(restored), taken_back(filled):
            engine = restored.engine
            assert engine.found_triggers(restored) == engine.own_triggers()
            assert list(engine.differing(restored)) == []
            for table in ("records", "documents", "secrets", "history", "drifts", "baselines"):
                assert restored.all(f"SELECT * FROM {table}") == filled.all(f"SELECT * FROM {table}")
            restored.execute("UPDATE records SET owner = 'x' WHERE uid = 'a'")
            assert restored.all("SELECT uid FROM drifts") == [("a",)]
    finally:
        restored.close()
        server.drop(database)


TAMPERED = {
    "switched off": ("ALTER TABLE documents DISABLE TRIGGER watch", "documents.watch"),
    "switched off and on": ("ALTER TABLE documents DISABLE TRIGGER watch; ALTER TABLE documents ENABLE TRIGGER watch", "documents.watch"),
    "for replicas alone": ("ALTER TABLE documents ENABLE REPLICA TRIGGER watch", "documents.watch"),
    "dropped": ("DROP TRIGGER watch ON documents", "documents.watch"),
    "another condition": ("DROP TRIGGER watch ON documents; CREATE TRIGGER watch BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION watch_beside(); ALTER TABLE documents ENABLE ALWAYS TRIGGER watch", "documents.watch"),
    "another function": ("DROP TRIGGER guard ON documents; CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON documents FOR EACH STATEMENT WHEN (current_setting('reconciler.writing'::text, true) = '1'::text) EXECUTE FUNCTION watch_truncate()", "documents.guard"),
    "another body": ("CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciler, pg_temp AS 'BEGIN RETURN NULL; END'", "history.append_only"),
    "another path": ("ALTER FUNCTION append_only() SET search_path = public", "history.append_only"),
    "the caller's rights": ("ALTER FUNCTION append_only() SECURITY INVOKER", "runs.append_only"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_a_trigger_that_was_altered_is_found_and_put_back(store: Plain, how: str) -> None:
    """By its statement, whether it is ALWAYS there, and its function."""
    statements, name = TAMPERED[how]
    store.execute(statements)
    engine = store.engine
    assert engine.found_triggers(store).get(name) != engine.own_triggers()[name]
    assert ("trigger", name) in list(engine.differing(store))
    assert ("trigger", name) in list(engine.put_back(store))
    assert engine.found_triggers(store) == engine.own_triggers()
    assert list(engine.differing(store)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER theirs BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE theirs AS ON UPDATE TO documents DO INSTEAD NOTHING",
    ],
)
def test_what_somebody_added_is_found(store: Plain, statement: str) -> None:
    """A trigger, or a rule: then an apply looks at all other records too."""
    store.execute(statement)
    assert store.engine.found_triggers(store).keys() - store.engine.own_triggers().keys() == {"documents.theirs"}


def test_readers_see_a_digest_in_the_place_of_a_secret(store: Plain) -> None:
    """It differs where the ciphertext does."""
    store.execute("UPDATE records SET owner = 'x' WHERE uid = 'a'")
    query = f"SELECT {store.engine.pictured} FROM drifts WHERE uid = 'a'"
    now = f"SELECT {store.engine.picture} FROM records r WHERE uid = 'a'"
    ((before,), (after,)) = (json.loads(store.all(one)[0][7]) for one in (query, now))
    assert before == after and re.fullmatch("[0-9a-f]{64}", before[3])
    store.execute(r"UPDATE secrets SET ciphertext = '\x01ac'")
    ((after,),) = (json.loads(store.all(now)[0][7]),)
    assert after[:3] == before[:3] and after[3] != before[3]
