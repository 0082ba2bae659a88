"""What an SQL store is kept in: a file of SQLite or a schema of PostgreSQL, spoken to by the same statements.

Statements have a `?` for each value, name tables without a schema, and say only what both engines understand. Where
the engines have other words for the same, a statement takes them from `Engine`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from reconciler.core.lease import Host

Values = Sequence[object]
Query = tuple[str, Values]
Item = TypeVar("Item")


class Damaged(Exception):
    """A row holds what no run can have written there; the message says what, and never repeats it."""


class CommitUnknown(Exception):
    """Nobody said whether a transaction was committed."""


class Transient(Exception):
    """A transaction was given up before it was to be committed. Nothing of it is left, and it may be tried again."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it wrote."""
        ...

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """All that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """One connection.

    A server is told of what gives no rows together with the next statement that does, or with the commit: a failure
    is raised there.
    """

    @property
    def engine(self) -> "Engine":
        """What speaks to it."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether one has begun."""
        ...

    def execute(self, statement: str, values: Values = (), /) -> Rows:
        """Run one statement."""
        ...

    def prefetch(self, queries: Iterable[Query], /) -> None:
        """Say which queries come next, in a transaction, so that a server is asked all of them at once.

        What is written in between is not in the answers, so a statement that writes ends them all.
        """
        ...

    def executemany(self, statement: str, rows: Iterable[Values], /) -> object:
        """Run one statement, which gives no rows, for each of `rows`."""
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values], conflict: str = "") -> None:
        """Insert rows in bulk.

        Args:
            conflict: the clause ON CONFLICT, where there may be some.
        """
        ...

    def commit(self) -> None:
        """Commit.

        Raises:
            CommitUnknown: nobody said whether it was done, or whether it will last.
        """
        ...

    def rollback(self) -> None:
        """Take the transaction back, where one has begun."""
        ...

    def close(self) -> None:
        """Let go of it, and take back what was not committed."""
        ...

    def ignore(self) -> None:
        """Have the triggers that see writes of others keep quiet, from here on in this transaction."""
        ...

    def watch(self) -> None:
        """Have them see again."""
        ...


class Engine(Protocol):
    """What an engine has words of its own for.

    Attributes:
        most: so many values one statement can carry at least.
        picture: the columns of `drifts` that hold the picture of a record `r`: see `columns.PICTURED`.
        pictured: the same of a row of `drifts`, as whoever reads may see it.
        renewable: whether a row of `tokens` has a refresh token, for whoever may not see that.
        elements: a query of the elements of a list of texts that is one value, encoded as JSON.
        pairs: a table with `key` and `value` of an object of texts that is one value, encoded as JSON.
        for_update, for_share: what locks the rows of a query until the transaction ends; "" where it is locked as a whole.
        ends_at_refusals: whether a statement that was refused ends the transaction, and not only itself.
        nearby: of a pair (k, n) of a table `near` the further ones that matter with it, for the owner who is the one
            value: what the same file declares, what its record refers to, and what the files declare that claim it;
            "" where each question costs so little that none is asked ahead.
        triggers: what `found_triggers` asks.
    """

    most: int
    picture: str
    pictured: str
    renewable: str
    elements: str
    pairs: str
    for_update: str
    for_share: str
    ends_at_refusals: bool
    nearby: str
    triggers: str

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """Exceptions that say that a constraint was not kept."""
        ...

    def is_taken(self, failure: Exception) -> bool:
        """Whether a refusal says that a name or an identity is taken."""
        ...

    def said(self, failure: Exception) -> str:
        """What a refusal says, without any value."""
        ...

    def broken(self, connection: Connection, most: int) -> Iterator[str]:
        """What the engine itself finds broken, so many at most."""
        ...

    def silenced(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """What keeps writes of others from being seen, or from being done as they are asked; and what to do."""
        ...

    def unsilence(self, connection: Connection) -> Iterator[str]:
        """End it, as far as that can be done here; what it was."""
        ...

    def misfits(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Of each table a condition that is true of rows which hold what does not fit to their columns; "" for a table that is missing."""
        ...

    def own_triggers(self) -> Mapping[str, object]:
        """By name what a store of this version has of each."""
        ...

    def found_triggers(self, connection: Connection) -> Mapping[str, object]:
        """The same of those that are there."""
        ...

    def differing(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Sort and name of what is missing in a store of this version, or of triggers that were altered."""
        ...

    def as_present(self, connection: Connection) -> AbstractContextManager[Connection]:
        """The store that a connection reads, as one of this version."""
        ...

    def overwrite(self, connection: Connection, table: str) -> None:
        """Leave no trace of what was deleted from a table, as far as the engine can."""
        ...

    def put_back(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Make what differs anew; sort and name of each."""
        ...


class Database(Protocol):
    """Where one store is. It need not be there."""

    @property
    def name(self) -> str:
        """As messages have it; never with a password."""
        ...

    @property
    def lock_seconds(self) -> float:
        """How long to wait for another run to end."""
        ...

    def host(self) -> Host:
        """What leases are judged by."""
        ...

    def clock(self) -> str:
        """The present time, RFC 3339 in UTC."""
        ...

    def reader(self, first: Callable[[Engine], Iterable[Query]] | None = None) -> Connection | None:
        """A connection in a transaction that sees one state, whoever writes meanwhile; None where there is no store.

        Args:
            first: gives what is going to be asked at once; see `Connection.prefetch`.

        Raises:
            StoreUnavailable: it cannot be read, or is no store.
        """
        ...

    def writer(self) -> Connection:
        """A connection that has begun nothing; the store is made where there is none. Failures are to be `translated`."""
        ...

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that writes. One of ours is under way at a time; an older store is brought up to date in it."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What whoever reads a plan of it has to know."""
        ...

    def copy(self) -> Connection:
        """A copy in memory, which is gone once it is closed; that of an empty store where there is none."""
        ...

    def drop_traces(self, connection: Connection) -> None:
        """Have what was destroyed leave no trace, as far as that can be done at once."""
        ...

    def scrub(self) -> bool:
        """Write it anew without what is no longer used.

        Raises:
            StoreLocked: somebody is in the way.
        """
        ...

    def confirm(self) -> None:
        """Make sure that what can be read lasts, where it may not.

        Raises:
            CommitUnknown, Transient: nobody says so.
        """
        ...

    def make_place(self) -> None:
        """Make where a key is kept beside the store; nothing where none is."""
        ...

    def translated(self) -> AbstractContextManager[None]:
        """Failures as errors that say what to do.

        Raises:
            StoreLocked: another process holds what was to be locked.
            StoreUnavailable: anything else.
        """
        ...
