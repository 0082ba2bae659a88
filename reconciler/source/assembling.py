"""From what single files hold to a desired state, checked as a whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place, has_errors, sorted_diagnostics
from reconciler.kinds.crosscheck import Clash, by_address, crosscheck
from reconciler.kinds.registry import KINDS
from reconciler.source.documents import FileContent

if TYPE_CHECKING:
    from reconciler.core.model import Coverage


_DOCUMENTS_LOST = frozenset({"RC101", "RC102", "RC103", "RC104", "RC105", "RC106", "RC107", "RC112", "RC114", "RC118"})
"""Faults after which documents of the file may be missing: what they define cannot be called undefined."""


MAX_TOLD = 10_000
"""Diagnostics of files; once there are as many, only the first of each further file is kept."""


def _every(clash: Clash) -> bool:
    return True


def _untested(resources: Mapping[Key, Resource]) -> "tuple[list[Clash], Coverage | None]":
    return [], None


def assemble(
    paths: Sequence[str],
    contents: Iterable[FileContent],
    read_again: Callable[[str], bytes],
    keep: Callable[[Clash], bool] = _every,
    test_access: "Callable[[Mapping[Key, Resource]], tuple[list[Clash], Coverage | None]]" = _untested,
) -> Desired:
    """The desired state that the files make together.

    Args:
        keep: which clashes count; where only a part of the repository is read, some are none.
        test_access: called with what is valid as a whole.
    """
    resources: list[Resource] = []
    diagnostics: list[Diagnostic] = []
    broken: set[Key] = set()
    documents = 0
    for content in contents:
        resources += content.resources
        diagnostics += content.diagnostics if len(diagnostics) < MAX_TOLD else content.diagnostics[:1]
        broken.update(content.broken)
        documents += content.documents
    unread = any(diagnostic.code in _DOCUMENTS_LOST for diagnostic in diagnostics)
    by_key = by_address(resources)
    clashes = crosscheck(resources, by_key, frozenset(broken), keep, complete=not unread)
    diagnostics += _located(clashes, read_again)
    covered = None
    if not has_errors(diagnostics):
        faults, covered = test_access(by_key)
        diagnostics += _located(faults, read_again)
    return Desired(by_key, tuple(paths), documents, tuple(sorted_diagnostics(diagnostics)), covered)


def _located(clashes: Sequence[Clash], read_again: Callable[[str], bytes]) -> Iterator[Diagnostic]:
    """Diagnostics of the clashes; their files are read once more, for positions."""
    if not clashes:
        return
    from reconciler.source.locate import locate
    from reconciler.source.text import SourceText
    from reconciler.source.yaml.loading import load_carefully

    by_file: dict[str, list[Clash]] = {}
    for clash in clashes:
        by_file.setdefault(clash.resource.file, []).append(clash)
    for file, found in by_file.items():
        data = read_again(file)
        loaded = load_carefully(data, file, None)
        if loaded.faults:  # it was read otherwise before: it has changed since
            yield from loaded.faults
        contents = dict(loaded.documents)
        findings = []
        for clash in islice(found, MAX_FAULTS + 1):
            index = clash.resource.document
            path = _path(clash, contents.get(index))
            findings.append(Finding(clash.code, clash.message, Place(index, path), clash.hint))
        yield from locate(SourceText(file, data), loaded.nodes, findings)


def _path(clash: Clash, content: dict[str, dict[str, object]] | None) -> tuple[str | int, ...]:
    if clash.path:
        return clash.path
    if clash.at == "ref" and clash.ref is not None and content is not None:
        for ref in KINDS[clash.resource.key.kind].references(content["spec"]):
            if (ref.kind, ref.name) == clash.ref:
                return ref.path
    return (
        ("spec", "displayName")
        if clash.at == "displayName"
        else ("metadata", clash.at if clash.at != "ref" else "name")
    )
