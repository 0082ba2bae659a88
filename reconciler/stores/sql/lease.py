"""The lease of one run on an SQL store: taken, kept alive, and ended by the transaction that writes."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from msgspec.structs import replace

from reconciler.core.lease import LEASE_SECONDS, Host, LeaseInfo, Standing, outcome_of
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import ReconcilerError, StoreLocked, StoreUnavailable, Unconfirmed
from reconciler.stores.sql import leases
from reconciler.stores.sql import leases as attempts
from reconciler.stores.sql.database import CommitUnknown, Connection, Database, Transient
from reconciler.stores.sql.leases import Heartbeat
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.transaction import patiently, reading, told_once

MakeSession = Callable[[Connection, RunInfo, str], SqlSession]
"""From a connection in a transaction, the run and the present time to what writes."""
Done = TypeVar("Done")

_END_SECONDS = 2.0  # so long a run that failed tries to end its lease, which then ends by itself
_TRIES = 5  # of a transaction that the server gives up for the sake of others
_WAIT_SECONDS = 0.2  # before the second try; each time twice as long, and up to that much longer by chance
_SETTLE_SECONDS = 20.0  # so long whoever lost the answer to a commit asks what became of it
_ASK_SECONDS = 0.5


class RunLease:
    """The right of one run to write. It ends with the transaction of `run`, or with the block.

    A class and no generator: an interrupt between a generator's `yield` and its block would leave it open.
    """

    def __init__(
        self,
        database: Database,
        run: RunInfo,
        interrupts: Interrupts,
        *,
        prepare: Callable[[Connection], None],
        make_session: MakeSession = SqlSession,
    ) -> None:
        """Take nothing yet.

        Args:
            prepare: called at the beginning of the transaction of `run`.
            make_session: makes what writes in it.
        """
        self._database = database
        self._run = run
        self._name = leases.of_owner(run.owner)
        self._interrupts = interrupts
        self._prepare = prepare
        self._make_session = make_session
        self._host = database.host()
        self._holder = self._host.holder()
        self._connection: Connection | None = None
        self._heartbeat: Heartbeat | None = None
        self._fence = 0

    def __enter__(self) -> Self:
        """Take the lease."""
        try:
            patiently(self._take, self._database, self._database.lock_seconds)
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
            with reading(self._database) as connection:
                self._require(connection)

    def carry_out(self, run: RunInfo, work: Callable[[SqlSession], Done]) -> Done:
        """What `work` gives, in one transaction that ends the lease too; nothing of it lasts when that fails.

        What the server gives up for the sake of others is done again.

        Raises:
            StoreLocked: the lease is lost, or another process did not end its own transaction in time.
            Unconfirmed: nobody says whether it was committed.
        """
        self._still()  # nobody can take the lease while this process writes
        tries = 0
        while True:
            tries += 1
            try:
                return self._carry_out(run, work)
            except Transient as failure:
                if tries == _TRIES:
                    message = f"the store {self._database.name} gave the run up {_TRIES} times: {failure}; nothing was changed"
                    raise StoreUnavailable(message, hint="run the command again") from failure
            time.sleep(_WAIT_SECONDS * 2**tries * (1 + random.random()))  # noqa: S311  # nosec B311

    def _carry_out(self, run: RunInfo, work: Callable[[SqlSession], Done]) -> Done:
        database = self._database
        with database.translated():
            connection = self._connection = self._connection or database.writer()
        patiently(lambda: database.begin(connection), database, database.lock_seconds)
        session = None
        try:
            with database.translated():
                self._require(connection)
                self._prepare(connection)
                now = database.clock()
                session = self._make_session(connection, replace(run, started=self._run.started), now)
                done = work(session)
                leases.drop(connection, [self._name], str(self._holder))
                outcome = "partly" if session.run.partly else "applied"
                attempts.end(connection, self._fence, outcome, now, session.run_id)
                self._interrupts.hold()
                self._commit(connection)
                self._fence = 0
                if session.destroys:
                    database.drop_traces(connection)
                return done
        except Transient as failure:
            self._drop_connection()
            if session is not None and not session.is_repeatable:
                raise StoreUnavailable(f"{failure}; what was done until then is not noted", hint="see what is there with: reconciler plan") from failure  # fmt: skip
            raise
        finally:
            if self._connection is not None:
                self._connection.rollback()

    def _commit(self, connection: Connection) -> None:
        """Commit; where no answer comes, find out what became of it.

        Raises:
            Transient: nothing was committed.
            Unconfirmed: nobody says.
        """
        try:
            connection.commit()
        except CommitUnknown as failure:
            self._drop_connection()
            if not self._was_committed(failure):
                raise Transient("the connection was lost before the commit") from failure

    def _was_committed(self, failure: CommitUnknown) -> bool:
        """Whether what was committed last is there, and will last.

        To begin a transaction that writes waits for the lost one to end. A commit that is acknowledged as it should be
        proves all that were before it, as a server writes and sends them in one order.

        Raises:
            Unconfirmed: nobody says.
        """
        until = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < until:
            with suppress(ReconcilerError, Transient, CommitUnknown), self._database.translated():
                connection = self._connection = self._database.writer()
                self._database.begin(connection)
                was = attempts.outcome(connection, self._fence, str(self._holder))
                attempts.touch(connection, self._fence)
                connection.commit()
                return was not in ("", attempts.RUNNING)
            self._drop_connection()
            time.sleep(_ASK_SECONDS)
        token = f"{self._run.owner}/{self._fence}"
        self._fence = 0
        raise Unconfirmed(
            f"the store {self._database.name} did not say whether the run was committed ({failure})",
            hint="run the command again once the store answers: it finds out first",
            details=(f"the run is attempt {token}, by {self._holder.host} process {self._holder.pid}",),
        )

    # taking

    def _take(self) -> None:
        database = self._database
        with self._interrupts.shielded():
            connection = self._connection = self._connection or database.writer()
            try:
                with database.translated():
                    database.begin(connection)
            except StoreLocked:
                with reading(database) as reader:  # whoever writes now may be known by its lease
                    if reader is not None:
                        self._refuse_held(reader)
                raise
            except Transient:
                self._drop_connection()
                raise
            try:
                with told_once(database):
                    fence = self._note(connection)
                    connection.commit()
            finally:
                connection.rollback()
            self._fence = fence
            self._heartbeat = Heartbeat(database, self._name, str(self._holder))
            self._heartbeat.start()

    def _note(self, connection: Connection) -> int:
        """Take the lease, inside of a transaction."""
        ended = self._refuse_held(connection)
        now = self._database.clock()
        attempts.end_running(connection, self._run.owner, "died", ended.seen if ended else "")
        leases.drop(connection, [self._name], str(ended.holder) if ended else "")
        fence = attempts.begin(connection, self._run, self._holder, now)
        ends = self._host.moment().after(LEASE_SECONDS)
        leases.put(connection, [self._name], str(self._holder), ends, fence=fence, seen=now)
        return fence

    def _refuse_held(self, connection: Connection) -> LeaseInfo | None:
        """The lease of one who has died or whose time is over; None when there is none.

        Raises:
            StoreLocked: somebody holds it.
        """
        for lease in leases.read(connection, [self._name]):
            if lease.standing(self._host) is Standing.HELD:
                raise held_by(lease, self._database.name, self._host)
            return lease
        return None

    # keeping and ending

    def _require(self, connection: Connection | None) -> None:
        """Make sure that the lease is still this run's.

        Raises:
            StoreLocked: it is not.
        """
        found = leases.read(connection, [self._name]) if connection is not None else []
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

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _leave(self, failure: BaseException | None) -> None:
        with self._interrupts.shielded():
            self._still()
            try:
                if self._fence and self._connection is not None:
                    self._end(self._connection, outcome_of(failure) if failure else "applied")
            finally:
                self._drop_connection()

    def _end(self, connection: Connection, outcome: str) -> None:
        """End a lease that wrote nothing. Where that fails it ends by itself; what made the run fail is what counts."""
        database = self._database
        with suppress(ReconcilerError, Transient, CommitUnknown):
            connection.rollback()
            patiently(lambda: database.begin(connection), database, _END_SECONDS)
            with database.translated():
                if leases.held(connection, [self._name], str(self._holder)):
                    leases.drop(connection, [self._name], str(self._holder))
                    attempts.end(connection, self._fence, outcome, database.clock())
                connection.commit()


def who(lease: LeaseInfo) -> str:
    """Who holds a lease, in words."""
    return f"{lease.actor} (process {lease.holder.pid} on {lease.holder.host})"


def held_by(lease: LeaseInfo, name: str, host: Host) -> StoreLocked:
    """That somebody holds the lease."""
    return StoreLocked(f"the store {name} is locked by another run", details=described(lease, host))


def described(lease: LeaseInfo, host: Host) -> tuple[str, ...]:
    """Who holds it, for what, since when, and until when."""
    return (
        f"{lease.verb} by {who(lease)} since {lease.since}",
        f"last heard of at {lease.seen}; its lease ends at {lease.expires(host)}, unless it is heard of before",
    )
