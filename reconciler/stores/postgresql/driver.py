"""The driver of stores in PostgreSQL: a schema by its URL, and all that can be asked of it."""

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.ports.state import DriverContext
from reconciler.errors import UsageError
from reconciler.stores.postgresql.address import read_url
from reconciler.stores.sql.state import SqlState

if TYPE_CHECKING:
    from reconciler.stores.postgresql.address import Address


def open_postgresql(url: str, context: DriverContext) -> "PostgresState":
    """The store that a ``postgresql://`` URL names.

    Raises:
        UsageError: the URL is none, says what it may not say, or psycopg is not installed.
    """
    return PostgresState(read_url(url, context.root), context)


class PostgresState(SqlState):
    """One schema. No key is kept beside it: the server's people are not to read what it seals."""

    def __init__(self, address: "Address", context: DriverContext) -> None:
        """Connect to nothing yet."""
        from reconciler.stores.postgresql.database import PostgresDatabase

        super().__init__(PostgresDatabase(address, context), context, None)

    def files(self) -> None:
        """It has none on this machine."""

    def back_up(self, to: Path, *, replace: bool) -> bool:
        """Say what does.

        Raises:
            UsageError: always.
        """
        raise UsageError("a store in PostgreSQL is backed up by PostgreSQL's own tools", hint="see docs/postgresql.md: pg_dump --format=custom --schema=reconciler")  # fmt: skip
