"""What goes over a connection to PostgreSQL: how often it waits, what it gives, and what is known when it is cut."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from servers.postgresql import Database
from servers.wire import Cut, Wire

from reconciler.errors import StoreUnavailable
from reconciler.stores.postgresql.address import read_url
from reconciler.stores.postgresql.connection import PostgresConnection
from reconciler.stores.postgresql.database import PostgresDatabase
from reconciler.stores.postgresql.statements import translated
from reconciler.stores.sql.columns import COLUMNS
from reconciler.stores.sql.database import CommitUnknown, Transient
from reconciler.wiring.run import context_of

Open = Callable[..., PostgresDatabase]
ADD = "INSERT INTO things (uid, kind, name) VALUES (?, ?, ?)"
COUNT = "SELECT count(*) FROM things"


@pytest.fixture
def open_at(tmp_path: Path, database: Database) -> Iterator[Open]:
    """Opens the store at a URL, by default that of the database."""
    opened: list[PostgresDatabase] = []

    def made(url: str = "", *, lock_seconds: float = 2) -> PostgresDatabase:
        context = replace(context_of(tmp_path, database.environment, None, lock_seconds), trusted=True)
        opened.append(PostgresDatabase(read_url(url or database.url, tmp_path), context))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


@pytest.fixture
def store(open_at: Open, database: Database) -> PostgresDatabase:
    """A store, and a table beside its own."""
    store = open_at()
    store.writer().close()
    database.sql("CREATE TABLE things (uid text, kind text, name text, PRIMARY KEY (uid, kind, name))")
    database.sql(f"ALTER TABLE things OWNER TO {database.user}")
    return store


def begun(store: PostgresDatabase) -> PostgresConnection:
    """A transaction that writes."""
    connection = store.writer()
    store.begin(connection)
    connection.ignore()
    return connection


def connect(store: PostgresDatabase) -> None:
    """Have a connection that nothing is under way on."""
    store.reader().close()
    time.sleep(0.1)


def count(database: Database) -> int:
    return database.sql("SELECT count(*) FROM reconciler.things")[0][0]


# waiting


def test_what_gives_no_rows_is_sent_with_what_does(
    store: PostgresDatabase, open_at: Open, wire: Wire, database: Database
):
    far = open_at(wire.url(database))
    connect(far)
    wire.clear()
    with closing(far.writer()) as connection:
        far.begin(connection)
        connection.ignore()
        connection.execute(ADD, ("a", "k", "n"))
        connection.insert("things", ("uid", "kind", "name"), [("b", "k", f"n{at}") for at in range(2_500)])
        connection.executemany(ADD, [("c", "k", f"n{at}") for at in range(100)])
        assert wire.turns <= 1  # bulk is on its way already, and nobody waits for it
        assert connection.execute(COUNT).fetchone() == (2_601,)
        connection.execute("DELETE FROM things WHERE uid = ?", ("c",))
        connection.commit()
    assert wire.turns == 2
    assert wire.connections == 0  # it is the one that the reader had
    assert count(database) == 2_501


def test_queries_of_a_reader_are_asked_at_once_and_closing_waits_for_nothing(
    store: PostgresDatabase, open_at: Open, wire: Wire, database: Database
):
    far = open_at(wire.url(database))
    wire.delay = 0.02
    first = [(COUNT, ()), ("SELECT value FROM meta WHERE key = ?", ("revision",))]
    connect(far)
    wire.clear()
    for turns in (1, 2, 3):
        reader = far.reader(lambda engine: first)
        assert reader.execute("SELECT value FROM meta WHERE key = ?", ("revision",)).fetchall() == [("0",)]
        for _ in range(2):
            assert reader.execute(COUNT).fetchone() == (0,)
            assert reader.execute("SELECT key FROM meta WHERE key = ?", ("store",)).fetchall() == [("store",)]
            assert wire.turns == 2 * turns  # what it was told once it keeps
        reader.close()
    assert wire.connections == 0


def test_no_store_is_told_by_the_first_batch(open_at: Open):
    assert open_at().reader() is None


def test_what_was_asked_ahead_is_not_given_once_something_is_written(store: PostgresDatabase):
    with closing(begun(store)) as connection:
        connection.prefetch([(COUNT, ())])
        connection.execute(ADD, ("a", "k", "n"))
        assert connection.execute(COUNT).fetchone() == (1,)


def test_many_records_are_sent_while_they_are_made(store: PostgresDatabase, database: Database):
    body = "x" * 2_000
    with closing(begun(store)) as connection:
        connection.insert("things", ("uid", "kind", "name"), ((f"{at}", "k", body + str(at)) for at in range(5_000)))
        connection.executemany("UPDATE things SET kind = ? WHERE uid = ?", ((body, str(at)) for at in range(5_000)))
        connection.commit()
    assert database.sql("SELECT count(*), sum(length(kind)) FROM things") == [(5_000, 10_000_000)]


def test_many_make_the_store_at_once_and_there_is_one(open_at: Open, database: Database):
    stores = [open_at() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda store: store.writer().close(), stores))
    assert database.sql("SELECT count(*) FROM meta WHERE key = 'store'") == [(1,)]


# values and statements


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.binary(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
)
def test_each_sort_of_value_comes_back(
    shared: PostgresConnection, text: str, data: bytes, number: int, yes: bool, real: float
):
    asked = "SELECT CAST(? AS text), CAST(? AS bytea), CAST(? AS bigint), CAST(? AS boolean), CAST(? AS double precision), CAST(? AS text)"
    assert shared.execute(asked, (text, data, number, yes, real, None)).fetchall() == [
        (text, data, number, yes, real, None)
    ]
    shared.execute("DELETE FROM everything")
    rows = [(text, data, number, yes, real), (None, None, None, None, None)]
    shared.insert("everything", ("uid", "hash", "run", "odd", "uptime"), rows)
    assert shared.execute("SELECT uid, hash, run, odd, uptime FROM everything ORDER BY uid").fetchall() == rows


@pytest.fixture(scope="module")
def shared(_postgresql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresConnection]:
    server = _postgresql("newest")
    made = server.create()
    context = replace(context_of(tmp_path_factory.mktemp("shared"), made.environment), trusted=True)
    store = PostgresDatabase(read_url(made.url, Path()), context)
    connection = store.writer()
    store.begin(connection)
    connection.execute(
        "CREATE TEMP TABLE everything (uid text, hash bytea, run bigint, odd boolean, uptime double precision)"
    )
    held = {"uid": "text?", "hash": "blob?", "run": "integer?", "odd": "integer?", "uptime": "real?"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(COLUMNS, "everything", held)
        yield connection
    connection.close()
    store.close()
    server.drop(made)


def test_sums_of_integers_are_integers(shared: PostgresConnection):
    assert shared.execute("SELECT sum(n), avg(n) FROM (VALUES (1::bigint), (2)) v(n)").fetchone() == (3, 1.5)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT '?' , \"a?\", ? -- why?\n, ?", "SELECT '?' , \"a?\", $1 -- why?\n, $2"),
        ("SELECT 'it''s ?' WHERE a = ?", "SELECT 'it''s ?' WHERE a = $1"),
        ("SELECT 1 FROM t INDEXED BY i WHERE a=?", "SELECT 1 FROM t  WHERE a=$1"),
        ("SELECT 1 FROM a CROSS JOIN b USING (x) WHERE b.y=?", "SELECT 1 FROM a JOIN b USING (x) WHERE b.y=$1"),
        ("SELECT 1 FROM a CROSS JOIN b", "SELECT 1 FROM a CROSS JOIN b"),
        ("SELECT 1 % 2, 'a%'", "SELECT 1 % 2, 'a%'"),
    ],
)
def test_statements_are_translated_outside_of_texts(statement: str, told: str):
    assert translated(statement).text.decode() == told


@pytest.mark.parametrize(
    ("statement", "asks"),
    [
        ("INSERT INTO t VALUES (?)", False),
        ("UPDATE t SET a = 'RETURNING'", False),
        ("DELETE FROM t RETURNING uid", True),
        (" with x AS (SELECT 1) SELECT 1", True),
    ],
)
def test_what_gives_rows_is_known(statement: str, asks: bool):
    assert translated(statement).asks is asks


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_what_cannot_be_kept_is_refused_without_being_repeated(store: PostgresDatabase, text: str):
    with closing(begun(store)) as connection:
        for add in (
            lambda: connection.execute(ADD, (text, "k", "n")),
            lambda: connection.executemany(ADD, [(text, "k", "n")]),
            lambda: connection.insert("things", ("uid", "kind", "name"), [(text, "k", "n")]),
        ):
            with pytest.raises(StoreUnavailable, match="cannot keep a text") as failure:
                add()
            assert "a" + text[1:] not in failure.value.message


# transactions


def test_nothing_of_a_transaction_stays_with_the_connection(
    store: PostgresDatabase, pgbouncer, open_at: Open, database: Database
):
    pooled = open_at(pgbouncer.url(database))
    for _ in range(4):
        with closing(begun(pooled)) as connection:
            connection.execute(ADD, (os.urandom(4).hex(), "k", "n"))
            assert connection.execute("SELECT current_setting('reconciler.writing'), current_schema()").fetchone() == (
                "1",
                "reconciler",
            )
            connection.commit()
        with psycopg.connect(pgbouncer.url(database), password=database.password, autocommit=True) as other:
            kept = (
                "SELECT current_setting('reconciler.writing', true), current_setting('lock_timeout'), current_schema()"
            )
            assert other.execute(kept, prepare=False).fetchone() in [("", "0", "public"), (None, "0", "public")]
    assert count(database) == 4
    assert database.sql("SELECT count(*) FROM writing") == [(0,)]


def test_a_role_with_less_gets_commits_that_last_and_warnings_that_are_told(
    store: PostgresDatabase, database: Database
):
    for setting in ("synchronous_commit = off", "client_min_messages = error", "standard_conforming_strings = off"):
        database.sql(f"ALTER ROLE {database.user} SET {setting}")
    asked = "SELECT current_setting('synchronous_commit'), current_setting('client_min_messages'), '\\'"
    store.close()
    with closing(begun(store)) as connection:
        assert connection.execute(asked).fetchone() == ("on", "warning", "\\")


def test_ours_wait_for_each_other_and_others_do_not(store: PostgresDatabase, open_at: Open, database: Database):
    second = open_at(lock_seconds=0.2)
    with closing(begun(store)) as connection:
        connection.execute(ADD, ("a", "k", "n"))
        assert connection.execute(COUNT).fetchone() == (1,)
        assert count(database) == 0  # an outsider reads, and may write
        database.sql("INSERT INTO things VALUES ('other', 'k', 'n')")
        with closing(second.writer()) as late, pytest.raises(psycopg.errors.LockNotAvailable):
            second.begin(late)
            late.execute(COUNT)
        connection.commit()
    assert count(database) == 2


def test_a_failed_transaction_is_not_committed_whatever_its_commit_says(store: PostgresDatabase, database: Database):
    with closing(begun(store)) as connection:
        connection.execute(ADD, ("a", "k", "n"))
        connection.execute(ADD, ("a", "k", "n"))
        with pytest.raises(psycopg.errors.UniqueViolation) as failure:
            connection.commit()
        assert "(a, k, n)" not in str(failure.value)  # the details hold values
        connection.rollback()
    with closing(store.writer()) as connection:
        store.begin(connection)
        connection.execute(ADD, ("a", "k", "n"))
        assert connection.execute(COUNT).fetchone() == (1,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM nowhere")
        with pytest.raises(Transient):
            connection.commit()
    assert count(database) == 0


def test_deadlocks_may_be_tried_again(store: PostgresDatabase, database: Database):
    database.sql("INSERT INTO things VALUES ('a', 'k', 'n'), ('b', 'k', 'n')")
    with closing(begun(store)) as connection, database.connect(autocommit=False) as other:
        connection.execute("UPDATE things SET name = 'x' WHERE uid = 'a'").rowcount
        other.execute("UPDATE reconciler.things SET name = 'y' WHERE uid = 'b'")
        waiting = threading.Thread(
            target=_quietly, args=(other, "UPDATE reconciler.things SET name = 'y' WHERE uid = 'a'")
        )
        waiting.start()
        time.sleep(0.7)  # so that ours is the one that looks for a deadlock last, or not: one of both is given up
        try:
            connection.execute("UPDATE things SET name = 'x' WHERE uid = 'b'").rowcount
        except Transient as failure:
            assert "deadlock" in str(failure)
        connection.rollback()
        waiting.join()


def _quietly(connection: psycopg.Connection, statement: str) -> None:
    try:
        connection.execute(statement)
    except psycopg.Error:
        pass


# cut off


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.AFTER, Cut.DURING, Cut.UNANSWERED, Cut.LOST])
@pytest.mark.parametrize("turn", [1, 2])
def test_where_a_connection_dies_decides_what_is_known(
    store: PostgresDatabase, open_at: Open, wire: Wire, database: Database, monkeypatch, how: Cut, turn: int
):
    monkeypatch.setattr("reconciler.stores.postgresql.database._SPARE_SECONDS", 0.1)
    far = open_at(f"{wire.url(database)}?timeout=1", lock_seconds=0.2)
    far._limits = replace(far._limits, seconds=0.5)  # noqa: SLF001 (a limit that a test can wait for)
    connect(far)
    wire.clear()
    wire.cut(how, turn=turn)
    with closing(far.writer()) as connection:
        far.begin(connection)
        connection.ignore()
        connection.execute(ADD, ("a", "k", "n"))
        with pytest.raises(Transient if turn == 1 else CommitUnknown):
            connection.execute(COUNT)
            connection.execute(ADD, ("b", "k", "n"))
            connection.commit()
        assert wire.is_cut
        wire.clear()
        wire.drop()
        connection.rollback()
        far.begin(connection)  # with another connection
        connection.execute(COUNT).fetchone()
    found = count(database)
    assert found in ((0,) if turn == 1 or how in (Cut.BEFORE, Cut.LOST) else (0, 2))
    if turn == 2 and how in (Cut.AFTER, Cut.UNANSWERED):
        assert found == 2


def test_a_connection_that_ended_while_nobody_used_it_is_made_anew(store: PostgresDatabase, database: Database):
    store.reader().close()
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", database.user)
    time.sleep(0.1)
    with closing(store.reader()) as reader:
        assert reader.execute(COUNT).fetchone() == (0,)


def test_a_server_that_stands_still_is_given_up(store: PostgresDatabase, open_at: Open, database: Database, postgresql):
    short = open_at(f"{database.url}?timeout=1&connect_timeout=2", lock_seconds=0.1)
    short.reader().close()
    with postgresql.frozen():
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="stopped answering"):
            short.reader()
        assert time.monotonic() - began < 1 + 0.1 + 5 + 1
        with pytest.raises(StoreUnavailable, match="does not answer"):
            short.reader()
    with closing(short.reader()) as reader:
        assert reader.execute(COUNT).fetchone() == (0,)


# commits that may not last, and interrupts


@contextmanager
def no_standby(database: Database) -> Iterator[None]:
    """Commits wait for a standby that is not there."""
    database.server.reload(synchronous_standby_names="nobody")
    time.sleep(0.1)
    try:
        yield
    finally:
        database.server.reload(synchronous_standby_names="")


def in_commit(database: Database, act: Callable[[], object]) -> threading.Thread:
    """Acts once a commit waits for a standby."""

    def wait() -> None:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = %s"
        with database.server.superuser() as watching:
            watching.execute("SET synchronous_commit = local")
            until = time.monotonic() + 10
            while not watching.execute(asked, (database.user,)).fetchone()[0] and time.monotonic() < until:
                time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_commit_whose_wait_for_the_standby_was_cancelled_is_not_known_to_last(
    store: PostgresDatabase, database: Database
):
    with no_standby(database), closing(begun(store)) as connection:
        connection.execute(ADD, ("a", "k", "n"))
        cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        thread = in_commit(database, lambda: database.sql(cancel))
        with pytest.raises(CommitUnknown, match="whether the commit will last"):
            connection.commit()
        thread.join()


def test_an_interrupt_waits_until_the_commit_is_answered(store: PostgresDatabase, database: Database):
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        database.server.reload(synchronous_standby_names="")

    with no_standby(database), closing(begun(store)) as connection:
        connection.execute(ADD, ("a", "k", "n"))
        thread = in_commit(database, interrupt)
        with pytest.raises(KeyboardInterrupt):
            connection.commit()
        thread.join()
        assert not connection.in_transaction
    assert count(database) == 1


def test_an_interrupt_while_waiting_for_others_ends_the_wait_on_the_server_too(
    store: PostgresDatabase, database: Database
):
    with database.connect(autocommit=False) as other:
        other.execute("LOCK TABLE reconciler.things")
        with closing(store.writer()) as connection:
            store.begin(connection)
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                connection.execute(COUNT)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
        time.sleep(0.2)
        assert database.sql(waiting, database.user) == [(0,)]


def test_times_are_the_servers(store: PostgresDatabase, database: Database):
    (there,) = database.sql("SELECT extract(epoch FROM clock_timestamp())::float8")[0]
    assert abs(store.host().moment().wall - there) < 1
    assert store.host().moment().boot == ""
    assert store.clock().endswith("Z")
