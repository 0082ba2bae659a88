"""A ProcessMaker instance as live store: what is asked of it, and who answers."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.core.ports.live import (
    Carrying,
    Forecast,
    Journal,
    LiveRecord,
    Outcome,
    Recollection,
    Unfinished,
    Write,
)

if TYPE_CHECKING:
    from reconciler.stores.processmaker.client import Client
    from reconciler.stores.processmaker.sight import Sight


class ProcessMakerStore:
    """One instance. Nothing is opened before it is used."""

    def __init__(self, connect: Callable[[], "Client"]) -> None:
        """Send nothing yet.

        Args:
            connect: makes the client, which sends nothing by itself.
        """
        self._connect = connect
        self._client: Client | None = None
        self._recollection = Recollection()
        self._sight: Sight | None = None

    def recall(self, found: Recollection) -> None:
        """Be told what the state knows."""
        self._recollection = found

    def read(self, ids: Sequence[str] | None = None) -> Iterable[LiveRecord]:
        """All records, or some."""
        raise NotImplementedError

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Carry them out; nothing is noted."""
        from reconciler.stores.processmaker import work

        return work.write(self._seen(), writes)

    def carry_out(self, writes: Sequence[Write], journal: Journal, how: Carrying) -> Sequence[Outcome]:
        """Carry them out, each request noted before it is sent."""
        from reconciler.stores.processmaker import work

        return work.carry_out(self._seen(), writes, journal, how)

    def find_out(self, unfinished: Sequence[Unfinished], *, patiently: bool) -> Sequence[Outcome]:
        """What became of the writes of a run that died."""
        from reconciler.stores.processmaker import work

        return work.find_out(self._seen(), unfinished, patiently=patiently)

    def forecast(self, writes: Sequence[Write]) -> Forecast:
        """What writes are going to take."""
        from reconciler.stores.processmaker import work

        return work.forecast(self._seen(), writes)

    def _seen(self) -> "Sight":
        if self._sight is None:
            list(self.read())
        assert self._sight is not None
        return self._sight
