"""Hold an endpoint's body against what a contract says of it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Path
from reconciler.kinds.contract import ContractBody, Shape

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\{\{\{[^{}]*\}\}\}|\{\{[^{}]*\}\}')
_FORMS = {"form-urlencoded": "application/x-www-form-urlencoded", "multipart": "multipart/form-data"}
_DEEPEST = 20


class Difference(Struct, frozen=True):
    """Where an endpoint and its operation differ.

    Attributes:
        where: JSON pointer into the document.
        path: from the endpoint.
        hint: what to do; "" for what always helps.
        group: see `reconciler.kinds.agreement.Disagreement`.
    """

    code: str
    message: str
    where: str
    path: Path
    hint: str = ""
    group: str = ""


def body_differences(endpoint: Mapping[str, Any], body: ContractBody | None, where: str) -> Iterator[Difference]:
    """What differs; `where` is the operation."""
    own = endpoint.get("body", "")
    if body is None:
        if own:
            yield Difference("RC806", "the contract describes no body here", where, ("body",))
        return
    if not own:
        if body.required:
            yield Difference("RC804", "the contract requires a body, and the endpoint has none", body.where, ())
        return
    media = _media_of(endpoint)
    shape = next((body.media[one] for one in (media, *_wider(media)) if one in body.media), None)
    if shape is None:
        listed = ", ".join(sorted(body.media)[:5])
        message = f"the contract takes {listed}, and the endpoint sends {media or 'no media type'}"
        yield Difference("RC806", message, body.where, ("bodyType",) if "bodyType" in endpoint else ("body",))
    elif endpoint.get("bodyType") != "raw" and (content := form_of(own)) is not None:
        yield from _fields(content, shape, "", _DEEPEST)


def _media_of(endpoint: Mapping[str, Any]) -> str:
    """The media type that is sent, in small letters and without its parameters; "" for none."""
    form = endpoint.get("bodyType", "json")
    if form in _FORMS:
        return _FORMS[form]
    headers = endpoint.get("headers", ())
    named = (entry.get("value") for entry in headers if entry["name"].lower() == "content-type")
    found = next((value for value in named if isinstance(value, str)), "")
    return found.partition(";")[0].strip().lower() or ("application/json" if form == "json" else "")


def _wider(media: str) -> Iterator[str]:
    """Further names under which a document may describe bodies of a media type."""
    yield f"{media.partition('/')[0]}/*"
    yield "*/*"
    yield ""


def _fields(content: object, shape: Shape, above: str, levels: int) -> Iterator[Difference]:
    """What the body's form lacks, or has too much of; `above` leads to it."""
    if isinstance(content, list):
        for item in content[:1] if shape.item and levels else ():
            yield from _fields(item, shape.item or shape, f"{above.rstrip('.')}[].", levels - 1)
    elif isinstance(content, dict) and levels and (content or not above):  # an import ends deep forms with {}
        for name in sorted(shape.required - content.keys()):
            message = f"the contract requires the field '{above}{name}' of the body, and the endpoint does not send it"
            yield Difference("RC806", message, shape.where, ("body",))
        for name in content if shape.fields else ():
            inner = shape.fields.get(name)
            if inner is not None:
                yield from _fields(content[name], inner, f"{above}{name}.", levels - 1)
            elif not shape.is_open and "{{" not in name and name.partition("[")[0] not in shape.fields:
                message = f"the contract does not know the field '{above}{name}' of the body"
                yield Difference("RC806", message, shape.where, ("body",))


def form_of(body: str) -> object:
    """The JSON value that a body's template makes, null for each placeholder; None when that cannot be told."""
    if "{{#" in body or "{{^" in body:
        return None
    try:
        content: object = json.loads(_TOKEN.sub(lambda found: found[0] if found[0][0] == '"' else "null", body))
    except (ValueError, RecursionError):
        return None
    return content
