"""What git says of the two folders of definitions: their trees, and the files that differ from them."""

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.core.baseline import Trees, Unprovable
from reconciler.source import files, git

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
