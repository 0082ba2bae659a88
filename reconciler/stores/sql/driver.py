"""The driver of SQLite stores: a file by its URL, and all that can be asked of it, also when it is gone."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.care import Audit, Repair
from reconciler.core.conditions import Basis
from reconciler.core.ports.state import DriverContext, StoreFiles
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import StoreUnavailable, UsageError
from reconciler.stores import sqlite
from reconciler.stores.host import APPLICATION_ID, has_content, is_left, key_beside, mark_of
from reconciler.stores.sql import records
from reconciler.stores.sql.audit import audit
from reconciler.stores.sql.lease import RunLease
from reconciler.stores.sql.transaction import StoreFile

if TYPE_CHECKING:
    from reconciler.core.lease import Host
    from reconciler.core.ports.live import Live
    from reconciler.core.ports.source import Sealer
    from reconciler.stores.sql.care import SqliteKeys, SqliteLocks
    from reconciler.stores.sql.history import SqliteHistory
    from reconciler.stores.sql.paired import PairedStore
    from reconciler.stores.sql.store import SqliteStore
    from reconciler.stores.sql.tokens import SqliteTokens


DEFAULT_PATH = ".reconciler/store.db"


def open_sqlite(url: str, context: DriverContext) -> "SqliteState":
    """The store that a ``sqlite:PATH`` URL names; a relative path starts at the root.

    Raises:
        UsageError: no file can have the name.
    """
    path = url.partition(":")[2]
    if path.startswith("//"):  # sqlite:///path, as other tools write it
        path = path.removeprefix("//")
    return SqliteState(context.root / (path or DEFAULT_PATH), context)


class SqliteState:
    """One SQLite file."""

    def __init__(self, written: Path, context: DriverContext) -> None:
        """Open nothing yet.

        Args:
            written: which may be a link.

        Raises:
            UsageError: no file can have the name.
        """
        try:
            path = written.resolve()
        except ValueError:
            raise UsageError("no file can have the name of the store", hint="it holds a NUL character") from None
        self._file = StoreFile(path, _host, context.clock, context.lock_seconds)
        self._written = written
        self._context = context

    def files(self) -> StoreFiles:
        """The file, and its key beside it."""
        path = self._file.path
        return StoreFiles(path, self._written, key_beside(path), APPLICATION_ID)

    def lost(self) -> tuple[str, ...]:
        """What speaks of a store that was there and is gone."""
        files = self.files()
        return remains(files.store, files.key, files.written)

    def store(self) -> "SqliteStore":
        """The live records, with what is known of them."""
        from reconciler.stores.sql.store import SqliteStore

        seal = partial(self._context.make_sealer, self.files().key)
        return SqliteStore(self._file, remains=self.lost, make_sealer=seal)

    def beside(self, live: "Live") -> "PairedStore":
        """The records of another live store, with what is known of them here."""
        from reconciler.stores.sql.paired import PairedStore

        seal = partial(self._context.make_sealer, self.files().key)
        return PairedStore(self._file, live, remains=self.lost, make_sealer=seal)

    def history(self) -> "SqliteHistory":
        """What the store remembers."""
        from reconciler.stores.sql.history import SqliteHistory

        return SqliteHistory(self._file.path)

    def locks(self) -> "SqliteLocks":
        """The lease of runs."""
        from reconciler.stores.sql.care import SqliteLocks

        return SqliteLocks(self._file)

    def keys(self) -> "SqliteKeys":
        """The store's key."""
        from reconciler.stores.sql.care import SqliteKeys

        return SqliteKeys(self._file)

    def repairs(self) -> "SqliteRepairs":
        """What mends the store."""
        return SqliteRepairs(self._file)

    def tokens(self, sealer: "Callable[[], Sealer]") -> "SqliteTokens":
        """The access tokens that the store keeps."""
        from reconciler.stores.sql.tokens import SqliteTokens

        return SqliteTokens(self._file, sealer)

    def audit(self, noted: str) -> "Audit":
        """Look the store over; see `audit`."""
        return audit(self._file.path, self.lost(), noted, self._file.clock())

    def back_up(self, to: Path, *, replace: bool) -> bool:
        """Copy the store; see `copy_store`."""
        from reconciler.stores.sql.care import copy_store

        return copy_store(self._file.path, to, self.lost(), replace=replace)


def _host() -> "Host":
    from reconciler.stores.host import LocalHost

    return LocalHost()


def remains(path: Path, key: Path, name: Path) -> tuple[str, ...]:
    """What lies beside a store that is not there, in words; nothing where there is one, or none seems to have been.

    The mark and the key file are made after the store, and a write-ahead journal after the file that it belongs to.

    Args:
        key: where the embedded store keeps its key.
        name: what the store is called, which may be a link to `path`.

    Raises:
        StoreUnavailable: what is at the path cannot be read, or is no store.
    """
    found = tuple(_beside(path, key, name))
    # Looked at last: another process may be making both just now.
    if not found or sqlite.is_there(path):
        return ()
    return found


def _beside(path: Path, key: Path, name: Path) -> Iterator[str]:
    if name.is_symlink() and not name.exists():
        yield f"{name} is a link that leads nowhere"
    if mark_of(path).exists():
        yield f"{mark_of(path)} says that there was one"
    if key.exists():
        yield f"the key of a store is in {key}"
    if not has_content(path) and is_left(path, "-wal"):
        yield f"the journal of a store is in {path.name}-wal"


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
            return records.has_sealed(connection) and not connection.execute("SELECT 1 FROM meta WHERE key = 'key_check'").fetchone()  # fmt: skip

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
