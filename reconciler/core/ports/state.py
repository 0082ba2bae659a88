"""State: what is known of a live store beside what it holds, and the driver that both are had from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.ports.live import Live
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import Clock
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from reconciler.core.care import Audit, CanRepair, KeepsKey
    from reconciler.core.history import KeepsHistory
    from reconciler.core.lease import KeepsLocks
    from reconciler.core.ports.source import TokenKeeper
    from reconciler.core.ports.store import Store


class StoreFiles(Struct, frozen=True):
    """The files of a store that is one, which are nobody's secret.

    Attributes:
        store: where it lies once links are followed.
        written: where it was said to lie.
        key: where its key is kept, unless another place was named.
        application: number by which such files are known.
    """

    store: "Path"
    written: "Path"
    key: "Path"
    application: int


@runtime_checkable
class State(Protocol):
    """One database of ours, by its URL, with all that can be asked of it. Nothing is opened before it is used."""

    def store(self) -> "Store":
        """The live records that are in it, with what is known of them."""
        ...

    def beside(self, live: "Live", owner: str) -> "Store":
        """The records of another live store, with what is known of them here, as an owner's runs see them."""
        ...

    def files(self) -> StoreFiles | None:
        """Its files; None where it has none on this machine."""
        ...

    def lost(self) -> tuple[str, ...]:
        """What speaks of a database that was here and is gone; see `Store.lost`."""
        ...

    def history(self) -> "KeepsHistory":
        """What it remembers."""
        ...

    def locks(self, owner: str) -> "KeepsLocks":
        """The lease of an owner's runs, to be seen and ended."""
        ...

    def keys(self) -> "KeepsKey":
        """Its key, to be changed."""
        ...

    def repairs(self) -> "CanRepair":
        """What mends it."""
        ...

    def tokens(self, sealer: "Callable[[], Sealer]") -> "TokenKeeper":
        """The access tokens that it keeps, opened and sealed by a sealer."""
        ...

    def audit(self, noted: str) -> "Audit":
        """Look it over; nothing is written.

        Args:
            noted: the head of the history as somebody noted it elsewhere, or "".
        """
        ...

    def back_up(self, to: "Path", *, replace: bool) -> bool:
        """Copy it to a file; whether what was written while it was copied is in it."""
        ...


@runtime_checkable
class KeepsFacts(Protocol):
    """A state that remembers what a live store beside it was found to be able to do."""

    def facts(self) -> str:
        """What `Probes.probe` gave last; "" for nothing."""
        ...

    def keep_facts(self, text: str) -> None:
        """Remember it.

        Raises:
            StoreLocked, StoreUnavailable: it cannot be written.
        """
        ...


MakeSealer = Callable[[Path | None, str | None, bool], tuple[Sealer, str]]
"""From where the store's key is kept (None for nowhere), the check of the key that it holds, and whether a key may be
made, to what seals secrets and the check to keep."""


class DriverContext(Struct, frozen=True):
    """What a driver is told of the run that opens a store.

    Attributes:
        root: the configuration repository; relative paths start there.
        environment: variables of the process, such as those that hold a password.
        lock_seconds: how long to wait for another run to end.
        password: gives the password that the target names for its server, each time that a connection is made, as an
            issued one is good for minutes; it may start a program, and raise `SecretUnavailable`. None where the
            target names none: the environment may still.
        trusted: whether the operator stands for the URL: by naming it, or by starting a command that writes.
        writes: whether the command writes, so that what it reads first has to be the latest.
        options: what the target says of a server of its scheme beside the URL, as the project file has it.
        credentials: gives what proves who asks that server, by its place in the target, such as "token"; as `password`.
        cache: a folder of the user's for what may be removed at any time, each driver in one of its own; "" for none.
        say: tells whoever watches, in a sentence, why nothing happens for a while.
    """

    root: Path
    environment: Mapping[str, str]
    lock_seconds: float
    clock: Clock
    make_sealer: MakeSealer
    password: Callable[[], Secret] | None = None
    trusted: bool = False
    writes: bool = False
    options: Mapping[str, Any] = {}
    credentials: Mapping[str, Callable[[], Secret]] = {}
    cache: str = ""
    say: Callable[[str], None] = lambda _: None

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"DriverContext(root={self.root!r})"


Driver = Callable[[str, DriverContext], State | Live]
"""From a URL to the store at it. It opens nothing, and raises `UsageError` where the URL is none."""
