"""Files beside the definitions that change what they do: the project file, programs it names, and files of secrets."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.diff import same
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.kinds.registry import KINDS
from reconciler.source import files, git
from reconciler.source.differing import Difference, files_with
from reconciler.source.project import PROJECT_FILE, parse_project
from reconciler.source.revisions import Revisions

if TYPE_CHECKING:
    from reconciler.source.comparison import PartReader


def settings_changed(
    root: Path, revisions: Revisions, others: Sequence[Difference]
) -> tuple[dict[str, str], list[Diagnostic]]:
    """Changed files that are project settings: the project file, and what it names, each with the setting that does.

    Returns:
        Also the faults of the project file at the head.
    """
    if not others:
        return {}, []
    before, _ = _project(root, revisions.base)
    after, faults = _project(root, revisions.tree)
    paths = {item.path for item in others}
    found = {PROJECT_FILE: ""} if PROJECT_FILE in paths and (before is None or not same(before, after)) else {}
    for project in (before, after):
        for setting, value in _texts(project or {}):
            path = posixpath.normpath(value)
            if path in paths and path != PROJECT_FILE:
                found[path] = setting
    return found, [fault for fault in faults if fault.severity is Severity.ERROR]


def _project(root: Path, tree: str) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """The settings; None where they cannot be read."""
    entries = git.list_entries(root, tree, [PROJECT_FILE])
    if not entries:
        return {}, []
    mode, oid, _ = entries[0]
    if not mode.startswith("100"):
        return None, [files.unreadable(PROJECT_FILE, "it is not a regular file")]
    project, faults = parse_project(next(git.read_blobs(root, [oid])))
    return (None if faults else project), faults


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value.removeprefix("sqlite:")
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _texts(item, path if isinstance(step, int) else f"{path}.{step}".lstrip("."))


def leaned_on(
    root: Path, reader: "PartReader", revisions: Revisions, others: Sequence[Difference]
) -> dict[Key, tuple[str, Resource]]:
    """Connectors with a secret reference to one of the changed files."""
    paths = {item.path for item in others}
    words = sorted({posixpath.basename(path) for path in paths if path != PROJECT_FILE})
    if not words:
        return {}
    found: dict[Key, tuple[str, Resource]] = {}
    for tree in (revisions.base, revisions.tree):
        entries = dict(files.committed_at(root, tree, files_with(root, tree, words, ("connectors",))))
        for content in reader.contents(entries):
            for resource in content.resources:
                leads = sorted(_files_of(resource) & paths)
                if leads:
                    found.setdefault(resource.key, (leads[0], resource))
    return found


def _files_of(resource: Resource) -> frozenset[str]:
    """Files of the repository that its secret references lead to."""
    found = set()
    for field in KINDS[resource.key.kind].secret_fields(resource.content()["spec"]):
        reference: Mapping[str, str] = field.reference
        for target in reference.values():
            found.add(posixpath.normpath(target.partition("#")[0]))
    return frozenset(found)
