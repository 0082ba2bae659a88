"""The care of an SQL store by those who look it over and mend it."""

from contextlib import closing

from reconciler.core.care import Audit, Repair
from reconciler.core.conditions import Basis
from reconciler.core.ports.runs import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import StoreUnavailable
from reconciler.stores import sqlite
from reconciler.stores.sql import reading
from reconciler.stores.sql.auditing import audit
from reconciler.stores.sql.file import StoreFile
from reconciler.stores.sql.running import RunLease


class SqliteRepairs:
    """One SQLite file."""

    def __init__(self, file: StoreFile) -> None:
        """Open nothing yet."""
        self._file = file
        self._path = file.path

    def audit(self) -> Audit:
        """What looking it over finds."""
        return audit(self._path, now=self._file.clock())

    def names_no_key(self) -> bool:
        """Whether something is sealed and the store does not say with which key."""
        connection = sqlite.connect_for_reading(self._path)
        if connection is None:
            return False
        with closing(connection), sqlite.translated(self._path):
            return reading.has_sealed(connection) and not connection.execute("SELECT 1 FROM meta WHERE key = 'key_check'").fetchone()  # fmt: skip

    def repair(self, run: RunInfo, basis: Basis | None, key_check: str, interrupts: Interrupts) -> Repair:
        """Mend what can be mended, in one transaction, and note it in the history; see `CanRepair`."""
        damaged = [fault.message for fault in self.audit().faults if fault.check == "file"]
        if damaged:
            raise StoreUnavailable(
                f"the store {self._path} is damaged in its pages, which cannot be mended",
                hint="restore it from a backup; what can still be read of it writes: reconciler export --out DIR",
                details=tuple(damaged),
            )
        lease = RunLease(self._file, run, interrupts, prepare=lambda _: None)
        with lease, lease.session(run) as session:
            if basis is not None:
                session.require(basis)
            mended = session.repair(key_check)
            interrupts.hold()
        return Repair(mended, self.audit(), session.run_id)
