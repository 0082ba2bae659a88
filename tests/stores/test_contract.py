"""The contract of live stores, held by the embedded store and by the example in memory."""

from msgspec.structs import replace
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from conftest import KEY

from reconciler.core.progress import NOTHING_INTERRUPTS
from reconciler.core.model import Content
from reconciler.core.model import Key, Record
from reconciler.core.plan import Action, Change
from reconciler.core.ports.state import DriverContext
from reconciler.core.ports.live import LiveRecord, Outcome, Result, Write
from reconciler.core.ports.store import GivenSecret, PlannedWrite, RunInfo
from reconciler.core.progress import UNTOLD
from reconciler.errors import RecordConflict
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS
from reconciler.stores.drivers import open_url
from reconciler.testing.live import LiveContract
from reconciler.testing.memory import MemoryStore
from reconciler.wiring.run import context_of, now


class TestMemory(LiveContract):
    """The example."""

    def open(self, tmp_path: Path) -> MemoryStore:
        """A file of JSON."""
        return MemoryStore(tmp_path / "live.json")


class TestSqlite(LiveContract):
    """The embedded store; each call of `write` is a run."""

    def open(self, tmp_path: Path) -> "SqliteLive":
        """The database at a path."""
        return SqliteLive(context_of(tmp_path, {"RECONCILER_STORE_KEY": KEY}))


_ANY = Record(Key("Category", "none"), "none", "", "", "local", "", "0")


class SqliteLive:
    """The live side of an SQL store: what is read, and the writes of a session."""

    def __init__(self, context: DriverContext) -> None:
        self._store = open_url("sqlite:store.db", context).store()

    def identity(self) -> str:
        """Of the store."""
        return self._store.identity()

    def read(self, ids: Sequence[str] | None = None) -> list[LiveRecord]:
        """All, or some."""
        records = [record for record in self._store.records().values() if ids is None or record.uid in ids]
        bodies = self._store.bodies([record.uid for record in records])
        return [LiveRecord(one.uid, one.key, bodies[one.uid].live, one.version) for one in records]

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """In one run, all or nothing."""
        planned = [self._planned(write) for write in writes]
        run = RunInfo("ada", "local", "local", "", now())
        try:
            with self._store.lease(run, NOTHING_INTERRUPTS) as lease:
                return lease.carry_out(run, lambda session: session.write(planned, UNTOLD))
        except RecordConflict as failure:
            return [Outcome(Result.CONFLICT, reason=failure.message)] * len(writes)

    def close(self) -> None:
        """Close it."""
        self._store.close()

    def _planned(self, write: Write) -> PlannedWrite:
        live = {record.uid: record for record in self._store.records().values()}
        record = live.get(write.id)
        if write.id and record is None:
            record = replace(_ANY, uid=write.id, key=write.key)
        if record is not None:
            record = replace(record, version=write.version)
        secrets = [
            GivenSecret(place, "{}", self._store.sealer().fingerprint(value), value)
            for place, value in write.secrets.items()
        ]
        if write.body is None:
            return PlannedWrite(Change(Action.DELETE, write.key, None, record, live=Content(b"{}")), write.id)
        document = {**write.body, "metadata": {**write.body.get("metadata", {}), "name": write.key.name}}
        resource = make_resource(deepcopy(document), KINDS[write.key.kind], "", 0)
        action = Action.UPDATE if record else Action.CREATE
        return PlannedWrite(
            Change(action, write.key, resource, record, live=Content(b"{}") if record else None), write.id, secrets
        )
