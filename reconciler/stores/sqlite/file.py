"""SQLite files: opened, made, and their failures in words."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.errors import ReconcilerError, StoreLocked, StoreUnavailable
from reconciler.stores.host import APPLICATION_ID, UNRELEASED, is_left, leave_mark, make_directory
from reconciler.stores.sql.database import Damaged
from reconciler.stores.sqlite import schema
from reconciler.stores.sqlite.engine import PRAGMAS, SqliteConnection, connect

_READ_SECONDS = 10.0  # readers wait for a writer only while it recovers or truncates its journal


def connect_for_reading(path: Path) -> SqliteConnection | None:
    """A read-only connection, or None when there is no store yet.

    Raises:
        StoreUnavailable: the file cannot be read or is not a store.
    """
    if not _exists(path):
        return None
    uri = path.absolute().as_uri()
    with translated(path):
        try:
            return _reader(f"{uri}?mode=ro", path)
        except sqlite3.OperationalError as failure:
            if "readonly" not in str(failure) and "unable to open" not in str(failure):
                raise
            if is_left(path, "-journal"):
                # The power went while the store was being made. SQLite takes that back, and has to write for it.
                if recovered := _reader(f"{uri}?mode=rw", path):
                    recovered.close()
                return _reader(f"{uri}?mode=ro", path)
            if is_left(path, "-wal"):
                raise
            # In a directory that cannot be written SQLite cannot make its shared-memory file.
            return _reader(f"{uri}?mode=ro&immutable=1", path)


def _reader(uri: str, path: Path) -> SqliteConnection | None:
    connection = connect(uri, _READ_SECONDS)
    try:
        if not _is_empty(connection, path):
            schema.show_as_present(connection)
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def connect_for_writing(path: Path) -> SqliteConnection:
    """A connection that waits for nobody; the store is made when it is not there.

    Raises:
        sqlite3.Error, OSError: see `translated`.
    """
    make_directory(path)
    if not _exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = connect(f"{path.absolute().as_uri()}?mode=rw", 0)
    try:
        empty = _is_empty(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(PRAGMAS)
        if empty:
            create(connection, path)
        leave_mark(path)
    except BaseException:
        connection.close()
        raise
    return connection


def begin(connection: SqliteConnection) -> None:
    """Begin a write transaction; an older store is brought up to date in it."""
    connection.execute("BEGIN IMMEDIATE")
    schema.migrate(connection)


def drop_traces(connection: SqliteConnection) -> None:
    """Move what was committed out of the write-ahead journal and cut that, so that nothing destroyed stays in it.

    Where another process is reading it cannot be done yet; whoever closes the store last does it then.
    """
    with suppress(sqlite3.Error):  # it is committed already: what fails here, the next one does
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Failures of SQLite and of the file system as errors that say what to do.

    Raises:
        StoreLocked: another process holds the write lock.
        StoreUnavailable: anything else.
    """
    try:
        yield
    except sqlite3.Error as failure:
        raise _translate(failure, path) from failure
    except Damaged as failure:
        raise StoreUnavailable(f"the store {path} is damaged: {failure}", hint=_DAMAGED) from failure
    except UnicodeDecodeError as failure:  # SQLite repeats what it has read in its message
        raise StoreUnavailable(f"the store {path} is damaged", hint=_DAMAGED) from failure
    except OSError as failure:
        raise StoreUnavailable(f"the store {path} cannot be used: {failure.strerror or failure}") from failure


def _translate(failure: sqlite3.Error, path: Path) -> ReconcilerError:
    text = str(failure)
    if "locked" in text or "busy" in text:
        return StoreLocked(f"the store {path} is locked by another run", hint="try again when it has ended")
    for part, (message, hint) in _FAILURES.items():
        if part in text:
            return StoreUnavailable(f"the store {path} {message}", hint=hint)
    return StoreUnavailable(f"the store {path} cannot be used: {text}", hint="look it over: reconciler store check")


_DAMAGED = "look: reconciler store check; restore it from a backup, or mend what can be mended with --repair"
_FAILURES: dict[str, tuple[str, str]] = {
    "file is not a database": (
        "is not a SQLite file",
        "check the path in --store or reconciler.yaml; where the store was, restore it from a backup",
    ),
    "malformed": ("is damaged", _DAMAGED),
    "disk is full": ("cannot be written: the disk is full; nothing was changed", "free some space and run the command again"),
    "disk I/O error": ("cannot be read or written: disk I/O error; nothing was changed", "check the disk and its free space"),
    "readonly database": ("cannot be written: it is read-only; nothing was changed", "check the permissions of the file and its directory"),
    "unable to open": ("cannot be opened", "check the path and its permissions"),
}  # fmt: skip


def is_there(path: Path) -> bool:
    """Whether there is a store: a file that holds one.

    Raises:
        StoreUnavailable: the file cannot be read or is not a store.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return False
    connection.close()
    return True


def _exists(path: Path) -> bool:
    """Whether there is a file. A link is followed; nothing but a file is opened, as a pipe or a device would never end.

    Raises:
        StoreUnavailable: something else is there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    except OSError as failure:
        raise StoreUnavailable(f"the store {path} cannot be used: {failure.strerror}") from failure
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise StoreUnavailable(f"the store {path} is not a file, but {what}", hint="check the path in --store or reconciler.yaml")  # fmt: skip
    return True


def _is_empty(connection: SqliteConnection, path: Path) -> bool:
    """Whether the file holds no table yet.

    Raises:
        StoreUnavailable: it is some other program's database, or a store of another version.
    """
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if not tables:
        return True
    if application == UNRELEASED or (application == APPLICATION_ID and version < 1):
        raise StoreUnavailable(
            f"the store {path} was written by a reconciler from before the first release, which this one cannot read",
            hint="move the file away; then reconciler apply makes a new store",
        )
    if application != APPLICATION_ID:
        raise StoreUnavailable(f"the SQLite file {path} is not a reconciler store", hint="check the path")
    if version > schema.VERSION:
        raise StoreUnavailable(
            f"the store {path} was written by a newer reconciler (store version {version}, this one knows {schema.VERSION})",
            hint="install the newer reconciler",
        )
    return False


def create(connection: SqliteConnection, path: Path) -> None:
    """Make the tables of a store, unless another process has."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_empty(connection, path):  # another process may have been faster
            schema.create(connection)
            connection.execute("INSERT INTO meta VALUES ('store', lower(hex(randomblob(16)))), ('revision', '0')")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
