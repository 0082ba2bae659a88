"""How the working tree's files compare with the commit that is checked out, byte for byte.

Git's status compares what a filter makes of a file, leaves out files that an index flag hides, and goes by what it
noted of a file when it wrote it. So its word is taken for those files alone that nothing of this kind concerns; the
others are read and compared here. The cost: two more questions to git, and one read for each file of that kind.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, partial
from pathlib import Path

from msgspec import Struct

from reconciler.errors import SourceUnavailable
from reconciler.source import files, git
from reconciler.source.attributes import concerned
from reconciler.source.blobs import blob_id

_STATUS = ("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")  # fmt: skip

_CANNOT, _HINT = "tell what differs from the commit", "run: git status"


class _Entry(Struct, frozen=True):
    """A file of the index."""

    tag: str
    mode: str
    oid: str
    path: str


class Checkout:
    """The files at `paths` of the working tree that `root` lies in."""

    def __init__(self, root: Path, paths: Sequence[str] = files.FOLDERS, *, ignored: bool = True) -> None:
        """Ask nothing yet.

        Args:
            paths: from `root`.
            ignored: whether files that git ignores count, of those that are read as all are.
        """
        self._ignored = ignored
        self._root = root
        self._paths = tuple(paths)

    @cached_property
    def differing(self) -> frozenset[str]:
        """Paths from `root` of all that is not as in the commit.

        A path that ends with a slash is a repository of its own.

        Raises:
            SourceUnavailable: git refuses, or the checkout leaves out what the commit holds.
        """
        filters, converts = self._conversions()
        ignored = f"--ignored={'traditional' if self._ignored else 'no'}"
        status = git.start(self._root, *_STATUS, ignored, "--", *self._paths, given=git.Given(settings=filters))
        entries = self._special(everything=converts)
        output = status.answer(_CANNOT, _HINT)
        below = git.below_top(self._root)
        told = [(entry[:2], entry[3:].removeprefix(below)) for entry in os.fsdecode(output).split("\0")[:-1]]
        found = {
            path
            for state, path in told
            if state != "!!" or path.endswith("/") or (path in files.FOLDERS or files.holds_definitions(path))
        }
        found.update(self._unlike(entry for entry in entries if entry.path not in found))
        return frozenset(found)

    def submodules(self) -> list[str]:
        """Paths from `root` of the submodules in the index.

        Raises:
            SourceUnavailable: see `differing`.
        """
        return [entry.path for entry in self._special(everything=False) if entry.mode == git.SUBMODULE]

    @property
    def concerned(self) -> bytes:
        """What `attributes.concerned` says of the files."""
        return self._listed[1]

    @cached_property
    def _listed(self) -> tuple[bytes, bytes]:
        """All files of the index with their flags, modes and ids, and paths of those that an attribute concerns."""
        listing = git.start(self._root, "ls-files", "-v", "-s", "-z", "--", *self._paths)
        converted = concerned(self._root, self._paths)
        return listing.answer(_CANNOT, _HINT), converted.answer(_CANNOT, _HINT)

    def _conversions(self) -> tuple[dict[str, str], bool]:
        """What takes git's filters out of its hands, and whether it may convert any file's line ends."""
        pattern = r"^(filter\..*\.(clean|smudge|process)|core\.autocrlf)$"
        output = git.output(self._root, "config", "-z", "--get-regexp", pattern, cannot="read its settings", most=1)
        off, converts = dict[str, str](), False
        for entry in os.fsdecode(output).split("\0")[:-1]:
            key, given, value = entry.partition("\n")
            if key == "core.autocrlf":
                converts = not given or value.lower() not in ("false", "no", "off", "0", "")
                continue
            name = key.rpartition(".")[0]
            off |= {f"{name}.clean": "", f"{name}.smudge": "", f"{name}.process": "", f"{name}.required": "false"}
        return off, converts

    def _special(self, *, everything: bool) -> list[_Entry]:
        """Files of the index whose status git does not go by their bytes for.

        Args:
            everything: whether that concerns all of them.

        Raises:
            SourceUnavailable: git refuses, or one is not there and git was told not to miss it.
        """
        listed, converted = self._listed
        paths = set(os.fsdecode(converted).split("\0")[:-1])
        if not everything and not paths and _is_plain(listed):
            return []
        found = []
        for entry in _entries(listed):
            hidden = entry.tag not in ("H", "M")
            if hidden and files.holds_definitions(entry.path) and not os.path.lexists(self._root / entry.path):
                raise SourceUnavailable(
                    f"this checkout leaves out {entry.path}, which the commit holds",
                    hint="run: git sparse-checkout disable, and: git update-index --no-skip-worktree "
                    f"--no-assume-unchanged {entry.path}; or read the commit, with --ref HEAD",
                )
            if everything or hidden or entry.path in paths or not entry.mode.startswith("100"):
                found.append(entry)
        return found

    def _unlike(self, entries: Iterator[_Entry]) -> Iterator[str]:
        """Paths of the files that do not hold just what the index says."""
        compared = []
        straight = cache(partial(_is_straight, self._root))
        for entry in entries:
            if not straight(os.path.dirname(entry.path)):
                yield entry.path  # what is there lies somewhere else
            elif entry.mode == git.LINK and not os.path.islink(self._root / entry.path):
                yield entry.path  # git wrote a file instead
            elif entry.mode in git.REGULAR:
                compared.append(entry)
        contents = files.read_working_tree(self._root, [entry.path for entry in compared])
        for entry, content in zip(compared, contents, strict=True):
            if not isinstance(content, bytes) or blob_id(content, len(entry.oid)) != entry.oid:
                yield entry.path


def _is_straight(root: Path, folder: str) -> bool:
    """Whether no link is on the way from `root`."""
    return not folder or (not os.path.islink(root / folder) and _is_straight(root, os.path.dirname(folder)))


def _is_plain(listed: bytes) -> bool:
    """Whether all are regular files with no flag, told without taking the list apart."""
    return not listed or (listed.startswith(b"H 100") and listed.count(b"\0H 100") == listed.count(b"\0") - 1)


def _entries(listed: bytes) -> Iterator[_Entry]:
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        tag, mode, oid, _ = about.decode().split(" ")
        yield _Entry(tag, mode, oid, os.fsdecode(path))
