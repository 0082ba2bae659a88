"""Rows in bulk: all of them arrive, however many there are, and a constraint takes back all."""

import sqlite3

import pytest

from reconciler.stores.sql.transaction import insert


@pytest.fixture
def connection() -> sqlite3.Connection:
    """With a table of three columns."""
    found = sqlite3.connect(":memory:", isolation_level=None)
    found.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)")
    return found


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 1234])
def test_every_row_arrives(connection: sqlite3.Connection, count: int) -> None:
    """In its place, around the number that goes with one statement."""
    rows = [(number, f"text {number}", bytes([number % 256])) for number in range(count)]
    insert(connection, "t (a, b, c)", 3, iter(rows))
    assert connection.execute("SELECT * FROM t ORDER BY a").fetchall() == rows


def test_a_conflict_clause_holds_for_all(connection: sqlite3.Connection) -> None:
    """Of a full statement and of the rest."""
    insert(connection, "t", 3, ((number, "old", b"") for number in range(120)))
    insert(
        connection,
        "t",
        3,
        ((number, "new", b"") for number in range(70)),
        "ON CONFLICT (a) DO UPDATE SET b = excluded.b",
    )
    assert connection.execute("SELECT b, count(*) FROM t GROUP BY b").fetchall() == [("new", 70), ("old", 50)]


@pytest.mark.parametrize("twice", [7, 110])
def test_what_stands_there_already_is_refused(connection: sqlite3.Connection, twice: int) -> None:
    """In a full statement and in the rest."""
    connection.execute("INSERT INTO t VALUES (?, '', '')", (twice,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed: t.a"):
        insert(connection, "t", 3, ((number, "", b"") for number in range(120)))
