"""Reading two revisions in proportion to what differs: the files that changed, policies/, and what these refer to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.core.verdicts import Comparison, Side
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.kinds.crosscheck import Clash
from reconciler.source import files
from reconciler.source.attachments import Attached, project_at
from reconciler.source.bulk import PartReader
from reconciler.source.checkout import rewritten_in
from reconciler.source.commits import Revisions
from reconciler.source.contracts import ContractSource, ReadContract
from reconciler.source.documents import locate_clashes
from reconciler.source.elsewhere import Elsewhere
from reconciler.source.reach import places
from reconciler.source.trees import Difference, differences, files_with, likely_files

_FAR = ("RC301", "RC603")  # about other resources, which may stand in files that are not read
_MAX_WORDS = 1000


def compare(root: Path, revisions: Revisions, read_contract: ReadContract) -> Comparison:
    """What differs between the two, with all policies of both.

    Args:
        read_contract: makes contracts of the documents that connectors are held against.

    Raises:
        SourceUnavailable: git refuses, or an object is missing.
    """
    here, there = places(root, (revisions.base, revisions.tree))
    found, around = differences(root, here, there)
    definitions, others = _apart(found)
    reader = PartReader(root)
    before = _read_base(reader, revisions.base, definitions)
    after = _read_head(reader, revisions.tree, definitions, before)
    settings, attached, faults = {}, {}, rewritten_in(root, revisions.tree)
    if others or around:
        beside = Attached(root, here, there)
        faults += beside.faults
        settings = beside.settings(others)
        attached = {} if before.faults or after.faults else beside.leaned_on(reader, revisions.base, others)
        before = Side(before.changed, before.policies, (*before.faults, *beside.unreadable))
    faults = [*faults, *_disagreements(ContractSource(root, revisions.tree, read_contract), after, before, attached)]
    after = Side(after.changed, after.policies, (*after.faults, *faults))
    return Comparison(revisions.base, revisions.head, revisions.merged, before, after, settings, attached)


def _disagreements(
    source: ContractSource, after: Side, before: Side, attached: Mapping[Key, tuple[str, Resource]]
) -> Iterator[Diagnostic]:
    """The errors of connectors beside their contracts, where one of the two has changed."""
    if after.faults:
        return
    gone = before.changed.keys() - after.changed.keys()
    leaning = {key: resource for key, (_, resource) in attached.items() if key not in gone}
    clashes = source.clashes({**leaning, **after.changed}.values())
    yield from (found for found in locate_clashes(clashes, source.definition) if found.severity is Severity.ERROR)


def _apart(found: Iterable[Difference]) -> tuple[list[Difference], list[Difference]]:
    """What is read as definitions or is in their way, and what lies beside."""
    definitions: list[Difference] = []
    others: list[Difference] = []
    for item in found:
        stands = files.stands_for_definitions(item.path, submodule=item.submodule)
        (definitions if stands else others).append(item)
    return definitions, others


def connectors(root: Path, tree: str) -> Iterator[Resource]:
    """Connectors and categories of a commit or a tree, without what is not valid."""
    entries = dict(files.committed(root, tree, ("connectors",)))
    for content in PartReader(root).contents(entries):
        yield from content.resources


def _read_base(reader: PartReader, commit: str, definitions: Sequence[Difference]) -> Side:
    own = {item.path: item.before for item in definitions if item.before is not None}
    entries = {**own, **dict(files.committed(reader.root, commit, ("policies",)))}
    return _side(reader.load(dict(sorted(entries.items())), lambda clash: clash.code not in _FAR), own)


def _read_head(reader: PartReader, tree: str, definitions: Sequence[Difference], before: Side) -> Side:
    own = {item.path: item.after for item in definitions if item.after is not None}
    entries = {**own, **dict(files.committed(reader.root, tree, ("policies",)))}
    resources = [resource for content in reader.contents(entries) for resource in content.resources]
    after = {resource.key: resource for resource in resources if resource.file in own}
    gone = before.changed.keys() - after.keys()
    missing = {ref for resource in after.values() for ref in resource.refs} - {item.key for item in resources} - gone
    likely = dict(files.committed_at(reader.root, tree, likely_files(reader.root, missing)))
    resources += [resource for content in reader.contents(likely) for resource in content.resources]
    further = _further(reader.root, tree, _words(resources, before.changed, after, gone))
    entries = {**dict(further), **likely, **entries}

    elsewhere = Elsewhere(lambda: _project_at(reader.root, tree))

    def keep(clash: Clash) -> bool:
        """Of files that are only read beside, what they refer to was not read."""
        if not elsewhere.counts(clash):
            return False
        return clash.code not in _FAR or clash.resource.file in own or clash.ref in gone

    return _side(reader.load(dict(sorted(entries.items())), keep), own)


def _project_at(root: Path, tree: str) -> dict[str, Any]:
    """The settings in a commit or tree; none where they cannot be read."""
    here, _ = places(root, (tree, tree))
    return project_at(root, here)[0] or {}


def _words(
    read: Iterable[Resource], before: Mapping[Key, Resource], after: Mapping[Key, Resource], gone: Iterable[Key]
) -> list[str]:
    """What other files have to hold to be of concern: names that come or go, and kinds that are referred to."""
    known = {resource.key for resource in read}
    words = {key.name for key in gone} | {key.name for key in after if key not in before}
    for key, resource in after.items():
        words.update(resource.previously if key not in before or before[key].previously != resource.previously else ())
        words.update(ref.kind for ref in resource.refs if ref not in known)
    return sorted(words)


def _further(root: Path, tree: str, words: Sequence[str]) -> list[tuple[str, str]]:
    if not words:
        return []
    if len(words) > _MAX_WORDS:
        return files.committed(root, tree)
    paths = files_with(root, tree, words, files.FOLDERS)
    return files.committed_at(root, tree, paths) if len(paths) <= _MAX_WORDS else files.committed(root, tree)


def _side(desired: Desired, own: Mapping[str, str]) -> Side:
    faults: tuple[Diagnostic, ...] = tuple(found for found in desired.diagnostics if found.severity is Severity.ERROR)
    return Side(
        {key: resource for key, resource in desired.resources.items() if resource.file in own},
        {key: resource for key, resource in desired.resources.items() if key.kind in ("Group", "PermissionPolicy")},
        faults,
    )
