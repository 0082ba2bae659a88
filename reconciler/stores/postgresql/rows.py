"""The rows that a statement gave."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.stores.postgresql.connection import PostgresConnection
    from reconciler.stores.postgresql.wire import Answer, Wire


class PostgresRows:
    """What a statement gave; asking for it waits."""

    def __init__(self, connection: "PostgresConnection", wire: "Wire", answer: "Answer") -> None:
        self._connection = connection
        self._wire = wire
        self._answer = answer
        self._left: Iterator[tuple[Any, ...]] | None = None

    @property
    def rowcount(self) -> int:
        """How many rows it wrote or gave."""
        self._connection.flush(self._answer)
        return self._answer.result.command_tuples or 0

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        return next(iter(self), None)

    def fetchall(self) -> list[Any]:
        """All that are left."""
        return list(iter(self))

    def __iter__(self) -> Iterator[Any]:
        if self._left is None:
            self._connection.flush(self._answer)
            self._left = iter(self._wire.rows(self._answer))
        return self._left
