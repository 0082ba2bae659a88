"""Leases of runs and of tokens, their heartbeat, and what became of those who took them."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from reconciler.core.lease import (
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    RUN,
    Attempt,
    Holder,
    Host,
    LeaseInfo,
    Moment,
    Standing,
    holder_of,
)
from reconciler.core.ports.store import Clock, RunInfo
from reconciler.errors import ReconcilerError
from reconciler.stores import sqlite
from reconciler.stores.sql.transaction import chunks

OF_TOKENS = "token/"
"""How the names of leases on access tokens begin; a record's uid follows, and the name of a further authorization."""
_SELECT = """
SELECT l.name, l.holder, l.expires, l.boot, l.uptime, l.fence, a.verb, a.actor, a.started, l.seen
FROM leases l LEFT JOIN attempts a ON a.id = l.fence
"""


def read(connection: sqlite3.Connection, names: Sequence[str]) -> list[LeaseInfo]:
    """The leases of these names that somebody has, or had when he died."""
    found: list[LeaseInfo] = []
    for chunk, marks in chunks(names):
        found += map(_lease, connection.execute(f"{_SELECT} WHERE l.name IN ({marks})", chunk))
    return found


def read_tokens(connection: sqlite3.Connection) -> list[LeaseInfo]:
    """The leases on access tokens that somebody has, or had when he died."""
    return list(map(_lease, connection.execute(f"{_SELECT} WHERE l.name GLOB '{OF_TOKENS}*'")))


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
    for chunk, marks in chunks(names):
        rows = connection.execute(f"SELECT name FROM leases WHERE holder = ? AND name IN ({marks})", (holder, *chunk))
        found |= {name for (name,) in rows}
    return found


def drop(connection: sqlite3.Connection, names: Iterable[str], holder: str) -> None:
    """End the leases that `holder` has."""
    connection.executemany("DELETE FROM leases WHERE name = ? AND holder = ?", [(name, holder) for name in names])


_JOIN_SECONDS = 5.0


class Heartbeat:
    """A thread with a connection of its own. A process that stands still does not beat.

    Attributes:
        lost: whether the lease was found to be another's.
    """

    def __init__(self, path: Path, holder: str, host: Host, clock: Clock) -> None:
        """Start nothing yet."""
        self.lost = False
        self._path = path
        self._holder = holder
        self._host = host
        self._clock = clock
        self._end = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a beat that is under way ends first."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self.lost and not self._end.wait(HEARTBEAT_SECONDS):
            try:
                with sqlite.translated(self._path):
                    self.lost = not self._beat()
            except ReconcilerError:
                continue  # another process writes, or the disk is full: the next beat may do better

    def _beat(self) -> bool:
        with closing(sqlite.connect_for_writing(self._path)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")  # a beat need not outlive a power cut
            connection.execute("BEGIN IMMEDIATE")
            if not held(connection, [RUN], self._holder):
                return False
            ends = self._host.moment().after(LEASE_SECONDS)
            put(connection, [RUN], self._holder, ends, seen=self._clock())
            connection.execute("COMMIT")
            return True


RUNNING = "running"
_COLUMNS = "id, started, finished, verb, actor, holder, git_commit, outcome, run"


def begin(connection: sqlite3.Connection, run: RunInfo, holder: Holder, now: str) -> int:
    """Note that a run has begun; returns the attempt's id, which is greater than all before."""
    values = (now, run.verb, run.actor, str(holder), run.owner, run.target, run.commit, RUNNING)
    done = connection.execute(
        "INSERT INTO attempts (started, verb, actor, holder, owner, target, git_commit, outcome)"
        " VALUES (?,?,?,?,?,?,?,?)",
        values,
    )
    assert done.lastrowid is not None
    return done.lastrowid


def end(connection: sqlite3.Connection, attempt: int, outcome: str, now: str, run: int | None = None) -> None:
    """Note how it ended.

    Args:
        run: what it wrote, in the history.
    """
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = ?, run = ? WHERE id = ?", (outcome, now, run, attempt)
    )


def end_running(connection: sqlite3.Connection, outcome: str, seen: str) -> None:
    """Note of all that seem to run, of which there can be one at most, that they do not."""
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = max(started, ?) WHERE outcome = 'running'", (outcome, seen)
    )


def last(connection: sqlite3.Connection) -> Attempt | None:
    """The latest."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM attempts ORDER BY id DESC LIMIT 1").fetchone()
    if row is None:
        return None
    number, started, finished, verb, actor, holder, commit, outcome, run = row
    return Attempt(number, started, finished, verb, actor, holder_of(holder), commit, outcome, run)
