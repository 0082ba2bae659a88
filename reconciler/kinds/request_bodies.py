"""The body of a request: JSON, form fields, or as it is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from reconciler.core.secret import Secret
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.mustache import Filling
from reconciler.kinds.places import JsonPlace, PlainPlace, as_text


class RequestBody(Struct, frozen=True):
    """What is sent behind the headers.

    Attributes:
        content: bytes, or None for none.
        form: fields of a multipart/form-data body, or None where it is none.
        media_type: what `content` is, unless the definition says so itself, or "".
    """

    content: bytes | None = None
    form: Mapping[str, str] | None = None
    media_type: str = ""

    @property
    def size(self) -> int:
        """Bytes of content or of the values of the fields."""
        return len(self.content or b"") + sum(len(value.encode()) for value in (self.form or {}).values())


def build_body(
    endpoint: Mapping[str, Any], headers: Sequence[tuple[str, str | Secret]], filling: Filling
) -> RequestBody:
    """The body of an endpoint; one whose Content-Type header is not JSON is sent as it is.

    Raises:
        InvalidDefinitions: it should be JSON and is not.
    """
    template = endpoint.get("body", "")
    if not template.strip():
        return RequestBody()
    kind = endpoint.get("bodyType", "json")
    declared = next((value for name, value in headers if name.lower() == "content-type"), "")
    raw = kind == "raw" or (kind == "json" and isinstance(declared, str) and "json" not in (declared.lower() or "json"))
    place = PlainPlace() if raw else JsonPlace()
    filling.fill(template, place)
    text = place.text()
    if filling.missing:
        return RequestBody()
    if raw:
        return RequestBody(text.encode())
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        hint = "put quotes around placeholders of text; bodyType: raw sends it as it is"
        raise InvalidDefinitions("body: it is not JSON when its placeholders are filled in", hint=hint) from None
    return (
        RequestBody(form=_fields(content))
        if kind == "multipart"
        else RequestBody(urlencode(_fields(content)).encode(), None, "application/x-www-form-urlencoded")
        if kind == "form-urlencoded"
        else RequestBody(text.encode(), None, "application/json")
    )


def _fields(content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not content:
        raise InvalidDefinitions("body: a form wants a JSON object with a key for each field")
    return {name: as_text(value) for name, value in content.items()}
