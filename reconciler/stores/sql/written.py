"""Whether an apply came out as planned: each record touched is what the plan says, and nothing else moved along."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.core.diff import Path, diff
from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.core.ports import Write
from reconciler.core.progress import Progress
from reconciler.errors import NotConverged
from reconciler.kinds.canonical import fingerprint
from reconciler.kinds.common import dotted
from reconciler.kinds.merging import is_secret_value
from reconciler.kinds.outcome import display_after, fingerprint_after, refs_after
from reconciler.kinds.registry import address
from reconciler.stores.sql.triggers import are_ours_alone
from reconciler.stores.sql.watching import PICTURE

_CHUNK = 500
_COLUMNS = ("kind", "name", "owner", "unique name", "fingerprint", "applied fingerprint")
_PICTURED = ("spec", "kind", "name", "unique name", "owner", "declaration", "references", "secrets", "applied fingerprint")  # fmt: skip
_MOST = 20

Others = dict[str, tuple[Any, ...]]
"""By uid all that the store holds of records that the plan does not touch."""


def others(connection: sqlite3.Connection, writes: Sequence[Write]) -> Others | None:
    """What must stay as it is; None where nothing but this session can write, as nobody added a trigger."""
    if are_ours_alone(connection):
        return None
    touched = {write.uid for write in writes}
    return {uid: tuple(rest) for uid, *rest in _pictures(connection) if uid not in touched}


def _pictures(connection: sqlite3.Connection) -> Iterable[tuple[Any, ...]]:
    return connection.execute(f"SELECT r.uid, {PICTURE} FROM records r ORDER BY r.kind, r.name")


def check_written(
    connection: sqlite3.Connection, writes: Sequence[Write], owner: str, before: Others | None, progress: Progress
) -> None:
    """Read back every record touched: it must be just what the plan says, so that a plan of it is empty.

    Args:
        before: what `others` said before anything was written.

    Raises:
        NotConverged: one is not, or another one was changed along with it.
    """
    expected = {write.uid: write.change for write in writes}
    uids = list(expected)
    progress.tell("checking", 0, len(uids))
    for start in range(0, len(uids), _CHUNK):
        chunk = uids[start : start + _CHUNK]
        rows = connection.execute(
            "SELECT r.uid, r.kind, r.name, r.owner, coalesce(r.display, ''), r.fingerprint, r.applied, d.live FROM records r"
            f" LEFT JOIN documents d USING (uid) WHERE r.uid IN ({','.join('?' * len(chunk))})",
            chunk,
        )
        found = {row[0]: row[1:] for row in rows}
        for uid in chunk:
            _check_row(expected[uid], found.get(uid), owner)
        progress.tell("checking", start + len(chunk), len(uids))
    if before is not None:
        _check_beside(connection, writes)
        _check_others(connection, before, expected.keys())


def _check_row(change: Change, row: tuple[Any, ...] | None, owner: str) -> None:
    if change.resource is None:
        if row is not None:
            raise _not_converged(change.key, "it is still there after its deletion")
        return
    if row is None:
        raise _not_converged(change.key, "it is not there after it was written")
    *columns, live = row
    printed = fingerprint_after(change)
    if not isinstance(live, str) or fingerprint(live.encode()) != printed:
        raise _differing(change.key, change.body.decode(), live)
    wanted = [*change.key, owner, display_after(change), printed, change.resource.fingerprint]
    if columns == wanted:
        return
    for name, want, found in zip(_COLUMNS, wanted, columns, strict=True):
        if want != found:
            raise _not_converged(change.key, f"its {name} is not what was planned")


def _check_beside(connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
    """References, the declaration and secrets, which only a trigger can have made others than those written."""
    for write in writes:
        change = write.change
        if change.resource is None:
            continue
        refs = {(kind, name) for kind, name in connection.execute("SELECT kind, name FROM refs WHERE uid = ?", (write.uid,))}  # fmt: skip
        if refs != set(refs_after(change)):
            raise _not_converged(change.key, "the references that the store keeps of it are not what was planned")
        (declared,) = connection.execute("SELECT (SELECT body FROM applied WHERE uid = ?)", (write.uid,)).fetchone()
        kept = None if change.written is None else change.resource.body.decode()
        if declared != kept:
            raise _not_converged(change.key, "the declaration that the store keeps of it is not what was planned")
        rows = connection.execute("SELECT address, reference, fingerprint FROM secrets WHERE uid = ?", (write.uid,))
        differing = set(rows) ^ {(secret.address, secret.reference, secret.fingerprint) for secret in write.secrets}
        if differing:
            raise _not_converged(change.key, f"{_listed(sorted({place for place, *_ in differing}))} is not what was planned")  # fmt: skip


def _check_others(connection: sqlite3.Connection, before: Others, touched: Iterable[str]) -> None:
    mine = set(touched)
    now = {uid: tuple(rest) for uid, *rest in _pictures(connection) if uid not in mine}
    for uid in [*before, *(uid for uid in now if uid not in before)]:
        old, new = before.get(uid), now.get(uid)
        if old == new:
            continue
        key = Key(*(old or new or ())[1:3])
        if old is None or new is None:
            raise _not_converged(key, f"it was {'deleted' if old else 'created'} along with it, and is not in the plan")
        if old[0] is not None and new[0] is not None and old[0] != new[0]:
            raise _differing(key, old[0], new[0], ", and it is not in the plan")
        names = [name for name, was, found in zip(_PICTURED, old, new, strict=True) if was != found]
        raise _not_converged(key, f"its {_listed(names)} was changed along with it, and it is not in the plan")


def _differing(key: Key, planned: str, live: str | None, more: str = "") -> NotConverged:
    """What is said of a body that is not the one planned: its fields, without their values, which may be secret."""
    if live is None:
        return _not_converged(key, "it has no body after it was written")
    paths = [path for path, _, _ in diff(json.loads(planned), json.loads(live), is_secret_value)]
    if not paths:
        return _not_converged(key, f"its body is another text than what was planned{more}")
    named = [_named(path) for path in paths]
    return _not_converged(key, f"{_listed(named)} {'is' if len(named) == 1 else 'are'} not what was planned{more}")


def _named(path: Path) -> str:
    return dotted(path[1:] if path[:1] == ("metadata",) and len(path) > 1 else path) or "the body"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _not_converged(key: Key, reason: str) -> NotConverged:
    hint = "something else writes to the store, or a trigger that somebody added changes what is written"
    return NotConverged(f"{address(*key)} did not converge: {reason}; nothing was kept", hint=hint)
