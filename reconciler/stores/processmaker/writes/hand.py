"""What a thread of a run works with, at one write."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.stores.processmaker.writes.change import Change

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.answers import Reply
    from reconciler.stores.processmaker.writes.crew import Crew


class Hand:
    """One thread at one write.

    Attributes:
        has_sent: whether it has sent what may have changed something.
    """

    def __init__(self, crew: "Crew", write: int) -> None:
        self._crew = crew
        self.write = write
        self.has_sent = False

    def get(self, path: str, params: Mapping[str, Any] | None = None, etag: str = "") -> "Reply":
        """Read."""
        return self._crew.get(path, params, etag)

    def send(self, change: Change) -> "Reply":
        """Send what changes something; see `Crew.send`."""
        return self._crew.send(self, change)

    @property
    def failed(self) -> Collection[int]:
        """The writes that go no further."""
        return self._crew.failed.keys()

    def moment(self) -> datetime:
        """Now, by the server's clock as far as it is known."""
        return self._crew.moment()

    def wait(self) -> None:
        """Until the server has ended, or given up, whatever was sent to it before.

        Raises:
            StoreUnavailable: somebody asked to stop, so nobody waits for it.
        """
        self._crew.wait()
