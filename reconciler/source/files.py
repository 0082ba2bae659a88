"""Which files hold definitions, and their bytes: from the working tree or from a commit."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha1, sha256
from pathlib import Path
from typing import overload

from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import git, text
from reconciler.source.git import Given, output, start
from reconciler.source.yaml.guard import MAX_BYTES


def list_entries(root: Path, commit: str, paths: Sequence[str]) -> list[tuple[str, str, str]]:
    """(mode, object id, path from `root`) of what is at `paths` of a commit or tree, and below them.

    Raises:
        SourceUnavailable: git refuses.
    """
    listed = output(root, "ls-tree", "-r", "-z", commit, "--", *paths, cannot=f"list {commit[:12]}")
    entries = []
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, oid = about.decode().split(" ")
        entries.append((mode, oid, os.fsdecode(path)))
    return entries


def read_blobs(root: Path, oids: Sequence[str], most: int = MAX_BYTES) -> Iterator[bytes]:
    """Contents of the objects, in their order, streamed; of large ones one byte more than `most`, and not all.

    Raises:
        SourceUnavailable: an object is missing, as it may be in a partial clone: nothing is fetched.
    """
    if not oids:
        return
    feed = os.fsencode("".join(f"{oid}\n" for oid in oids))
    child = start(root, "cat-file", "--batch", "--buffer", given=Given(feed))
    done = False
    try:
        for oid in oids:
            about = child.output.readline().split()
            if len(about) != 3 or about[1] != b"blob":
                hint = "run: git fsck; in a partial clone fetch it first, as with: git fetch --refetch --no-filter"
                raise SourceUnavailable(f"git cannot read object {oid[:12]}", hint=hint)
            size = int(about[2])
            content = child.output.read(min(size, most + 1))
            rest = size - len(content)
            while rest > 0 and (skipped := child.output.read(min(rest, 1 << 20))):
                rest -= len(skipped)
            child.output.read(1)
            yield content
        done = True
    finally:
        child.finish() if done else child.give_up()


FOLDERS = text.FOLDERS
SUFFIXES = (".yaml", ".yml")
_PREFIXES = tuple(f"{folder}/" for folder in FOLDERS)

Content = bytes | Diagnostic
"""The bytes of a file, or why it cannot be read."""


def working_tree(root: Path, folders: Sequence[str] = FOLDERS) -> list[str]:
    """Paths of all files of definitions below `folders` of `root`, and of what is no folder of theirs, sorted."""
    found: list[str] = []
    for folder in folders:
        if os.path.lexists(root / folder) and not is_folder(root / folder):
            found.append(folder)
        else:
            _walk(root, folder, found)
    return sorted(found)


def is_folder(path: Path) -> bool:
    """Whether there is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _walk(root: Path, folder: str, found: list[str]) -> None:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(root / here) as opened:
                entries = [entry for entry in opened if not entry.name.startswith(".") or entry.name == ".git"]
            if any(entry.name == ".git" for entry in entries) and not git.is_tracked(root, here):
                found.append(here)  # a repository of its own
                continue
            for entry in entries:
                path = f"{here}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.name.endswith(SUFFIXES):
                    found.append(path)
        except (FileNotFoundError, NotADirectoryError):
            if here != folder:
                continue
        except OSError as failure:
            raise SourceUnavailable(f"the directory {here} cannot be read: {failure.strerror}") from failure


def read_working_tree(root: Path, paths: Sequence[str]) -> Iterator[Content]:
    """Contents of the files, in the order of `paths`."""
    prefix = f"{root}/"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    for path in paths:
        try:
            descriptor = os.open(prefix + path, flags)
        except OSError as failure:
            yield unreadable(path, "it is a symbolic link" if os.path.islink(prefix + path) else str(failure.strerror))
            continue
        try:
            mode = os.fstat(descriptor).st_mode
            regular = stat.S_ISREG(mode) and path not in FOLDERS
            yield _read(descriptor) if regular else unreadable(path, _what_it_is(mode))
        except OSError as failure:
            yield unreadable(path, str(failure.strerror))
        finally:
            os.close(descriptor)


def _what_it_is(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "it has to be a folder"
    return "it is a repository of its own" if stat.S_ISDIR(mode) else "it is not a regular file"


def _read(descriptor: int) -> bytes:
    """At most one byte more than a file may hold, in as few calls as possible."""
    data = os.read(descriptor, 65536)
    if len(data) < 65536:
        return data
    parts, size = [data], len(data)
    while size <= MAX_BYTES and (data := os.read(descriptor, 1 << 20)):
        parts.append(data)
        size += len(data)
    return b"".join(parts)


def committed(root: Path, commit: str, folders: Sequence[str] = FOLDERS) -> list[tuple[str, str]]:
    """(path, object id, or "" for what is not a file) of all files of definitions in a commit, sorted."""
    return definitions(list_entries(root, commit, folders))


class Listing(Sequence[tuple[str, str]]):
    """What `committed` gives, in less memory.

    Attributes:
        paths: of all files.
    """

    def __init__(self, entries: Iterable[tuple[str, str]], width: int) -> None:
        """Take over paths and ids.

        Args:
            width: of ids, in hexadecimal digits.
        """
        self.paths: list[str] = []
        self._width = width // 2
        self._ids = bytearray()
        for path, oid in entries:
            self.paths.append(path)
            self._ids += bytes.fromhex(oid) if oid else bytes(self._width)

    def __len__(self) -> int:
        """How many files there are."""
        return len(self.paths)

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        """Path and id of a file, or of some."""
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        oid = self._ids[place * self._width : (place + 1) * self._width]
        return self.paths[place], oid.hex() if any(oid) else ""


def committed_at(root: Path, commit: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """What `committed` gives for the files at `paths`, of those that exist."""
    return definitions(list_entries(root, commit, paths)) if paths else []


def definitions(entries: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """(path, object id, or "" for what is not a file) of those entries of a tree that would be read, sorted.

    Where a submodule is, or something else than a folder in the place of one, definitions would be missed.
    """
    found = []
    for mode, oid, path in entries:
        if stands_for_definitions(path, submodule=mode == git.SUBMODULE):
            found.append((path, oid if mode in git.REGULAR and path not in FOLDERS else ""))
    return sorted(found)


def none_at(path: str) -> UsageError:
    """That no definitions are read from a path that somebody gave."""
    hint = "definitions are .yaml and .yml files below connectors/ and policies/"
    if not os.path.lexists(path):
        return UsageError(f"there is no {path}", hint=hint)
    if os.path.isdir(path):
        return UsageError(f"{path} holds no definitions", hint=hint)
    return UsageError(f"{path} is no file of definitions", hint=hint)


def holds_definitions(path: str) -> bool:
    """Whether a file at `path`, from the repository's root, would be read as definitions."""
    return path.startswith(_PREFIXES) and path.endswith(SUFFIXES) and not _hidden(path)


def stands_for_definitions(path: str, *, submodule: bool) -> bool:
    """Whether what is at `path`, in a commit, is read as definitions or is in the way of some."""
    below = path.startswith(_PREFIXES) and not _hidden(path)
    return path in FOLDERS or (below and (submodule or path.endswith(SUFFIXES)))


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def read_committed(root: Path, entries: Sequence[tuple[str, str]]) -> Iterator[Content]:
    """Contents of the files, in the order of `entries`."""
    blobs = read_blobs(root, [oid for _, oid in entries if oid])
    for path, oid in entries:
        yield next(blobs) if oid else unreadable(path, "it is a symbolic link or a submodule")


def unreadable(path: str, reason: str) -> Diagnostic:
    """The diagnostic for a file that cannot be read."""
    return Diagnostic("RC101", f"the file cannot be read: {reason}", Span(path), hint="definitions are regular files")


def blob_id(data: bytes, length: int) -> str:
    """The id that git gives a file's content.

    Args:
        length: of ids in the repository, in hexadecimal digits: 40 or 64.
    """
    hashed = sha1 if length == 40 else sha256  # git's own choice; it proves nothing here
    return hashed(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
