"""Whether an endpoint's body and its Content-Type header say the same."""

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Finding, Path, Place

_FORMS = {"form-urlencoded": "application/x-www-form-urlencoded", "multipart": "multipart/form-data"}
_KINDS = {media: kind for kind, media in _FORMS.items()}


def media_findings(endpoint: dict[str, Any], path: Path, document: int) -> Iterator[Finding]:
    """What is found for an endpoint that has a body.

    Args:
        path: of the endpoint.
    """
    kind = endpoint.get("bodyType", "json")
    headers = endpoint.get("headers", ())
    if not headers and kind != "raw":
        return
    index = next((index for index, entry in enumerate(headers) if entry["name"].lower() == "content-type"), None)
    if index is None:
        if kind == "raw" and endpoint["body"].strip():
            hint = "add a header Content-Type, with `required: true`"
            place = Place(document, (*path, "bodyType"))
            yield Finding("RC505", "the body goes out without a Content-Type", place, hint)
        return
    value = headers[index].get("value", "")
    media = "" if not isinstance(value, str) or "{{" in value else value.partition(";")[0].strip().lower()
    place = Place(document, (*path, "headers", index, "value"))
    if media and kind in _FORMS and media != _FORMS[kind]:
        hint = f"write bodyType: {_KINDS.get(media, 'raw')}, or remove the header"
        yield Finding("RC504", f"a body of the type {kind} is not sent as {media[:60]}", place, hint)
    elif kind == "json" and media in _KINDS:
        hint = f"write bodyType: {_KINDS[media]}, and each field as a key of a JSON object"
        yield Finding("RC504", f"a body of the type json is not sent as {media}", place, hint)
