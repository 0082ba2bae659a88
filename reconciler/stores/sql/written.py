"""Whether an apply came out as planned: each record touched is what the plan says, and nothing else moved along."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from reconciler.core import conditions
from reconciler.core.conditions import Held
from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.core.ports.runs import PlannedWrite
from reconciler.core.progress import Progress
from reconciler.kinds.canonical import display_after, fingerprint_after, refs_after
from reconciler.stores import refusals
from reconciler.stores.sql.triggers import are_ours_alone
from reconciler.stores.sql.watching import PICTURE

_CHUNK = 500
_PICTURED = ("spec", "kind", "name", "unique name", "owner", "declaration", "references", "secrets", "applied fingerprint")  # fmt: skip

Others = dict[str, tuple[Any, ...]]
"""By uid all that the store holds of records that the plan does not touch."""


def others(connection: sqlite3.Connection, writes: Sequence[PlannedWrite]) -> Others | None:
    """What must stay as it is; None where nothing but this session can write, as nobody added a trigger."""
    if are_ours_alone(connection):
        return None
    touched = {write.uid for write in writes}
    return {uid: tuple(rest) for uid, *rest in _pictures(connection) if uid not in touched}


def _pictures(connection: sqlite3.Connection) -> Iterable[tuple[Any, ...]]:
    return connection.execute(f"SELECT r.uid, {PICTURE} FROM records r ORDER BY r.kind, r.name")


def check_written(
    connection: sqlite3.Connection,
    writes: Sequence[PlannedWrite],
    owner: str,
    before: Others | None,
    progress: Progress,
) -> None:
    """Read back every record touched: it must be just what the plan says, so that a plan of it is empty.

    Args:
        before: what `others` said before anything was written.

    Raises:
        NotConverged: one is not, or another one was changed along with it.
    """
    changes = {write.uid: write.change for write in writes}
    uids = list(changes)
    progress.tell("checking", 0, len(uids))
    for start in range(0, len(uids), _CHUNK):
        chunk = uids[start : start + _CHUNK]
        rows = connection.execute(
            "SELECT r.uid, r.kind, r.name, r.owner, coalesce(r.display, ''), r.fingerprint, r.applied, d.live FROM records r"
            f" LEFT JOIN documents d USING (uid) WHERE r.uid IN ({','.join('?' * len(chunk))})",
            chunk,
        )
        found = {uid: Held(tuple(columns), live) for uid, *columns, live in rows}
        planned = {uid: _planned(changes[uid], owner) for uid in chunk}
        for uid, what in conditions.unlike(planned, found):
            raise refusals.not_converged(
                changes[uid].key, refusals.unlike(what, changes[uid].body, found[uid].body if uid in found else None)
            )
        progress.tell("checking", start + len(chunk), len(uids))
    if before is not None:
        _check_beside(connection, writes)
        _check_others(before, {uid: tuple(rest) for uid, *rest in _pictures(connection)}, changes)


def _planned(change: Change, owner: str) -> tuple[str, ...] | None:
    """What the plan says of the record; see `core.convergence`."""
    if change.resource is None:
        return None
    return (*change.key, owner, display_after(change), fingerprint_after(change), change.resource.fingerprint)


def _check_beside(connection: sqlite3.Connection, writes: Sequence[PlannedWrite]) -> None:
    """References, the declaration and secrets, which only a trigger can have made others than those written."""
    for write in writes:
        change = write.change
        if change.resource is None:
            continue
        refs = {(kind, name) for kind, name in connection.execute("SELECT kind, name FROM refs WHERE uid = ?", (write.uid,))}  # fmt: skip
        if refs != set(refs_after(change)):
            raise refusals.not_converged(
                change.key, "the references that the store keeps of it are not what was planned"
            )
        (declared,) = connection.execute("SELECT (SELECT body FROM applied WHERE uid = ?)", (write.uid,)).fetchone()
        kept = None if change.written is None else change.resource.body.decode()
        if declared != kept:
            raise refusals.not_converged(
                change.key, "the declaration that the store keeps of it is not what was planned"
            )
        rows = connection.execute("SELECT address, reference, fingerprint FROM secrets WHERE uid = ?", (write.uid,))
        wanted = {(place, one.reference, one.fingerprint) for place, one in write.states().items()}
        differing = wanted.symmetric_difference(rows)
        if differing:
            raise refusals.not_converged(change.key, f"{refusals.listed(sorted({place for place, *_ in differing}))} is not what was planned")  # fmt: skip


def _check_others(before: Others, now: Others, planned: Collection[str]) -> None:
    for uid in conditions.moved_along(before, now, planned):
        old, new = before.get(uid), now.get(uid)
        key = Key(*(old or new or ())[1:3])
        if old is None or new is None:
            raise refusals.not_converged(key, f"it was {'deleted' if old else 'created'} along with it, and is not in the plan")  # fmt: skip
        if old[0] is not None and new[0] is not None and old[0] != new[0]:
            raise refusals.not_converged(key, f"{refusals.differing(old[0], new[0])}, and it is not in the plan")
        names = [name for name, was, found in zip(_PICTURED, old, new, strict=True) if was != found]
        raise refusals.not_converged(key, f"its {refusals.listed(names)} was changed along with it, and it is not in the plan")  # fmt: skip
