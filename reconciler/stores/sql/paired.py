"""A live store of another kind, with what is known of it in an SQL store of ours beside it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core import conditions
from reconciler.core.plan import Change
from reconciler.core.ports.live import Live, Outcome, Result, Write
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import GivenSecret, Lease, PlannedWrite, RunInfo
from reconciler.core.progress import UNTOLD, Interrupts, Progress
from reconciler.errors import ReconcilerError, RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import fingerprint_after
from reconciler.kinds.registry import address
from reconciler.stores import drivers
from reconciler.stores.sql import quarantine
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.lease import RunLease
from reconciler.stores.sql.observed import note_versions, observe, text_of
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.store import MakeSealer, SqlStore

_NOTHING = "; nothing was changed"


class PairedStore(SqlStore):
    """The records of `live`. Reading notes what is live in a copy of the state; a run notes it in the state itself."""

    def __init__(
        self, database: Database, live: Live, *, remains: Callable[[], tuple[str, ...]], make_sealer: MakeSealer
    ) -> None:
        """Open nothing yet."""
        super().__init__(database, remains=remains, make_sealer=make_sealer)
        self._live = live
        self._versions: Mapping[str, str] = {}

    def identity(self) -> str:
        """What tells the live store from every other one."""
        return self._live.identity()

    def lost(self) -> tuple[str, ...]:
        """What speaks of a state that was here and is gone."""
        return self._remains()

    def lease(
        self,
        run: RunInfo,
        interrupts: Interrupts,
        *,
        is_brief: bool = False,
    ) -> AbstractContextManager[Lease]:
        """The right to write to both."""
        self.close()

        def session(connection: Connection, run: RunInfo, now: str) -> PairedSession:
            return PairedSession(
                connection, run, now, _Side(self._live, lambda: self._versions, self.sealer, interrupts)
            )

        return RunLease(self._database, run, interrupts, prepare=self._prepare, make_session=session)

    def close(self) -> None:
        """Close both."""
        super().close()
        self._live.close()

    def _prepare(self, connection: Connection) -> None:
        super()._prepare(connection)
        self._versions = observe(connection, self._live, lasts=True)

    def _connect(self) -> Connection:
        copy = self._database.copy()
        observe(copy, self._live, lasts=False)
        return copy


class _Side(Struct, frozen=True):
    """What a session needs of the live store.

    Attributes:
        versions: gives by id those that the live records have, once they were observed.
        interrupts: told when the first write is about to be sent.
    """

    live: Live
    versions: Callable[[], Mapping[str, str]]
    sealer: Callable[[], Sealer]
    interrupts: Interrupts


class PairedSession(SqlSession):
    """One apply's writes to a live store without transactions: each is done or not, and the state says which."""

    def __init__(self, connection: Connection, run: RunInfo, now: str, side: _Side) -> None:
        """Write nothing yet."""
        super().__init__(connection, run, now, side.sealer)
        self._side = side
        self._is_rehearsing = False
        self._has_sent = False

    @property
    def is_repeatable(self) -> bool:
        """Not once the live store was told anything."""
        return not self._has_sent

    def write(self, writes: Sequence[PlannedWrite], progress: Progress = UNTOLD) -> Sequence[Outcome]:
        """Rehearse on the state, so that all preconditions hold; write to the live store; note what was done.

        Raises:
            RecordConflict: nothing was done.
            StoreUnavailable: nothing was done, or it is not known what was: the message says which.
        """
        self._rehearse(writes)
        self._side.interrupts.hold()  # what is sent cannot be taken back, and has to be noted
        progress.tell("writing", 0, len(writes))
        outcomes = self._carried_out(writes)
        if writes and not any(outcome.id for outcome in outcomes):
            raise _nothing_done(writes, outcomes)
        done = [
            replace(_opened(write, self._seals), uid=outcome.id)
            for write, outcome in zip(writes, outcomes, strict=True)
            if outcome.id
        ]
        self.run = replace(self.run, partly=self.run.partly or any(one.result is not Result.DONE for one in outcomes))
        super().write(done, progress)
        quarantine.drop(self._connection, [write.change.revival.uid for write in done if write.change.revival])
        note_versions(self._connection, {outcome.id: outcome.version for outcome in outcomes if outcome.version})
        return outcomes

    def check_references(self, changes: Sequence[Change]) -> None:
        """Only while there is still time."""
        if self._is_rehearsing:
            super().check_references(changes)

    def _rehearse(self, writes: Sequence[PlannedWrite]) -> None:
        self._is_rehearsing = True
        self._connection.execute("SAVEPOINT rehearsal")
        try:
            super().write(writes)
        finally:
            self._connection.execute("ROLLBACK TO rehearsal")
            self._connection.execute("RELEASE rehearsal")
            self._is_rehearsing = False

    def _carried_out(self, writes: Sequence[PlannedWrite]) -> list[Outcome]:
        """What came of each; of a renewed token alone the live store is not told."""
        asked = [write for write in writes if not write.change.is_token_only]
        found = iter(self._checked(asked, self._sent(asked)) if asked else ())
        return [Outcome(Result.DONE, write.uid) if write.change.is_token_only else next(found) for write in writes]

    def _sent(self, writes: Sequence[PlannedWrite]) -> Sequence[Outcome]:
        self._has_sent = True
        try:
            return self._side.live.write([self._asked(write) for write in writes])
        except ReconcilerError as failure:
            hint = "see what is there with: reconciler plan"
            raise StoreUnavailable(f"{failure.message}; what was done until then is not noted", hint=hint, details=failure.details) from failure  # fmt: skip

    def _asked(self, write: PlannedWrite) -> Write:
        """What the live store is asked to do."""
        change = write.change
        uid = change.record.uid if change.record else ""
        secrets = {one.address: one.value for one in _opened(write, self._seals).secrets}
        body = change.after
        return Write(change.key, uid, self._side.versions().get(uid, ""), body, secrets)

    def _checked(self, writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """With those that did not come out as planned as failures: they were written, and will show as drift."""
        changes = {one.id: write.change for write, one in zip(writes, outcomes, strict=True) if one.id}
        held = {one.id: one for one in self._side.live.read(list(changes))} if changes else {}
        planned = {uid: _planned(change) for uid, change in changes.items()}
        found = {uid: conditions.Held(_columns(uid, planned), text_of(one)) for uid, one in held.items()}
        unlike = dict(conditions.unlike(planned, found))
        return [
            _told(one.id, unlike[one.id], changes[one.id], found.get(one.id)) if one.id in unlike else one
            for one in outcomes
        ]


def _told(uid: str, what: str, change: Change, held: conditions.Held | None) -> Outcome:
    """That the store made something else of what was written."""
    reason = f"the store made something else of it: {drivers.unlike(what, change.body, held.body if held else None)}"
    return Outcome(Result.FAILED, uid, "~", reason)  # no version is "~", so the record is looked at again


def _planned(change: Change) -> tuple[str, ...] | None:
    """What is compared of a live record is its body alone; its address is the driver's to say."""
    return None if change.resource is None else ("", "", "", "", fingerprint_after(change), "")


def _columns(uid: str, planned: Mapping[str, tuple[str, ...] | None]) -> tuple[str, ...]:
    return planned[uid] or ()


def _opened(write: PlannedWrite, seals: Callable[[], Sealer]) -> PlannedWrite:
    """With the secrets that come back opened, as the record that they come back to may have another identity."""
    if not write.kept:
        return write
    back = (
        GivenSecret(one.address, one.reference, one.fingerprint, seals().open(write.uid, one.address, one.ciphertext))
        for one in write.kept
    )
    return replace(write, secrets=(*write.secrets, *back), kept=())


def _nothing_done(writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> RecordConflict | StoreUnavailable:
    details = tuple(
        f"{address(*write.change.key)}: {outcome.reason}" for write, outcome in zip(writes, outcomes, strict=True)
    )
    if any(outcome.result is Result.CONFLICT for outcome in outcomes):
        return RecordConflict(f"live records stand in the way{_NOTHING}", hint="run: reconciler plan", details=details)
    return StoreUnavailable(
        f"the live store does not do what it is asked{_NOTHING}", hint="look there", details=details
    )
