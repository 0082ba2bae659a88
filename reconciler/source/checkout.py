"""How the working tree's files compare with the commit, byte for byte, and what attributes would rewrite."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property, partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import SourceUnavailable
from reconciler.source import files, git
from reconciler.source.files import blob_id
from reconciler.source.process import ChildProcess
from reconciler.source.reach import Rewriting

_CONVERTING = ":(exclude,attr:!filter !ident !text !eol !crlf !working-tree-encoding)"
"""Git's pathspec for all files but those of which no attribute says anything of the kind."""
_FILE = ".gitattributes"
_REWRITING = ("filter", "ident", "working-tree-encoding", "eol")
_ATTRIBUTES_CANNOT, _ATTRIBUTES_HINT = "tell its attributes", "run: git status"
_HARMLESS = ("unspecified", "unset", "lf")


def concerned(root: Path, paths: Sequence[str], given: git.Given = git.NOTHING) -> ChildProcess:
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
    changed = git.output(root, *words, cannot=_ATTRIBUTES_CANNOT, hint=_ATTRIBUTES_HINT, given=git.Given(magic=True))
    return [_rewriting(root, tree) if changed else {} for tree in trees]


def _rewriting(root: Path, tree: str) -> Rewriting:
    found = _at(root, tree, ["."])
    if not found:
        return {}
    listed = git.output(
        root, "ls-tree", "-r", "-t", "-z", "--full-tree", tree, cannot=_ATTRIBUTES_CANNOT, hint=_ATTRIBUTES_HINT
    )
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
        git.output(
            root, "read-tree", tree, cannot=_ATTRIBUTES_CANNOT, hint=_ATTRIBUTES_HINT, given=git.Given(index=index)
        )
        given = git.Given(index=index, tree=empty)
        listed = concerned(root, folders, given).answer(_ATTRIBUTES_CANNOT, _ATTRIBUTES_HINT)
        return list(_rewritten_of(root, listed, "--cached", given=given))


def _has_attributes(root: Path, tree: str) -> bool:
    """Whether some file of the tree gives attributes to definitions."""
    below = git.below_top(root)
    parts = below.split("/")[:-1]
    above = ["/".join([*parts[:count], _FILE]) for count in range(len(parts) + 1)]
    folders = [f"{below}{folder}" for folder in files.FOLDERS]
    words = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, "--", *above, *folders)
    listed = git.output(root, *words, cannot=_ATTRIBUTES_CANNOT, hint=_ATTRIBUTES_HINT)
    return f"{_FILE}\0".encode() in listed


def _rewritten_of(root: Path, listed: bytes, *words: str, given: git.Given = git.NOTHING) -> Iterator[tuple[str, str]]:
    """Path and attribute of those of some files, as `concerned` lists them, that git rewrites.

    Args:
        words: options of git's.
    """
    if not listed:
        return
    asked = ("check-attr", "-z", "--stdin", *words, *_REWRITING)
    told = git.output(
        root, *asked, cannot=_ATTRIBUTES_CANNOT, hint=_ATTRIBUTES_HINT, given=replace(given, stdin=listed)
    )
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
