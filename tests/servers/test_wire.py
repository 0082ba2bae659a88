"""The proxy before PostgreSQL counts what a client waits for, and cuts where it is told to."""

import time

import psycopg
import pytest

from servers.wire import Cut


@pytest.fixture
def table(database):
    database.sql("CREATE TABLE public.things (number int)")
    database.sql(f'GRANT ALL ON public.things TO "{database.user}"')
    return lambda: [number for (number,) in database.sql("SELECT number FROM things ORDER BY number")]


def connect(wire, database, **options):
    return psycopg.connect(
        wire.url(database), password=database.password, prepare_threshold=None, sslmode="disable", **options
    )


def test_round_trips_are_counted(make_wire, postgresql, database, table):
    wire = make_wire(postgresql.port, delay=0.02)
    with connect(wire, database, autocommit=True) as connection:
        assert wire.turns == 3  # the start, and two of SCRAM
        wire.clear()
        connection.execute("SELECT 1")
        connection.execute("INSERT INTO things VALUES (%s)", [1])
        assert wire.turns == 2
        wire.clear()
        with connection.pipeline():
            for number in range(50):
                connection.execute("INSERT INTO things VALUES (%s)", [number])
        assert wire.turns == 1
        assert wire.statements() == ["INSERT INTO things VALUES ($1)"] * 50
        wire.clear()
        with connection.pipeline():
            connection.execute("SELECT 1").fetchone()
            connection.execute("SELECT 2").fetchone()
        assert wire.turns == 3  # each, and the end of the pipeline
        wire.clear()
        with connection.cursor().copy("COPY things FROM STDIN") as copy:
            for number in range(10_000):
                copy.write_row([number])
        assert wire.turns == 2
    assert [message.kind for message in wire.messages[:2]] == ["Query", "CopyData"]
    assert {message.turn for message in wire.messages} == {1, 2}


def test_a_client_that_asks_for_tls_is_told_that_there_is_none(wire, database):
    with psycopg.connect(wire.url(database), password=database.password) as connection:
        assert not connection.pgconn.ssl_in_use
    assert wire.messages[0].kind == "SSLRequest"
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        psycopg.connect(wire.url(database), password=database.password, sslmode="require")


def test_messages_take_their_time(make_wire, postgresql, database):
    wire = make_wire(postgresql.port, delay=0.1)
    with connect(wire, database, autocommit=True) as connection:
        begun = time.monotonic()
        connection.execute("SELECT 1")
        assert 0.2 <= time.monotonic() - begun < 0.3


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.AFTER, Cut.DURING])
@pytest.mark.parametrize("pipeline", [False, True])
def test_a_commit_is_cut(wire, database, table, how, pipeline):
    connection = connect(wire, database)
    connection.execute("INSERT INTO things VALUES (1)")
    wire.cut(how, text="commit")
    with pytest.raises(psycopg.OperationalError, match="closed the connection|reset by peer"):
        if pipeline:
            with connection.pipeline():
                connection.execute("INSERT INTO things VALUES (2)")
                connection.execute("COMMIT")
        else:
            connection.commit()
    assert wire.is_cut and connection.closed
    ended(database)
    assert table() == ([] if how is Cut.BEFORE else [1, 2] if pipeline else [1])
    connect(wire, database).close()


@pytest.mark.parametrize("how", [Cut.UNANSWERED, Cut.LOST])
def test_a_commit_is_never_answered(wire, database, table, how):
    connection = connect(wire, database)
    connection.execute("INSERT INTO things VALUES (1)")
    wire.cut(how, text="commit", refuse=True)
    connection.pgconn.send_query(b"COMMIT")
    time.sleep(0.3)
    connection.pgconn.consume_input()
    assert connection.pgconn.is_busy()
    with pytest.raises(psycopg.OperationalError):
        connect(wire, database)
    assert table() == ([1] if how is Cut.UNANSWERED else [])
    wire.drop()
    connection.close()
    wire.clear()
    connect(wire, database).close()


@pytest.mark.parametrize("unit", ["number", "turn"])
def test_each_message_and_each_turn_can_be_cut(wire, database, table, unit):
    def run():
        with connect(wire, database) as connection:
            connection.execute("INSERT INTO things VALUES (%s)", [1])
            connection.execute("INSERT INTO things VALUES (%s)", [2])

    run()
    kinds = [message.kind for message in wire.messages]
    insert = ["Parse", "Bind", "Describe", "Execute", "Sync"]
    assert kinds == ["Startup", "Password", "Password", "Query", *insert, *insert, "Query"]
    assert wire.turns == 7
    applied = []
    for number in range(1, (wire.turns if unit == "turn" else len(kinds)) + 1):
        for how in (Cut.BEFORE, Cut.DURING, Cut.AFTER):
            wire.clear()
            wire.cut(how, **{unit: number})
            before = table()
            with pytest.raises(psycopg.OperationalError):
                run()
            assert wire.is_cut
            ended(database)
            if table() != before:
                applied.append((number, how))
    assert applied == [(number, Cut.DURING), (number, Cut.AFTER)]  # where COMMIT arrived
    assert len(table()) == 6


def ended(database):
    """Wait until no transaction of the role is under way."""
    end = time.monotonic() + 5
    while database.sql("SELECT 1 FROM pg_stat_activity WHERE usename = %s", database.user):
        assert time.monotonic() < end
        time.sleep(0.01)
