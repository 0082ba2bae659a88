"""Leases of runs and of tokens, and their heartbeat."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from threading import Event, Thread

from reconciler.core.lease import (
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    RUN,
    Host,
    LeaseInfo,
    Moment,
    Standing,
    holder_of,
)
from reconciler.errors import ReconcilerError
from reconciler.stores.sql.database import Connection, Database, Query
from reconciler.stores.sql.statements import chunks, marks

OF_TOKENS = "token/"
"""How the names of leases on access tokens begin; a record's uid follows, and the name of a further authorization."""


def of_owner(owner: str) -> str:
    """The name of the lease that whoever writes an owner's records takes: owners do not wait for each other."""
    return f"{RUN}/{owner}"


_SELECT = """
SELECT l.name, l.holder, l.expires, l.boot, l.uptime, l.fence, a.verb, a.actor, a.started, l.seen
FROM leases l LEFT JOIN attempts a ON a.id = l.fence
"""


def read(connection: Connection, names: Sequence[str]) -> list[LeaseInfo]:
    """The leases of these names that somebody has, or had when he died."""
    found: list[LeaseInfo] = []
    for chunk, _ in chunks(connection, names):
        found += map(_lease, connection.execute(*query(chunk)))
    return found


def query(names: Sequence[str]) -> Query:
    """What `read` asks about a few names."""
    return f"{_SELECT} WHERE l.name IN ({marks(names)})", names


def read_tokens(connection: Connection) -> list[LeaseInfo]:
    """The leases on access tokens that somebody has, or had when he died."""
    return list(map(_lease, connection.execute(f"{_SELECT} WHERE l.name LIKE '{OF_TOKENS}%'")))


def read_all(connection: Connection) -> list[LeaseInfo]:
    """All leases."""
    return list(map(_lease, connection.execute(_SELECT)))


def _lease(row: Sequence[object]) -> LeaseInfo:
    name, holder, wall, boot, uptime, fence, verb, actor, since, seen = row
    ends = Moment(_number(wall), str(boot or ""), _number(uptime))
    words = (str(word or "") for word in (verb, actor, since, seen))
    return LeaseInfo(str(name), holder_of(str(holder)), ends, fence if isinstance(fence, int) else 0, *words)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def drop_ended(connection: Connection, names: Sequence[str], host: Host, seconds: float) -> None:
    """End those leases whose time is over or whose holder is gone."""
    ended = [(lease.name,) for lease in read(connection, names) if lease.standing(host, seconds) is not Standing.HELD]
    connection.executemany("DELETE FROM leases WHERE name = ?", ended)


def put(connection: Connection, names: Sequence[str], holder: str, ends: Moment, *, fence: int | None = None, seen: str = "") -> None:  # fmt: skip
    """Take, or extend, the leases that nobody else has."""
    connection.executemany(
        "INSERT INTO leases (name, holder, expires, boot, uptime, fence, seen) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (name) DO UPDATE SET expires = excluded.expires, boot = excluded.boot, uptime = excluded.uptime,"
        " seen = excluded.seen WHERE leases.holder = excluded.holder",
        [(name, holder, ends.wall, ends.boot, ends.uptime, fence, seen or None) for name in names],
    )


def held(connection: Connection, names: Sequence[str], holder: str) -> set[str]:
    """Which of the leases `holder` has."""
    found: set[str] = set()
    for chunk, some in chunks(connection, names):
        rows = connection.execute(f"SELECT name FROM leases WHERE holder = ? AND name IN ({some})", (holder, *chunk))
        found |= {name for (name,) in rows}
    return found


def drop(connection: Connection, names: Iterable[str], holder: str) -> None:
    """End the leases that `holder` has."""
    connection.executemany("DELETE FROM leases WHERE name = ? AND holder = ?", [(name, holder) for name in names])


_JOIN_SECONDS = 5.0


class Heartbeat:
    """A thread with a connection of its own. A process that stands still does not beat.

    Attributes:
        lost: whether the lease was found to be another's.
    """

    def __init__(self, database: Database, lease: str, holder: str) -> None:
        """Start nothing yet."""
        self.lost = False
        self._database = database
        self._lease = lease
        self._holder = holder
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
                with self._database.translated():
                    self.lost = not self._beat()
            except ReconcilerError:
                continue  # another process writes, or the disk is full: the next beat may do better

    def _beat(self) -> bool:
        with closing(self._database.writer()) as connection:
            self._database.begin(connection)
            if not held(connection, [self._lease], self._holder):
                return False
            ends = self._database.host().moment().after(LEASE_SECONDS)
            put(connection, [self._lease], self._holder, ends, seen=self._database.clock())
            connection.commit()
            return True
