"""The parts of an update of a definition from a newer OpenAPI document."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.core.document_update import DocumentUpdate
from reconciler.core.model import Content, Key, Resource, content_of
from reconciler.diagnostics import Severity
from reconciler.durable import replace_files
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.canonical import canonical
from reconciler.kinds.registry import KINDS
from reconciler.services.document_update import update
from reconciler.source import files, git
from reconciler.source.documents import DocumentReader
from reconciler.source.edits import edit_file
from reconciler.source.repository import RepositorySource
from reconciler.wiring.exchange import MAX_IMPORT_BYTES, URLS, content_of_source
from reconciler.wiring.run import now


class UpdateRequest(Struct, frozen=True):
    """What to update from what.

    Attributes:
        source: file or URL of the newer document.
        name: of the connector.
        base: file, or REV:PATH, of the earlier document; "" for the one that the repository has.
        server: see `importers.openapi.convert`.
    """

    source: str
    name: str
    base: str
    server: str | None


class PreparedUpdate(Struct, frozen=True):
    """What is to be written.

    Attributes:
        file: the definition's path from the root.
        base: how the earlier document is called; "" for none.
    """

    file: str
    before: bytes
    after: bytes
    update: DocumentUpdate
    base: str


def prepare_update(root: Path, request: UpdateRequest) -> PreparedUpdate:
    """Merge and edit in memory.

    Raises:
        UsageError: there is no such connector, or a document cannot be read.
        InvalidDefinitions: a document is none, or the definition cannot be edited so.
    """
    source = RepositorySource(root, "", now())
    desired = source.load()
    resource = desired.resources.get(Key("Connector", request.name))
    if resource is None:
        hint = "list them with: reconciler get connector, or import it without --update"
        raise UsageError(f"there is no valid connector '{request.name}' in the repository", hint=hint)
    newer = content_of_source(request.source)
    found = _base(root, request, resource, newer)
    mine = resource.content.value
    theirs = _imported(newer, request.source, request, mine)
    base = None if found is None else _imported(found[1], found[0], request, mine)
    made = update(mine, base, theirs)
    wanted = content_of(canonical(made.content, KINDS["Connector"]))
    before = source.read(resource.file)
    here = [other for other in desired.resources.values() if other.file == resource.file]
    after = before if wanted.body == resource.body else _edited(before, resource, wanted, here)
    return PreparedUpdate(resource.file, before, after, made, found[0] if found else "")


def _edited(before: bytes, resource: Resource, wanted: Content, here: list[Resource]) -> bytes:
    reader = DocumentReader(now())
    edited = edit_file(before, [(resource, wanted)], here, reader)
    for refused in edited.refused:
        raise InvalidDefinitions(f"{refused.span}: {refused.message}", hint=refused.hint)
    assert edited.data is not None
    faults = [one for one in reader.read(resource.file, edited.data).diagnostics if one.severity is Severity.ERROR]
    if faults:
        details = tuple(f"{one.span}: {one.message}" for one in faults)
        raise InvalidDefinitions("the definition would not be valid", hint="nothing was changed", details=details)
    return edited.data


def _imported(data: bytes, name: str, request: UpdateRequest, mine: dict[str, Any]) -> dict[str, Any]:
    """What an import of the document gives, canonical."""
    from reconciler.importers import openapi

    categories = mine["spec"]["categories"]
    imported = openapi.convert(
        openapi.read(data, name),
        name=request.name,
        categories=categories,
        server=request.server,
        fetched_from=request.source if request.source.startswith(URLS) else None,
    )
    if len(imported.documents) > 1:
        message = f"{name} makes {len(imported.documents)} connectors; an update is for one"
        raise UsageError(message, hint="import it anew with --force, and compare with: git diff")
    return canonical({"spec": imported.documents[0]["spec"]}, KINDS["Connector"])


def _base(root: Path, request: UpdateRequest, resource: Resource, newer: bytes) -> tuple[str, bytes] | None:
    """Name and bytes of the earlier document; None when nobody knows it."""
    if request.base:
        rev, colon, path = request.base.partition(":")
        if colon and not Path(request.base).exists():
            return request.base, _at(root, rev, path, required=True) or b""
        return request.base, content_of_source(request.base)
    inside = _inside(root, request.source)
    if resource.contract and inside != resource.contract:
        there = root / resource.contract
        if there.is_file() and not there.is_symlink():
            return resource.contract, content_of_source(str(there))
    path = inside or resource.contract
    found = _at(root, "HEAD", path, required=False) if path else None
    if found == newer and (earlier := _before_last_change(root, path)):
        return earlier
    return None if found is None else (f"HEAD:{path}", found)


def _before_last_change(root: Path, path: str) -> tuple[str, bytes] | None:
    """Name and bytes of a file as it was before the last commit that changed it."""
    words = ("log", "-1", "--format=%P", "--", path)
    parents = git.output(root, *words, cannot="read the history").decode().split()
    found = _at(root, parents[0], path, required=False) if parents else None
    return None if found is None else (f"{parents[0][:12]}:{path}", found)


def _inside(root: Path, source: str) -> str:
    """The path of a file from the root, or ""."""
    if source.startswith(URLS):
        return ""
    full, top = Path(source).resolve(), root.resolve()
    return full.relative_to(top).as_posix() if full.is_relative_to(top) else ""


def _at(root: Path, rev: str, path: str, *, required: bool) -> bytes | None:
    """A file as a commit has it.

    Raises:
        UsageError: it has none, and it is required.
    """
    commit = git.resolve(root, rev) if rev != "HEAD" or required else git.head(root)
    entries = files.list_entries(root, commit, [path]) if commit else []
    for mode, oid, found in entries:
        if found == path and mode in git.REGULAR:
            return next(files.read_blobs(root, [oid], MAX_IMPORT_BYTES))
    if required:
        raise UsageError(f"{rev} has no file {path}", hint="give --base FILE or REV:PATH, from the repository's root")
    return None


def write_update(root: Path, prepared: PreparedUpdate) -> None:
    """Replace the definition."""
    if prepared.after != prepared.before:
        replace_files(root, {prepared.file: prepared.after})
