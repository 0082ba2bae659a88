"""Consistent copies of a store in a SQLite file."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from reconciler.core.care import Audit
from reconciler.core.guards import BRING_BACK
from reconciler.durable import refuse_special, sync_folder
from reconciler.errors import StoreUnavailable, UsageError
from reconciler.stores.sql.audit import audit_open
from reconciler.stores.sqlite import file
from reconciler.stores.sqlite.engine import SqliteConnection, connect

_BESIDE = ("-wal", "-journal")


def copy_store(path: Path, to: Path, lost: Sequence[str] = (), *, replace: bool) -> bool:
    """Copy a store to a file that only its owner can read; it appears whole and found fine, or not at all.

    Args:
        lost: what speaks of a store that was there, where there is none.
        replace: whether a file that is there is replaced.

    Returns:
        Whether it holds anything that is sealed.

    Raises:
        UsageError: the file is there, or is the store itself.
        StoreUnavailable: the store cannot be read, something is broken in it, or the copy cannot be written.
    """
    _refuse_target(path, to, replace=replace)
    source = file.connect_for_reading(path)
    if source is None:
        hint = BRING_BACK if lost else "reconciler apply makes it; or check --store and --target"
        raise StoreUnavailable(f"there is no store {path}", hint=hint, details=tuple(lost))
    with closing(source), file.translated(path):
        with _written(to):
            descriptor, draft = mkstemp(prefix=f".{to.name}.", dir=to.parent)  # only its owner can read it
        os.close(descriptor)
        try:
            sealed = _copy(source, Path(draft))
            with _written(to):
                _put(draft, to, replace=replace)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)
    return sealed


@contextmanager
def _written(to: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as failure:
        raise _is_there(to) from failure
    except OSError as failure:
        raise StoreUnavailable(f"the backup {to} cannot be written: {failure.strerror or failure}") from failure


def _is_there(to: Path) -> UsageError:
    return UsageError(f"{to} is there already", hint="name another file, or replace it with --force")


def _refuse_target(path: Path, to: Path, *, replace: bool) -> None:
    if to.exists() and to.samefile(path):
        raise UsageError(f"{to} is the store itself", hint="name another file")
    if to.is_dir():
        raise UsageError(f"{to} is a directory", hint="name a file in it")
    if to.exists() and not replace:
        raise _is_there(to)
    used = [beside for beside in (Path(f"{to}{suffix}") for suffix in _BESIDE) if beside.exists()]
    if used:  # SQLite would take it for the copy's
        raise UsageError(f"{to} is in use as a database: there is {used[0]}", hint="name another file")


def _copy(source: SqliteConnection, draft: Path) -> bool:
    with closing(connect(draft.absolute().as_uri(), 0)) as copy:
        try:
            source.backup(copy)
        except sqlite3.OperationalError as failure:
            if "full" not in str(failure):
                raise
            message = f"the backup cannot be written to {draft.parent}: the disk is full"
            raise StoreUnavailable(message, hint="free some space there") from failure
        _refuse_broken(audit_open(copy))
        return copy.execute("SELECT 1 FROM meta WHERE key = 'key_check'").fetchone() is not None


def _refuse_broken(audit: Audit) -> None:
    """Stop when the copy is not one that a store could be brought back from.

    Raises:
        StoreUnavailable: it is not.
    """
    if audit.faults:
        raise StoreUnavailable(
            "the store is broken, so it was not copied; the backups that there are were left alone",
            hint="see: reconciler store check; what can be mended mends: reconciler store check --repair",
            details=tuple(fault.message for fault in audit.faults),
        )


def _put(draft: str, to: Path, *, replace: bool) -> None:
    """Sync the draft and give it its name."""
    with open(draft, "rb+") as opened:
        os.fsync(opened.fileno())
    if replace:
        refuse_special(to)
        os.replace(draft, to)
    else:
        os.link(draft, to)
    sync_folder(to.parent)
