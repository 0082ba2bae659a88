"""The types of answer that an operation has, and which of them a request asks for."""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.importers.document import ForeignDocument
from reconciler.importers.media import bare, is_json
from reconciler.importers.values import Json, Object, Pointer, clean, holds_secret, mapping, sequence, text

_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/(?:\*|[A-Za-z0-9!#$&^_.+-]+)(?:\s*;[\x20-\x7e]*)?")
_HOLDS_JSON: Final = ("application/json", "application/*", "*/*")
_MAX_MEDIA: Final = 255


def accept_entry(source: ForeignDocument, operation: Object, where: Pointer) -> list[Object]:
    """The Accept header, where no answer is of the type that calls ask for anyway, plain JSON."""
    place, named = _types(source, operation, where)
    types = [kind for kind in dict.fromkeys(clean(text(item)).strip() for item in named) if _is_usable(kind)]
    if not types or any(bare(kind) in _HOLDS_JSON for kind in types):
        return []
    chosen = next((kind for kind in types if is_json(bare(kind))), types[0])
    if len(types) > 1:
        others = ", ".join(sorted(kind for kind in types if kind != chosen)[:5])
        message = f"answers of the type {chosen} are asked for; there are also"
        source.notes.add("media-type-chosen", place, message, others)
    return [{"name": "Accept", "value": chosen, "required": True}]


def _types(source: ForeignDocument, operation: Object, where: Pointer) -> tuple[Pointer, list[Json]]:
    if source.is_swagger:
        own = sequence(operation.get("produces"))
        place = (*where, "produces") if own else ("produces",)
        return place, [*(own or sequence(source.root.get("produces")))]
    return (*where, "responses"), [*_contents(source, mapping(operation.get("responses")), (*where, "responses"))]


def _contents(source: ForeignDocument, responses: Object, where: Pointer) -> Iterator[str]:
    """The types of what comes when all goes well: of `default` only where no such answer is described."""
    well = [status for status in responses if str(status).startswith("2")]
    for status in well or [status for status in responses if status == "default"]:
        response, _ = source.object_at(responses[status], (*where, status))
        yield from mapping(response.get("content"))


def _is_usable(kind: str) -> bool:
    fits = len(kind) <= _MAX_MEDIA and (kind == "*/*" or _MEDIA.fullmatch(kind) is not None)
    return fits and "{{" not in kind and not holds_secret(kind)
