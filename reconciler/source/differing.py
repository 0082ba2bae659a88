"""Which files of two commits differ, and which files of one hold a word."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.source import git
from reconciler.source.leading import Place

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


def differences(root: Path, before: Place, after: Place) -> tuple[list[Difference], bool]:
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
