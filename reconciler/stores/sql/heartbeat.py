"""Puts off the end of a run's lease while the run works."""

from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from reconciler.core.lease import HEARTBEAT_SECONDS, LEASE_SECONDS, RUN, Host
from reconciler.core.ports.runs import Clock
from reconciler.errors import ReconcilerError
from reconciler.stores import sqlite
from reconciler.stores.sql import leases

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
            if not leases.held(connection, [RUN], self._holder):
                return False
            ends = self._host.moment().after(LEASE_SECONDS)
            leases.put(connection, [RUN], self._holder, ends, seen=self._clock())
            connection.execute("COMMIT")
            return True
