"""Leases in the SQL store: those of runs and those of tokens are the same rows."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.lease import Host, LeaseInfo, Moment, Standing, holder_of
from reconciler.stores.sql.tokens import LEASES_BEGIN

_CHUNK = 500
_SELECT = """
SELECT l.name, l.holder, l.expires, l.boot, l.uptime, l.fence, a.verb, a.actor, a.started, l.seen
FROM leases l LEFT JOIN attempts a ON a.id = l.fence
"""


def read(connection: sqlite3.Connection, names: Sequence[str]) -> list[LeaseInfo]:
    """The leases of these names that somebody has, or had when he died."""
    found: list[LeaseInfo] = []
    for chunk, marks in _chunks(names):
        found += map(_lease, connection.execute(f"{_SELECT} WHERE l.name IN ({marks})", chunk))
    return found


def read_tokens(connection: sqlite3.Connection) -> list[LeaseInfo]:
    """The leases on access tokens that somebody has, or had when he died."""
    return list(map(_lease, connection.execute(f"{_SELECT} WHERE l.name GLOB '{LEASES_BEGIN}*'")))


def _lease(row: Sequence[object]) -> LeaseInfo:
    name, holder, wall, boot, uptime, fence, verb, actor, since, seen = row
    ends = Moment(_number(wall), str(boot or ""), _number(uptime))
    words = (str(word or "") for word in (verb, actor, since, seen))
    return LeaseInfo(str(name), holder_of(str(holder)), ends, fence if isinstance(fence, int) else 0, *words)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def drop_ended(connection: sqlite3.Connection, names: Sequence[str], host: Host, seconds: float) -> None:
    """End those leases whose time is over or whose holder is gone."""
    ended = [(lease.name,) for lease in read(connection, names) if lease.standing(host, seconds) is not Standing.HELD]
    connection.executemany("DELETE FROM leases WHERE name = ?", ended)


def put(connection: sqlite3.Connection, names: Sequence[str], holder: str, ends: Moment, *, fence: int | None = None, seen: str = "") -> None:  # fmt: skip
    """Take, or extend, the leases that nobody else has."""
    connection.executemany(
        "INSERT INTO leases (name, holder, expires, boot, uptime, fence, seen) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (name) DO UPDATE SET expires = excluded.expires, boot = excluded.boot, uptime = excluded.uptime,"
        " seen = excluded.seen WHERE holder = excluded.holder",
        [(name, holder, ends.wall, ends.boot, ends.uptime, fence, seen or None) for name in names],
    )


def held(connection: sqlite3.Connection, names: Sequence[str], holder: str) -> set[str]:
    """Which of the leases `holder` has."""
    found: set[str] = set()
    for chunk, marks in _chunks(names):
        rows = connection.execute(f"SELECT name FROM leases WHERE holder = ? AND name IN ({marks})", (holder, *chunk))
        found |= {name for (name,) in rows}
    return found


def drop(connection: sqlite3.Connection, names: Iterable[str], holder: str) -> None:
    """End the leases that `holder` has."""
    connection.executemany("DELETE FROM leases WHERE name = ? AND holder = ?", [(name, holder) for name in names])


def _chunks(names: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    for start in range(0, len(names), _CHUNK):
        part = names[start : start + _CHUNK]
        yield part, ",".join("?" * len(part))
