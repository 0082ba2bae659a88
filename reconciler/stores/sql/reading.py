"""Reads from the SQL store, in bulk."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reconciler.core.model import Bodies, Found, Key, Record, SecretState

_CHUNK = 500  # below the smallest limit on parameters that SQLite has been built with

Fingerprint = Callable[[dict[str, Any], str], str]
"""From a decoded body and its kind to its fingerprint, for bodies that were changed around the tool."""


def records(connection: sqlite3.Connection, fingerprint: Fingerprint) -> dict[Key, Record]:
    """All records without their bodies."""
    rows = connection.execute("SELECT kind, name, uid, fingerprint, applied, owner, display, version FROM records")
    found = {}
    for kind, name, uid, printed, applied, owner, display, version in rows:
        now = printed if printed is not None else _recomputed(connection, uid, kind, fingerprint)
        key = Key(kind, name)
        found[key] = Record(key, uid, now, applied, owner, display or "", version)
    return found


def _recomputed(connection: sqlite3.Connection, uid: str, kind: str, fingerprint: Fingerprint) -> str:
    row = connection.execute("SELECT live FROM documents WHERE uid = ?", (uid,)).fetchone()
    return fingerprint(json.loads(row[0]), kind) if row else ""


def bodies(connection: sqlite3.Connection, uids: Iterable[str]) -> dict[str, Bodies]:
    """Live and last applied bodies, and secret states, of the records named."""
    found: dict[str, Bodies] = {}
    for chunk in _chunks(list(uids)):
        marks = ",".join("?" * len(chunk))
        secrets: dict[str, dict[str, SecretState]] = {}
        for uid, address, reference, printed in connection.execute(
            f"SELECT uid, address, reference, fingerprint FROM secrets WHERE uid IN ({marks})", chunk
        ):
            secrets.setdefault(uid, {})[address] = SecretState(reference, printed)
        rows = connection.execute(
            "SELECT r.uid, d.live, a.body, r.applied <> '' FROM records r JOIN documents d USING (uid)"
            f" LEFT JOIN applied a USING (uid) WHERE r.uid IN ({marks})",
            chunk,
        )
        for uid, live, kept, was_applied in rows:
            last = (kept or live) if was_applied else None
            found[uid] = Bodies(json.loads(live), json.loads(last) if last else None, secrets.get(uid, {}))
    return found


def referrers(connection: sqlite3.Connection, keys: Sequence[Key]) -> list[tuple[Key, Key]]:
    """Pairs (record, what it refers to) for the records that refer to one of `keys`."""
    found = []
    for key in keys:
        rows = connection.execute(
            "SELECT r.kind, r.name FROM refs f JOIN records r USING (uid) WHERE f.kind = ? AND f.name = ?", key
        )
        found += [(Key(kind, name), key) for kind, name in rows]
    return found


def secret_states(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Keyed fingerprints of all secrets: uid to address to fingerprint."""
    found: dict[str, dict[str, str]] = {}
    for uid, address, printed in connection.execute("SELECT uid, address, fingerprint FROM secrets"):
        found.setdefault(uid, {})[address] = printed
    return found


def search(connection: sqlite3.Connection, kind: str | None, name: str | None) -> Iterator[Found]:
    """Records by kind and name, in order of kind and name. The triggers blank the fingerprint of what drifted."""
    wheres = [(column, value) for column, value in (("r.kind", kind), ("r.name", name)) if value is not None]
    where = " AND ".join(f"{column} = ?" for column, _ in wheres) or "1"
    rows = connection.execute(
        "SELECT r.kind, r.name, r.owner, r.fingerprint IS NULL, r.changed_at, d.live"
        f" FROM records r JOIN documents d USING (uid) WHERE {where} ORDER BY r.kind, r.name",
        [value for _, value in wheres],
    )
    for kind_, name_, owner, drifted, changed_at, live in rows:
        yield Found(kind_, name_, owner, bool(drifted), changed_at, json.loads(live))


def _chunks(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
