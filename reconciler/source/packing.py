"""What files hold as plain values, which marshal writes and reads at the speed of a copy."""

import marshal
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import astuple

from reconciler.core.content import Content
from reconciler.core.model import KeepsBodies, Key, Resource
from reconciler.diagnostics import Diagnostic, Span
from reconciler.source.documents import FileContent

Packed = tuple[Any, ...]


def packed(content: FileContent) -> Packed:
    """All that a file holds."""
    resources = [(item.body, *_plain(item)) for item in content.resources]
    diagnostics = [
        (item.code, item.message, (item.span.file, item.span.line, item.span.column, item.span.end_line, item.span.end_column),
         item.snippet, item.hint)
        for item in content.diagnostics
    ]  # fmt: skip
    return resources, diagnostics, content.documents, [tuple(key) for key in content.broken], content.oid


def unpacked(content: Packed, file: str) -> FileContent:
    """The reverse of `packed`."""
    resources, diagnostics, documents, broken, oid = content
    return FileContent(
        [_resource(item, Content(body), file, {}) for body, *item in resources],
        [Diagnostic(code, message, Span(*span), snippet, hint) for code, message, span, snippet, hint in diagnostics],
        documents,
        [Key(*key) for key in broken],
        oid,
    )


def facts_of(documents: int, resources: Sequence[Resource], offset: int) -> bytes:
    """What is kept of a file in which nothing is wrong, beside the bodies, which follow each other from `offset` on."""
    kept = []
    for item in resources:
        length = len(item.body)
        kept.append((offset, length, *_plain(item)))
        offset += length
    return marshal.dumps((documents, kept))


def resources_of(
    facts: bytes, file: str, keep: Callable[[int, int], KeepsBodies], known: dict[Any, tuple[Key, ...]]
) -> tuple[int, list[Resource]]:
    """How many documents a file holds, and its resources; the reverse of `facts_of`.

    Args:
        keep: what keeps a body, by where it begins and how long it is.
        known: references that were met before, which are not held twice.
    """
    documents, kept = marshal.loads(facts)  # noqa: S302 (proven to be what this program wrote)
    return documents, [_resource(item, keep(offset, length), file, known) for offset, length, *item in kept]


def _plain(item: Resource) -> Packed:
    """All but what keeps the body, and the file."""
    _, _, printed, _, refs, *rest = astuple(item)
    return (*item.key, printed, tuple([tuple(ref) for ref in refs]), *rest)


def _resource(
    item: Sequence[Any], stored: Content | KeepsBodies, file: str, known: dict[Any, tuple[Key, ...]]
) -> Resource:
    kind, name, printed, refs, *rest = item
    if refs not in known:
        known[refs] = tuple([Key(*ref) for ref in refs])
    return Resource(Key(kind, name), stored, printed, file, known[refs], *rest)
