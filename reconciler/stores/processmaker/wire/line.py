"""The line in which requests wait until few enough are in flight."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Line:
    """Lets so many in at once. Changes go before reads: what was looked at just before a change gets old while it waits."""

    def __init__(self, places: int) -> None:
        """All places are free."""
        self._free = places
        self._changes = 0
        self._moved = Condition()

    @contextmanager
    def place(self, *, is_change: bool = False) -> Iterator[None]:
        """A place within the block."""
        with self._moved:
            self._changes += is_change
            self._moved.wait_for(lambda: self._free and (is_change or not self._changes))
            self._changes -= is_change
            self._free -= 1
        try:
            yield
        finally:
            with self._moved:
                self._free += 1
                self._moved.notify_all()
