"""Files that a kill or a power cut leaves as they were or as they were to be.

A file's content lasts once the file is synced, its name once its folder is. So a file is written under another
name, synced, given its name, and then its folder is synced.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)
"""What file systems say that do not sync folders, and the kernel of a folder that may be entered and not read."""


def make_folder(path: Path) -> None:
    """Make a folder that only its owner can enter, and those above it, where they are missing."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def create_file(path: Path, data: bytes) -> None:
    """Make a file that only its owner can read; one that is there stays as it is."""
    with _draft(path, data, 0o600) as draft, suppress(FileExistsError):  # another process made it meanwhile
        os.link(draft, path)
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Make a file, or replace the content of one: whoever reads it sees the old or the new, whole."""
    with _draft(path, data, mode) as draft:
        os.replace(draft, path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last, where the system can."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as failure:
        if failure.errno not in _CANNOT_SYNC:
            raise


@contextmanager
def _draft(path: Path, data: bytes, mode: int) -> Iterator[str]:
    """A synced file with the content, under a name of its own; gone afterwards."""
    from tempfile import mkstemp

    descriptor, draft = mkstemp(prefix=f".{path.name.lstrip('.')}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
            opened.flush()
            os.fsync(descriptor)
        yield draft
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
