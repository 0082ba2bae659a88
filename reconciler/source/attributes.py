"""Attributes that let git write something else into the working tree than it keeps.

Such a file is reviewed in one form and applied in another. Line ends are not meant: YAML takes them all for the same.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import SourceUnavailable
from reconciler.source import files, git

CONVERTING = ":(exclude,attr:!filter !ident !text !eol !crlf !working-tree-encoding)"
"""Git's pathspec for all files but those of which no attribute says anything of the kind."""
_FILE = ".gitattributes"
_REWRITING = ("filter", "ident", "working-tree-encoding", "eol")
_HARMLESS = ("unspecified", "unset", "lf")


def rewritten(root: Path, tree: str = "") -> list[Diagnostic]:
    """What is wrong with the attributes of definitions, a diagnostic for each attribute.

    Args:
        tree: id of a commit or a tree; "" for the working tree.

    Raises:
        SourceUnavailable: git refuses.
    """
    if not tree:
        return list(_told(root, _found(root, index="", folder="", below="")))
    if not _has_attributes(root, tree):
        return []
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        index, empty = f"{folder}/index", f"{folder}/tree"
        os.mkdir(empty)
        _asked(root, "read-tree", tree, index=index)
        return list(_told(root, _found(root, index=index, folder=empty, below=git.below_top(root))))


def _has_attributes(root: Path, tree: str) -> bool:
    """Whether some file of the tree gives attributes to definitions."""
    below = git.below_top(root)
    parts = below.split("/")[:-1]
    above = ["/".join([*parts[:count], _FILE]) for count in range(len(parts) + 1)]
    folders = [f"{below}{folder}" for folder in files.FOLDERS]
    listed = _asked(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, "--", *above, *folders)
    return f"{_FILE}\0".encode() in listed


def _found(root: Path, *, index: str, folder: str, below: str) -> Iterator[tuple[str, str]]:
    """Path from `root` and attribute of each file of definitions that git rewrites."""
    folders = [f"{below}{name}" for name in files.FOLDERS]
    listed = _asked(root, "ls-files", "-z", "--", *folders, CONVERTING, index=index, folder=folder, magic=True)
    paths = [path for path in listed.split(b"\0") if files.holds_definitions(os.fsdecode(path).removeprefix(below))]
    if not paths:
        return
    words = ["check-attr", "-z", "--stdin", *(["--cached"] if index else []), *_REWRITING]
    told = _asked(root, *words, index=index, folder=folder, stdin=b"\0".join(paths) + b"\0")
    parts = os.fsdecode(told).split("\0")
    for path, name, value in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        if value not in _HARMLESS:
            yield path.removeprefix(below), name if value == "set" else f"{name}={value}"


def _told(root: Path, found: Iterator[tuple[str, str]]) -> Iterator[Diagnostic]:
    by_attribute: dict[str, list[str]] = {}
    for path, attribute in found:
        by_attribute.setdefault(attribute, []).append(path)
    for attribute, paths in sorted(by_attribute.items()):
        more = f", as {len(paths) - 1:,} more" if len(paths) > 1 else ""
        message = f"git writes something else here than it keeps, by the attribute {attribute}{more}"
        hint = "take the attribute from what lies in connectors/ and policies/, in .gitattributes"
        yield Diagnostic("RC116", message, Span(min(paths)), hint=hint)


def _asked(
    root: Path, *words: str, index: str = "", folder: str = "", magic: bool = False, stdin: bytes = b""
) -> bytes:
    code, output, message = git.run(root, *words, index=index, tree=folder, magic=magic, stdin=stdin)
    if code != 0:
        raise SourceUnavailable(f"git cannot tell its attributes: {message}", hint="run: git status")
    return output
