"""The body of a request: JSON, the fields of a form, or as it is.

A form says with what its fields are written: without a style a list repeats its field, an object is JSON and null is left
out (OpenAPI 3.1.2, "Encoding Object", without `style` and `explode`); with one they are written as in a query.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote_plus

from msgspec import Struct

from reconciler.core.secret import Secret
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.multipart import Part, multipart
from reconciler.kinds.mustache import Filling
from reconciler.kinds.places import JsonPlace, PlainPlace
from reconciler.kinds.styles import as_text, encoded, fields, style_of


class RequestBody(Struct, frozen=True):
    """What is sent behind the headers.

    Attributes:
        content: bytes, or None for none.
        form: names of the fields of a form, in order; None where the body is no form.
        media_type: what `content` is, unless the definition says so itself, or "".
    """

    content: bytes | None = None
    form: tuple[str, ...] | None = None
    media_type: str = ""

    @property
    def size(self) -> int:
        """Bytes of content."""
        return len(self.content or b"")


def build_body(
    endpoint: Mapping[str, Any], headers: Sequence[tuple[str, str | Secret]], filling: Filling
) -> RequestBody:
    """The body of an endpoint; one whose Content-Type header is not JSON is sent as it is.

    Raises:
        InvalidDefinitions: it should be JSON and is not.
        KeyError: there is no such type of body, or no such style.
        UnicodeEncodeError: it holds half a character.
    """
    template = endpoint.get("body", "")
    if not template.strip():
        return RequestBody()
    kind = endpoint.get("bodyType", "json")
    declared = next((value for name, value in headers if name.lower() == "content-type"), "")
    if kind == "json" and isinstance(declared, str) and "json" not in (declared.lower() or "json"):
        kind = "raw"
    place = PlainPlace() if kind == "raw" else JsonPlace()
    filling.fill(template, place)
    return RequestBody() if filling.missing else _BUILDERS[kind](place.text(), endpoint)


def _raw(text: str, endpoint: Mapping[str, Any]) -> RequestBody:
    return RequestBody(text.encode())


def _json(text: str, endpoint: Mapping[str, Any]) -> RequestBody:
    _parsed(text)
    return RequestBody(text.encode(), None, "application/json")


def _urlencoded(text: str, endpoint: Mapping[str, Any]) -> RequestBody:
    sent = []
    for name, value, entry in _form_fields(text, endpoint):
        if _has_style(entry):
            sent += [(field[0], encoded(field)) for field in fields(name, value, style_of(entry, "form"))]
        else:
            sent += [(name, f"{_encoded(name)}={_encoded(as_text(item))}") for item in _items(value)]
    content = "&".join(field for _, field in sent).encode()
    return RequestBody(content, _names(name for name, _ in sent), "application/x-www-form-urlencoded")


def _multipart(text: str, endpoint: Mapping[str, Any]) -> RequestBody:
    parts = [part for found in _form_fields(text, endpoint) for part in _parts(*found)]
    content, media_type = multipart(parts)
    return RequestBody(content, _names(part.name for part in parts), media_type)


def _encoded(text: str) -> str:
    """As browsers encode a form (WHATWG URL, "application/x-www-form-urlencoded percent-encode set")."""
    return quote_plus(text, safe="*").replace("~", "%7E")


_BUILDERS: Mapping[str, Callable[[str, Mapping[str, Any]], RequestBody]] = {
    "raw": _raw,
    "json": _json,
    "form-urlencoded": _urlencoded,
    "multipart": _multipart,
}


def _parts(name: str, value: Any, entry: Mapping[str, Any]) -> Iterator[Part]:
    media_type, filename = entry.get("contentType", ""), entry.get("filename", "")
    if _has_style(entry):
        json_ = "application/json" if entry.get("style") == "json" and not isinstance(value, str) else ""
        for called, text in fields(name, value, style_of(entry, "form")):
            yield Part(called, str(text), media_type or json_, filename)
    else:
        for item in _items(value):
            json_ = "application/json" if isinstance(item, list | dict) else ""
            yield Part(name, as_text(item), media_type or json_, filename)


def _has_style(entry: Mapping[str, Any]) -> bool:
    return "style" in entry or "explode" in entry


def _items(value: Any) -> list[Any]:
    """What a field is written for."""
    return [item for item in (value if isinstance(value, list) else [value]) if item is not None]


def _names(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _form_fields(text: str, endpoint: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Name, value and entry in `formFields` of each key of a form's body; what is null is no field."""
    content = _parsed(text)
    if not isinstance(content, dict):
        raise InvalidDefinitions("body: a form wants a JSON object with a key for each field")
    entries = {entry["name"]: entry for entry in endpoint.get("formFields", ())}
    for name, value in content.items():
        if value is not None:
            yield name, value, entries.get(name, {})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        hint = "put quotes around placeholders of text; bodyType: raw sends it as it is"
        raise InvalidDefinitions("body: it is not JSON when its placeholders are filled in", hint=hint) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
