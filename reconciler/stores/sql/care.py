"""Care for an SQL store: its key, and the lease of others."""

from reconciler.core.care import Rekeyed, Rekeying
from reconciler.core.conditions import Basis
from reconciler.core.lease import Attempt, Found, LeaseInfo, Standing
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import RecordConflict, StoreLocked, StoreUnavailable
from reconciler.stores.sql import attempts, checks, leases
from reconciler.stores.sql.claim import described
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.lease import RunLease
from reconciler.stores.sql.records import has_sealed
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.transaction import patiently, reading, writing


class SqlKeys:
    """The key of one store."""

    def __init__(self, database: Database) -> None:
        """Open nothing yet."""
        self._database = database

    def key_check(self) -> str | None:
        """What tells its key; None while nothing is sealed, or there is no store.

        Raises:
            StoreUnavailable: something is sealed, and the store does not note with which key.
        """
        with reading(self._database) as connection:
            if connection is None:
                return None
            check = _check(connection)
            if check is None and has_sealed(connection):
                message = f"the store {self._database.name} does not note with which key its secrets are sealed"
                raise StoreUnavailable(message, hint="run: reconciler store check --repair")
            return check

    def rekey(self, run: RunInfo, rekeying: Rekeying, interrupts: Interrupts) -> Rekeyed:
        """Seal everything anew, in one transaction, and note it in the history.

        Raises:
            StoreLocked: another run, or a process that fetches tokens, did not end in time.
            RecordConflict: the key, or what the permission rests on, has moved.
            KeyUnavailable: something cannot be opened, or the new key not be kept; nothing is changed.
        """

        def prepare(connection: Connection) -> None:
            self._refuse_fetching(connection)
            if _check(connection) != rekeying.old.key_check():
                raise RecordConflict("the store's key was changed meanwhile; nothing was changed", hint="run the command again")  # fmt: skip

        def work(session: SqlSession) -> Rekeyed:
            if rekeying.basis is not None:
                session.require(rekeying.basis)
            secrets, tokens = session.rekey(rekeying)
            return Rekeyed(secrets, tokens, session.head)

        lease = RunLease(self._database, run, interrupts, prepare=prepare)
        with lease:
            patiently(self._wait_for_tokens, self._database, self._database.lock_seconds)
            return lease.carry_out(run, work)

    def scrub(self) -> bool:
        """Leave no trace of what was sealed with the old key; whether that was possible."""
        try:
            return patiently(self._database.scrub, self._database, self._database.lock_seconds)
        except StoreLocked:
            return False

    def _wait_for_tokens(self) -> None:
        with reading(self._database) as connection:
            assert connection is not None  # this run has a lease on it
            self._refuse_fetching(connection)

    def _refuse_fetching(self, connection: Connection) -> None:
        """Stop while others fetch tokens, which they would seal with the old key.

        Raises:
            StoreLocked: they do.
        """
        for lease in leases.read_tokens(connection):
            if lease.standing(self._database.host()) is Standing.HELD:
                whose = f"process {lease.holder.pid} on {lease.holder.host}"
                raise StoreLocked(
                    "access tokens are being fetched",
                    details=(f"by {whose}, until {lease.expires(self._database.host())} at most",),
                )


def _check(connection: Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'key_check'").fetchone()
    return str(row[0]) if row else None


class SqlLocks:
    """The lease of one owner's runs. A store that is not there is not locked."""

    def __init__(self, database: Database, owner: str) -> None:
        """Open nothing yet."""
        self._database = database
        self._owner = owner

    def lease(self) -> Found | None:
        """The lease that a run holds, or held when it died; None when there is none."""
        with reading(self._database) as connection:
            return self._found(connection) if connection else None

    def last_attempt(self) -> Attempt | None:
        """The last run that took the lease."""
        with reading(self._database) as connection:
            return attempts.last(connection, self._owner) if connection else None

    def expires(self, lease: LeaseInfo) -> str:
        """When a lease ends; RFC 3339 in UTC."""
        return lease.expires(self._database.host())

    def release(self, run: RunInfo, basis: Basis | None, *, force: bool) -> Found | None:
        """End the lease that somebody holds, and note who did it; returns it, or None when there was none.

        Raises:
            StoreLocked: its holder seems to live, and `force` was not said.
            RecordConflict: what the permission rests on has moved.
        """
        if self.lease() is None:
            return None
        with writing(self._database, self._database.lock_seconds) as connection:
            if basis is not None:
                checks.check_basis(connection, basis)
            found = self._found(connection)
            if found is None:
                return None
            lease, standing = found
            if standing is Standing.HELD and not force:
                message = "the lease is not released: its holder seems to live"
                hint = "let that run end, or end it; --force takes the lease from it, and it will write nothing"
                raise StoreLocked(message, details=described(lease, self._database.host()), hint=hint)
            connection.execute("DELETE FROM leases WHERE name = ?", (leases.of_owner(self._owner),))
            now = self._database.clock()
            ended = "released" if standing is Standing.HELD else "died"
            attempts.end_running(connection, self._owner, ended, lease.seen)
            attempts.end(
                connection, attempts.begin(connection, run, self._database.host().holder(), now), "applied", now
            )
            return found

    def _found(self, connection: Connection) -> Found | None:
        for lease in leases.read(connection, [leases.of_owner(self._owner)]):
            return lease, lease.standing(self._database.host())
        return None
