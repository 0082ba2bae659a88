"""Where paths lead in a tree of git, as a checkout of it would have them: links are followed, out of folders and into them.

Git's objects are walked, and no text is searched, so that neither the name of a file nor the way to it can hide that
a path leads to it. Names that some file systems take for one, as they differ in case or in Unicode form alone, count
as one.
"""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from msgspec import Struct

from reconciler.errors import SourceUnavailable
from reconciler.source import git

_FOLDER, _LINK, _SUBMODULE = b"40000", git.LINK.encode(), git.SUBMODULE.encode()
_MOST_STEPS, _TURN = 2_000, 20
"""Of one path, and how many of them a link counts for: no system opens a file that is farther away."""

_MOST_BYTES = 256 * 1024 * 1024
"""Of a folder, which is a million files at least; no system has a link of that length."""

Entries = dict[str, list[tuple[bytes, str]]]
"""Mode and object id of the entries of a folder, by `folded` name."""
Folders = list[tuple[str, str]]
"""`folded` name and object id of a folder and of those it lies in, the top first."""
Rewriting = Mapping[str, frozenset[tuple[str, str]]]
"""Path and attribute of what git writes otherwise than it keeps it, by the ids of the files and of the folders above."""
Walk = Generator[str, bytes, None]
"""Asks for objects by their ids."""


class TreePlace(Struct, frozen=True):
    """A folder of a checkout, in a tree.

    Attributes:
        tree: id of the tree of the whole repository.
        within: the folder's path in it; "" for the top.
        top: where the repository is checked out.
    """

    tree: str
    within: str
    top: str


def places(root: Path, trees: Sequence[str]) -> list[TreePlace]:
    """`root` in each of the commits or trees.

    Raises:
        SourceUnavailable: git refuses.
    """
    found = git.output(root, "rev-parse", *(f"{tree}^{{tree}}" for tree in trees), cannot="find what is compared")
    within, top = git.below_top(root).rstrip("/"), str(git.top_of(root) or root)
    return [TreePlace(tree, within, top) for tree in found.decode().split()]


def folded(name: str) -> str:
    """What names have in common that a file system may take for the same."""
    return name.casefold() if name.isascii() else normalize("NFC", normalize("NFC", name).casefold())


def moved(
    root: Path,
    before: TreePlace,
    after: TreePlace,
    paths: Iterable[str],
    rewriting: Sequence[Rewriting],
    *,
    beside: bool = False,
) -> set[str]:
    """Those of `paths`, from the place, that lead to something else in one of the two trees than in the other.

    Args:
        rewriting: what git rewrites in each of the two.
        beside: whether what lies in the same folder counts as well, unless that is the place, or around it.

    Raises:
        SourceUnavailable: an object is missing.
    """
    wanted = sorted(set(paths))
    reader = _Reader(root, beside=beside)
    ends = [reader.ends(place, wanted, known) for place, known in zip((before, after), rewriting, strict=True)]
    return {path for path, one, other in zip(wanted, *ends, strict=True) if one is None or one != other}


class _Reader:
    """Reads objects as walks ask for them, those of all walks at once."""

    def __init__(self, root: Path, *, beside: bool) -> None:
        self._root = root
        self._beside = beside
        self._objects: dict[str, bytes] = {}

    def ends(self, place: TreePlace, paths: Sequence[str], rewriting: Rewriting) -> list[object]:
        """Where each path ends, with what git makes of it there; None where that is too far away."""
        walkers = [_Walker(place, beside=self._beside) for _ in paths]
        walks = [walker.walk(path) for walker, path in zip(walkers, paths, strict=True)]
        asking: list[tuple[Walk, str]] = []
        for walk in walks:
            asking += self._asked(walk, None)
        while asking:
            missing = list(dict.fromkeys(oid for _, oid in asking if oid not in self._objects))
            self._objects.update(zip(missing, _read(self._root, missing), strict=True))
            waiting, asking = asking, []
            for walk, oid in waiting:
                asking += self._asked(walk, self._objects[oid])
        return [
            None if walker.steps > _MOST_STEPS else {(*end, rewriting.get(end[1])) for end in walker.ends}
            for walker in walkers
        ]

    def _asked(self, walk: Walk, given: bytes | None) -> list[tuple[Walk, str]]:
        """What the walk asks for next that was not read yet."""
        try:
            oid = next(walk) if given is None else walk.send(given)
            while oid in self._objects:
                oid = walk.send(self._objects[oid])
        except StopIteration:
            return []
        return [(walk, oid)]


def _read(root: Path, oids: Sequence[str]) -> Iterator[bytes]:
    """Folders, and where links lead, in their order.

    Raises:
        SourceUnavailable: one is missing, or there is too much of it.
    """
    feed = git.Given("".join(f"{oid}\n" for oid in oids).encode())
    child = git.start(root, "cat-file", "--batch", "--buffer", given=feed)
    done = False
    try:
        for oid in oids:
            about = child.output.readline().split()
            if len(about) != 3 or int(about[2]) > _MOST_BYTES:
                raise SourceUnavailable(f"git cannot read object {oid[:12]}", hint="run: git fsck")
            yield child.output.read(int(about[2]) + 1)[:-1]
        done = True
    finally:
        child.finish() if done else child.give_up()


class _Walker:
    """Follows one path, which may lead to several ends.

    Attributes:
        ends: what was found: what it is, and its id or path.
        steps: how many were gone.
    """

    def __init__(self, place: TreePlace, *, beside: bool) -> None:
        self._place = place
        self._beside = beside
        self._around = [folded(name) for name in place.within.split("/") if name]
        self._width = len(place.tree) // 2
        self.ends: set[tuple[str, str]] = set()
        self.steps = 0

    def walk(self, path: str) -> Walk:
        """Follow a path from the place."""
        start = [("", self._place.tree)]
        if path.startswith("/"):
            yield from self._outside(path)
        else:
            yield from self._on(start, [*reversed(path.split("/")), *reversed(self._place.within.split("/"))])

    def _on(self, folders: Folders, rest: list[str]) -> Walk:
        """Go on from the last of the folders; the next name is the last of `rest`."""
        while rest:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                return
            name = rest.pop()
            if name in ("", "."):
                continue
            if name == "..":
                folders.pop()
                if not folders:
                    yield from self._outside("/".join((self._place.top, "..", *reversed(rest))))
                    return
                continue
            entries = _entries((yield folders[-1][1]), self._width)
            found = entries.get(folded(name), [])
            if not found:
                self._end(folders, "nothing", "")
                return
            for mode, oid in found[1:]:
                yield from self._into(mode, (folded(name), oid), list(folders), list(rest))
            mode, oid = found[0]
            if mode != _FOLDER:
                yield from self._into(mode, (folded(name), oid), folders, rest)
                return
            folders.append((folded(name), oid))
        self._add_folder(folders)

    def _end(self, folders: Folders, what: str, oid: str) -> None:
        """Note what was found in the last of the folders."""
        self.ends.add((what, oid))
        if self._beside:
            self._add_folder(folders)

    def _add_folder(self, folders: Folders) -> None:
        """Note a folder, unless it is the place itself, or around it, and so names nothing."""
        names = [name for name, _ in folders[1:]]
        if names != self._around[: len(names)]:
            self.ends.add(("folder", folders[-1][1]))

    def _into(self, mode: bytes, entry: tuple[str, str], folders: Folders, rest: list[str]) -> Walk:
        self.steps += _TURN
        oid = entry[1]
        if mode == _FOLDER:
            yield from self._on([*folders, entry], rest)
        elif mode == _LINK:
            target = (yield oid).decode("utf-8", "surrogateescape")
            if target.startswith("/"):
                yield from self._outside("/".join((target, *reversed(rest))))
            else:
                yield from self._on(folders, [*rest, *reversed(target.split("/"))])
        elif mode == _SUBMODULE or not any(name not in ("", ".") for name in rest):
            self._end(folders, mode.decode(), oid)
        else:
            self._end(folders, "nothing", "")

    def _outside(self, path: str) -> Walk:
        """What lies outside is not git's, unless the path comes back."""
        full = os.path.normpath("/" + path.lstrip("/"))
        inside = os.path.normpath(self._place.top)
        if full == inside or not full.startswith(inside + "/"):
            self.ends.add(("outside", full))
            return
        self.steps += _TURN
        yield from self._on([("", self._place.tree)], list(reversed(full[len(inside) + 1 :].split("/"))))


def _entries(data: bytes, width: int) -> Entries:
    """The entries of a tree object: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_tree_objects."""
    found: Entries = {}
    at = 0
    while at < len(data):
        space, end = data.index(b" ", at), data.index(b"\0", at)
        name = data[space + 1 : end].decode("utf-8", "surrogateescape")
        oid = data[end + 1 : end + 1 + width].hex()
        found.setdefault(folded(name), []).append((data[at:space], oid))
        at = end + 1 + width
    return found
