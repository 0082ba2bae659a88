"""Reads what became of records outside of the owner's applies."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.drift import Moved, Side, StoredSecret
from reconciler.core.model import Key
from reconciler.kinds.registry import KINDS
from reconciler.stores.sql.reading import decoded
from reconciler.stores.sql.watching import PICTURE, PICTURED

_CHUNK = 500
_KEPT = f"SELECT uid, since, writer, {', '.join(PICTURED)} FROM drifts WHERE settled IS NULL"


def moved(connection: sqlite3.Connection) -> list[Moved]:
    """The records that somebody wrote to outside of a run since they were last applied, also those that are gone."""
    kept = connection.execute(_KEPT).fetchall()
    live = _live(connection, [row[0] for row in kept])
    found = []
    for uid, since, writer, *picture in kept:
        now = live.get(uid)
        before = _side(picture) if picture[1] is not None else None
        if before or now:
            found.append(Moved(uid, since, writer or "", before, now))
    return found


def _live(connection: sqlite3.Connection, uids: Sequence[str]) -> dict[str, Side]:
    found: dict[str, Side] = {}
    for start in range(0, len(uids), _CHUNK):
        chunk = uids[start : start + _CHUNK]
        rows = connection.execute(f"SELECT r.uid, {PICTURE} FROM records r WHERE r.uid IN ({','.join('?' * len(chunk))})", chunk)  # fmt: skip
        found |= {uid: _side(picture) for uid, *picture in rows}
    return found


def _side(picture: Sequence[Any]) -> Side:
    body, kind, name, display, owner, declared, refs, secrets, applied = picture
    return Side(
        _key(kind, name),
        owner or "",
        display or "",
        None if body is None else decoded(body),
        None if declared is None else decoded(declared),
        applied or "",
        frozenset((kind, name) for kind, name in json.loads(refs)),
        {address: StoredSecret(*rest) for address, *rest in json.loads(secrets)},
    )


def _key(kind: str, name: str) -> Key:
    if kind not in KINDS:
        raise sqlite3.DatabaseError(f"database disk image is malformed: there is no kind {kind!r}")
    return Key(kind, name)


def earlier_names(connection: sqlite3.Connection, uid: str) -> frozenset[str]:
    """The names that a record bore before, as far as applies gave it another one."""
    rows = connection.execute("SELECT was FROM history WHERE uid = ? AND was IS NOT NULL", (uid,))
    return frozenset(name for (name,) in rows)


def taken_over(connection: sqlite3.Connection, owner: str) -> list[Moved]:
    """The records that `owner` has applied and that belong to another owner by a later run of that one."""
    rows = connection.execute(
        "SELECT r.uid FROM records r WHERE r.owner <> ? AND EXISTS"
        " (SELECT 1 FROM history h JOIN runs ON runs.id = h.run WHERE h.uid = r.uid AND runs.owner = ?)",
        (owner, owner),
    )
    uids = [uid for (uid,) in rows]
    live = _live(connection, uids)
    return [found for uid in uids for found in _taken_over(connection, uid, owner, live[uid])]


def _taken_over(connection: sqlite3.Connection, uid: str, owner: str, now: Side) -> Iterator[Moved]:
    rows = connection.execute(
        "SELECT h.kind, h.name, h.fingerprint, h.before, h.was, r.id, r.owner, r.actor, r.finished"
        " FROM history h JOIN runs r ON r.id = h.run WHERE h.uid = ? ORDER BY h.seq DESC",
        (uid,),
    )
    later = None
    for kind, name, printed, before, was_named, run, run_owner, actor, finished in rows:
        if run_owner == owner:
            if later is not None:
                body, since, by, number, left = later
                side = Side(_key(kind, left or name), owner, now.display, body, None, printed, now.refs, now.secrets)
                yield Moved(uid, since, by, side, now, number)
            return
        later = (
            None if before is None else decoded(before),
            finished,
            f"{run_owner or 'nobody'} ({actor})",
            run,
            was_named,
        )
