"""Which files of definitions differ between trees and commits, and where something is probably defined."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.core.baseline import Trees, Unprovable
from reconciler.core.model import Key
from reconciler.source import files, git
from reconciler.source.reach import TreePlace

_EMPTY = {40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904", 64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"}  # fmt: skip
"""The tree without files, which every repository knows, by the length of ids."""


def trees_of(root: Path, commit: str) -> Trees:
    """The trees of the folders in a commit.

    Raises:
        Unprovable: a folder is something else there.
    """
    code, output, message = git.run(root, "ls-tree", "-z", commit, "--", *files.FOLDERS)
    if code != 0:
        raise Unprovable(f"git cannot list {commit[:12]}: {message}")
    found = {}
    for entry in output.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, oid = about.decode().split(" ")
        if mode != "040000":
            raise Unprovable(f"{path.decode('utf-8', 'replace')} is not a folder in git")
        found[path.decode()] = oid
    return found.get(files.FOLDERS[0], ""), found.get(files.FOLDERS[1], "")


def changed_between(root: Path, before: Trees, after: Trees) -> dict[str, str]:
    """Files of definitions that differ, with the id of what is there after, or "" for nothing.

    Raises:
        Unprovable: a tree is not in this clone, or something is no regular file.
    """
    found: dict[str, str] = {}
    for folder, old, new in zip(files.FOLDERS, before, after, strict=True):
        if old == new:
            continue
        empty = _EMPTY[len(old or new)]
        code, output, _ = git.run(root, "diff-tree", "-r", "-z", "--no-renames", old or empty, new or empty)
        if code != 0:
            raise Unprovable(f"git no longer has what {folder}/ was at the last apply")
        parts = output.split(b"\0")[:-1]
        for about, name in zip(parts[::2], parts[1::2], strict=True):
            _, mode, _, oid, _ = about.split(b" ")
            path = f"{folder}/{name.decode('utf-8', 'surrogateescape')}"
            if mode.decode() in (git.LINK, git.SUBMODULE):
                raise Unprovable(f"{path} is a link or a submodule")
            if files.holds_definitions(path):
                found[path] = "" if mode == b"000000" else oid.decode()
    return found


def differing(root: Path, paths: Iterable[str]) -> set[str]:
    """The files of definitions among `paths`, which differ from the commit.

    Raises:
        Unprovable: a path holds more than a file.
    """
    found = set()
    if not all(files.is_folder(root / folder) for folder in files.FOLDERS if os.path.lexists(root / folder)):
        raise Unprovable("a folder of definitions is something else")
    for path in paths:
        if path in files.FOLDERS or path.endswith("/") or os.path.isdir(root / path):
            raise Unprovable(f"{path} is a repository of its own, or a link")
        if files.holds_definitions(path):
            found.add(path)
    return found


def present(root: Path, path: str) -> bool:
    """Whether a walk through the working tree would meet a file at `path`."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        if os.path.islink(root.joinpath(*parts[:count])):
            return False
    full = root / path
    return os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full))


_NOTHING = "000000"


class Difference(Struct, frozen=True):
    """A file that differs.

    Attributes:
        before, after: object ids; None for no file, "" for what is not a regular file.
        submodule: whether there is one after.
    """

    path: str
    before: str | None
    after: str | None
    submodule: bool


def differences(root: Path, before: TreePlace, after: TreePlace) -> tuple[list[Difference], bool]:
    """Files below `root` that differ between two trees, whatever they are, by path.

    Returns:
        Also whether there are some elsewhere in the repository.

    Raises:
        SourceUnavailable: git refuses.
    """
    trees = (before.tree, after.tree)
    cannot = f"compare {before.tree[:12]} with {after.tree[:12]}"
    parts = git.output(root, "diff-tree", "-r", "-z", "--no-renames", *trees, cannot=cannot).split(b"\0")[:-1]
    prefix = f"{before.within}/" if before.within else ""
    found, around = [], False
    for about, path in zip(parts[::2], parts[1::2], strict=True):
        old_mode, new_mode, old, new, _ = about.decode().lstrip(":").split(" ")
        name = path.decode("utf-8", "surrogateescape")
        if (old_mode, old) == (new_mode, new):
            continue
        if not name.startswith(prefix):
            around = True
            continue
        item = Difference(
            name[len(prefix) :], _object(old_mode, old), _object(new_mode, new), submodule=new_mode == git.SUBMODULE
        )
        found.append(item)
    return found, around


def names_between(root: Path, before: str, after: str) -> set[str]:
    """Paths from `root` of all files below it that differ between two commits or trees.

    Raises:
        SourceUnavailable: git refuses.
    """
    words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--relative", before, after)
    listed = git.output(root, *words, cannot=f"compare {before[:12]} with {after[:12]}")
    return {os.fsdecode(path) for path in listed.split(b"\0")[:-1]}


def _object(mode: str, oid: str) -> str | None:
    if mode == _NOTHING:
        return None
    return oid if mode in git.REGULAR else ""


def files_with(root: Path, tree: str, words: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Paths of files below `folders` that may hold one of `words`, written out or with YAML's escapes.

    Args:
        words: extended regular expressions of letters, digits and hyphens, which YAML can write in no other way.

    Raises:
        SourceUnavailable: git refuses.
    """
    patterns = "\n".join([*words, r"\\[xuU[:space:]]", r"\\$"])
    words = ("grep", "-l", "-z", "-a", "-E", "-f", "-", tree, "--", *folders)
    found = git.output(root, *words, cannot=f"search {tree[:12]}", most=1, given=git.Given(patterns.encode()))
    return [path.decode("utf-8", "surrogateescape").removeprefix(f"{tree}:") for path in found.split(b"\0")[:-1]]


_MOST = 50


def likely_files(root: Path, keys: Iterable[Key]) -> list[str]:
    """Files that git knows, below connectors/, whose names are like those of what may be defined in them."""
    words = sorted({"categor" if key.kind == "Category" else key.name for key in keys})
    if not words or len(words) > _MOST:
        return []
    found = git.indexed(root, [f":(icase,glob){files.FOLDERS[0]}/**/*{word}*" for word in words])
    return [path for path in found if files.holds_definitions(path)][:_MOST]
