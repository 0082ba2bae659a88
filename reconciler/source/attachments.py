"""Files beside the definitions that change what they do: the project file, what it names, and files of secrets."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.diff import same
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.kinds.registry import KINDS
from reconciler.source import files, git
from reconciler.source.differing import Difference, files_with
from reconciler.source.leading import Place, folded, moved
from reconciler.source.project import PROJECT_FILE, parse_project

if TYPE_CHECKING:
    from reconciler.source.comparison import PartReader

_LEADING = ("file", "sops", "age", "exec", "plugin")
"""Keys of secret references that lead to files, or may."""
_MAY_LEAD = f"(^|[^a-zA-Z0-9_-])({'|'.join(_LEADING)})([^a-zA-Z0-9_-]|$)"
_NAMES = ("apiVersion", "kind", "owner", "defaultTarget")
"""Settings that hold no path."""
_OWN = ".reconciler"
"""Where the embedded store is, unless the project file says otherwise."""
_APART = re.compile(r"[\s\"'`;:=,&|<>()$#]+")
"""What stands between the words of a command, or in a URL before a path."""
_NO_CASE = "where case does not count, it is read as {}"


class Attached:
    """What changed beside the definitions between a place in one tree and in another."""

    def __init__(self, root: Path, before: Place, after: Place) -> None:
        """Read the project files of both."""
        self._root = root
        self._before, self._after = before, after
        self._project, _ = _project_at(root, before)
        self._next, faults = _project_at(root, after)
        self.faults = [fault for fault in faults if fault.severity is Severity.ERROR]
        """Of the project file after the change."""

    def settings(self, others: Sequence[Difference]) -> dict[str, str]:
        """Files that are project settings and changed, each with the reason, or "" for the project file.

        Args:
            others: the files beside the definitions that differ.
        """
        found: dict[str, str] = {}
        if {item.path for item in others} & {PROJECT_FILE, *_below(others, PROJECT_FILE)} and (
            self._project is None or not same(self._project, self._next)
        ):
            found[PROJECT_FILE] = ""
        named = {_OWN: "the store may be in it"}
        for project in (self._project, self._next):
            for setting, text in _texts({key: value for key, value in (project or {}).items() if key not in _NAMES}):
                for path in _paths_in(text):
                    named.setdefault(path, f"{setting} of the project file leads to it")
        for path in sorted(moved(self._root, self._before, self._after, named)):
            if (name := posixpath.normpath(path)) != PROJECT_FILE:
                found.setdefault(name, named[path])
        return found | dict(_without_case(others))

    def leaned_on(self, reader: "PartReader", tree: str) -> dict[Key, tuple[str, Resource]]:
        """Connectors of `tree` of which a secret reference leads to something else after the change, with its path."""
        likely = frozenset(files_with(self._root, tree, [_MAY_LEAD], ("connectors",)))
        entries = files.committed(self._root, tree, ("connectors",)) if likely else []
        leading = [
            (resource, path)
            for content in reader.contents({name: oid for name, oid in entries if name in likely})
            for resource in content.resources
            for path in self._paths_of(resource)
        ]
        changed = moved(self._root, self._before, self._after, (path for _, path in leading))
        found: dict[Key, tuple[str, Resource]] = {}
        for resource, path in leading:
            if path in changed:
                found.setdefault(resource.key, (posixpath.normpath(path), resource))
        return found

    def _paths_of(self, resource: Resource) -> Iterator[str]:
        """Paths that its secret references lead to, or may."""
        for field in KINDS[resource.key.kind].secret_fields(resource.content()["spec"]):
            reference: Mapping[str, str] = field.reference
            for scheme, target in reference.items():
                if scheme in ("file", "age"):
                    yield target
                elif scheme == "sops":
                    yield target.partition("#")[0]
                elif scheme in _LEADING:
                    helper, _, name = target.partition(":")
                    yield from _paths_in(name)
                    for word in self._words_of(helper) if scheme == "exec" else ():
                        yield from _paths_in(word.replace("{name}", name))

    def _words_of(self, helper: str) -> list[str]:
        """The words of a helper's command that the reference completes."""
        helpers = (self._project or {}).get("secrets", {}).get("helpers", {})
        return [word for word in helpers.get(helper, {}).get("command", ()) if "{name}" in word]


def _project_at(root: Path, place: Place) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """The settings; None where they cannot be read."""
    entries = git.list_entries(root, place.tree, [PROJECT_FILE])
    if not entries:
        return {}, []
    (mode, oid, path), *more = entries
    if more or path != PROJECT_FILE or mode not in git.REGULAR:
        return None, [files.unreadable(PROJECT_FILE, "it is not a regular file")]
    project, faults = parse_project(next(git.read_blobs(root, [oid])))
    return (None if faults else project), faults


def _below(others: Sequence[Difference], folder: str) -> Iterator[str]:
    return (item.path for item in others if item.path.startswith(f"{folder}/"))


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _texts(item, path if isinstance(step, int) else f"{path}.{step}".lstrip("."))


def _paths_in(text: str) -> Iterator[str]:
    """What of a text may be a path: all of it, and its words."""
    yield text
    yield from (word for word in _APART.split(text) if word and word != text)


def _without_case(others: Sequence[Difference]) -> Iterator[tuple[str, str]]:
    """Files that some file systems give for another name: of them one checkout reads what another one does not."""
    for item in others:
        first, slash, rest = item.path.partition("/")
        if slash and files.holds_definitions(f"{folded(first)}/{rest}"):
            yield item.path, _NO_CASE.format("definitions")
        elif not slash and item.path != PROJECT_FILE and folded(first) == PROJECT_FILE:
            yield item.path, _NO_CASE.format("the project file")
