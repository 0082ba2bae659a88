"""The lease of one run on an SQLite store: taken, kept alive, and ended by the transaction that writes."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.core.lease import LEASE_SECONDS, RUN, Host, LeaseInfo, Standing, outcome_of
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import ReconcilerError, StoreLocked
from reconciler.stores import sqlite
from reconciler.stores.sql import leases
from reconciler.stores.sql import leases as attempts
from reconciler.stores.sql.leases import Heartbeat
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.transaction import StoreFile

MakeSession = Callable[[sqlite3.Connection, RunInfo, str], SqlSession]
"""From a connection in a transaction, the run and the present time to what writes."""

_END_SECONDS = 2.0  # so long a run that failed tries to end its lease, which then ends by itself


class RunLease:
    """The right of one run to write. It ends with the transaction of `session`, or with the block.

    A class and no generator: an interrupt between a generator's `yield` and its block would leave it open.
    """

    def __init__(
        self,
        file: StoreFile,
        run: RunInfo,
        interrupts: Interrupts,
        *,
        prepare: Callable[[sqlite3.Connection], None],
        make_session: MakeSession = SqlSession,
    ) -> None:
        """Take nothing yet.

        Args:
            prepare: called at the beginning of the transaction of `session`.
            make_session: makes what writes in it.
        """
        self._path = file.path
        self._run = run
        self._interrupts = interrupts
        self._host = file.host()
        self._clock = file.clock
        self._lock_seconds = file.lock_seconds
        self._prepare = prepare
        self._make_session = make_session
        self._holder = self._host.holder()
        self._connection: sqlite3.Connection | None = None
        self._heartbeat: Heartbeat | None = None
        self._fence = 0

    def __enter__(self) -> Self:
        """Take the lease."""
        try:
            sqlite.patiently(self._take, self._path, self._lock_seconds)
            return self  # noqa: TRY300 (an interrupt on this line too has to give the lease back)
        except BaseException as failure:
            self._leave(failure)
            raise

    def __exit__(self, kind: type[BaseException] | None, failure: BaseException | None, at: TracebackType | None) -> None:  # fmt: skip
        """End the lease, if it has not ended yet."""
        self._leave(failure)

    def check(self) -> None:
        """Stop early when the lease is known to be lost.

        Raises:
            StoreLocked: it is.
        """
        if self._heartbeat is not None and self._heartbeat.lost:
            assert self._connection is not None
            with sqlite.translated(self._path):
                self._require(self._connection)

    @contextmanager
    def session(self, run: RunInfo) -> Iterator[SqlSession]:
        """One transaction; rolled back unless the block ends well, and then the lease has ended too."""
        connection = self._connection
        assert connection is not None
        self._still()  # nobody can take the lease while this process writes
        sqlite.patiently(lambda: sqlite.begin(connection), self._path, self._lock_seconds)
        try:
            with sqlite.translated(self._path):
                self._require(connection)
                self._prepare(connection)
                now = self._clock()
                session = self._make_session(connection, run, now)
                yield session
                leases.drop(connection, [RUN], str(self._holder))
                attempts.end(
                    connection, self._fence, "partly" if session.run.partly else "applied", now, session.run_id
                )
                connection.execute("COMMIT")
                self._fence = 0
                if session.destroys:
                    sqlite.drop_traces(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    # taking

    def _take(self) -> None:
        with self._interrupts.shielded():
            connection = self._connection = self._connection or sqlite.connect_for_writing(self._path)
            self._refuse_held(connection)  # without keeping the holder from writing
            sqlite.begin(connection)
            try:
                ended = self._refuse_held(connection)
                now = self._clock()
                attempts.end_running(connection, "died", ended.seen if ended else "")
                leases.drop(connection, [RUN], str(ended.holder) if ended else "")
                fence = attempts.begin(connection, self._run, self._holder, now)
                ends = self._host.moment().after(LEASE_SECONDS)
                leases.put(connection, [RUN], str(self._holder), ends, fence=fence, seen=now)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            self._fence = fence
            self._heartbeat = Heartbeat(self._path, str(self._holder), self._host, self._clock)
            self._heartbeat.start()

    def _refuse_held(self, connection: sqlite3.Connection) -> LeaseInfo | None:
        """The lease of one who has died or whose time is over; None when there is none.

        Raises:
            StoreLocked: somebody holds it.
        """
        for lease in leases.read(connection, [RUN]):
            if lease.standing(self._host) is Standing.HELD:
                raise held_by(lease, self._path, self._host)
            return lease
        return None

    # keeping and ending

    def _require(self, connection: sqlite3.Connection) -> None:
        """Make sure that the lease is still this run's.

        Raises:
            StoreLocked: it is not.
        """
        found = leases.read(connection, [RUN])
        if any(lease.fence == self._fence and lease.holder == self._holder for lease in found):
            return
        self._fence = 0
        why = f"; {who(found[0])} has it now" if found else ""
        raise StoreLocked(
            f"this run lost its lease on the store, because it stood still for too long or somebody ended it{why}; nothing was changed",
            hint="run the command again",
        )

    def _still(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _leave(self, failure: BaseException | None) -> None:
        with self._interrupts.shielded():
            self._still()
            connection, self._connection = self._connection, None
            if connection is None:
                return
            try:
                if self._fence:
                    self._end(connection, outcome_of(failure) if failure else "applied")
            finally:
                connection.close()

    def _end(self, connection: sqlite3.Connection, outcome: str) -> None:
        """End a lease that wrote nothing. Where that fails it ends by itself; what made the run fail is what counts."""
        with suppress(ReconcilerError, sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            sqlite.patiently(lambda: sqlite.begin(connection), self._path, _END_SECONDS)
            if leases.held(connection, [RUN], str(self._holder)):
                leases.drop(connection, [RUN], str(self._holder))
                attempts.end(connection, self._fence, outcome, self._clock())
            connection.execute("COMMIT")


def who(lease: LeaseInfo) -> str:
    """Who holds a lease, in words."""
    return f"{lease.actor} (process {lease.holder.pid} on {lease.holder.host})"


def held_by(lease: LeaseInfo, path: Path, host: Host) -> StoreLocked:
    """That somebody holds the lease."""
    return StoreLocked(f"the store {path} is locked by another run", details=described(lease, host))


def described(lease: LeaseInfo, host: Host) -> tuple[str, ...]:
    """Who holds it, for what, since when, and until when."""
    return (
        f"{lease.verb} by {who(lease)} since {lease.since}",
        f"last heard of at {lease.seen}; its lease ends at {lease.expires(host)}, unless it is heard of before",
    )
