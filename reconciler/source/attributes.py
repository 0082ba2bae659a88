"""Attributes that let git write something else into the working tree than it keeps.

Such a file is reviewed in one form and applied in another. Line ends are not meant: YAML takes them all for the same.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span
from reconciler.source import files, git
from reconciler.source.launching import Child
from reconciler.source.leading import Rewriting

_CONVERTING = ":(exclude,attr:!filter !ident !text !eol !crlf !working-tree-encoding)"
"""Git's pathspec for all files but those of which no attribute says anything of the kind."""
_FILE = ".gitattributes"
_REWRITING = ("filter", "ident", "working-tree-encoding", "eol")
_CANNOT, _HINT = "tell its attributes", "run: git status"
_HARMLESS = ("unspecified", "unset", "lf")


def concerned(root: Path, paths: Sequence[str], given: git.Given = git.NOTHING) -> Child:
    """Start to list, each ended by NUL, the files of the index at `paths` that git may convert by an attribute.

    Raises:
        SourceUnavailable: git is not installed.
    """
    given = replace(given, magic=True)
    return git.start(root, "ls-files", "-z", "--", *paths, _CONVERTING, given=given)


def rewritten(root: Path, listed: bytes) -> list[Diagnostic]:
    """What is wrong with the attributes of the working tree's definitions, a diagnostic for each attribute.

    Args:
        listed: what `concerned` says of them.

    Raises:
        SourceUnavailable: git refuses.
    """
    return _diagnosed(_rewritten_of(root, listed), "")


def rewritten_in(root: Path, tree: str) -> list[Diagnostic]:
    """The same for a commit or a tree.

    Raises:
        SourceUnavailable: git refuses.
    """
    below = git.below_top(root)
    if not _has_attributes(root, tree):
        return []
    return _diagnosed(_at(root, tree, [f"{below}{name}" for name in files.FOLDERS]), below)


def _diagnosed(found: Iterable[tuple[str, str]], below: str) -> list[Diagnostic]:
    shown = ((path.removeprefix(below), attribute) for path, attribute in found)
    return list(_told((path, attribute) for path, attribute in shown if files.holds_definitions(path)))


def rewriting(root: Path, *trees: str) -> list[Rewriting]:
    """What git rewrites in each of two trees; nothing where the attributes of both are the same.

    Raises:
        SourceUnavailable: git refuses.
    """
    words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", *trees, "--", f":(top,glob)**/{_FILE}")
    changed = git.output(root, *words, cannot=_CANNOT, hint=_HINT, given=git.Given(magic=True))
    return [_rewriting(root, tree) if changed else {} for tree in trees]


def _rewriting(root: Path, tree: str) -> Rewriting:
    found = _at(root, tree, ["."])
    if not found:
        return {}
    listed = git.output(root, "ls-tree", "-r", "-t", "-z", "--full-tree", tree, cannot=_CANNOT, hint=_HINT)
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0")[:-1])
    oids = {os.fsdecode(path): about.split(b" ")[2].decode() for about, _, path in entries}
    told: dict[str, set[tuple[str, str]]] = {}
    for path, attribute in found:
        steps = path.split("/")
        for count in range(1, len(steps) + 1):
            told.setdefault(oids["/".join(steps[:count])], set()).add((path, attribute))
    return {oid: frozenset(attributes) for oid, attributes in told.items()}


def _at(root: Path, tree: str, folders: Sequence[str]) -> list[tuple[str, str]]:
    """Path from the top, and attribute, of each file in some folders of a commit or a tree that git rewrites."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        index, empty = f"{folder}/index", f"{folder}/tree"
        os.mkdir(empty)
        git.output(root, "read-tree", tree, cannot=_CANNOT, hint=_HINT, given=git.Given(index=index))
        given = git.Given(index=index, tree=empty)
        listed = concerned(root, folders, given).answer(_CANNOT, _HINT)
        return list(_rewritten_of(root, listed, "--cached", given=given))


def _has_attributes(root: Path, tree: str) -> bool:
    """Whether some file of the tree gives attributes to definitions."""
    below = git.below_top(root)
    parts = below.split("/")[:-1]
    above = ["/".join([*parts[:count], _FILE]) for count in range(len(parts) + 1)]
    folders = [f"{below}{folder}" for folder in files.FOLDERS]
    words = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, "--", *above, *folders)
    listed = git.output(root, *words, cannot=_CANNOT, hint=_HINT)
    return f"{_FILE}\0".encode() in listed


def _rewritten_of(root: Path, listed: bytes, *words: str, given: git.Given = git.NOTHING) -> Iterator[tuple[str, str]]:
    """Path and attribute of those of some files, as `concerned` lists them, that git rewrites.

    Args:
        words: options of git's.
    """
    if not listed:
        return
    asked = ("check-attr", "-z", "--stdin", *words, *_REWRITING)
    told = git.output(root, *asked, cannot=_CANNOT, hint=_HINT, given=replace(given, stdin=listed))
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
