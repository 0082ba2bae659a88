"""Care for an SQL store: its key, the lease of others, consistent copies."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from reconciler.core.care import Audit, Rekeyed, Rekeying
from reconciler.core.conditions import Basis
from reconciler.core.guards import BRING_BACK
from reconciler.core.lease import RUN, Attempt, Found, LeaseInfo, Standing
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.durable import refuse_special, sync_folder
from reconciler.errors import RecordConflict, StoreLocked, StoreUnavailable, UsageError
from reconciler.stores import sqlite
from reconciler.stores.sql import checks, leases
from reconciler.stores.sql import leases as attempts
from reconciler.stores.sql.audit import audit_open
from reconciler.stores.sql.lease import RunLease, described
from reconciler.stores.sql.records import has_sealed
from reconciler.stores.sql.transaction import StoreFile, reading, writing


class SqliteKeys:
    """The key of one SQLite file."""

    def __init__(self, file: StoreFile) -> None:
        """Open nothing yet."""
        self._file = file
        self._path = file.path

    def key_check(self) -> str | None:
        """What tells its key; None while nothing is sealed, or there is no store.

        Raises:
            StoreUnavailable: something is sealed, and the store does not note with which key.
        """
        connection = sqlite.connect_for_reading(self._path)
        if connection is None:
            return None
        with closing(connection), sqlite.translated(self._path):
            check = _check(connection)
            if check is None and has_sealed(connection):
                message = f"the store {self._path} does not note with which key its secrets are sealed"
                raise StoreUnavailable(message, hint="run: reconciler store check --repair")
            return check

    def rekey(self, run: RunInfo, rekeying: Rekeying, interrupts: Interrupts) -> Rekeyed:
        """Seal everything anew, in one transaction, and note it in the history.

        Raises:
            StoreLocked: another run, or a process that fetches tokens, did not end in time.
            RecordConflict: the key, or what the permission rests on, has moved.
            KeyUnavailable: something cannot be opened, or the new key not be kept; nothing is changed.
        """

        def prepare(connection: sqlite3.Connection) -> None:
            self._refuse_fetching(connection)
            if _check(connection) != rekeying.old.key_check():
                raise RecordConflict("the store's key was changed meanwhile; nothing was changed", hint="run the command again")  # fmt: skip

        seconds = self._file.lock_seconds
        lease = RunLease(self._file, run, interrupts, prepare=prepare)
        with lease:
            sqlite.patiently(self._wait_for_tokens, self._path, seconds)
            with lease.session(run) as session:
                if rekeying.basis is not None:
                    session.require(rekeying.basis)
                secrets, tokens = session.rekey(rekeying)
                interrupts.hold()
        return Rekeyed(secrets, tokens, session.head)

    def scrub(self) -> bool:
        """Write the file anew without what is no longer used, and empty its journal; whether nobody was in the way."""
        try:
            return sqlite.patiently(self._scrub, self._path, self._file.lock_seconds)
        except StoreLocked:
            return False

    def _scrub(self) -> bool:
        with closing(sqlite.connect_for_writing(self._path)) as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreLocked("another process reads the store")
        return True

    def _wait_for_tokens(self) -> None:
        connection = sqlite.connect_for_reading(self._path)
        assert connection is not None  # this run has a lease on it
        with closing(connection):
            self._refuse_fetching(connection)

    def _refuse_fetching(self, connection: sqlite3.Connection) -> None:
        """Stop while others fetch tokens, which they would seal with the old key.

        Raises:
            StoreLocked: they do.
        """
        for lease in leases.read_tokens(connection):
            if lease.standing(self._file.host()) is Standing.HELD:
                whose = f"process {lease.holder.pid} on {lease.holder.host}"
                raise StoreLocked(
                    "access tokens are being fetched",
                    details=(f"by {whose}, until {lease.expires(self._file.host())} at most",),
                )


def _check(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'key_check'").fetchone()
    return str(row[0]) if row else None


class SqliteLocks:
    """The lease of one SQLite file. A file that is not there is not locked."""

    def __init__(self, file: StoreFile) -> None:
        """Open nothing yet."""
        self._file = file
        self._path = file.path

    def lease(self) -> Found | None:
        """The lease that a run holds, or held when it died; None when there is none."""
        with reading(self._path) as connection:
            return self._found(connection) if connection else None

    def last_attempt(self) -> Attempt | None:
        """The last run that took the lease."""
        with reading(self._path) as connection:
            return attempts.last(connection) if connection else None

    def expires(self, lease: LeaseInfo) -> str:
        """When a lease ends; RFC 3339 in UTC."""
        return lease.expires(self._file.host())

    def release(self, run: RunInfo, basis: Basis | None, *, force: bool) -> Found | None:
        """End the lease that somebody holds, and note who did it; returns it, or None when there was none.

        Raises:
            StoreLocked: its holder seems to live, and `force` was not said.
            RecordConflict: what the permission rests on has moved.
        """
        if self.lease() is None:
            return None
        with writing(self._path, self._file.lock_seconds) as connection:
            if basis is not None:
                checks.check_basis(connection, basis)
            found = self._found(connection)
            if found is None:
                return None
            lease, standing = found
            if standing is Standing.HELD and not force:
                message = "the lease is not released: its holder seems to live"
                hint = "let that run end, or end it; --force takes the lease from it, and it will write nothing"
                raise StoreLocked(message, details=described(lease, self._file.host()), hint=hint)
            connection.execute("DELETE FROM leases WHERE name = ?", (RUN,))
            now = self._file.clock()
            attempts.end_running(connection, "released" if standing is Standing.HELD else "died", lease.seen)
            attempts.end(connection, attempts.begin(connection, run, self._file.host().holder(), now), "applied", now)
            return found

    def _found(self, connection: sqlite3.Connection) -> Found | None:
        for lease in leases.read(connection, [RUN]):
            return lease, lease.standing(self._file.host())
        return None


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
    source = sqlite.connect_for_reading(path)
    if source is None:
        hint = BRING_BACK if lost else "reconciler apply makes it; or check --store and --target"
        raise StoreUnavailable(f"there is no store {path}", hint=hint, details=tuple(lost))
    with closing(source), sqlite.translated(path):
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


def _copy(source: sqlite3.Connection, draft: Path) -> bool:
    with closing(sqlite3.connect(draft)) as copy:
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
