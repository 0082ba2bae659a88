"""Mends what somebody has done to the tables outside of a run, inside of the transaction of a repair.

What only repeats something else is made anew from that; what belongs to nothing is removed; of a record that is not
what was written the fingerprint goes, as if the triggers had seen the write, so that the next plan looks at it. The
history is never altered: entries that are missing are added as what they are, behind what is there.
"""

import json
import os
from collections.abc import Iterator
from hashlib import sha256

from reconciler.core.care import Mended
from reconciler.core.history import GONE
from reconciler.core.model import decode
from reconciler.kinds.canonical import readable
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql.columns import LARGEST
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.records import decoded

_FEW = 5
_NOTE = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_CHILDREN = {"documents": "bodies", "applied": "applied bodies", "refs": "references", "secrets": "secrets", "tokens": "access tokens"}  # fmt: skip
_LOOSE = ("applied", "refs", "secrets", "tokens", "leases", "attempts", "drifts", "quarantined_secrets", "declarations", "baselines", "declared", "claimed")  # fmt: skip
"""Tables of which a row that cannot be read is worth nothing, and is made anew by a later run where it is needed."""


def mend(connection: Connection, key_check: str) -> Iterator[Mended]:
    """Mend all but the history; what was mended.

    Args:
        key_check: what tells the key of what is sealed, where the store does not say so; "" for nothing.
    """
    yield from _schema(connection)
    yield from _meta(connection, key_check)
    yield from _misfits(connection)
    yield from _kinds(connection)
    yield from _orphans(connection)
    yield from _bodies(connection)
    yield from _references(connection)
    yield from _quarantine(connection)
    yield from _unkept(connection)


def _mended(what: str, message: str, found: list[str]) -> Iterator[Mended]:
    """One line for what was mended; nothing for nothing."""
    if found:
        named = sorted(set(found))
        listed = ", ".join(named[:_FEW]) + (f" and {len(named) - _FEW} more" if len(named) > _FEW else "")
        yield Mended(what, len(found), f"{message}: {listed}")


def _schema(connection: Connection) -> Iterator[Mended]:
    """Tables, indexes, views and triggers that are missing, and triggers that were altered."""
    found = [f"{sort} {name}" for sort, name in connection.engine.put_back(connection)]
    yield from _mended("schema", "put back what was missing or altered", found)


def _meta(connection: Connection, key_check: str) -> Iterator[Mended]:
    """The store's own notes: its revision, its identity, and which key seals."""
    kept = dict(connection.execute("SELECT key, value FROM meta"))
    found = []
    (floor,) = connection.execute(
        f"SELECT coalesce(max(revision), 0) FROM (SELECT revision FROM records WHERE revision <= {LARGEST}"
        f" UNION ALL SELECT revision FROM baselines WHERE revision <= {LARGEST}) known"
    ).fetchone()
    now = str(kept.get("revision", ""))
    if not (now.isascii() and now.isdigit()) or int(now) < floor:
        found.append("revision")
        connection.execute(_NOTE, ("revision", str(int(floor) + 1)))
    if not kept.get("store"):
        found.append("store (saved plans are no longer for it)")
        connection.execute(_NOTE, ("store", os.urandom(16).hex()))
    if key_check and not kept.get("key_check"):
        found.append("key_check")
        connection.execute(_NOTE, ("key_check", key_check))
    yield from _mended("notes", "set the store's own notes anew", found)


def _misfits(connection: Connection) -> Iterator[Mended]:
    """Rows that hold what does not fit to their columns."""
    for table, condition in connection.engine.misfits(connection):
        if table not in _LOOSE or not condition:
            continue
        count = connection.execute(f"DELETE FROM {table} WHERE {condition}").rowcount
        if count:
            yield Mended(f"{table}-values", count, f"removed rows of {table} that held what does not fit there")


def _kinds(connection: Connection) -> Iterator[Mended]:
    """Records that cannot be read: named as the history names them, or removed."""
    given, gone = [], []
    unreadable = dict(connection.engine.misfits(connection))["records"]
    for uid, kind, name, owner, applied in connection.execute(
        f"SELECT uid, kind, name, owner, applied FROM records WHERE {unreadable}"
    ).fetchall():
        last = connection.execute("SELECT kind, name, action FROM history WHERE uid = ? ORDER BY seq DESC LIMIT 1", (uid,)).fetchone()  # fmt: skip
        if last is not None and last[0] in KINDS and last[2] not in GONE:
            texts = (value if isinstance(value, str) else "" for value in (owner, applied))
            if connection.execute(_NAME, (*last[:2], *texts, uid, *last[:2])).rowcount:
                given.append(address(last[0], last[1]))
                continue
        gone.append(f"{kind}/{name}")
    connection.execute(f"DELETE FROM records WHERE {unreadable}")
    yield from _mended("named", "gave records the name that the history has of them; see: reconciler plan", given)
    yield from _mended("records", "removed records that cannot be read", gone)


_NAME = (
    "UPDATE records SET kind = ?, name = ?, display = NULL, owner = ?, applied = ?, fingerprint = NULL, revision = NULL,"
    " version = 1 + (SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'revision'), changed_at = '' WHERE uid = ?"
    " AND NOT EXISTS (SELECT 1 FROM records other WHERE other.kind = ? AND other.name = ? AND other.uid <> records.uid)"
)


def _orphans(connection: Connection) -> Iterator[Mended]:
    """What belongs to a record that is gone."""
    for table, words in _CHILDREN.items():
        gone = f"FROM {table} WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.uid = {table}.uid)"
        found = [_known_as(connection, uid) for (uid,) in connection.execute(f"SELECT uid {gone}").fetchall()]
        connection.execute(f"DELETE {gone}")
        yield from _mended(f"{table}-left", f"removed {words} of records that are gone", found)
    gone = (
        "FROM quarantined_secrets WHERE NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.uid = quarantined_secrets.uid)"
    )
    found = [_known_as(connection, uid) for (uid,) in connection.execute(f"SELECT uid {gone}").fetchall()]
    connection.execute(f"DELETE {gone}")
    yield from _mended("secrets-left", "removed secrets of deleted records that are gone", found)


def _known_as(connection: Connection, uid: object) -> str:
    """The address that the history has of a record, or its identity."""
    row = connection.execute("SELECT kind, name FROM history WHERE uid = ? ORDER BY seq DESC LIMIT 1", (uid,)).fetchone()  # fmt: skip
    return address(row[0], row[1]) if row and row[0] in KINDS else str(uid)


def _bodies(connection: Connection) -> Iterator[Mended]:
    """Fingerprints that are not those of the bodies; bodies that are missing or cannot be read."""
    printed, seen = [], []
    rows = connection.execute(
        "SELECT r.uid, r.kind, r.name, r.fingerprint, d.live, (SELECT h.fingerprint FROM history h WHERE h.uid = r.uid ORDER BY h.seq DESC LIMIT 1)"
        " FROM records r LEFT JOIN documents d USING (uid) WHERE r.fingerprint IS NOT NULL"
    ).fetchall()
    for uid, kind, name, noted, live, last in rows:
        now = sha256(live.encode()).hexdigest() if is_json(live) else None
        if now == noted:
            continue
        if now is not None and now == last:
            connection.execute("UPDATE records SET fingerprint = ? WHERE uid = ?", (now, uid))
            printed.append(address(kind, name))
            continue
        connection.execute("UPDATE records SET fingerprint = NULL, revision = NULL, version = version + 1 WHERE uid = ?", (uid,))  # fmt: skip
        if now is None:
            connection.execute("DELETE FROM documents WHERE uid = ?", (uid,))
        seen.append(address(kind, name))
    yield from _mended("fingerprints", "set fingerprints anew, from the bodies", printed)
    yield from _mended("bodies", "marked records that are not what was written; see: reconciler plan", seen)


def _references(connection: Connection) -> Iterator[Mended]:
    """References that are not those of the bodies."""
    stored: dict[str, set[tuple[str, str]]] = {}
    for uid, kind, name in connection.execute("SELECT uid, kind, name FROM refs"):
        stored.setdefault(uid, set()).add((kind, name))
    found = []
    query = "SELECT uid, kind, name, live FROM records JOIN documents USING (uid) WHERE fingerprint IS NOT NULL"
    for uid, kind, name, live in connection.execute(query).fetchall():
        wanted = references_of(kind, live)
        if wanted is not None and wanted != stored.get(uid, set()):
            connection.execute("DELETE FROM refs WHERE uid = ?", (uid,))
            connection.executemany("INSERT INTO refs VALUES (?,?,?)", [(uid, *one) for one in sorted(wanted)])
            found.append(address(kind, name))
    yield from _mended("references", "noted references anew, from the bodies", found)


def references_of(kind: str, live: str) -> set[tuple[str, str]] | None:
    """What a body refers to; None for one that others have written."""
    try:
        return {(ref.kind, ref.name) for ref in KINDS[kind].references(decode(live.encode())["spec"])}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _quarantine(connection: Connection) -> Iterator[Mended]:
    """Deleted records that are live as well, and those that are not what was deleted, of which the history knows better."""
    live, again, odd = [], [], []
    rows = connection.execute(
        "SELECT q.uid, q.kind, q.name, q.live, h.kind, h.name, h.before, h.run, EXISTS (SELECT 1 FROM records r WHERE r.uid = q.uid)"
        " FROM quarantine q LEFT JOIN history h ON h.seq = (SELECT max(seq) FROM history WHERE uid = q.uid) AND h.action = 'delete'"
    ).fetchall()
    for uid, kind, name, body, was_kind, was_name, before, run, is_live in rows:
        if is_live:
            connection.execute("DELETE FROM quarantine WHERE uid = ?", (uid,))
            connection.execute("DELETE FROM quarantined_secrets WHERE uid = ?", (uid,))
            live.append(_known_as(connection, uid))
        elif was_kind in KINDS and is_json(before) and not _is_deleted(kind, name, body, was_kind, was_name, before):
            connection.execute("UPDATE quarantine SET kind = ?, name = ?, live = ?, applied = NULL, run = ? WHERE uid = ?", (was_kind, was_name, before, run, uid))  # fmt: skip
            again.append(address(was_kind, was_name))
        elif was_kind is None and not (is_json(body) and readable(kind, decoded(body))[1]):
            connection.execute("DELETE FROM quarantine WHERE uid = ?", (uid,))
            connection.execute("DELETE FROM quarantined_secrets WHERE uid = ?", (uid,))
            odd.append(f"{kind}/{name}")
    yield from _mended("odd", "removed from the quarantine what is no record, and was never deleted", odd)
    yield from _mended("quarantine", "removed from the quarantine what is live", live)
    yield from _mended("deleted", "took what was deleted from the history", again)


def unkept(connection: Connection) -> list[tuple[str, str, str, str, int, str, str]]:
    """Records that a run deleted and that are neither live, nor purged, nor in quarantine, where they would be."""
    return connection.execute(
        "SELECT h.uid, h.kind, h.name, h.before, h.run, r.owner, r.finished FROM history h JOIN runs r ON r.id = h.run"
        " WHERE h.action = 'delete' AND r.verb IS NOT NULL AND h.seq = (SELECT max(seq) FROM history WHERE uid = h.uid)"
        " AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.uid = h.uid) AND NOT EXISTS (SELECT 1 FROM records c WHERE c.uid = h.uid)"
        # a live store elsewhere gives what comes back another identity
        " AND NOT EXISTS (SELECT 1 FROM history b WHERE b.kind = h.kind AND b.name = h.name AND b.seq > h.seq"
        " AND b.uid <> h.uid AND b.action IN ('restore', 'adopt') AND EXISTS (SELECT 1 FROM meta WHERE key = 'live'))"
    ).fetchall()


def _unkept(connection: Connection) -> Iterator[Mended]:
    """Deleted records that somebody has removed from the quarantine: their bodies are in the history, their secrets are lost."""
    found = []
    for uid, kind, name, before, run, owner, at in unkept(connection):
        if kind in KINDS and is_json(before):
            connection.execute(
                "INSERT INTO quarantine (uid, kind, name, owner, live, deleted_at, run) VALUES (?,?,?,?,?,?,?)"
                " ON CONFLICT DO NOTHING",
                (uid, kind, name, owner, before, at, run),
            )
            found.append(address(kind, name))
    yield from _mended("unkept", "put deleted records back into the quarantine, without their secrets", found)


def _is_deleted(kind: str, name: str, body: str, was_kind: str, was_name: str, before: str) -> bool:
    """Whether what is in quarantine is what its deletion took away."""
    if (kind, name) != (was_kind, was_name) or not is_json(body):
        return False
    return readable(kind, decoded(body))[0].body.decode() == before


def is_json(text: object) -> bool:
    """Whether it is a text that JSON can be read from."""
    if not isinstance(text, str):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
