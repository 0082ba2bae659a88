"""The key of an SQL store, as those see and change it who take care of the store."""

import sqlite3
from contextlib import closing

from reconciler.core.care import Rekeyed, Rekeying
from reconciler.core.lease import Standing
from reconciler.core.ports.runs import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import RecordConflict, StoreLocked, StoreUnavailable
from reconciler.stores import sqlite
from reconciler.stores.sql import leases
from reconciler.stores.sql.file import StoreFile
from reconciler.stores.sql.reading import has_sealed
from reconciler.stores.sql.running import RunLease


class SqliteKeys:
    """The key of one SQLite file."""

    def __init__(self, file: StoreFile) -> None:
        """Open nothing yet."""
        self._file = file
        self._path = file.path

    def key_check(self) -> str | None:
        """What tells its key; None while nothing is sealed, or there is no store.

        Raises:
            StoreUnavailable: something is sealed, and the store does not note with which key.
        """
        connection = sqlite.connect_for_reading(self._path)
        if connection is None:
            return None
        with closing(connection), sqlite.translated(self._path):
            check = _check(connection)
            if check is None and has_sealed(connection):
                message = f"the store {self._path} does not note with which key its secrets are sealed"
                raise StoreUnavailable(message, hint="run: reconciler store check --repair")
            return check

    def rekey(self, run: RunInfo, rekeying: Rekeying, interrupts: Interrupts) -> Rekeyed:
        """Seal everything anew, in one transaction, and note it in the history.

        Raises:
            StoreLocked: another run, or a process that fetches tokens, did not end in time.
            RecordConflict: the key, or what the permission rests on, has moved.
            KeyUnavailable: something cannot be opened, or the new key not be kept; nothing is changed.
        """

        def prepare(connection: sqlite3.Connection) -> None:
            self._refuse_fetching(connection)
            if _check(connection) != rekeying.old.key_check():
                raise RecordConflict("the store's key was changed meanwhile; nothing was changed", hint="run the command again")  # fmt: skip

        seconds = self._file.lock_seconds
        lease = RunLease(self._file, run, interrupts, prepare=prepare)
        with lease:
            sqlite.patiently(self._wait_for_tokens, self._path, seconds)
            with lease.session(run) as session:
                if rekeying.basis is not None:
                    session.require(rekeying.basis)
                secrets, tokens = session.rekey(rekeying)
                interrupts.hold()
        return Rekeyed(secrets, tokens, session.head)

    def scrub(self) -> bool:
        """Write the file anew without what is no longer used, and empty its journal; whether nobody was in the way."""
        try:
            return sqlite.patiently(self._scrub, self._path, self._file.lock_seconds)
        except StoreLocked:
            return False

    def _scrub(self) -> bool:
        with closing(sqlite.connect_for_writing(self._path)) as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreLocked("another process reads the store")
        return True

    def _wait_for_tokens(self) -> None:
        connection = sqlite.connect_for_reading(self._path)
        assert connection is not None  # this run has a lease on it
        with closing(connection):
            self._refuse_fetching(connection)

    def _refuse_fetching(self, connection: sqlite3.Connection) -> None:
        """Stop while others fetch tokens, which they would seal with the old key.

        Raises:
            StoreLocked: they do.
        """
        for lease in leases.read_tokens(connection):
            if lease.standing(self._file.host()) is Standing.HELD:
                whose = f"process {lease.holder.pid} on {lease.holder.host}"
                raise StoreLocked(
                    "access tokens are being fetched",
                    details=(f"by {whose}, until {lease.expires(self._file.host())} at most",),
                )


def _check(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'key_check'").fetchone()
    return str(row[0]) if row else None
