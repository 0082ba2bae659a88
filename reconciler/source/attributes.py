"""Attributes that let git write something else into the working tree than it keeps.

Such a file is reviewed in one form and applied in another. Line ends are not meant: YAML takes them all for the same.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import SourceUnavailable
from reconciler.source import files, git
from reconciler.source.leading import Rewriting

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
    below = git.below_top(root) if tree else ""
    if not tree:
        found: Iterable[tuple[str, str]] = _found(root, below, _definitions(below), index="", folder="")
    elif not _has_attributes(root, tree):
        return []
    else:
        found = _at(root, tree, _definitions(below))
    shown = ((path.removeprefix(below), attribute) for path, attribute in found)
    return list(_told((path, attribute) for path, attribute in shown if files.holds_definitions(path)))


def rewriting(root: Path, *trees: str) -> list[Rewriting]:
    """What git rewrites in each of two trees; nothing where the attributes of both are the same.

    Raises:
        SourceUnavailable: git refuses.
    """
    words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", *trees, "--", f":(top,glob)**/{_FILE}")
    changed = _asked(root, *words, magic=True)
    return [_rewriting(root, tree) if changed else {} for tree in trees]


def _rewriting(root: Path, tree: str) -> Rewriting:
    found = _at(root, tree, ["."])
    listed = _asked(root, "ls-tree", "-r", "-t", "-z", "--full-tree", tree) if found else b""
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0")[:-1])
    oids = {os.fsdecode(path): about.split(b" ")[2].decode() for about, _, path in entries}
    told: dict[str, set[tuple[str, str]]] = {}
    for path, attribute in found:
        steps = path.split("/")
        for count in range(1, len(steps) + 1):
            told.setdefault(oids["/".join(steps[:count])], set()).add((path, attribute))
    return {oid: frozenset(attributes) for oid, attributes in told.items()}


def _definitions(below: str) -> list[str]:
    return [f"{below}{name}" for name in files.FOLDERS]


def _at(root: Path, tree: str, folders: Sequence[str]) -> list[tuple[str, str]]:
    """What `_found` finds in a commit or a tree."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        index, empty = f"{folder}/index", f"{folder}/tree"
        os.mkdir(empty)
        _asked(root, "read-tree", tree, index=index)
        return list(_found(root, git.below_top(root), folders, index=index, folder=empty))


def _has_attributes(root: Path, tree: str) -> bool:
    """Whether some file of the tree gives attributes to definitions."""
    below = git.below_top(root)
    parts = below.split("/")[:-1]
    above = ["/".join([*parts[:count], _FILE]) for count in range(len(parts) + 1)]
    folders = [f"{below}{folder}" for folder in files.FOLDERS]
    listed = _asked(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, "--", *above, *folders)
    return f"{_FILE}\0".encode() in listed


def _found(root: Path, below: str, folders: Sequence[str], *, index: str, folder: str) -> Iterator[tuple[str, str]]:
    """Path from the top, and attributes, of each file in some folders that git rewrites."""
    listed = _asked(root, "ls-files", "-z", "--", *folders, CONVERTING, index=index, folder=folder, magic=True)
    if not listed:
        return
    words = ["check-attr", "-z", "--stdin", *(["--cached"] if index else []), *_REWRITING]
    told = _asked(root, *words, index=index, folder=folder, stdin=listed)
    parts = os.fsdecode(told).split("\0")
    for path, name, value in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        if value not in _HARMLESS:
            yield path, name if value == "set" else f"{name}={value}"


def _told(found: Iterable[tuple[str, str]]) -> Iterator[Diagnostic]:
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
