"""An SQLite store by its place, with what those that open it go by."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.ports.runs import Clock

if TYPE_CHECKING:
    from reconciler.core.lease import Host


class StoreFile(Struct, frozen=True):
    """One SQLite file; it need not be there.

    Attributes:
        host: gives what leases are judged by.
        lock_seconds: how long to wait for another run to end.
    """

    path: Path
    host: "Callable[[], Host]"
    clock: Clock
    lock_seconds: float
