"""The driver of SQLite stores: a file by its URL, and all that can be asked of it, also when it is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.ports.state import DriverContext, StoreFiles
from reconciler.errors import UsageError
from reconciler.stores.host import APPLICATION_ID, has_content, is_left, key_beside, mark_of
from reconciler.stores.sql.state import SqlState
from reconciler.stores.sqlite import file
from reconciler.stores.sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from reconciler.core.lease import Host

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


class SqliteState(SqlState):
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
        super().__init__(SqliteDatabase(path, _host, context.clock, context.lock_seconds), context, key_beside(path))
        self._path = path
        self._written = written

    def files(self) -> StoreFiles:
        """The file, and its key beside it."""
        return StoreFiles(self._path, self._written, key_beside(self._path), APPLICATION_ID)

    def lost(self) -> tuple[str, ...]:
        """What speaks of a store that was there and is gone."""
        files = self.files()
        return remains(files.store, files.key, files.written)

    def back_up(self, to: Path, *, replace: bool) -> bool:
        """Copy the store; see `copy_store`."""
        from reconciler.stores.sqlite.backup import copy_store

        return copy_store(self._path, to, self.lost(), replace=replace)


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
    if not found or file.is_there(path):
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
