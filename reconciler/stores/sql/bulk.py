"""Rows in bulk."""

import sqlite3
from collections.abc import Iterable
from itertools import chain, islice

_ROWS = 50  # with the widest table still below the smallest limit on parameters that SQLite has been built with


def insert(connection: sqlite3.Connection, into: str, width: int, rows: Iterable[tuple[object, ...]], conflict: str = "") -> None:  # fmt: skip
    """Insert rows, many with each statement: to begin one costs more than to insert a row.

    Args:
        into: the table, with its columns where they are named.
        width: how many columns each row has.
        conflict: the clause on conflicts.
    """
    one = f"({','.join('?' * width)})"
    many = f"INSERT INTO {into} VALUES {','.join([one] * _ROWS)} {conflict}"
    waiting = iter(rows)
    while part := list(islice(waiting, _ROWS)):
        if len(part) == _ROWS:
            connection.execute(many, tuple(chain.from_iterable(part)))
        else:
            connection.executemany(f"INSERT INTO {into} VALUES {one} {conflict}", part)
