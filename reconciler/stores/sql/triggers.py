"""The triggers that a store should have, and those that it has."""

import sqlite3

from reconciler.stores import sqlite
from reconciler.stores.sql import schema

Words = dict[str, list[str]]
"""Of each trigger by name its statement, without regard to white space."""


def own_triggers(version: int) -> Words:
    """Those of a store of this version."""
    found: Words = {}
    for script in (schema.TRIGGERS, *(script for since, script in schema.MIGRATIONS.items() if since <= version)):
        for statement in sqlite.statements(script):
            words = statement.rstrip().removesuffix(";").split()
            if words[:2] == ["CREATE", "TRIGGER"]:
                found[words[2]] = words
            elif words[:2] == ["DROP", "TRIGGER"]:
                del found[words[2]]
    return found


def found_triggers(connection: sqlite3.Connection) -> Words:
    """Those that are there."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: (text or "").split() for name, text in rows}


def are_ours_alone(connection: sqlite3.Connection) -> bool:
    """Whether nobody has added a trigger, taken one away or altered one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return found_triggers(connection) == own_triggers(version)
