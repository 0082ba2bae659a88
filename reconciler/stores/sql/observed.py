"""What became of records outside of the owner's applies, in this store or in one beside it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from reconciler.core.drift import DriftSide, Moved, StoredSecret
from reconciler.core.model import Key
from reconciler.core.ports.abilities import Known, Probes, Recognises, Recollection, Remembers
from reconciler.core.ports.live import Live, LiveRecord, SeesOthers, Touch
from reconciler.errors import RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import readable
from reconciler.kinds.drift import UNKNOWN, secret_paths
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql import handover
from reconciler.stores.sql.database import Connection, Engine
from reconciler.stores.sql.records import decoded, known_key
from reconciler.stores.sql.statements import chunks, ignored

Names = Mapping[tuple[str, str], str]
"""By kind and folded display name what is declared."""
_NOWHERE = Touch("", "")
_TIMES = 4


def observe(
    connection: Connection, live: Live, names: Names, begin: Callable[[], None] | None = None
) -> dict[str, str]:
    """Note what is live now; gives by id the versions that the live store has of its records.

    Args:
        names: what is declared, as `Recollection` has it.
        begin: where it is noted for good: begins another transaction, as none is open while the live store is read.
            Without it nobody can tell since when records differ, unless the live store does.

    Raises:
        StoreUnavailable: it is another store than the one that the state is of, or cannot be read; or what is to be
            the state is a live store.
        RecordConflict: two of its records have one address, or others wrote to the state each time it was read.
    """
    notes, known, found = _look(connection, live, names, begin)
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
    handover.drop_resealed(connection, found)
    note_versions(connection, {record.id: record.version for record in moved})
    note(connection, {one.id: one.note for one in found if one.note != notes.get(one.id, "")})
    _note_writers(connection, [uid for uid in ids if uid not in seen], touches, lasts=begin is not None)
    return {record.id: record.version for record in found}


def _look(
    connection: Connection, live: Live, names: Names, begin: Callable[[], None] | None
) -> tuple[dict[str, str], dict[str, tuple[str, str, int]], list[LiveRecord]]:
    """What was noted of records, their addresses and versions, and what is live; see `observe`."""
    for _ in range(_TIMES):
        notes = recall(connection, live, names)
        before = _noted(connection)
        if begin is not None:
            connection.commit()
        found = [record for record in live.read() if record.key.kind in KINDS]
        _refuse_twins(found)
        if begin is not None:
            begin()
        if _noted(connection) == before:
            return notes, {uid: place for uid, (place, _) in before.items()}, found
    raise RecordConflict(f"others wrote to the state each of {_TIMES} times while the live store was read", hint="run the command again")  # fmt: skip


def _noted(connection: Connection) -> dict[str, tuple[tuple[str, str, int], str]]:
    """By id address and version of what the state holds, and whose it is."""
    rows = connection.execute("SELECT uid, kind, name, version, owner FROM records")
    return {uid: ((kind, name, version), owner) for uid, kind, name, version, owner in rows}


def recall(connection: Connection, live: Live, names: Names) -> dict[str, str]:
    """Tell the live store what the state knows, where it wants to be told; gives by id what was noted of records.

    A store that has not been asked what it can do is asked first.

    Raises:
        StoreUnavailable: see `observe`.
    """
    _refuse_other(connection, live)
    notes = notes_of(connection)
    facts = [text for (text,) in connection.execute(FACTS)]
    if isinstance(live, Probes) and not facts:
        facts = [live.probe()]
        note_facts(connection, facts[0])
    if isinstance(live, Remembers):
        rows = connection.execute(
            "SELECT uid, kind, name, version, owner, live FROM records JOIN documents USING (uid)"
        )
        records = {
            uid: Known(Key(kind, name), decoded(text), str(version), notes.get(uid, ""), bool(owner))
            for uid, kind, name, version, owner, text in rows
        }
        live.recall(Recollection(records, names, *facts))
    return notes


BESIDE = "SELECT 1 FROM meta WHERE key = 'live'"


def is_beside(connection: Connection) -> bool:
    """Whether it is the state of a live store that is elsewhere."""
    return connection.execute(BESIDE).fetchone() is not None


FACTS = "SELECT value FROM meta WHERE key = 'facts'"


def note_facts(connection: Connection, text: str) -> None:
    """Keep what the live store was found to be able to do."""
    connection.execute("INSERT INTO meta VALUES ('facts', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (text,))  # fmt: skip


def number_of(version: str) -> int:
    """What stands for a version."""
    return int.from_bytes(sha256(version.encode()).digest()[:7])


def text_of(record: LiveRecord) -> str:
    """The canonical text of a body, or of what is none."""
    return readable(record.key.kind, record.body)[0].body.decode()


def notes_of(connection: Connection) -> dict[str, str]:
    """What a driver noted of records, by id."""
    return dict(connection.execute("SELECT uid, note FROM notes").fetchall())


def note(connection: Connection, notes: Mapping[str, str]) -> None:
    """Keep what a driver noted of records."""
    connection.executemany(
        "INSERT INTO notes (uid, note) VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET note = excluded.note",
        [(uid, text) for uid, text in notes.items()],
    )


def note_versions(connection: Connection, versions: Mapping[str, str]) -> None:
    """Keep the versions that records have."""
    connection.executemany(
        "UPDATE records SET version = ? WHERE uid = ?", [(number_of(text), uid) for uid, text in versions.items()]
    )


def _refuse_other(connection: Connection, live: Live) -> None:
    """Stop when the state is of another live store; a new one is of this one from then on."""
    if not is_beside(connection) and connection.execute("SELECT 1 FROM records LIMIT 1").fetchone():
        hint = "name another state in reconciler.yaml: what is live in this one would be taken for gone"
        raise StoreUnavailable("the state of the target is a live store itself", hint=hint)
    noted = [text for (text,) in connection.execute("SELECT value FROM meta WHERE key = 'live'")]
    identity = live.identity()
    is_same = live.is_same if isinstance(live, Recognises) else identity.__eq__
    if noted and not is_same(noted[0]):
        hint = "name another state in reconciler.yaml, or bring the store back that it is of"
        raise StoreUnavailable("the state of the target is of another live store", hint=hint)
    connection.execute("INSERT INTO meta VALUES ('live', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (identity,))  # fmt: skip


def _refuse_twins(found: Iterable[LiveRecord]) -> None:
    seen: dict[Key, str] = {}
    for record in found:
        if seen.setdefault(record.key, record.id) != record.id:
            raise RecordConflict(
                f"the live store holds {address(*record.key)} twice: {seen[record.key]} and {record.id}",
                hint="rename or remove one of them there",
            )


def _rename(connection: Connection, moved: Sequence[LiveRecord]) -> None:
    """Give records their addresses, which they may have traded."""
    connection.executemany("UPDATE records SET name = '~' || uid WHERE uid = ?", [(record.id,) for record in moved])
    rows = [(*record.key, record.id) for record in moved]
    connection.executemany("UPDATE records SET kind = ?, name = ? WHERE uid = ?", rows)


def _note_writers(connection: Connection, ids: Sequence[str], touches: Mapping[str, Touch], *, lasts: bool) -> None:
    """Keep when and by whom records were written, as far as that is known; else when it was seen."""
    known = [(touches.get(uid, _NOWHERE), uid) for uid in ids]
    rows = [(touch.at or (None if lasts else ""), touch.by or None, uid) for touch, uid in known]
    with ignored(connection):
        connection.executemany("UPDATE drifts SET since = coalesce(?, since), writer = ? WHERE uid = ?", rows)


def moved_query(engine: Engine) -> str:
    """What `moved` asks first."""
    return f"SELECT uid, since, writer, {engine.pictured} FROM drifts WHERE settled IS NULL ORDER BY since, uid"


def moved(connection: Connection) -> list[Moved]:
    """The records that somebody wrote to outside of a run since they were last applied, also those that are gone."""
    kept = connection.execute(moved_query(connection.engine)).fetchall()
    live = _live(connection, [row[0] for row in kept])
    is_hidden = is_beside(connection)
    found = []
    for uid, since, writer, *picture in kept:
        now = live.get(uid)
        before = _side(picture) if picture[1] is not None else None
        if before or now:
            if is_hidden and before and now:
                now = _with_unknown(before, now)
            found.append(Moved(uid, since, writer or "", before, now))
    return found


def _with_unknown(before: DriftSide, now: DriftSide) -> DriftSide:
    """A record with the secrets that it refers to still, and that others wrote: see `handover.drop_resealed`."""
    lost = before.secrets.keys() & secret_paths(now.key.kind, now.body).keys() - now.secrets.keys()
    return replace(now, secrets={**now.secrets, **dict.fromkeys(lost, StoredSecret("", UNKNOWN, ""))}) if lost else now


def _live(connection: Connection, uids: Sequence[str]) -> dict[str, DriftSide]:
    found: dict[str, DriftSide] = {}
    for chunk, marks in chunks(connection, uids):
        rows = connection.execute(f"SELECT r.uid, {connection.engine.picture} FROM records r WHERE r.uid IN ({marks})", chunk)  # fmt: skip
        found |= {uid: _side(picture) for uid, *picture in rows}
    return found


def _side(picture: Sequence[Any]) -> DriftSide:
    body, kind, name, display, owner, declared, refs, secrets, applied = picture
    return DriftSide(
        known_key(kind, name),
        owner or "",
        display or "",
        None if body is None else decoded(body),
        None if declared is None else decoded(declared),
        applied or "",
        frozenset((kind, name) for kind, name in json.loads(refs)),
        {address: StoredSecret(*rest) for address, *rest in json.loads(secrets)},
    )


def earlier_names(connection: Connection, uid: str) -> frozenset[str]:
    """The names that a record bore before, as far as applies gave it another one."""
    rows = connection.execute("SELECT was FROM history WHERE uid = ? AND was IS NOT NULL", (uid,))
    return frozenset(name for (name,) in rows)


def taken_over(connection: Connection, owner: str) -> list[Moved]:
    """The records that `owner` has applied and that belong to another owner by a later run of that one."""
    rows = connection.execute(
        "SELECT r.uid FROM records r WHERE r.owner <> ? AND EXISTS"
        " (SELECT 1 FROM history h JOIN runs ON runs.id = h.run WHERE h.uid = r.uid AND runs.owner = ?)",
        (owner, owner),
    )
    uids = [uid for (uid,) in rows]
    live = _live(connection, uids)
    return [found for uid in uids for found in _taken_over(connection, uid, owner, live[uid])]


def _taken_over(connection: Connection, uid: str, owner: str, now: DriftSide) -> Iterator[Moved]:
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
                side = DriftSide(
                    known_key(kind, left or name), owner, now.display, body, None, printed, now.refs, now.secrets
                )
                yield Moved(uid, since, by, side, now, number)
            return
        later = (
            None if before is None else decoded(before),
            finished,
            f"{run_owner or 'nobody'} ({actor})",
            run,
            was_named,
        )
