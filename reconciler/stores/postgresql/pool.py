"""Connections to one server, a few of which are kept between transactions; and the server's clock."""

import time
import weakref
from collections.abc import Callable
from threading import Lock

from reconciler.core.lease import Moment
from reconciler.stores.host import LocalHost
from reconciler.stores.postgresql.wire import Wire

_MOST_IDLE = 3  # a run has one, and its heartbeat another


class Pool:
    """Takes part in nothing that happens on a connection."""

    def __init__(self, connect: Callable[[], Wire]) -> None:
        """Connect to nothing yet.

        Args:
            connect: gives a new connection; it may raise.
        """
        self._connect = connect
        self._idle: list[Wire] = []
        self._lock = Lock()
        self._epoch, self._at = 0.0, 0.0
        self.close = weakref.finalize(self, _close, self._idle)  # at the end of the process too

    def take(self) -> Wire:
        """One that was kept, if it still lives; else a new one."""
        while True:
            with self._lock:
                wire = self._idle.pop() if self._idle else None
            if wire is None:
                return self._connect()
            if wire.is_usable:
                return wire
            wire.close()

    def give_back(self, wire: Wire) -> None:
        """Keep it for the next one, or close it."""
        with self._lock:
            if len(self._idle) < _MOST_IDLE and self.close.alive:
                self._idle.append(wire)
                return
        wire.close()

    def note_time(self, epoch: float, sent: float) -> None:
        """The server's time, and when it was asked for, by this process's clock."""
        self._epoch, self._at = epoch, sent

    def now(self) -> float:
        """The server's time, in seconds since 1970; 0 where nobody has asked for it yet."""
        return self._epoch + (time.monotonic() - self._at) if self._epoch else 0.0


class ServerHost(LocalHost):
    """This machine, which judges by the server's clock: holders of leases are on many."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives the server's time, as a pool does."""
        self._now = now

    def moment(self) -> Moment:
        """Now."""
        return Moment(self._now())


def _close(idle: list[Wire]) -> None:
    while idle:
        idle.pop().close()
