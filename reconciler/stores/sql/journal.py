"""What a run on a live store without transactions is about to do, noted before it does it."""

from collections.abc import Callable, Sequence

from reconciler.core.ports.requests import Answer, Intent, Step
from reconciler.stores.sql.database import Connection

Begin = Callable[[], None]
"""Begins a transaction in which the run is sure to have the right to write."""


class SqlJournal:
    """The requests of one run, in the state beside the live store; see `core.ports.live.Journal`."""

    def __init__(self, connection: Connection, owner: str, begin: Begin, clock: Callable[[], str]) -> None:
        """Write nothing yet.

        Args:
            clock: the state's.
        """
        self._connection = connection
        self._owner = owner
        self._begin = begin
        self._clock = clock

    def keep(self, answered: Sequence[Answer], intended: Sequence[Intent]) -> None:
        """Note both in one transaction.

        Raises:
            StoreLocked: the right to write is lost.
        """
        if not answered and not intended:
            return
        self._begin()
        self._connection.executemany(
            "UPDATE journal SET status = ?, made = ? WHERE owner = ? AND number = ?",
            [(one.status, one.id, self._owner, one.number) for one in answered],
        )
        now = self._clock()
        rows = [(self._owner, one.number, one.write, one.verb, one.path, one.digest, now) for one in intended]
        self._connection.insert("journal", ("owner", "number", "change", "verb", "path", "digest", "sent"), rows)
        self._connection.commit()


def steps_of(connection: Connection, owner: str) -> dict[int, list[Step]]:
    """What was noted of an owner's run, by the number of the change, in the order of the requests."""
    found: dict[int, list[Step]] = {}
    rows = connection.execute(
        "SELECT number, change, verb, path, digest, sent, status, made FROM journal WHERE owner = ? ORDER BY number",
        (owner,),
    )
    for number, change, verb, path, digest, sent, status, made in rows:
        answer = None if status is None else Answer(number, status, made or "")
        found.setdefault(change, []).append(Step(Intent(number, change, verb, path, digest), sent, answer))
    return found
