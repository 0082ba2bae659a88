"""Whether the body of an endpoint is JSON, whatever its placeholders are filled with, and where it is not."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reconciler.diagnostics import Finding, Place, Repair

_VARIABLE = re.compile(r"\{\{[ ]*[\w.-]+[ ]*\}\}")
_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{0,3}\{\{")
_FORMS = ("form-urlencoded", "multipart")
_TRAILING = re.compile(r",\s*[}\]]")
_HINT = "JSON has double quotes, no comments and no comma at the end; bodyType: raw sends anything"


def is_sound(body: str, kind: str) -> bool:
    """Whether `body_findings` has nothing to say, for sure."""
    if kind == "raw":
        return True
    value = _decoded(body)
    if value is None and "{{" in body:  # one that stands outside of quotes
        value = _decoded(_VARIABLE.sub("1", body))
    return value is not None if kind == "json" else type(value) is dict and bool(value)


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def body_findings(endpoint: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    """That the body is no JSON, or that of a form no mapping. Of bodies with sections nothing is said."""
    body, kind = endpoint["body"], endpoint.get("bodyType", "json")
    if not body.strip() or (kind == "json" and _is_other(endpoint)) or _HALF_ESCAPE.search(body):
        return
    if "{{{" in body or "{{" in _VARIABLE.sub("", body):  # values that are put in as they are, and sections
        return
    text, origins = _filled(body)
    try:
        value = json.loads(text)
    except RecursionError:
        return
    except json.JSONDecodeError as fault:
        yield _fault(fault, text, origins, place)
        return
    if kind in _FORMS and not (isinstance(value, dict) and value) and not _VARIABLE.fullmatch(body.strip()):
        message = "the body of a form is a JSON object with a key for each field"
        yield Finding("RC508", message, place, 'write {"field": "{{name}}"}, or set another bodyType')


def _is_other(endpoint: Mapping[str, Any]) -> bool:
    """Whether a header says that the body is something else than JSON, or may say so."""
    for entry in endpoint.get("headers", ()):
        if entry["name"].lower() == "content-type":
            value = entry.get("value", "")
            return not isinstance(value, str) or "{{" in value or "json" not in (value.lower() or "json")
    return False


def _filled(body: str) -> tuple[str, list[int]]:
    """The body with a value in each placeholder, and for each character where it stands in the body."""
    text, origins = "", list[int]()
    quoted, end = False, 0
    for match in [*_VARIABLE.finditer(body), None]:
        literal = body[end : match.start() if match else len(body)]
        text += literal
        origins += range(end, end + len(literal))
        if sum(found[0] == '"' for found in _QUOTES.finditer(literal)) % 2:
            quoted = not quoted
        if match is None:
            break
        is_key = not quoted and body[match.end() :].lstrip().startswith(":")
        value = '"1"' if is_key else "1"
        text += value
        origins += [match.start()] * len(value)
        end = match.end()
    return text, [*origins, len(body)]


def _fault(fault: json.JSONDecodeError, text: str, origins: list[int], place: Place) -> Finding:
    at = fault.pos
    comma = next((found.start() for found in _TRAILING.finditer(text) if found.start() <= at < found.end()), None)
    repair = None
    if comma is not None:
        at, words = comma, "a comma stands before the end of a list or mapping"
        repair = Repair("remove it", "within", parts=((origins[comma], origins[comma] + 1, ""),))
    else:
        words = _words(fault, text)
    start = origins[min(at, len(text))]
    line = text.count("\n", 0, at) + 1
    where = f" (line {line} of it)" if line > 1 else ""
    part = (max(min(start, origins[-1] - 1), 0), min(start + 1, origins[-1]))
    return Finding(
        "RC508", f"the body is no JSON: {words}{where}", Place(place.document, place.path, part=part), _HINT, repair
    )


def _words(fault: json.JSONDecodeError, text: str) -> str:
    sign = text[fault.pos : fault.pos + 1]
    if not sign:
        return "it ends too early"
    if sign == "'":
        return "a text stands in single quotes"
    if text.startswith(("//", "/*", "#"), fault.pos):
        return "a comment"
    return _MESSAGES.get(fault.msg, "a value or its quotes are missing")


_MESSAGES = {
    "Expecting ',' delimiter": "a comma is missing, or a quote ends too early",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "a key without double quotes",
    "Extra data": "something stands behind its end",
    "Invalid control character at": "a line break or tab within quotes; write \\n or \\t",
    "Unterminated string starting at": "a quote is not closed",
    "Invalid \\escape": "a backslash that escapes nothing; write it twice",
    "Invalid \\uXXXX escape": "an escape \\u without four digits",
}
