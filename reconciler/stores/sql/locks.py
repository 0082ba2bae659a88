"""The lease of runs, as those see and end it who do not hold it."""

import sqlite3

from reconciler.core.conditions import Basis
from reconciler.core.lease import RUN, Attempt, Found, LeaseInfo, Standing
from reconciler.core.ports.runs import RunInfo
from reconciler.errors import StoreLocked
from reconciler.stores.sql import attempts, checking, leases
from reconciler.stores.sql.file import StoreFile
from reconciler.stores.sql.opening import reading, writing
from reconciler.stores.sql.running import described


class SqliteLocks:
    """The lease of one SQLite file. A file that is not there is not locked."""

    def __init__(self, file: StoreFile) -> None:
        """Open nothing yet."""
        self._file = file
        self._path = file.path

    def lease(self) -> Found | None:
        """The lease that a run holds, or held when it died; None when there is none."""
        with reading(self._path) as connection:
            return self._found(connection) if connection else None

    def last_attempt(self) -> Attempt | None:
        """The last run that took the lease."""
        with reading(self._path) as connection:
            return attempts.last(connection) if connection else None

    def expires(self, lease: LeaseInfo) -> str:
        """When a lease ends; RFC 3339 in UTC."""
        return lease.expires(self._file.host())

    def release(self, run: RunInfo, basis: Basis | None, *, force: bool) -> Found | None:
        """End the lease that somebody holds, and note who did it; returns it, or None when there was none.

        Raises:
            StoreLocked: its holder seems to live, and `force` was not said.
            RecordConflict: what the permission rests on has moved.
        """
        if self.lease() is None:
            return None
        with writing(self._path, self._file.lock_seconds) as connection:
            if basis is not None:
                checking.check_basis(connection, basis)
            found = self._found(connection)
            if found is None:
                return None
            lease, standing = found
            if standing is Standing.HELD and not force:
                message = "the lease is not released: its holder seems to live"
                hint = "let that run end, or end it; --force takes the lease from it, and it will write nothing"
                raise StoreLocked(message, details=described(lease, self._file.host()), hint=hint)
            connection.execute("DELETE FROM leases WHERE name = ?", (RUN,))
            now = self._file.clock()
            attempts.end_running(connection, "released" if standing is Standing.HELD else "died", lease.seen)
            attempts.end(connection, attempts.begin(connection, run, self._file.host().holder(), now), "applied", now)
            return found

    def _found(self, connection: sqlite3.Connection) -> Found | None:
        for lease in leases.read(connection, [RUN]):
            return lease, lease.standing(self._file.host())
        return None
