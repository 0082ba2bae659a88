"""The driver of SQLite stores: a file by its URL, and all that can be asked of it.

What takes sqlite3 is loaded when it is asked for.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.ports.driver import Context
from reconciler.core.ports.state import StoreFiles
from reconciler.errors import UsageError
from reconciler.stores.beside import APPLICATION_ID, key_beside
from reconciler.stores.sql.file import StoreFile

if TYPE_CHECKING:
    from reconciler.core.care import Audit
    from reconciler.core.lease import Host
    from reconciler.core.ports.live import Live
    from reconciler.core.ports.source import Sealer
    from reconciler.stores.sql.history import SqliteHistory
    from reconciler.stores.sql.keys import SqliteKeys
    from reconciler.stores.sql.locks import SqliteLocks
    from reconciler.stores.sql.paired import PairedStore
    from reconciler.stores.sql.repairing import SqliteRepairs
    from reconciler.stores.sql.store import SqliteStore
    from reconciler.stores.sql.tokens import SqliteTokens

DEFAULT_PATH = ".reconciler/store.db"


def open_sqlite(url: str, context: Context) -> "SqliteState":
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

    def __init__(self, written: Path, context: Context) -> None:
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
        from reconciler.stores.remains import remains

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
        from reconciler.stores.sql.locks import SqliteLocks

        return SqliteLocks(self._file)

    def keys(self) -> "SqliteKeys":
        """The store's key."""
        from reconciler.stores.sql.keys import SqliteKeys

        return SqliteKeys(self._file)

    def repairs(self) -> "SqliteRepairs":
        """What mends the store."""
        from reconciler.stores.sql.repairing import SqliteRepairs

        return SqliteRepairs(self._file)

    def tokens(self, sealer: "Callable[[], Sealer]") -> "SqliteTokens":
        """The access tokens that the store keeps."""
        from reconciler.stores.sql.tokens import SqliteTokens

        return SqliteTokens(self._file, sealer)

    def audit(self, noted: str) -> "Audit":
        """Look the store over; see `audit`."""
        from reconciler.stores.sql.auditing import audit

        return audit(self._file.path, self.lost(), noted, self._file.clock())

    def back_up(self, to: Path, *, replace: bool) -> bool:
        """Copy the store; see `copy_store`."""
        from reconciler.stores.sql.copying import copy_store

        return copy_store(self._file.path, to, self.lost(), replace=replace)


def _host() -> "Host":
    from reconciler.stores.host import LocalHost

    return LocalHost()
