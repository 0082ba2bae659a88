"""The query in the URL of an endpoint, beside its parameters: of one name, what a parameter says is sent, and once."""

import re
from collections.abc import Container
from urllib.parse import unquote_plus

_PART = re.compile(r"(?:\{\{\{?[^{}]*+\}\}\}?|[^&])*+")
"""What stands between two & that are not within a placeholder."""
_SECTION = re.compile(r"\{\{\s*([#^/])")


def without_names(url: str, names: Container[str]) -> str:
    """A URL, or the template of one, without the parts of its query that are of one of the names.

    A part that a section begins or ends in is left: what comes of it shows when the template is filled in.
    """
    whole, mark, fragment = url.partition("#") if "{{#" not in url else (url, "", "")
    base, question, query = whole.partition("?")
    if not question:
        return url
    parts = _split(query)
    kept = [part for part in parts if not _name(part) or _name(part) not in names or not _is_whole(part)]
    if len(kept) == len(parts):
        return url
    return base + (question + "&".join(kept) if kept else "") + mark + fragment


def _split(query: str) -> list[str]:
    parts, at = [], 0
    while True:
        found = _PART.match(query, at)
        end = found.end() if found else len(query)
        parts.append(query[at:end])
        if end >= len(query):
            return parts
        at = end + 1


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _is_whole(part: str) -> bool:
    """Whether no section reaches out of it."""
    signs = [found[1] for found in _SECTION.finditer(part)]
    return signs.count("/") * 2 == len(signs)
