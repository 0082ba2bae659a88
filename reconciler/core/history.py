"""Runs, what one did, and what each record held when."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from reconciler.core.calls import moment
from reconciler.core.diff import FieldChange
from reconciler.core.model import Key
from reconciler.core.plan import Change, Plan
from reconciler.errors import ReconcilerError

Body = Any
"""A decoded body; written by others it may be anything that JSON can say."""


class RunEntry(Struct, frozen=True):
    """One run.

    Attributes:
        started, finished: RFC 3339 in UTC; from `finished` on its changes are live.
        commit: as `RunInfo` has it.
        counts: how many records changed, by action.
        head: the last hash of the history after it, in hexadecimal; "" where somebody has written to the file outside of a run.
        verb, plan, overrides, approvals: as `RunInfo` has them.
        outcome: "applied", or "partly" where something of the plan was left out.
    """

    id: int
    started: str
    finished: str
    actor: str
    owner: str
    target: str
    commit: str
    counts: Mapping[str, int]
    head: str
    verb: str = "apply"
    outcome: str = "applied"
    plan: str = ""
    overrides: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()


class Futile(Struct, frozen=True):
    """A run that took the lease on the store and changed nothing.

    Attributes:
        finished: None while it runs; of one that died when it was last heard of.
        host: where it ran.
        outcome: one word or two, such as "failed: world", "refused", "died" or "running".
    """

    started: str
    finished: str | None
    verb: str
    actor: str
    host: str
    owner: str
    target: str
    commit: str
    outcome: str


class Row(Struct, frozen=True):
    """One change of one record.

    Attributes:
        key: after the change; of a delete the one that went.
        action: as in `core.plan.Action`.
        fingerprint: of the body that it left; "" for a delete.
        before: the body that it found; None for a create.
        was: the name that it found, where that is another one.
        drifted_at: since when `before` was no longer what had been left, as far as the store knows.
        drifted_from: what there was until then; None for nothing.
    """

    seq: int
    run: int
    key: Key
    action: str
    fingerprint: str
    before: Body | None
    was: str | None = None
    drifted_at: str | None = None
    drifted_from: Body | None = None


class Drift(Struct, frozen=True):
    """That a record was changed outside of a run after its last change.

    Attributes:
        since: when first.
        body: what it held until then; None for no record.
    """

    since: str
    body: Body | None


class Trail(Struct, frozen=True):
    """All that is known of one record.

    Attributes:
        rows: in the order of time.
        live: address and body now; None when it is gone.
    """

    uid: str
    rows: Sequence[Row]
    live: tuple[Key, Body] | None
    drift: Drift | None

    def at(self, run: int, time: str) -> tuple[Key, Body] | None:
        """Address and body as they were after a run, at a time before the next one; None for no record."""
        prior = self.set_by(run)
        after = next((row for row in self.rows if row.run > run), None)
        if after is None:
            return self._now_or_left(prior, time)
        found = Key(after.key.kind, after.was or after.key.name)
        if after.drifted_at is not None and time < after.drifted_at:
            return _there(prior.key if prior else found, after.drifted_from)
        return _there(found, after.before)

    def _now_or_left(self, prior: Row | None, time: str) -> tuple[Key, Body] | None:
        if self.drift is not None and time < self.drift.since:
            key = prior.key if prior else self.live[0] if self.live else None
            return _there(key, self.drift.body) if key else None
        return self.live

    def left_by(self, row: Row) -> Body | None:
        """The body that a change left, whatever others made of it; None where the store does not know."""
        after = next((other for other in self.rows if other.seq > row.seq), None)
        if after is not None:
            return after.before if after.drifted_at is None else after.drifted_from
        if self.drift is not None:
            return self.drift.body
        return self.live[1] if self.live is not None else None

    def set_by(self, run: int) -> Row | None:
        """The last change of it up to a run."""
        return next((row for row in reversed(self.rows) if row.run <= run), None)

    def is_drifted(self, run: int, time: str) -> bool:
        """Whether others had changed it since that change, as far as the store knows."""
        after = next((row for row in self.rows if row.run > run), None)
        since = after.drifted_at if after else self.drift.since if self.drift else None
        return since is not None and time >= since


def _there(key: Key, body: Body | None) -> tuple[Key, Body] | None:
    return None if body is None else (key, body)


DRIFT = "drift"
"""The action of a version that came about outside of a run."""
PURGE = "purge"
"""The action of destroying a deleted record; no plan has it."""
REPAIR = "repair"
"""The action of noting what a record is, of which the history did not know; no plan has it."""
LOST = "lost"
"""The verb of a run that was removed outside of a run, and of which a repair has put in the number."""
GONE = ("delete", PURGE)
"""Actions that leave no record."""


class Version(Struct, frozen=True):
    """What one change left.

    Attributes:
        number: from 1, over all records that bore the address.
        key: after the change.
        was: the name before, where that is another one.
        action: as in `core.plan.Action`, or `DRIFT`.
        time: since when; "" where nobody knows.
        run: None for drift.
        body: canonical; None for no record.
        known: whether the store still knows the body.
        fields: what differs from the version before; empty for a record that is new, or gone.
    """

    number: int
    uid: str
    key: Key
    was: str | None
    action: str
    time: str
    run: RunEntry | None
    body: dict[str, Any] | None
    known: bool
    fields: tuple[FieldChange, ...]


class KeepsHistory(Protocol):
    """A store that remembers. All answers until `close` are about one state of it."""

    def runs(self, *, ids: Iterable[int] | None = None, since: str = "", limit: int | None = None) -> list[RunEntry]:
        """Runs, the latest first: those named, or those that ended at `since` or later."""
        ...

    def futile(self, *, since: str = "", limit: int | None = None) -> list[Futile]:
        """Runs that changed nothing, the latest first: those that began at `since` or later."""
        ...

    def last_run(self, time: str) -> int:
        """Id of the last run that had ended by a time; 0 for none."""
        ...

    def trails_of(self, kinds: Sequence[str]) -> list[Trail]:
        """All records of some kinds, also those that are gone."""
        ...

    def trails_named(self, key: Key) -> list[Trail]:
        """The records that bear, or ever bore, an address; in the order of their first change."""
        ...

    def declarations(self, run: int) -> dict[tuple[str, int], Body]:
        """What runs up to this one declared of a record, where that is not what they wrote: by uid and run."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


class Report(Struct, frozen=True):
    """What an apply did.

    Attributes:
        plan: what was carried out.
        secrets: how many secrets were resolved.
        tokens: how many access tokens were fetched.
        left_out: what was not carried out, with the reason.
        head: the last hash of the store's history; "" when nothing was written.
    """

    plan: Plan
    actor: str
    started: str
    finished: str
    secrets: int
    tokens: int = 0
    left_out: tuple[tuple[Change, ReconcilerError], ...] = ()
    head: str = ""


_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))
_JUST_NOW = 5.0


def duration(seconds: float) -> str:
    """A length of time, in the largest unit of which there are two at least: ``75 min``, ``30 days``."""
    size, unit = next((found for found in _UNITS if seconds >= 2 * found[0]), (1, "s"))
    return f"{max(0, round(seconds / size)):,} {unit}"


def ago(time: str, now: str) -> str:
    """When something was or will be: ``just now``, ``3 min ago``, ``in 2 days``.

    Args:
        time, now: RFC 3339. What is no time, as somebody may have written it into a store, is said as it is.
    """
    try:
        seconds = (moment(now) - moment(time)).total_seconds()
    except (ValueError, TypeError):
        return time
    if seconds < 0:
        return f"in {duration(-seconds)}"
    return "just now" if seconds < _JUST_NOW else f"{duration(seconds)} ago"
