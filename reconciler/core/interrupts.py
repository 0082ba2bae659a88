"""What work that must not be torn apart asks of whoever catches Ctrl-C."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Interrupts(Protocol):
    """Ctrl-C and its like, while something is carried out. By default they raise KeyboardInterrupt, once."""

    def shielded(self) -> AbstractContextManager[None]:
        """They wait until the block ends, and are raised then."""
        ...

    def hold(self) -> None:
        """From now on they are noted alone: what is done can no longer be undone.

        Raises:
            KeyboardInterrupt: one came before.
        """
        ...


class Uninterrupted:
    """For work that nobody interrupts."""

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Does nothing."""
        yield

    def hold(self) -> None:
        """Does nothing."""


NOTHING_INTERRUPTS = Uninterrupted()
