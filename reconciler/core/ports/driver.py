"""Drivers: what one is told when it is asked for a store, and what it may give."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.core.ports.live import Live
from reconciler.core.ports.runs import Clock
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.state import State

MakeSealer = Callable[[Path | None, str | None, bool], tuple[Sealer, str]]
"""From where the store's key is kept (None for nowhere), the check of the key that it holds, and whether a key may be
made, to what seals secrets and the check to keep."""


class DriverContext(Struct, frozen=True):
    """What a driver is told of the run that opens a store.

    Attributes:
        root: the configuration repository; relative paths start there.
        environment: variables of the process, such as those that hold a password.
        lock_seconds: how long to wait for another run to end.
    """

    root: Path
    environment: Mapping[str, str]
    lock_seconds: float
    clock: Clock
    make_sealer: MakeSealer

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Context(root={self.root!r})"


Driver = Callable[[str, DriverContext], State | Live]
"""From a URL to the store at it. It opens nothing, and raises `UsageError` where the URL is none."""
