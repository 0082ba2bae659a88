"""The lease of one run on an SQL store: taken, kept alive, and ended by the transaction that writes."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from msgspec.structs import replace

from reconciler.core.lease import outcome_of
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import ReconcilerError, StoreLocked, StoreUnavailable, Unconfirmed
from reconciler.stores.sql.claim import Claim
from reconciler.stores.sql.database import CommitUnknown, Connection, Database, Transient
from reconciler.stores.sql.leases import Heartbeat
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.transaction import patiently, reading, told_once

MakeSession = Callable[[Connection, RunInfo, str], SqlSession]
"""From a connection in a transaction, the run and the present time to what writes."""
Done = TypeVar("Done")
Work = Callable[[SqlSession], Done]
Foresee = Callable[[SqlSession], None]

_END_SECONDS = 2.0  # so long a run that failed tries to end its lease, which then ends by itself
_TRIES = 5  # of a transaction that the server gives up for the sake of others
_WAIT_SECONDS = 0.2  # before the second try; each time twice as long, and up to that much longer by chance
_SETTLE_SECONDS = 20.0  # so long whoever lost the answer to a commit asks what became of it
_ASK_SECONDS = 0.5


class RunLease:
    """The right of one run to write. It ends with the transaction of `carry_out`, or with the block.

    A brief run does nothing but that transaction, which takes and ends the lease: nobody else can write meanwhile.

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
        brief: Callable[[], None] | None = None,
        is_long: bool = False,
    ) -> None:
        """Take nothing yet.

        Args:
            prepare: called at the beginning of the transaction of `run`.
            make_session: makes what writes in it.
            brief: where the run is: lets go of what was read until then.
            is_long: whether the session ends its transaction and goes on with others, see `resume`.
        """
        self._database = database
        self._claim = Claim(database, run, is_brief=brief is not None)
        self._started = run.started
        self._interrupts = interrupts
        self._prepare = prepare
        self._make_session = make_session
        self._brief = brief
        self._is_long = is_long
        self._has_ended = False
        self._connection: Connection | None = None
        self._heartbeat: Heartbeat | None = None

    def __enter__(self) -> Self:
        """Take the lease, unless the run is brief."""
        if self._brief:
            return self
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
                self._claim.require(connection)

    def carry_out(self, run: RunInfo, work: Work[Done], foresee: Foresee = lambda _: None) -> Done:
        """What `work` gives, in one transaction that ends the lease too; nothing of it lasts when that fails.

        What the server gives up for the sake of others is done again.

        Args:
            foresee: tells the session what `work` is going to ask.

        Raises:
            StoreLocked: the lease is lost, or another process did not end its own transaction in time.
            Unconfirmed: nobody says whether it was committed.
        """
        if not self._is_long:
            self._still()  # nobody can take the lease while this process writes
        if self._brief is None:
            return self._carry_out(run, work, foresee)
        self._brief()
        return patiently(lambda: self._carry_out(run, work, foresee), self._database, self._database.lock_seconds)

    def resume(self, connection: Connection) -> None:
        """Begin another transaction of the same run.

        Raises:
            StoreLocked: the lease is lost, or another process did not end its own transaction in time.
        """
        patiently(lambda: self._database.begin(connection), self._database, self._database.lock_seconds)
        try:
            self._claim.require(connection)
        except StoreLocked as failure:
            connection.rollback()
            message = failure.message.replace("nothing was changed", "what it did until then the next run finds out")
            raise StoreLocked(message, hint=failure.hint, details=failure.details) from None

    def _carry_out(self, run: RunInfo, work: Work[Done], foresee: Foresee) -> Done:
        tries = 0
        while True:
            tries += 1
            try:
                return self._try(self._begun(again=tries > 1), run, work, foresee)
            except Transient as failure:
                if tries == _TRIES:
                    message = f"the store {self._database.name} gave the run up {_TRIES} times: {failure}; nothing was changed"
                    raise StoreUnavailable(message, hint="run the command again") from failure
            time.sleep(_WAIT_SECONDS * 2**tries * (1 + random.random()))  # noqa: S311  # nosec B311

    def _begun(self, *, again: bool) -> Connection:
        """A connection in a transaction.

        Args:
            again: whether one was given up before, and so somebody waits to hear what became of the run.
        """
        database = self._database
        try:
            with database.translated():
                connection = self._connection = self._connection or database.writer()
            if self._brief:
                self._begin(connection)
            else:
                patiently(lambda: database.begin(connection), database, database.lock_seconds)
        except StoreUnavailable as failure:
            if not again:
                raise
            message = f"{failure.message}; nothing was changed"
            raise StoreUnavailable(message, hint=failure.hint, details=failure.details) from failure
        return connection

    def _try(self, connection: Connection, run: RunInfo, work: Work[Done], foresee: Foresee) -> Done:
        database = self._database
        session = None
        try:
            with database.translated():
                now = database.clock()
                session = self._make_session(connection, replace(run, started=self._started), now)
                connection.prefetch(self._claim.queries)
                foresee(session)
                self._claim.require(connection)
                self._prepare(connection)
                done = work(session)
                self._still()
                outcome = "partly" if session.run.partly else "applied"
                self._claim.end(connection, outcome, database.clock() if self._is_long else now, session.run_id)
                self._interrupts.hold()
                self._commit(connection)
                self._has_ended = True
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
                was = self._claim.was_committed(connection)
                connection.commit()
                return was
            self._drop_connection()
            time.sleep(_ASK_SECONDS)
        self._has_ended = True
        raise Unconfirmed(
            f"the store {self._database.name} did not say whether the run was committed ({failure})",
            hint="run the command again once the store answers: it finds out first",
            details=(self._claim.told,),
        )

    # taking

    def _take(self) -> None:
        database = self._database
        with self._interrupts.shielded():
            connection = self._connection = self._connection or database.writer()
            try:
                self._begin(connection)
            except Transient:
                self._drop_connection()
                raise
            try:
                with told_once(database):
                    fence = self._claim.take(connection)
                    connection.commit()
            finally:
                connection.rollback()
            self._claim.fence = fence
            self._heartbeat = Heartbeat(database, self._claim.name, self._claim.holder)
            self._heartbeat.start()

    def _begin(self, connection: Connection) -> None:
        database = self._database
        try:
            with database.translated():
                database.begin(connection)
        except StoreLocked:
            with reading(database) as reader:  # whoever writes now may be known by its lease
                if reader is not None:
                    self._claim.refuse_held(reader)
            raise

    # ending

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
                was_tried = not isinstance(failure, StoreLocked) if self._brief else bool(self._claim.fence)
                if was_tried and not self._has_ended:
                    self._give_up(outcome_of(failure) if failure else "applied")
            finally:
                self._drop_connection()

    def _give_up(self, outcome: str) -> None:
        """End a lease that wrote nothing. Where that fails it ends by itself; what made the run fail is what counts."""
        database = self._database
        with suppress(ReconcilerError, Transient, CommitUnknown):
            with database.translated():
                connection = self._connection = self._connection or database.writer()
                connection.rollback()
            patiently(lambda: database.begin(connection), database, _END_SECONDS)
            with database.translated():
                self._claim.give_up(connection, outcome)
                connection.commit()
