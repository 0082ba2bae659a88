"""Files of definitions edited so that they declare something else, held against all that reads them."""

from collections.abc import Container, Sequence
from typing import Any, NoReturn

from msgspec import Struct

from reconciler.core.model import Content, Key, Resource, content_of
from reconciler.diagnostics import RULES, Finding, Place, Severity, Span
from reconciler.kinds.canonical import canonical
from reconciler.kinds.merge import document, explicit
from reconciler.kinds.registry import KINDS, Kind
from reconciler.source.documents import DocumentReader, nul_findings, token_findings
from reconciler.source.project import explain
from reconciler.source.roundtrip.edit import DocumentParts, change_document, cut, join, start_of, without
from reconciler.source.roundtrip.format import format_document_text
from reconciler.source.roundtrip.layout import CannotEdit
from reconciler.source.yaml.guard import BOM
from reconciler.yaml.writer import text_of

_LITERAL_HINT = "move the value to where a reference can lead to, and declare that"


class DefinitionWriter:
    """Writes definitions; holds the compiled schemas."""

    def __init__(self, now: str = "") -> None:
        """Compile the schemas.

        Args:
            now: the time to judge dates by, RFC 3339.
        """
        self._now = now
        self._reader = DocumentReader(now)

    def write(self, key: Key, content: dict[str, Any], secrets: Container[str]) -> tuple[str, Resource] | list[Finding]:
        """The text of a document that declares `content`, with what it declares, or why there is none."""
        kind = KINDS[key.kind]
        declared = document(key.kind, key.name, content)
        text = text_of(declared) if _is_plain(declared) else ""
        read = self._reader.read(f"{kind.directory}/{key.name}.yaml", text.encode("utf-8", "replace"))
        literal = _literals(key, content, secrets)
        if (
            len(read.resources) == 1
            and not literal
            and not any(found.severity is Severity.ERROR for found in read.diagnostics)
        ):
            (resource,) = read.resources
            if resource.key == key and resource.body == _body_of(content, kind):
                return text, resource
        return literal + findings_of(declared, self._now) or [_UNWRITABLE]


def _body_of(content: dict[str, Any], kind: Kind) -> bytes:
    return content_of(canonical(content, kind)).body


_UNWRITABLE = Finding(
    "RC209",
    "it holds a value that definitions cannot hold",
    Place(0, ("spec",)),
    "numbers have at most 15 digits, texts no lone surrogates",
)


def findings_of(declared: dict[str, Any], now: str) -> list[Finding]:
    """The errors in a document that was decoded already."""
    found = explain(declared, 0, tuple(KINDS))
    if not found:
        kind = KINDS[declared["kind"]]
        found = kind.rules(declared["spec"], 0) + kind.dated_rules(declared["spec"], 0, now)
    return [
        item
        for item in [*found, *token_findings(declared, 0), *nul_findings(declared, 0)]
        if RULES[item.code].severity is Severity.ERROR
    ]


def _literals(key: Key, content: dict[str, Any], secrets: Container[str]) -> list[Finding]:
    """Texts that stand where the store keeps a secret."""
    try:
        found = list(KINDS[key.kind].literals(content["spec"], secrets))
    except (KeyError, TypeError, AttributeError):  # the schema's own faults are told instead
        return []
    return [
        Finding("RC210", f"a text stands where the secret {address} belongs", Place(0, path), _LITERAL_HINT)
        for path, address in found
    ]


def _is_plain(value: Any) -> bool:
    """Whether it holds nothing but what the text of a document can say."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or abs(value) < float("inf")


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


def _edited(resource: Resource, content: Content, parts: DocumentParts) -> str:
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
