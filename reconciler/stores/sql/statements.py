"""What statements are written with, whatever the engine."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from reconciler.stores.sql.database import Connection

Item = TypeVar("Item")


def marks(items: Collection[object]) -> str:
    """As many marks for values."""
    return ",".join("?" * len(items))


def chunks(connection: Connection, items: Iterable[Item]) -> Iterator[tuple[list[Item], str]]:
    """Parts of `items` that one statement can name, each with as many marks for values."""
    waiting = iter(items)
    while part := list(islice(waiting, connection.engine.most)):
        yield part, marks(part)


@contextmanager
def ignored(connection: Connection) -> Iterator[None]:
    """The triggers that see writes of others keep quiet; not any more once the block ends well, else nothing lasts."""
    connection.ignore()
    yield
    connection.watch()


@contextmanager
def recoverable(connection: Connection) -> Iterator[None]:
    """What is refused in the block is taken back, and the transaction goes on.

    In SQLite it does so anyway, and each statement within a savepoint takes longer than the one before.
    """
    if not connection.engine.ends_at_refusals:
        yield
        return
    connection.execute("SAVEPOINT block")
    try:
        yield
    except connection.engine.refusals:
        connection.execute("ROLLBACK TO block")
        raise
    connection.execute("RELEASE block")
