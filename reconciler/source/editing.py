"""Files of definitions edited so that they declare something else, and nothing else changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Severity, Span
from reconciler.kinds.canonical import decode
from reconciler.kinds.declaring import explicit
from reconciler.source.documents import DocumentReader
from reconciler.source.roundtrip import format_document_text
from reconciler.source.roundtrip.editing import change_document, remove_document, start_of
from reconciler.source.roundtrip.splices import CannotEdit
from reconciler.source.yaml.guard import BOM


@dataclass(frozen=True, slots=True)
class NotEdited:
    """A document that was left as it is, and why."""

    resource: Resource
    span: Span
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A file after its edits.

    Attributes:
        data: its content; None when no document is left.
    """

    data: bytes | None
    refused: tuple[NotEdited, ...]


def edit_file(
    data: bytes, wanted: Sequence[tuple[Resource, bytes | None]], resources: Sequence[Resource], reader: DocumentReader
) -> Edited:
    """Edit the documents of one file; one that cannot be edited is left alone, the others are edited.

    After each edit the file is read again: it must declare just what it is to declare.

    Args:
        wanted: resources with the canonical bodies that they are to have; None for those that are to go.
        resources: all that the file declares.
    """
    file = wanted[0][0].file
    mark = BOM if data.startswith(BOM) else b""
    text: str | None = data.removeprefix(BOM).decode()
    declared = {_identity(resource): resource.body for resource in resources}
    refused: list[NotEdited] = []
    for resource, body in sorted(wanted, key=lambda item: -item[0].document):
        assert text is not None
        target = {key: found for key, found in declared.items() if key != _identity(resource)}
        target |= {_identity(resource): body} if body is not None else {}
        try:
            edited = _edited(text, resource, body)
        except CannotEdit as reason:
            refused.append(_refusal(resource, reason))
            continue
        if _declared(file, mark, edited, reader) != target:
            start = start_of(text, resource.document)
            refused.append(_refusal(resource, CannotEdit("it cannot be edited so that just this changes", start)))
            continue
        text, declared = edited, target
    return Edited(None if text is None else _canonical(file, data, mark + text.encode()), tuple(refused))


def _refusal(resource: Resource, reason: CannotEdit) -> NotEdited:
    span = Span(resource.file, reason.mark.line + 1, reason.mark.column + 1)
    return NotEdited(resource, span, reason.message, reason.hint)


def _identity(resource: Resource) -> tuple[Key, tuple[str, ...]]:
    """What no edit changes."""
    return resource.key, resource.previously


def _edited(text: str, resource: Resource, body: bytes | None) -> str | None:
    if body is None:
        return remove_document(text, resource.document)
    kind = resource.key.kind
    before, after = (explicit(kind, decode(item)) for item in (resource.body, body))
    return change_document(text, resource.document, before, after)


def _declared(
    file: str, mark: bytes, text: str | None, reader: DocumentReader
) -> dict[tuple[Key, tuple[str, ...]], bytes] | None:
    """What a text declares; None when it is not valid."""
    if text is None:
        return {}
    read = reader.read(file, mark + text.encode())
    if any(found.severity is Severity.ERROR for found in read.diagnostics):
        return None
    return {_identity(resource): resource.body for resource in read.resources}


def _canonical(file: str, before: bytes, after: bytes) -> bytes:
    """The edited file; in canonical form when the file was in it before."""
    if format_document_text(before, file).text != before:
        return after
    return format_document_text(after, file).text or after
