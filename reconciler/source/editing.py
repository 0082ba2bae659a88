"""Files of definitions edited so that they declare something else, and nothing else changes."""

from collections.abc import Sequence
from typing import NoReturn

from msgspec import Struct

from reconciler.core.model import Content, Key, Resource
from reconciler.diagnostics import Severity, Span
from reconciler.kinds.merge import explicit
from reconciler.source.documents import DocumentReader
from reconciler.source.roundtrip import format_document_text
from reconciler.source.roundtrip.editing import Parts, change_document, cut, join, start_of, without
from reconciler.source.roundtrip.splices import CannotEdit
from reconciler.source.yaml.guard import BOM


class NotEdited(Struct, frozen=True):
    """A document that was left as it is, and why."""

    resource: Resource
    span: Span
    message: str
    hint: str


class Edited(Struct, frozen=True):
    """A file after its edits.

    Attributes:
        data: its content; None when no document is left.
    """

    data: bytes | None
    refused: tuple[NotEdited, ...]


def edit_file(
    data: bytes,
    wanted: Sequence[tuple[Resource, Content | None]],
    resources: Sequence[Resource],
    reader: DocumentReader,
) -> Edited:
    """Edit the documents of one file; one that cannot be edited is left alone, the others are edited.

    Each edited document, and the file in the end, is read again: it must declare just what it is to declare.

    Args:
        wanted: resources with what they are to declare; None for those that are to go.
        resources: all that the file declares.
    """
    file = wanted[0][0].file
    mark = BOM if data.startswith(BOM) else b""
    parts = cut(data.removeprefix(BOM).decode())
    texts: list[str | None] = list(parts.texts)
    declared = {_identity(resource): resource.body for resource in resources}
    refused: list[NotEdited] = []
    for resource, content in sorted(wanted, key=lambda item: -item[0].document):
        if content is None:
            texts = without(texts, resource.document)
            del declared[_identity(resource)]
            continue
        try:
            edited = _edited(resource, content, parts)
            if _declared(file, edited.encode(), reader) != {_identity(resource): content.body}:
                _refuse(parts.texts[resource.document])
        except CannotEdit as reason:
            span = Span(file, parts.lines[resource.document] + reason.mark.line + 1, reason.mark.column + 1)
            refused.append(NotEdited(resource, span, reason.message, reason.hint))
            continue
        texts[resource.document], declared[_identity(resource)] = edited, content.body
    text = join(texts)
    result = None if text is None else _canonical(file, data, mark + text.encode())
    if result is not None and _declared(file, result, reader) != declared:
        spans = [(resource, Span(file, parts.lines[resource.document] + 1)) for resource, _ in wanted]
        return Edited(data, tuple(NotEdited(resource, span, _NOT_JUST_THIS, _BY_HAND) for resource, span in spans))
    return Edited(result, tuple(refused))


_NOT_JUST_THIS = "it cannot be edited so that just this changes"
_BY_HAND = "edit it by hand"


def _refuse(text: str) -> NoReturn:
    """Leave a document alone that did not come out as wanted.

    Raises:
        CannotEdit: always.
    """
    raise CannotEdit(_NOT_JUST_THIS, start_of(text), _BY_HAND)


def _identity(resource: Resource) -> tuple[Key, tuple[str, ...]]:
    """What no edit changes."""
    return resource.key, resource.previously


def _edited(resource: Resource, content: Content, parts: Parts) -> str:
    kind = resource.key.kind
    before, after = (explicit(kind, item.value) for item in (resource.content, content))
    return change_document(parts, resource.document, before, after)


def _declared(file: str, data: bytes, reader: DocumentReader) -> dict[tuple[Key, tuple[str, ...]], bytes] | None:
    """What the content of a file declares; None when it is not valid."""
    read = reader.read(file, data)
    if any(found.severity is Severity.ERROR for found in read.diagnostics):
        return None
    return {_identity(resource): resource.body for resource in read.resources}


def _canonical(file: str, before: bytes, after: bytes) -> bytes:
    """The edited file; in canonical form when the file was in it before."""
    if format_document_text(before, file).text != before:
        return after
    return format_document_text(after, file).text or after
