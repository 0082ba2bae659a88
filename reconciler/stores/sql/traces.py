"""Leave nothing in the file of what was destroyed.

SQLite overwrites what is deleted (`secure_delete`), but not the copies of a row that stay in the unused part of a page
when rows next to it move. They go when all pages of the table are freed, so the table is written anew.
"""

import sqlite3
from collections.abc import Iterable

from reconciler.core.ports.runs import PlannedWrite

TOKENS = ("tokens",)
_PARENTS = {"tokens": "records", "secrets": "records", "quarantined_secrets": "quarantine"}
SECRETS = ("secrets", "quarantined_secrets", "drifts")


def write_anew(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Free all pages of tables, which overwrites them, and write what is left of them anew.

    What belongs to nothing, as somebody has deleted outside of a run what it belonged to, is not.
    """
    for table in tables:
        if parent := _PARENTS.get(table):
            connection.execute(
                f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.uid = {table}.uid)"
            )
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        connection.execute(f"DELETE FROM {table}")
        if rows:
            connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def have_tokens(connection: sqlite3.Connection, writes: Iterable[PlannedWrite]) -> bool:
    """Whether there is an access token of a record that is written."""
    query = "SELECT 1 FROM tokens WHERE uid = ?"
    return any(connection.execute(query, (write.uid,)).fetchone() for write in writes)
