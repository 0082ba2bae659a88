"""What another live store holds, noted in the state beside it as the writes of others that it is.

The state's own triggers keep what was there before, so all that is told of drift is told of it.
In the place of a version, which is any text, the state keeps a number that stands for it.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from reconciler.core.model import Key
from reconciler.core.ports.live import Live, LiveRecord, SeesOthers, Touch
from reconciler.errors import RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import readable
from reconciler.kinds.registry import KINDS, address

_NOWHERE = Touch("", "")


def observe(connection: sqlite3.Connection, live: Live, *, lasts: bool) -> dict[str, str]:
    """Note what is live now; gives by id the versions that the live store has of its records.

    Args:
        lasts: whether it is noted for good. Else nobody can tell since when records differ, unless the live store does.

    Raises:
        StoreUnavailable: it is another store than the one that the state is of, or cannot be read.
        RecordConflict: two of its records have one address.
    """
    _refuse_other(connection, live)
    found = [record for record in live.read() if record.key.kind in KINDS]
    _refuse_twins(found)
    rows = connection.execute("SELECT uid, kind, name, version FROM records")
    known = {uid: (kind, name, version) for uid, kind, name, version in rows}
    moved = [record for record in found if known.get(record.id) != (*record.key, number_of(record.version))]
    gone = known.keys() - {record.id for record in found}
    ids = [*gone, *(record.id for record in moved)]
    seen = {uid for (uid,) in connection.execute("SELECT uid FROM drifts")}
    touches = live.touches(ids) if ids and isinstance(live, SeesOthers) else {}
    connection.executemany("DELETE FROM records WHERE uid = ?", [(uid,) for uid in gone])
    _rename(connection, [record for record in moved if known.get(record.id, record.key)[:2] != record.key])
    for record in moved:
        if record.id not in known:
            columns = "uid, kind, name, owner, applied, version, changed_at"
            values = (record.id, *record.key, "", "", 0, touches.get(record.id, _NOWHERE).at)
            connection.execute(f"INSERT INTO records ({columns}) VALUES (?,?,?,?,?,?,?)", values)
        connection.execute(
            "INSERT INTO documents (uid, live) VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET live = excluded.live",
            (record.id, text_of(record)),
        )
    note_versions(connection, {record.id: record.version for record in moved})
    _note_writers(connection, [uid for uid in ids if uid not in seen], touches, lasts=lasts)
    return {record.id: record.version for record in found}


def number_of(version: str) -> int:
    """What stands for a version."""
    return int.from_bytes(sha256(version.encode()).digest()[:7])


def text_of(record: LiveRecord) -> str:
    """The canonical text of a body, or of what is none."""
    return readable(record.key.kind, record.body)[0].body.decode()


def note_versions(connection: sqlite3.Connection, versions: Mapping[str, str]) -> None:
    """Keep the versions that records have."""
    connection.executemany(
        "UPDATE records SET version = ? WHERE uid = ?", [(number_of(text), uid) for uid, text in versions.items()]
    )


def _refuse_other(connection: sqlite3.Connection, live: Live) -> None:
    """Stop when the state is of another live store; a new one is of this one from then on."""
    identity = live.identity()
    connection.execute("INSERT INTO meta VALUES ('live', ?) ON CONFLICT DO NOTHING", (identity,))
    if connection.execute("SELECT value FROM meta WHERE key = 'live'").fetchone() != (identity,):
        hint = "name another state in reconciler.yaml, or bring the store back that it is of"
        raise StoreUnavailable("the state of the target is of another live store", hint=hint)


def _refuse_twins(found: Iterable[LiveRecord]) -> None:
    seen: dict[Key, str] = {}
    for record in found:
        if seen.setdefault(record.key, record.id) != record.id:
            raise RecordConflict(
                f"the live store holds {address(*record.key)} twice: {seen[record.key]} and {record.id}",
                hint="rename or remove one of them there",
            )


def _rename(connection: sqlite3.Connection, moved: Sequence[LiveRecord]) -> None:
    """Give records their addresses, which they may have traded."""
    connection.executemany("UPDATE records SET name = '~' || uid WHERE uid = ?", [(record.id,) for record in moved])
    rows = [(*record.key, record.id) for record in moved]
    connection.executemany("UPDATE records SET kind = ?, name = ? WHERE uid = ?", rows)


def _note_writers(
    connection: sqlite3.Connection, ids: Sequence[str], touches: Mapping[str, Touch], *, lasts: bool
) -> None:
    """Keep when and by whom records were written, as far as that is known; else when it was seen."""
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('writing', '')")  # keeps the triggers quiet
    known = [(touches.get(uid, _NOWHERE), uid) for uid in ids]
    rows = [(touch.at or (None if lasts else ""), touch.by or None, uid) for touch, uid in known]
    connection.executemany("UPDATE drifts SET since = coalesce(?, since), writer = ? WHERE uid = ?", rows)
    connection.execute("DELETE FROM meta WHERE key = 'writing'")
