"""Files that a kill or a power cut leaves as they were or as they were to be.

A file's content lasts once the file is synced, its name once its folder is. So a file is written under another
name, synced, given its name, and then its folder is synced.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)
"""What file systems say that do not sync folders, and the kernel of a folder that may be entered and not read."""


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder, and those above it, where they are missing."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent, mode)
    path.mkdir(mode=mode, exist_ok=True)
    sync_folder(path.parent)


def create_file(path: Path, data: bytes) -> None:
    """Make a file that only its owner can read; one that is there stays as it is."""
    with _draft(path, data, 0o600) as draft, suppress(FileExistsError):  # another process made it meanwhile
        os.link(draft, path)
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Make a file, or replace the content of one: whoever reads it sees the old or the new, whole.

    Raises:
        OSError: it cannot be written, or what is there is no file: a device that is replaced is missing to all.
    """
    refuse_special(path)
    with _draft(path, data, mode) as draft:
        draft.replace(path)
    sync_folder(path.parent)


def replace_files(root: Path, contents: Mapping[str, bytes | None]) -> None:
    """Give files below `root` their new contents; None removes one. Folders are made where they are missing.

    All of it is written beside the files before the first of them is replaced: what can fail, such as a full
    disk, fails before anything has changed. Each file is replaced at once, keeping its mode.

    Raises:
        OSError: one cannot be written, or a link below `root` leads elsewhere: nothing is written through it.
    """
    paths = {root / name: data for name, data in contents.items()}
    for name in contents:
        _refuse_links(root, name)
    with ExitStack() as drafts:
        written: list[tuple[Path, Path]] = []
        for path, data in paths.items():
            if data is not None:
                make_folder(path.parent, 0o777)
                mode = path.stat().st_mode & 0o7777 if path.exists() else None
                written.append((path, drafts.enter_context(_draft(path, data, mode))))
        for path, draft in written:
            draft.replace(path)
        for path, data in paths.items():
            if data is None:
                path.unlink()
    for folder in sorted({path.parent for path in paths}):
        sync_folder(folder)


def is_private_folder(folder: str) -> bool:
    """Whether it is there, as far as it can be made, and nobody else may write to it."""
    try:
        make_folder(Path(folder))
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _is_private(found)


def is_private_file(path: str) -> bool:
    """Whether it is there, as far as it can be made, and nobody else may write to it."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and _is_private(found)


def _is_private(found: os.stat_result) -> bool:
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def refuse_special(path: Path) -> None:
    """Stop before a file takes the place of something that is none.

    Raises:
        OSError: it would.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file, and none may take its place", str(path))


def _refuse_links(root: Path, name: str) -> None:
    parts = name.split("/")
    for count in range(1, len(parts)):
        folder = root.joinpath(*parts[:count])
        if folder.is_symlink():
            raise OSError(errno.ELOOP, "it is a symbolic link, which nothing is written through", str(folder))


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
def _draft(path: Path, data: bytes, mode: int | None) -> Iterator[Path]:
    """A synced file with the content, under a name that nobody had; gone afterwards.

    Args:
        mode: None for that of any new file.
    """
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    draft = path.with_name(f".{path.name.lstrip('.')}.{os.urandom(6).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(draft, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
            opened.flush()
            os.fsync(descriptor)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
