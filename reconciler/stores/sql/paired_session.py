"""One apply's writes to a live store of another kind, noted in the state beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core import conditions
from reconciler.core.calls import TokenKey
from reconciler.core.model import Bodies
from reconciler.core.plan import Change
from reconciler.core.ports.live import Live, Outcome, Result, Write
from reconciler.core.ports.requests import Carrying, WritesByRequests
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import GivenSecret, PlannedWrite, RunInfo
from reconciler.core.progress import UNTOLD, Interrupts, Progress
from reconciler.errors import ReconcilerError, RecordConflict, StoreLocked, StoreUnavailable
from reconciler.kinds.canonical import fingerprint_after
from reconciler.kinds.registry import address
from reconciler.stores import drivers
from reconciler.stores.sql import handover, observed, quarantine, records, unfinished
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.journal import SqlJournal
from reconciler.stores.sql.session import SqlSession

_NOTHING = "; nothing was changed"


class Side(Struct, frozen=True):
    """What a session needs of the live store, and of the lease.

    Attributes:
        versions: gives by id those that the live records have, once they were observed.
        interrupts: told when the first write is about to be sent.
        begin: begins another transaction, in which the run is sure to have the right to write.
        clock: the state's.
    """

    live: Live
    versions: Callable[[], Mapping[str, str]]
    sealer: Callable[[], Sealer]
    interrupts: Interrupts
    begin: Callable[[], None]
    clock: Callable[[], str]


class PairedSession(SqlSession):
    """One apply's writes to a live store without transactions: each is done or not, and the state says which."""

    def __init__(self, connection: Connection, run: RunInfo, now: str, side: Side) -> None:
        """Write nothing yet."""
        super().__init__(connection, run, now, side.sealer)
        self._side = side
        self._is_rehearsing = False
        self._has_sent = False

    @property
    def is_repeatable(self) -> bool:
        """Not once the live store was told anything."""
        return not self._has_sent

    def write(
        self, writes: Sequence[PlannedWrite], progress: Progress = UNTOLD, *, goes_on: bool = False
    ) -> Sequence[Outcome]:
        """Rehearse on the state, so that all preconditions hold; write to the live store; note what was done.

        No transaction of the state is open while the live store works: what is begun is kept in the state before.

        Raises:
            RecordConflict: nothing was done.
            StoreUnavailable: nothing was done, or it is not known what was: the message says which.
        """
        self._connection.commit()  # what was observed stays
        asked = self._rehearsed(writes)
        self._side.interrupts.hold()  # what is sent cannot be taken back, and has to be noted
        progress.tell("writing", 0, len(writes))
        outcomes = self._carried_out(writes, asked, progress, goes_on=goes_on)
        self._side.begin()
        of_told = (one for write, one in zip(writes, outcomes, strict=True) if _is_told(write))
        unknown = [number for number, one in enumerate(of_told) if one.result is Result.UNKNOWN]
        unfinished.forget(self._connection, self.run.owner, spared=unknown)
        if writes and not unknown and not any(outcome.id for outcome in outcomes):
            self._connection.commit()
            raise _nothing_done(writes, outcomes)
        done = [
            replace(_opened(write, self._seals), uid=outcome.id)
            for write, outcome in zip(writes, outcomes, strict=True)
            if outcome.id
        ]
        self._now = self._side.clock()  # it may have taken long
        self.run = replace(self.run, partly=self.run.partly or any(one.result is not Result.DONE for one in outcomes))
        super().write(unfinished.as_it_is_now(self._connection, done), progress)
        handover.note_lacking(self._connection, less=[write.uid for write in done])
        quarantine.drop(self._connection, [write.change.revival.uid for write in done if write.change.revival])
        observed.note_versions(self._connection, {one.id: one.version for one in outcomes if one.version})
        kept = {write.uid for write in done if write.change.resource}
        observed.note(self._connection, {one.id: one.note for one in outcomes if one.note and one.id in kept})
        handover.note_held(self._connection, _held(writes, outcomes))
        return outcomes

    def check_references(self, changes: Sequence[Change]) -> None:
        """Only while there is still time."""
        if self._is_rehearsing:
            super().check_references(changes)

    def _rehearsed(self, writes: Sequence[PlannedWrite]) -> list[Write]:
        """What the live store is asked to do, once it is known that the state will be able to note it."""
        self._side.begin()
        self._is_rehearsing = True
        try:
            known = records.bodies(self._connection, [write.uid for write in writes if write.change.record])
            held = handover.held(self._connection)
            asked = [self._asked(write, known, held) for write in writes if _is_told(write)]
            super().write(writes)
        finally:
            self._connection.rollback()
            self._is_rehearsing = False
        self.destroys = False
        return asked

    def _asked(self, write: PlannedWrite, known: Mapping[str, Bodies], held: Mapping[TokenKey, str]) -> Write:
        """What the live store is asked to do."""
        change = write.change
        uid = change.record.uid if change.record else ""
        secrets = {one.address: one.value for one in _opened(write, self._seals).secrets}
        anew = not uid or handover.is_sealed_anew(write, known[uid], held)
        tokens = {name: one.access for name, one in write.handed.items()}
        return Write(change.key, uid, self._side.versions().get(uid, ""), change.after, secrets, anew, tokens)

    def _carried_out(
        self, writes: Sequence[PlannedWrite], asked: Sequence[Write], progress: Progress, *, goes_on: bool
    ) -> list[Outcome]:
        """What came of each."""
        told = [write for write in writes if _is_told(write)]
        how = Carrying(
            goes_on, lambda done: progress.tell("writing", done, len(asked)), lambda: self._side.interrupts.noted
        )
        found = iter(self._sent(told, asked, how) if asked else ())
        return [next(found) if _is_told(write) else Outcome(Result.DONE, write.uid) for write in writes]

    def _sent(self, told: Sequence[PlannedWrite], asked: Sequence[Write], how: Carrying) -> Sequence[Outcome]:
        self._has_sent = True
        live = self._side.live
        try:
            if isinstance(live, WritesByRequests):
                self._keep_begun(told)
                journal = SqlJournal(self._connection, self.run.owner, self._side.begin, self._side.clock)
                return live.carry_out(asked, journal, how)
            return self._checked(told, live.write(asked))
        except StoreLocked:
            raise
        except ReconcilerError as failure:
            hint = failure.hint or "see what is there with: reconciler plan"
            if not isinstance(live, WritesByRequests):
                message = f"{failure.message}; what was done until then is not noted"
                raise StoreUnavailable(message, hint=hint, details=failure.details) from failure
            self._side.begin()
            unfinished.forget(self._connection, self.run.owner)
            self._connection.commit()
            # A driver's own sort of it may be made of other things.
            sort = StoreUnavailable if isinstance(failure, StoreUnavailable) else type(failure)
            raise sort(f"{failure.message}{_NOTHING}", hint=hint, details=failure.details) from failure

    def _keep_begun(self, told: Sequence[PlannedWrite]) -> None:
        self._side.begin()
        unfinished.keep(self._connection, self.run, told, observed.notes_of(self._connection))
        self._connection.commit()

    def _checked(self, writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """With those that did not come out as planned as failures: they were written, and will show as drift."""
        changes = {one.id: write.change for write, one in zip(writes, outcomes, strict=True) if one.id}
        held = {one.id: one for one in self._side.live.read(list(changes))} if changes else {}
        planned = {uid: _planned(change) for uid, change in changes.items()}
        found = {uid: conditions.Held(_columns(uid, planned), observed.text_of(one)) for uid, one in held.items()}
        unlike = dict(conditions.unlike(planned, found))
        return [
            _told(one.id, unlike[one.id], changes[one.id], found.get(one.id)) if one.id in unlike else one
            for one in outcomes
        ]


def _is_told(write: PlannedWrite) -> bool:
    """Whether the live store is told of a change: of a renewed token alone where it is given that."""
    return bool(write.handed) or not write.change.is_token_only


def _held(writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> dict[TokenKey, str]:
    """Of the tokens that the live store was given, when they were obtained."""
    done = [(write, one) for write, one in zip(writes, outcomes, strict=True) if one.result is Result.DONE]
    return {TokenKey(one.id, name): token.state.obtained for write, one in done for name, token in write.handed.items()}


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
    back: Iterator[GivenSecret] = (
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
