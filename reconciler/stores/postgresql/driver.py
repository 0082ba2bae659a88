"""The driver of stores in PostgreSQL: a schema on a server by its URL, and all that can be asked of it."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from reconciler.core.ports.state import DriverContext, StoreFiles
from reconciler.errors import UsageError
from reconciler.stores.postgresql.address import Address, read_url
from reconciler.stores.sql.state import SqlState


def open_postgresql(url: str, context: DriverContext) -> "PostgresState":
    """The store that a URL of libpq names, with `schema=` among its parameters; nothing is connected to yet.

    Raises:
        UsageError: it is none, or psycopg is not installed.
    """
    return PostgresState(read_url(url, context.root), context)


class PostgresState(SqlState):
    """One schema of one database."""

    def __init__(self, address: Address, context: DriverContext) -> None:
        """Connect to nothing yet."""
        from reconciler.stores.postgresql.database import PostgresDatabase

        self._server = PostgresDatabase(address, context)
        super().__init__(self._server, context, None)
        self._address = address

    def files(self) -> StoreFiles | None:
        """None: it is on a server."""
        return None

    def back_up(self, to: Path, *, replace: bool) -> bool:
        """Leave it to the server's own tools.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "a store in PostgreSQL is backed up by the server's own tools",
            hint=f"pg_dump --format=custom --schema={self._address.schema} --file={to}; see docs/how-to/postgresql.md",
        )

    def role_statements(self, prefix: str) -> Sequence[str]:
        """What makes its roles."""
        from reconciler.stores.postgresql import roles

        return roles.statements(self._address.schema, self._server.database(), prefix)

    def make_roles(self, prefix: str) -> None:
        """Make them, in one transaction."""
        with closing(self._server.writer()) as connection, self._server.translated():
            self._server.begin(connection)
            for statement in self.role_statements(prefix):
                connection.execute(statement)
            connection.commit()
