"""The writes of one apply, inside one transaction."""

import os
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from reconciler.core.baseline import Memory
from reconciler.core.calls import TokenKey
from reconciler.core.care import Mended, Rekeying
from reconciler.core.conditions import Basis
from reconciler.core.history import PURGE
from reconciler.core.plan import Action, Change
from reconciler.core.ports.live import Outcome, Result
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import PlannedWrite, RunInfo
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.quarantine import Deleted
from reconciler.kinds.canonical import display_after, fingerprint_after, refs_after
from reconciler.stores.sql import amendments, baselines, checks, quarantine, seals
from reconciler.stores.sql.amendments import next_revision, record_run
from reconciler.stores.sql.chain import Chain
from reconciler.stores.sql.columns import CHILDREN
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.records import Drifts
from reconciler.stores.sql.seals import write_secrets
from reconciler.stores.sql.statements import ignored, recoverable
from reconciler.stores.sql.tokens import drop_other_tokens, write_tokens

_AT_ONCE = 1_000  # so many rows for each table are held
_CREATED = ("kind", "name", "display", "owner", "fingerprint", "applied", "revision", "changed_at", "uid", "version")


class SqlSession:
    """Carries out changes; the caller begins the transaction and commits it."""

    def __init__(
        self, connection: Connection, run: RunInfo, now: str, sealer: Callable[[], Sealer] | None = None
    ) -> None:
        """Write nothing yet.

        Args:
            sealer: gives what seals the secrets of `write`.
        """
        self._connection = connection
        self._sealer = sealer
        self.run = run
        self._now = now
        self._head = ""
        self._run_id: int | None = None
        self._revision = -1
        self.destroys = False
        """Whether something is gone for good, so that no trace of it should stay in the store."""

    @property
    def head(self) -> str:
        """The last hash of the history after it was written to."""
        return self._head

    @property
    def is_repeatable(self) -> bool:
        """Whether all that it did is gone when the transaction is, so that it may be done again."""
        return True

    @property
    def run_id(self) -> int | None:
        """The run in the history; None before `write`."""
        return self._run_id

    def foresee(self, writes: Sequence[PlannedWrite], basis: Basis | None) -> None:
        """Have a server asked at once what `require` and `write` ask before anything is written."""
        checks.foresee(self._connection, writes, basis)
        gone = [write.uid for write in _deletes(writes)]
        if gone and len(gone) <= self._connection.engine.most:
            self._connection.prefetch([seals.tokens_of(gone)])

    def require(self, basis: Basis) -> None:
        """Make sure that the policies and groups are still those that the plan was judged by.

        Raises:
            RecordConflict: they are not.
        """
        checks.check_basis(self._connection, basis)

    def write(
        self, writes: Sequence[PlannedWrite], progress: Progress = UNTOLD, *, goes_on: bool = False
    ) -> Sequence[Outcome]:
        """Check the preconditions, write in order, and read back what was written; all is done, or it raises.

        Raises:
            RecordConflict: a record moved since the plan, another stands in the way, or a reference leads nowhere.
            NotConverged: what was written does not read back as planned.
            StoreUnavailable: the store refuses a write.
        """
        asked = writes = _identified(writes)
        checks.check_unmoved(self._connection, [write.change for write in writes])
        quarantine.check_revivable(self._connection, writes)
        chain = Chain(self._connection)
        drifts = Drifts(self._connection)
        writes = [write for write in writes if not write.change.is_token_only]  # their tokens are stored already
        before = checks.others(self._connection, writes)
        self.destroys = seals.have_tokens(self._connection, _deletes(writes))
        revision = self._revision = next_revision(self._connection)
        self._connection.ignore()
        run = self._run_id = record_run(chain, self.run, self._now, len(asked))
        try:
            with recoverable(self._connection):
                self._write_all(writes, run, revision, chain, drifts, progress)
                chain.keep()
                drifts.drop_taken()
                whole = self.run.verb == "apply" and not self.run.partly
                made = [write.change.key for write in writes if write.change.resource]
                drifts.settle(run, made, self.run.owner if whole else None)
                self._connection.watch()
                checks.foresee_written(self._connection, writes)
                self.check_references([write.change for write in writes])
                # a server that was asked nothing above says only here what it refuses
                checks.check_written(self._connection, writes, self.run.owner, before, progress)
        except self._connection.engine.refusals as failure:
            raise checks.refusal(self._connection, writes, failure) from failure
        self._head = chain.head
        return [Outcome(Result.DONE, write.uid, _version_after(write.change, revision)) for write in asked]

    def _write_all(
        self, writes: Sequence[PlannedWrite], run: int, revision: int, chain: Chain, drifts: Drifts, progress: Progress
    ) -> None:
        self._step_aside(writes)
        progress.tell("writing", 0, len(writes))
        for start in range(0, len(writes), _AT_ONCE):
            part = writes[start : start + _AT_ONCE]
            self._write_records(part, revision)
            self._write_beside(part, run, drifts)
            chain.add_rows(_history_rows(part, run, drifts))
            progress.tell("writing", start + len(part), len(writes))
        self._move_deleted(writes, run)
        drop_other_tokens(self._connection, {write.uid: write.made_with for write in writes if write.change.record})
        fetched = {TokenKey(write.uid, name): token for write in writes for name, token in write.tokens.items()}
        write_tokens(self._connection, fetched, self._seals)

    def check_references(self, changes: Sequence[Change]) -> None:
        """Make sure that nothing refers to what is not there; see `checking.check_references`."""
        checks.check_references(self._connection, changes)

    def remember(self, memory: Memory) -> None:
        """Move the owner's baseline on to what was written, unless others wrote after the plan was made."""
        if self._revision == memory.baseline.revision + 1:
            baselines.remember(self._connection, memory, self._revision)

    def rekey(self, rekeying: Rekeying) -> tuple[int, int]:
        """Seal everything under another key; how many secrets and access tokens there are.

        Raises:
            KeyUnavailable: something cannot be opened, or the new key not be kept.
        """
        with ignored(self._connection):
            done = seals.reseal(self._connection, rekeying.old, rekeying.new.sealer, rekeying.made_with)
            chain = Chain(self._connection)
            self._run_id = record_run(chain, self.run, self._now, 0)  # no record changes, so the revision stays
            chain.keep()
            self._head = chain.head
        rekeying.new.draft()
        return done

    def repair(self, key_check: str) -> tuple[Mended, ...]:
        """Mend what can be mended, acknowledge where the history is broken, and note both in it.

        Args:
            key_check: what tells the key of what is sealed, where the store does not say so; "" for nothing.
        """
        mended, self._run_id = amendments.repair(self._connection, self.run, self._now, key_check)
        return mended

    def purge(self, wanted: Sequence[Deleted]) -> None:
        """Destroy deleted records with their secrets; that it was done is kept in the history.

        Raises:
            RecordConflict: one was restored or purged meanwhile.
        """
        quarantine.check_held(self._connection, wanted)
        chain = Chain(self._connection)
        run = self._run_id = record_run(chain, self.run, self._now, len(wanted))
        next_revision(self._connection)
        chain.add_rows((run, item.uid, *item.key, PURGE, "", None, None, None, None) for item in wanted)
        self._connection.ignore()
        quarantine.drop(self._connection, (item.uid for item in wanted))
        seals.write_anew(self._connection, seals.SECRETS)
        self._connection.watch()
        chain.keep()
        self._head = chain.head
        self.destroys = True

    # writing

    def _step_aside(self, writes: Sequence[PlannedWrite]) -> None:
        """Free the unique names of all changed records first, so that names can be swapped and passed on."""
        changed = [(write.uid,) for write in writes if write.change.record]
        self._connection.executemany("UPDATE records SET name = '~' || uid, display = NULL WHERE uid = ?", changed)

    def _write_records(self, writes: Sequence[PlannedWrite], revision: int) -> None:
        created: list[tuple[object, ...]] = []
        updated: list[tuple[object, ...]] = []
        for write in writes:
            change = write.change
            if change.resource is None:
                continue
            values = (
                *change.key,
                display_after(change) or None,
                self.run.owner,
                fingerprint_after(change),
                change.resource.fingerprint,
            )
            if change.record:
                updated.append((*values, revision, self._now, write.uid))
            else:
                version = int(_version_after(change, revision))
                created.append((*values, revision, self._now, write.uid, version))
        back = [(write.uid,) for write in writes if write.change.revival]
        for table in CHILDREN:  # somebody may have deleted the record and not what belongs to it
            self._connection.executemany(f"DELETE FROM {table} WHERE uid = ?", back)
        self._connection.insert("records", _CREATED, created)
        self._connection.insert(
            "documents",
            ("live", "uid"),
            ((write.change.body.decode(), write.uid) for write in writes if write.change.resource),
            "ON CONFLICT (uid) DO UPDATE SET live = excluded.live",
        )
        self._connection.executemany(
            "UPDATE records SET kind = ?, name = ?, display = ?, owner = ?, fingerprint = ?, applied = ?, revision = ?,"
            " changed_at = ?, version = version + 1 WHERE uid = ?",
            updated,
        )

    def _write_beside(self, writes: Sequence[PlannedWrite], run: int, drifts: Drifts) -> None:
        """References, what was declared where that is not what was written, and secrets."""
        kept = [write for write in writes if write.change.resource]
        existing = [(write.uid,) for write in kept if write.change.record]
        self._connection.executemany("DELETE FROM refs WHERE uid = ?", existing)
        refs = ((write.uid, *ref) for write in kept for ref in sorted(refs_after(write.change)))
        self._connection.insert("refs", ("uid", "kind", "name"), refs)
        self._connection.executemany("DELETE FROM applied WHERE uid = ?", existing)
        declared = [
            (write.uid, write.change.resource.body.decode())
            for write in kept
            if write.change.resource and write.change.written is not None
        ]
        self._connection.insert("applied", ("uid", "body"), declared)
        kept_for = ((uid, run, body) for uid, body in declared)
        self._connection.insert("declarations", ("uid", "run", "body"), kept_for)
        moved = [(write.uid,) for write in kept if drifts.knows(write.uid)]
        self._connection.executemany("DELETE FROM secrets WHERE uid = ?", moved)  # others may have altered them
        write_secrets(self._connection, kept, self._seals)

    def _seals(self) -> Sealer:
        assert self._sealer is not None
        return self._sealer()

    def _move_deleted(self, writes: Sequence[PlannedWrite], run: int) -> None:
        """What goes, into quarantine; what comes back, out of it. Access tokens go with their records."""
        deletes = _deletes(writes)
        quarantine.keep(self._connection, deletes, run, self._now)
        self._connection.executemany("DELETE FROM records WHERE uid = ?", [(write.uid,) for write in deletes])
        quarantine.drop(self._connection, (write.uid for write in writes if write.change.revival))
        if self.destroys:
            seals.write_anew(self._connection, seals.TOKENS)


def _deletes(writes: Sequence[PlannedWrite]) -> Sequence[PlannedWrite]:
    return [write for write in writes if write.change.action is Action.DELETE]


def _identified(writes: Sequence[PlannedWrite]) -> Sequence[PlannedWrite]:
    """With identities for new records, drawn in order: they are added to the end of indexes then, and not all over."""
    count = sum(not write.uid for write in writes)
    drawn = os.urandom(16 * count).hex()
    fresh = sorted((drawn[start : start + 32] for start in range(0, len(drawn), 32)), reverse=True)
    return [write if write.uid else replace(write, uid=fresh.pop()) for write in writes] if count else writes


def _version_after(change: Change, revision: int) -> str:
    """The version that a record has after a change; "" after a delete."""
    if change.resource is None:
        return ""
    if change.record is not None:
        return change.record.version if change.is_token_only else str(int(change.record.version) + 1)
    return str(revision) if change.revival else "1"  # none ever comes twice, and none is above the revision


def _history_rows(writes: Sequence[PlannedWrite], run: int, drifts: Drifts) -> Iterator[tuple[object, ...]]:
    for write in writes:
        change = write.change
        row = (run, write.uid, *change.key, change.action.value, fingerprint_after(change))
        if change.record is None:
            yield (*row, None, None, *(drifts.take(write.uid) if change.revival else (None, None)))
        else:
            before = "{}" if change.live is None else change.live.body.decode()
            was = change.record.key.name
            yield (*row, before, was if was != change.key.name else None, *drifts.take(write.uid))
