"""Leases: who may write to a store now, until when, and whether whoever took one still lives.

A lease has an end, so that one who died cannot keep others away for ever. It is put off again and again while its
holder lives. Its fence grows each time the lease is taken: whoever was slow looks, in the transaction that
writes, whether the fence is still their own.

Wall clocks jump. So an end is kept twice, by the wall clock and by a clock that counts from the boot of the machine,
and whoever runs under the same boot goes by the second. By the wall clock alone an end further away than any
holder would set it is none at all.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.conditions import Basis
from reconciler.core.ports.store import RunInfo
from reconciler.errors import ExitCode, ReconcilerError

RUN = "apply"
"""How the names of the leases begin that everything takes which writes records; the owner follows."""
LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 10.0
_MOST_SKEW = 2.0
"""So many times as long as it was taken for, a lease may seem to last on a host whose clock differs."""
_LAST_SECOND = 253_402_300_799.0  # of the year 9999


class Holder(Struct, frozen=True):
    """A process that takes leases.

    Attributes:
        started: when it started, as its kernel counts; "" where that is not known.
        kernel: names the boot of the machine and where the process's id counts; "" where that is not known.
        nonce: random, of one taking.
    """

    host: str
    pid: int
    started: str
    kernel: str
    nonce: str

    def __str__(self) -> str:
        """As a store keeps it."""
        return f"{self.host}:{self.pid}:{self.started}:{self.kernel}:{self.nonce}"


def holder_of(text: str) -> Holder:
    """The holder that a store keeps; one that is no such text is of a host by that name."""
    parts = text.rsplit(":", 4)
    if len(parts) == 5 and parts[1].isdigit():
        return Holder(parts[0], int(parts[1]), *parts[2:])
    return Holder(text, 0, "", "", "")


class Moment(Struct, frozen=True):
    """A time by two clocks.

    Attributes:
        wall: seconds since 1970.
        boot: names what `uptime` counts from; "" where there is no such clock.
        uptime: seconds.
    """

    wall: float
    boot: str = ""
    uptime: float = 0.0

    def after(self, seconds: float) -> "Moment":
        """So much later."""
        return replace(self, wall=self.wall + seconds, uptime=self.uptime + seconds)


class Host(Protocol):
    """What a process knows of itself and of others on its host."""

    def holder(self) -> Holder:
        """This process, as one that takes a lease now."""
        ...

    def moment(self) -> Moment:
        """Now."""
        ...

    def is_gone(self, holder: Holder) -> bool:
        """Whether the process is known to run no more."""
        ...


class Standing(StrEnum):
    """What is to be thought of a lease."""

    HELD = "held"
    EXPIRED = "expired"
    DEAD = "dead"


class LeaseInfo(Struct, frozen=True):
    """A lease that somebody took.

    Attributes:
        fence: grows each time it is taken.
        verb, actor: what it was taken for, and by whom.
        since, seen: when it was taken, and when its holder last put its end off; RFC 3339 in UTC.
    """

    name: str
    holder: Holder
    ends: Moment
    fence: int = 0
    verb: str = ""
    actor: str = ""
    since: str = ""
    seen: str = ""

    def standing(self, host: Host, seconds: float = LEASE_SECONDS) -> Standing:
        """Whether it still counts.

        Args:
            seconds: how long it was taken for.
        """
        if host.is_gone(self.holder):
            return Standing.DEAD
        return Standing.HELD if 0 < self._left(host.moment()) <= _MOST_SKEW * seconds else Standing.EXPIRED

    def expires(self, host: Host) -> str:
        """When it ends; RFC 3339 in UTC."""
        now = host.moment()
        at = min(max(now.wall + self._left(now), 0.0), _LAST_SECOND)
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _left(self, now: Moment) -> float:
        same_clock = bool(now.boot) and now.boot == self.ends.boot
        return self.ends.uptime - now.uptime if same_clock else self.ends.wall - now.wall


class Attempt(Struct, frozen=True):
    """A run that took the lease, whatever became of it.

    Attributes:
        finished: None while it runs; of one that died when it was last heard of.
        commit: as `RunInfo` has it.
        outcome: see `outcome_of`, or "running", "applied", "partly", "died", "released".
        run: what it wrote, in the history.
    """

    id: int
    started: str
    finished: str | None
    verb: str
    actor: str
    holder: Holder
    commit: str
    outcome: str
    run: int | None


_OUTCOMES = {ExitCode.CONFLICT: "stale", ExitCode.NOT_PERMITTED: "refused", ExitCode.GUARDED: "refused"}


def outcome_of(failure: BaseException) -> str:
    """One word, or two, for how a run ended: of us, never a text of somebody else."""
    if isinstance(failure, KeyboardInterrupt):
        return "interrupted"
    code = failure.exit_code if isinstance(failure, ReconcilerError) else ExitCode.BUG
    return _OUTCOMES.get(code, f"failed: {code.name.lower().replace('_', ' ')}")


Found = tuple[LeaseInfo, Standing]


class KeepsLocks(Protocol):
    """A store that runs lock."""

    def lease(self) -> Found | None:
        """The lease that a run holds, or held when it died; None when there is none. Writes nothing."""
        ...

    def last_attempt(self) -> Attempt | None:
        """The last run that took the lease. Writes nothing."""
        ...

    def expires(self, lease: LeaseInfo) -> str:
        """When a lease ends; RFC 3339 in UTC."""
        ...

    def release(self, run: RunInfo, basis: Basis | None, *, force: bool) -> Found | None:
        """End the lease that somebody holds, and note who did it; returns it, or None when there was none.

        Args:
            run: who ends it.
            basis: what the permission to do so rests on.
            force: also when its holder seems to live.

        Raises:
            StoreLocked: its holder seems to live, and `force` was not said.
            RecordConflict: what the permission rests on has moved.
        """
        ...
