"""Rows in bulk: all of them arrive, however many there are, and a constraint takes back all."""

import sqlite3

import pytest

from reconciler.stores.sqlite.engine import SqliteConnection, connect

COLUMNS = ("a", "b", "c")


@pytest.fixture
def connection() -> SqliteConnection:
    """With a table of three columns."""
    found = connect(":memory:", 0)
    found.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)")
    return found


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 1234])
def test_every_row_arrives(connection: SqliteConnection, count: int) -> None:
    """In its place, around the number that goes with one statement."""
    rows = [(number, f"text {number}", bytes([number % 256])) for number in range(count)]
    connection.insert("t", COLUMNS, iter(rows))
    assert connection.execute("SELECT * FROM t ORDER BY a").fetchall() == rows


def test_a_conflict_clause_holds_for_all(connection: SqliteConnection) -> None:
    """Of a full statement and of the rest."""
    connection.insert("t", COLUMNS, ((number, "old", b"") for number in range(120)))
    connection.insert(
        "t",
        COLUMNS,
        ((number, "new", b"") for number in range(70)),
        "ON CONFLICT (a) DO UPDATE SET b = excluded.b",
    )
    assert connection.execute("SELECT b, count(*) FROM t GROUP BY b").fetchall() == [("new", 70), ("old", 50)]


@pytest.mark.parametrize("twice", [7, 110])
def test_what_stands_there_already_is_refused(connection: SqliteConnection, twice: int) -> None:
    """In a full statement and in the rest."""
    connection.execute("INSERT INTO t VALUES (?, '', '')", (twice,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed: t.a"):
        connection.insert("t", COLUMNS, ((number, "", b"") for number in range(120)))
