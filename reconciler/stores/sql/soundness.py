"""Checks that what a store holds can be read and used: values, its own notes, and the values of secrets."""

import sqlite3
from collections.abc import Iterator

from reconciler.kinds.canonical import may_hold_references
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql.keeping import misfits
from reconciler.stores.sql.mending import is_json
from reconciler.stores.sql.reading import decoded, has_sealed

REPAIR_IT = "somebody wrote to the file outside of a run; restore a backup, or mend what can be mended: reconciler store check --repair"
_RESOLVE = "find out who writes to the store; then run: reconciler apply --secrets check"
_Found = Iterator[tuple[str, str]]


def values(connection: sqlite3.Connection) -> _Found:
    """That each value is of its column's type, or it could not be read."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, condition in misfits():
        if table not in there:
            yield f"the table {table} is missing", REPAIR_IT
        elif count := connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]:
            rows = "1 row holds" if count == 1 else f"{count:,} rows hold"
            yield f"{rows} in {table} what does not fit to its columns", REPAIR_IT


def notes(connection: sqlite3.Connection) -> _Found:
    """That the store notes its revision, none of a record being higher, its identity, and which key seals."""
    kept = dict(connection.execute("SELECT key, value FROM meta"))
    (highest,) = connection.execute("SELECT coalesce(max(revision), 0) FROM records").fetchone()
    revision = str(kept.get("revision", ""))
    if not (revision.isascii() and revision.isdigit()):
        yield "the store does not note its revision", REPAIR_IT
    elif isinstance(highest, int) and int(revision) < highest:
        yield f"the store notes the revision {revision}, and records have {highest}: it was set back", REPAIR_IT
    if not kept.get("store"):
        yield "the store does not note its identity, by which saved plans know it", REPAIR_IT
    if not kept.get("key_check") and has_sealed(connection):
        yield "the store does not note with which key its secrets are sealed", REPAIR_IT


def missing_secrets(connection: sqlite3.Connection) -> _Found:
    """That of each secret that a connector refers to there is a value."""
    held: dict[str, set[str]] = {}
    for uid, place in connection.execute("SELECT uid, address FROM secrets"):
        held.setdefault(uid, set()).add(place)
    query = "SELECT uid, name, live FROM records JOIN documents USING (uid) WHERE kind = 'Connector' AND fingerprint IS NOT NULL ORDER BY name"
    for uid, name, live in connection.execute(query):
        if not is_json(live) or not may_hold_references(live.encode()):
            continue
        places = {field.address for field in KINDS["Connector"].secret_fields(decoded(live)["spec"])}
        if missing := sorted(places - held.get(uid, set())):
            yield f"the store has no value of {address('Connector', name)}: {', '.join(missing)}", _RESOLVE
