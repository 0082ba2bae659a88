"""Files beside the definitions that change what they do: the project file, what it names, and files of secrets."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.core.diff import same
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.kinds.registry import KINDS
from reconciler.source import files, git
from reconciler.source.bulk import PartReader
from reconciler.source.checkout import rewriting
from reconciler.source.files import list_entries, read_blobs
from reconciler.source.project import PROJECT_FILE, parse_project
from reconciler.source.reach import TreePlace, folded, moved
from reconciler.source.trees import Difference, files_with

_LEADING = ("file", "sops", "age", "exec", "plugin")
"""Keys of secret references that lead to files, or may."""
_MAY_LEAD = f"(^|[^a-zA-Z0-9_-])({'|'.join((*_LEADING, 'contract'))})([^a-zA-Z0-9_-]|$)"
_NAMES = ("apiVersion", "kind", "owner", "defaultTarget", "definedElsewhere")
"""Settings that hold no path."""
_OWN = ".reconciler"
"""Where the embedded store is, unless the project file says otherwise."""
_APART = re.compile(r"[\s\"'`;:=,&|<>()$#]+")
"""What stands between the words of a command, or in a URL before a path."""
_STORES = re.compile(r"\.(store|keyFile)$")
_TAKES_MORE = re.compile(rf"{_STORES.pattern}|\.command$")
"""Settings of which the files are used with others in their folders: keys and journals, and what programs import."""
_MODULE = re.compile(r"\w+(\.\w+)*", re.ASCII)
_NO_CASE = "where case does not count, it is read as {}"


class Attached:
    """What changed beside the definitions between a place in one tree and in another."""

    def __init__(self, root: Path, before: TreePlace, after: TreePlace) -> None:
        """Read the project files of both."""
        self._root = root
        self._before, self._after = before, after
        self._rewriting = rewriting(root, before.tree, after.tree)
        self._project, _ = project_at(root, before)
        self._next, faults = project_at(root, after)
        self.faults = [fault for fault in faults if fault.severity is Severity.ERROR]
        """Of the project file after the change."""
        self.unreadable: list[Diagnostic] = []
        """What is wrong with files of which references may lead to what changed."""

    def settings(self, others: Sequence[Difference]) -> dict[str, str]:
        """Files that are project settings and changed, each with the reason, or "" for what the project file says.

        Args:
            others: the files beside the definitions that differ.
        """
        found: dict[str, str] = {}
        if {item.path for item in others} & {PROJECT_FILE, *_below(others, PROJECT_FILE)} and (
            self._project is None or not same(self._project, self._next)
        ):
            found[PROJECT_FILE] = ""
        elif self._rewrites_project_file():
            found[PROJECT_FILE] = "git writes it otherwise than it keeps it"
        alone: dict[str, str] = {_OWN: "the store may be in it"}
        with_others: dict[str, str] = {}
        for setting, text in self._paths_set():
            into = with_others if _TAKES_MORE.search(setting) and "{name}" not in text else alone
            for path in (*_paths_in(text), *(_modules_in(text) if into is with_others else ())):
                into.setdefault(path, f"{setting} of the project file leads to it")
            found |= _beside(others, text, setting) if _STORES.search(setting) else {}
        whys = {path: alone[path] for path in self._moved(alone)}
        whys |= {path: f"{with_others[path]}, or it lies beside" for path in self._moved(with_others, beside=True)}
        for path, why in sorted(whys.items()):
            if (name := posixpath.normpath(path)) != PROJECT_FILE:
                found.setdefault(name, why)
        return found | dict(_without_case(others))

    def _paths_set(self) -> Iterator[tuple[str, str]]:
        """Settings of both project files, with their texts, which may lead to files."""
        for project in (self._project, self._next):
            yield from _texts({key: value for key, value in (project or {}).items() if key not in _NAMES})

    def _rewrites_project_file(self) -> bool:
        """Whether git writes the project file otherwise in one of the two trees than in the other."""
        path = posixpath.join(self._after.within, PROJECT_FILE)
        one, other = (frozenset[tuple[str, str]]().union(*known.values()) for known in self._rewriting)
        return any(changed == path for changed, _ in one ^ other)

    def _moved(self, paths: Iterable[str], *, beside: bool = False) -> set[str]:
        return moved(self._root, self._before, self._after, paths, self._rewriting, beside=beside)

    def leaned_on(
        self, reader: "PartReader", tree: str, others: Sequence[Difference]
    ) -> dict[Key, tuple[str, Resource]]:
        """Connectors of `tree` of which a secret or the contract is another one after the change, with its path.

        Args:
            others: the files beside the definitions that differ.
        """
        likely = frozenset(files_with(self._root, tree, [_MAY_LEAD], ("connectors",)))
        entries = files.committed(self._root, tree, ("connectors",)) if likely else []
        contents = reader.contents({name: oid for name, oid in entries if name in likely})
        self.unreadable = [
            fault for content in contents for fault in content.diagnostics if fault.severity is Severity.ERROR
        ]
        leading = [
            (resource, path)
            for content in contents
            for resource in content.resources
            for path in self._paths_of(resource)
        ]
        changed = self._moved(path for _, path in leading)
        # a contract is read through no link: one in its place is a change, whatever it leads to
        changed |= {item.path for item in others} & {resource.contract for resource, _ in leading if resource.contract}
        found: dict[Key, tuple[str, Resource]] = {}
        for resource, path in leading:
            if path in changed:
                found.setdefault(resource.key, (posixpath.normpath(path), resource))
        return found

    def _paths_of(self, resource: Resource) -> Iterator[str]:
        """Paths that its secret references lead to, or may; and that of its contract."""
        if resource.contract:
            yield resource.contract
        for field in KINDS[resource.key.kind].secret_fields(resource.content.value["spec"]):
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


def project_at(root: Path, place: TreePlace) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """The settings; None where they cannot be read."""
    entries = list_entries(root, place.tree, [PROJECT_FILE])
    if not entries:
        return {}, []
    (mode, oid, path), *more = entries
    if more or path != PROJECT_FILE or mode not in git.REGULAR:
        return None, [files.unreadable(PROJECT_FILE, "it is not a regular file")]
    project, faults = parse_project(next(read_blobs(root, [oid])))
    return (None if faults else project), faults


def _beside(others: Sequence[Difference], text: str, setting: str) -> dict[str, str]:
    """Files named after a store or a key, as SQLite's own and other keys are, each with the reason."""
    stems = [folded(posixpath.splitext(posixpath.normpath(path))[0]) for path in _paths_in(text.rpartition(":")[2])]
    starts = tuple(f"{stem}{mark}" for stem in stems for mark in (".", "-"))
    why = f"it is named after what {setting} of the project file leads to"
    return {item.path: why for item in others if folded(item.path).startswith(starts)}


def _modules_in(text: str) -> Iterator[str]:
    """Where modules lie that a command may name."""
    for word in _paths_in(text):
        if _MODULE.fullmatch(word):
            yield from (word.replace(".", "/"), f"{word.replace('.', '/')}.py")


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
