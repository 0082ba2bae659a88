"""How far long work has come, and what of it may not be torn apart."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self, TypeVar

_EVERY = 64  # items between two times that it is told: it costs next to nothing then
Item = TypeVar("Item")


class Progress(Protocol):
    """Whoever shows it."""

    def tell(self, what: str, done: int, total: int) -> None:
        """So much is done of what there is to do.

        Args:
            what: a word for it, such as "reading".
        """
        ...


class ShownProgress(Progress, Protocol):
    """The same, which stands around the work that it is told of."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *failure: object) -> None: ...


class Untold:
    """For work that nobody watches. Like what is shown it may stand around work, and does nothing there."""

    def tell(self, what: str, done: int, total: int) -> None:
        """Does nothing."""

    def __enter__(self) -> Self:
        """Does nothing."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Does nothing."""


UNTOLD = Untold()


def told(items: Iterable[Item], what: str, total: int, progress: Progress, every: int = _EVERY) -> Iterable[Item]:
    """The items, as they are taken one by one.

    Args:
        total: how many there are.
        every: after how many of them it is told.
    """
    return items if progress is UNTOLD else _told(items, what, total, progress, every)


def _told(items: Iterable[Item], what: str, total: int, progress: Progress, every: int) -> Iterator[Item]:
    progress.tell(what, 0, total)
    for done, item in enumerate(items, 1):
        yield item
        if not done % every:
            progress.tell(what, done, total)
    progress.tell(what, total, total)


class Interrupts(Protocol):
    """Ctrl-C and its like, while something is carried out. By default they raise KeyboardInterrupt, once."""

    @property
    def noted(self) -> bool:
        """Whether one came after `hold`."""
        ...

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

    noted = False

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Does nothing."""
        yield

    def hold(self) -> None:
        """Does nothing."""


NOTHING_INTERRUPTS = Uninterrupted()
