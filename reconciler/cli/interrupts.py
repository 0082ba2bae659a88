"""Ctrl-C, held back from the moment at which what is done can no longer be undone."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Hold:
    """Call it where nothing may interrupt any more.

    Attributes:
        noted: whether Ctrl-C came after that.
    """

    def __init__(self) -> None:
        self.noted = False

    def __call__(self) -> None:
        """From now on Ctrl-C is noted, and does not interrupt."""
        signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.noted = True


@contextmanager
def holding_interrupts() -> Iterator[Hold]:
    """Gives what holds Ctrl-C back when it is called, until the block ends."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield Hold()
    finally:
        signal.signal(signal.SIGINT, before)
