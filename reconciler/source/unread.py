"""Definitions that are not read: beside the folders, in hidden ones, or under a name that does not end as it has to.

Whoever put one there believes that it counts, so it is told; and a record is not deleted for being defined there.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.diagnostics import Diagnostic, Span
from reconciler.kinds.registry import KINDS
from reconciler.source import files, git
from reconciler.source import text as places
from reconciler.source.files import list_entries, read_blobs
from reconciler.source.yaml.loader import fast_parser, load

_NAME = re.compile(r"\.(ya?ml|json)(?![a-z0-9])", re.IGNORECASE)
"""In the names that people give to what holds a definition, such as crm.YAML, crm.yaml.bak and crm.json."""
_MARK = b"reconciler/v1"
_ESCAPED = b"reconciler\\/v1"
"""As some programs write it in JSON."""
_NAMED = re.compile(r"name[\"']?: ?[\"']?([a-z0-9-]{1,63})")
_BELOW = tuple(f"{folder}/" for folder in files.FOLDERS)
_MOST_KEYS = 1000
_OTHERS = frozenset({"node_modules", "__pycache__"})
"""Folders of what others made."""
_MOST = 100_000
"""So many names are looked at; a tree with more of them holds something else."""


class Unread(Struct, frozen=True):
    """A file with definitions that is not read."""

    path: str
    keys: tuple[Key, ...]


def unread(root: Path, commit: str = "") -> Iterator[Unread]:
    """The files with definitions that are not read, of a commit or of the working tree, by path.

    Raises:
        SourceUnavailable: git refuses.
    """
    contents = _committed(root, commit) if commit else _present(root)
    for path, data in contents:
        keys = _defined(path, data) if _MARK in data or _ESCAPED in data else None
        if keys is not None:
            yield Unread(path, keys)


def warnings(found: Iterable[Unread]) -> list[Diagnostic]:
    """What is told of them."""
    return [
        Diagnostic("RC117", "this defines something, and is not read", Span(item.path), hint=_hint(item))
        for item in found
    ]


def _hint(item: Unread) -> str:
    words = {KINDS[key.kind].directory for key in item.keys}
    folder = words.pop() if len(words) == 1 else "connectors"
    return f"move it below {folder}/ under a name that ends with .yaml, or take out apiVersion"


def _present(root: Path) -> Iterator[tuple[str, bytes]]:
    paths = sorted(_names(root))
    for path, content in zip(paths, files.read_working_tree(root, paths), strict=True):
        if isinstance(content, bytes):
            yield path, content


def _names(root: Path) -> Iterator[str]:
    waiting, left = [""], _MOST
    while waiting and left > 0:
        here = waiting.pop()
        is_read = files.holds_definitions(f"{here}/x.yaml")
        try:
            with os.scandir(root / here) as opened:
                entries = list(opened)
        except OSError:
            continue
        left -= len(entries)
        names = {entry.name for entry in entries}
        if here and (names & {".git", "pyvenv.cfg", places.PROJECT_FILE} or names.issuperset(files.FOLDERS)):
            continue  # a repository or an environment of its own
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_read and not is_folder and entry.name.endswith(files.SUFFIXES) and entry.name[0] != ".":
                continue  # most of all, which need no further look
            path = f"{here}/{entry.name}".lstrip("/")
            if is_folder:
                if entry.name not in _OTHERS and path not in (".git", ".reconciler"):
                    waiting.append(path)
            elif _may_define(path):
                yield path


def _committed(root: Path, commit: str) -> Iterator[tuple[str, bytes]]:
    entries = [
        (path, oid)
        for mode, oid, path in list_entries(root, commit, ["."])
        if mode in git.REGULAR and _may_define(path) and _OTHERS.isdisjoint(path.split("/"))
    ]
    entries = _of_this_repository(sorted(entries))[:_MOST]
    yield from zip((path for path, _ in entries), read_blobs(root, [oid for _, oid in entries]), strict=True)


def _of_this_repository(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without those of configuration repositories that lie in this one."""
    others = {path.removesuffix(places.PROJECT_FILE) for path, _ in entries if path.endswith(f"/{places.PROJECT_FILE}")}
    return [entry for entry in entries if not any(entry[0].startswith(other) for other in others)]


def _may_define(path: str) -> bool:
    """Whether the name says so; whatever lies below the folders may."""
    named = path.startswith(_BELOW) or _NAME.search(path.rpartition("/")[2])
    return bool(named) and not files.holds_definitions(path) and path != places.PROJECT_FILE


def _defined(path: str, data: bytes) -> tuple[Key, ...] | None:
    """What a file defines, or may define where it cannot be read; None where it is none of ours."""
    loaded = load(data, path, fast_parser())
    if loaded.faults:
        if not _NAME.search(path.rpartition("/")[2]):
            return None  # a text that speaks of definitions
        text = data.decode("utf-8", "replace")
        kinds = [kind for kind in KINDS if kind in text]
        return tuple(Key(kind, name) for name in sorted(set(_NAMED.findall(text)))[:_MOST_KEYS] for kind in kinds)
    keys = []
    for _, document in loaded.documents:
        kind, metadata = document.get("kind"), document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if document.get("apiVersion") == _MARK.decode() and kind in KINDS and isinstance(name, str):
            keys.append(Key(kind, name))
    return tuple(keys) or None
