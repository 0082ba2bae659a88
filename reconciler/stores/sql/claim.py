"""What a run's lease is in the store: a row that says who may write, and the attempt of whoever took it."""

from reconciler.core.lease import LEASE_SECONDS, Host, LeaseInfo, Standing
from reconciler.core.ports.store import RunInfo
from reconciler.errors import StoreLocked
from reconciler.stores.sql import attempts, leases
from reconciler.stores.sql.database import Connection, Database, Query


class Claim:
    """One run's, each time inside of a transaction of the caller's.

    Attributes:
        name: of the lease.
        holder: this run, as a row has it.
        fence: number of the attempt; 0 while, or as soon as, the lease is not this run's.
    """

    def __init__(self, database: Database, run: RunInfo, *, is_brief: bool) -> None:
        """Write nothing yet.

        Args:
            is_brief: whether one transaction takes and ends it, so that nobody ever sees its row.
        """
        self._database = database
        self._run = run
        self._is_brief = is_brief
        self._host = database.host()
        self._holder = self._host.holder()
        self._ended: LeaseInfo | None = None
        self.name = leases.of_owner(run.owner)
        self.holder = str(self._holder)
        self.fence = 0

    @property
    def queries(self) -> list[Query]:
        """What `require` asks."""
        return [leases.query([self.name]), (attempts.LAST, ())]

    @property
    def told(self) -> str:
        """The attempt, in words."""
        holder = self._holder
        return f"the run is attempt {self._run.owner}/{self.fence}, by {holder.host} process {holder.pid}"

    def take(self, connection: Connection) -> int:
        """Take it; the fence that it has once that is committed.

        Raises:
            StoreLocked: somebody else holds it.
        """
        self.refuse_held(connection)
        now = self._database.clock()
        self._drop_ended(connection)
        fence = attempts.begin(connection, self._run, self._holder, now)
        ends = self._host.moment().after(LEASE_SECONDS)
        leases.put(connection, [self.name], self.holder, ends, fence=fence, seen=now)
        return fence

    def refuse_held(self, connection: Connection) -> None:
        """Stop when somebody holds it who has not died, and whose time is not over.

        Raises:
            StoreLocked: so it is.
        """
        self._ended = next(iter(leases.read(connection, [self.name])), None)
        if self._ended and self._ended.standing(self._host) is Standing.HELD:
            details = described(self._ended, self._host)
            raise StoreLocked(f"the store {self._database.name} is locked by another run", details=details)

    def require(self, connection: Connection | None) -> None:
        """Make sure that it is still this run's; of a brief one that nobody has it.

        Raises:
            StoreLocked: so it is not.
        """
        if self._is_brief and connection is not None:
            self.refuse_held(connection)
            self.fence = attempts.next_id(connection)
            return
        found = leases.read(connection, [self.name]) if connection is not None else []
        if any(lease.fence == self.fence and lease.holder == self._holder for lease in found):
            return
        self.fence = 0
        why = f"; {who(found[0])} has it now" if found else ""
        raise StoreLocked(
            f"this run lost its lease on the store, because it stood still for too long or somebody ended it{why}; nothing was changed",
            hint="run the command again",
        )

    def end(self, connection: Connection, outcome: str, now: str, run: int | None) -> None:
        """End it, with what became of the run.

        Args:
            run: what it wrote, in the history.
        """
        if self._is_brief:
            self._drop_ended(connection)
            attempts.note(connection, self.fence, self._run, self._holder, now)
        else:
            leases.drop(connection, [self.name], self.holder)
        attempts.end(connection, self.fence, outcome, now, run)

    def give_up(self, connection: Connection, outcome: str) -> None:
        """End it where nothing was written. A brief run leaves a note alone."""
        now = self._database.clock()
        if self._is_brief:
            attempts.end(connection, attempts.begin(connection, self._run, self._holder, now), outcome, now)
        elif leases.held(connection, [self.name], self.holder):
            self.end(connection, outcome, now, None)

    def was_committed(self, connection: Connection) -> bool:
        """Whether its end is there; something is written, so that there is something to commit."""
        was = attempts.outcome(connection, self.fence, self.holder)
        attempts.touch(connection, self.fence)
        return was not in ("", attempts.RUNNING)

    def _drop_ended(self, connection: Connection) -> None:
        """Note of whoever died while he had it that he did."""
        ended = self._ended
        attempts.end_running(connection, self._run.owner, "died", ended.seen if ended else "")
        leases.drop(connection, [self.name], str(ended.holder) if ended else "")


def who(lease: LeaseInfo) -> str:
    """Who holds a lease, in words."""
    return f"{lease.actor} (process {lease.holder.pid} on {lease.holder.host})"


def described(lease: LeaseInfo, host: Host) -> tuple[str, ...]:
    """Who holds it, for what, since when, and until when."""
    return (
        f"{lease.verb} by {who(lease)} since {lease.since}",
        f"last heard of at {lease.seen}; its lease ends at {lease.expires(host)}, unless it is heard of before",
    )
