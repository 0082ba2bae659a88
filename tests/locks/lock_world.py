"""What the tests of locks share: a host that can be told what time it is and who has died, and what a store holds."""

from msgspec.structs import replace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import CATEGORY
from live_state import InProcess, sql

from reconciler.core.progress import NOTHING_INTERRUPTS
from reconciler.core.lease import Holder, Moment
from reconciler.core.ports.store import RunInfo
from reconciler.stores.sql.store import LiveSqlStore
from reconciler.wiring.run import now


@dataclass
class FakeHost:
    """A host whose clocks stand still until they are set."""

    name: str = "here"
    wall: float = 2_000_000_000.0
    boot: str = "boot-1"
    uptime: float = 1_000.0
    dead: set[int] = field(default_factory=set)
    pid: int = 100

    def holder(self) -> Holder:
        """One more process of it."""
        self.pid += 1
        return Holder(self.name, self.pid, "1", self.name, f"{self.pid:x}")

    def moment(self) -> Moment:
        """What its clocks show."""
        return Moment(self.wall, self.boot, self.uptime)

    def is_gone(self, holder: Holder) -> bool:
        """Whether it is one of `dead`."""
        return holder.kernel == self.name and holder.pid in self.dead

    def passes(self, seconds: float) -> None:
        """Let time go by."""
        self.wall += seconds
        self.uptime += seconds


RUN = RunInfo("ada", "local", "local", "", "2033-05-18T03:33:20.000Z")


class Place(InProcess):
    """A repository of one category, with stores seen from hosts of one's own."""

    def __init__(self, root: Path) -> None:
        (root / "connectors").mkdir(parents=True, exist_ok=True)
        (root / "connectors/crm.yaml").write_text(CATEGORY)
        super().__init__(root, {})

    def store_on(self, host: FakeHost, lock_seconds: float = 0.0) -> LiveSqlStore:
        """The store, as a process on `host` has it."""
        store = self.store()
        store._database = replace(store._database, host=lambda: host, clock=now, lock_seconds=lock_seconds)
        return store

    def lease(self, host: FakeHost, actor: str = "ada") -> Any:
        """The lease, to be entered."""
        return self.store_on(host).lease(RunInfo(actor, "local", "local", "", RUN.started), NOTHING_INTERRUPTS)

    def attempts(self) -> list[tuple[str, str]]:
        """Actor and outcome of each, in their order."""
        return [
            (actor, outcome) for actor, outcome in sql(self.path, "SELECT actor, outcome FROM attempts ORDER BY id")
        ]

    def leases(self) -> list[tuple[str, int]]:
        """Name and fence of each."""
        return [(name, fence) for name, fence in sql(self.path, "SELECT name, fence FROM leases")]


@contextmanager
def left(lease: Any) -> Iterator[Any]:
    """A lease whose holder is never heard of again: it stands still, or has died."""
    entered = lease.__enter__()
    entered._heartbeat.stop()
    yield entered
    if entered._connection is not None:
        entered._connection.close()
