"""The triggers that a store should have, and those that it has."""

import sqlite3

from reconciler.stores.sql import schema

Words = dict[str, list[str]]
"""Of each trigger by name its statement, without regard to white space."""


def own_triggers() -> Words:
    """Those that a store of this version should have."""
    every = (statement.rstrip().removesuffix(";").split() for statement in schema.statements(schema.EVERYTHING))
    return {words[2]: words for words in every if words[:2] == ["CREATE", "TRIGGER"]}


def found_triggers(connection: sqlite3.Connection) -> Words:
    """Those that are there."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: (text or "").split() for name, text in rows}


def are_ours_alone(connection: sqlite3.Connection) -> bool:
    """Whether nobody has added a trigger, taken one away or altered one."""
    return found_triggers(connection) == own_triggers()
