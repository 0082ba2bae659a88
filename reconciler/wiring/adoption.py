"""From what drifted to files: edited, checked all together, then written or committed."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.diff import Path as FieldPath
from reconciler.core.drift import Adoption, AdoptionRefusal, Conflict, Deed, DriftOfAll
from reconciler.core.model import Key
from reconciler.core.ports.source import Desired
from reconciler.core.ports.store import Store
from reconciler.diagnostics import Diagnostic, Finding, Place, Span, has_errors
from reconciler.durable import replace_files
from reconciler.errors import RecordConflict
from reconciler.kinds.registry import KINDS
from reconciler.services.adoption import AdoptOptions, find_drift
from reconciler.settings import Settings
from reconciler.source import commits, files, git
from reconciler.source.documents import DocumentReader
from reconciler.source.edits import DefinitionWriter, edit_file
from reconciler.source.repository import Extent, RepositorySource
from reconciler.wiring.contracts import read_contract
from reconciler.wiring.run import now, open_state
from reconciler.wiring.stores import known_secrets


class PreparedAdoption(Struct, frozen=True):
    """What is to be written.

    Attributes:
        drifted: without what turned out not to be editable, which is among its refusals.
        before, after: content by path of each file that changes; None where there is no file.
        faults: why the definitions would not be valid after it; then nothing may be written.
        files: where each adopted record stands.
    """

    drifted: DriftOfAll
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes | None]
    faults: tuple[Diagnostic, ...]
    files: Mapping[Key, str]


def start_of_branch(root: Path, branch: str) -> str:
    """The commit that a new branch starts from.

    Raises:
        UsageError: there cannot be a new branch of this name.
    """
    commits.refuse_branch(root, branch)
    return git.head(root)


def drift_of(settings: Settings, desired: Desired, store: Store, keys: frozenset[Key], *, theirs: bool) -> DriftOfAll:
    """Drift; see `find_drift`.

    Raises:
        UsageError: something is named that neither git nor the store has.
    """
    options = AdoptOptions(settings.owner, keys, theirs, now())
    writer = DefinitionWriter(options.now)
    return find_drift(desired, store, open_state(settings, os.environ).history(), writer, known_secrets(store), options)


def prepare(root: Path, ref: str, desired: Desired, drifted: DriftOfAll) -> PreparedAdoption:
    """Edit the definitions in memory, and check everything together as `validate` would."""
    source = RepositorySource(root, ref, now())
    reader = DocumentReader(now())
    before: dict[str, bytes | None] = {}
    after: dict[str, bytes | None] = {}
    refusals = list(drifted.refusals)
    for file, adoptions in _by_file(drifted.adoptions).items():
        data = source.read(file)
        wanted = [(adoption.resource, adoption.content) for adoption in adoptions if adoption.resource]
        here = [resource for resource in desired.resources.values() if resource.file == file]
        edited = edit_file(data, wanted, here, reader)
        refusals += [
            AdoptionRefusal(item.resource.key, item.message, item.hint, span=item.span) for item in edited.refused
        ]
        if edited.data != data:
            before[file], after[file] = data, edited.data
    places = {adoption.key: adoption.resource.file for adoption in drifted.adoptions if adoption.resource}
    for adoption in drifted.adoptions:
        if adoption.definition is not None:
            path = places[adoption.key] = _new_path(root, adoption, {*desired.files, *after})
            before[path], after[path] = None, adoption.definition.text.encode()
    gone = {refusal.key for refusal in refusals}
    left = tuple(adoption for adoption in drifted.adoptions if adoption.key not in gone)
    checked = (
        RepositorySource(root, ref, now(), Extent(edited=after, read_contract=read_contract)).load()
        if after
        else desired
    )
    faults = checked.diagnostics if has_errors(list(checked.diagnostics)) else ()
    return PreparedAdoption(replace(drifted, adoptions=left, refusals=tuple(refusals)), before, after, faults, places)


def _by_file(adoptions: Iterable[Adoption]) -> dict[str, list[Adoption]]:
    found: dict[str, list[Adoption]] = {}
    for adoption in adoptions:
        if adoption.deed is not Deed.CREATE and adoption.resource is not None:
            found.setdefault(adoption.resource.file, []).append(adoption)
    return found


def _new_path(root: Path, adoption: Adoption, taken: set[str]) -> str:
    """A file that nothing is in yet."""
    kind, name = KINDS[adoption.key.kind], adoption.key.name
    number, stem = 1, name
    while f"{kind.directory}/{stem}.yaml" in taken or (root / kind.directory / f"{stem}.yaml").exists():
        stem = f"{name}-{kind.word}" if number == 1 else f"{name}-{kind.word}-{number}"
        number += 1
    return f"{kind.directory}/{stem}.yaml"


def write(root: Path, prepared: PreparedAdoption) -> None:
    """Replace the files of the working tree.

    Raises:
        RecordConflict: one was changed meanwhile; nothing was written.
    """
    for path, data in prepared.before.items():
        there = next(files.read_working_tree(root, [path])) if (root / path).exists() else None
        if there != data:
            raise RecordConflict(f"{path} was changed meanwhile; nothing was written", hint="run the command again")
    replace_files(root, prepared.after)


def commit(root: Path, parent: str, branch: str, prepared: PreparedAdoption, message: str) -> str:
    """Commit the files to a new branch; returns the commit's id.

    Raises:
        SourceUnavailable: git refuses.
    """
    return commits.commit_files(root, parent, branch, prepared.after, message)


def places_of(root: Path, ref: str, conflicts: Sequence[Conflict]) -> dict[tuple[Key, FieldPath], Span]:
    """Where in git the fields of conflicts stand, or what is nearest to them."""
    source = RepositorySource(root, ref)
    found: dict[tuple[Key, FieldPath], Span] = {}
    for file in sorted({conflict.resource.file for conflict in conflicts}):
        here = [conflict for conflict in conflicts if conflict.resource.file == file]
        found.update(_places(file, source.read(file), here))
    return found


def _places(file: str, data: bytes, conflicts: Sequence[Conflict]) -> Iterator[tuple[tuple[Key, FieldPath], Span]]:
    from reconciler.source.positions import by_index, locate
    from reconciler.source.text import SourceText
    from reconciler.source.yaml.parser import parse
    from reconciler.yaml.nodes import value_of

    text = SourceText(file, data)
    documents = parse(text).documents
    for conflict in conflicts:
        number = conflict.resource.document
        for sides in conflict.fields:
            place = Place(number, by_index(value_of(documents[number]), sides.path))
            (located,) = locate(text, documents, [Finding("RC209", "", place)])
            yield (conflict.key, sides.path), located.span
