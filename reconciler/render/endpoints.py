"""What an endpoint sends, in a few lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.secret import mask_text
from reconciler.harmless import harmless
from reconciler.render.values import cut, reference, shown

MAX_DETAILED = 20
"""Of a record with more endpoints each is shown by one line alone."""
_MAX_BODY = 12
"""Lines of a body."""


def endpoints_lines(endpoints: Mapping[str, Any]) -> Iterator[str]:
    """The endpoints by name; below each what it sends, unless there are too many."""
    for purpose, endpoint in sorted(endpoints.items()):
        yield from endpoint_lines(purpose, endpoint, detailed=len(endpoints) <= MAX_DETAILED)


def endpoint_lines(purpose: str, endpoint: Mapping[str, Any], *, detailed: bool = True) -> Iterator[str]:
    """The request of an endpoint, and what it sends, indented."""
    extras = "" if detailed else _extras(endpoint)
    url = harmless(mask_text(endpoint["url"]))
    yield f"endpoints.{harmless(purpose)}: {endpoint['method']} {url}{extras}"
    if detailed:
        yield from (f"    {line}" for line in _sent(endpoint))


def _extras(endpoint: Mapping[str, Any]) -> str:
    counts = ((len(endpoint.get(group, ())), group[:-1]) for group in ("params", "headers"))
    extras = [f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    if endpoint.get("body"):
        extras.append("body")
    return f" ({', '.join(extras)})" if extras else ""


def _sent(endpoint: Mapping[str, Any]) -> Iterator[str]:
    if "authorization" in endpoint:
        yield f"authorization: {harmless(endpoint['authorization'])}"
    for entry in endpoint.get("params", ()):
        yield f"?{_entry(entry, '=')}"
    for entry in endpoint.get("headers", ()):
        yield _entry(entry, ": ")
    for group in ("pathParams", "formFields"):
        for entry in endpoint.get(group, ()):
            yield f"{group}.{', '.join(f'{key}: {shown(value)}' for key, value in entry.items())}"
    if endpoint.get("body"):
        kind = endpoint.get("bodyType", "json")
        lines = endpoint["body"].strip("\n").split("\n")
        yield f"body, {kind}:"
        yield from (f"    {cut(harmless(mask_text(line)))}" for line in lines[:_MAX_BODY])
        if len(lines) > _MAX_BODY:
            yield f"    … and {len(lines) - _MAX_BODY:,} more lines"


def _entry(entry: Mapping[str, Any], sign: str) -> str:
    value = entry.get("value", "")
    text = reference(value) if isinstance(value, dict) else cut(harmless(mask_text(value)))
    rest = [f"{key}: {shown(entry[key])}" for key in ("style", "explode") if key in entry]
    rest += ["always sent"] if entry.get("required") and not value else []
    return harmless(entry["name"]) + sign + text + (f"  ({', '.join(rest)})" if rest else "")
