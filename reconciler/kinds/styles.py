"""How lists and objects are written into queries, forms, paths and headers: OpenAPI's styles.

The rules are those of "Style Examples" in OpenAPI 3.0.4 and 3.1.2, and below them RFC 6570: members that are null are
left out, delimiters that RFC 3986 allows (`,` `.` `;`) stand as they are, the others (space, `|`, tab, `[`, `]`) are
percent-encoded, as older versions of OpenAPI did not say. What is undefined there is this project's: members of members
are JSON, but for deepObject.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct

_SIGNS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_BEFORE = {"simple": "", "label": "."}


def as_text(value: Any) -> str:
    """A value of the data as text: compact JSON, but texts as they are and null as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_json(value)


def as_json(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def percent_encoded(text: str) -> str:
    """`text` with all but RFC 3986's unreserved characters encoded."""
    return quote(text, safe="")


class Style(Struct, frozen=True):
    """What an entry of a definition asks for."""

    name: str
    explodes: bool = False


SIMPLE = Style("simple")


def style_of(entry: Mapping[str, Any], default: str) -> Style:
    """The style of an entry; `default` if it names none."""
    name = entry.get("style", default)
    return Style(name, entry.get("explode", name == "form"))


class Joined(Struct, frozen=True):
    """Texts in one value; the sign between them is part of none."""

    texts: tuple[str, ...]
    sign: str

    def __str__(self) -> str:
        return self.sign.join(self.texts)


Written = tuple[str, str | Joined]
"""Name and value of a field, before percent-encoding."""


def fields(name: str, value: Any, style: Style) -> Iterator[Written]:
    """The fields of a query or form that a value becomes; none for an empty list or object.

    Raises:
        KeyError: there is no such style.
    """
    if style.name == "json" or not isinstance(value, list | dict):
        yield name, as_text(value)
    elif style.name == "deepObject":
        yield from _deep(name, value)
    elif not style.explodes:
        texts = tuple(_texts(value))
        sign = _SIGNS[style.name]
        if texts:
            yield name, Joined(texts, sign)
    elif isinstance(value, dict):
        yield from _members(value)
    else:
        yield from ((name, text) for text in _texts(value))


def _deep(name: str, value: Any) -> Iterator[Written]:
    """Keys in brackets, and the numbers of items: OpenAPI says nothing of lists, and servers that take brackets read those."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _deep(f"{name}[{key}]", inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep(f"{name}[{index}]", item)
    elif value is not None:
        yield name, as_text(value)


def encoded(field: Written) -> str:
    """``name=value``, percent-encoded but for a comma between texts."""
    name, value = field
    if isinstance(value, Joined):
        value = quote(value.sign, safe=",").join(map(percent_encoded, value.texts))
    else:
        value = percent_encoded(value)
    return f"{percent_encoded(name)}={value}"


def expanded(name: str, value: Any, style: Style, encode: Callable[[str], str]) -> str:
    """A value as part of a path or as a header.

    Args:
        name: what matrix calls it.
        encode: for each text of it; delimiters stay as they are.

    Raises:
        KeyError: there is no such style.
    """
    if style.name == "json":
        return encode(as_text(value))
    members: list[tuple[str, str]] = []
    if isinstance(value, dict) and style.explodes:
        members = [(encode(key), encode(text)) for key, text in _members(value)]
    texts = [encode(text) for text in _texts(value)]
    if style.name == "matrix":
        each = texts if style.explodes else [",".join(texts)]
        members = members or [(encode(name), text) for text in each]
        return "".join(f";{key}={text}" if text else f";{key}" for key, text in members)
    before = _BEFORE[style.name]
    sign = before if before and style.explodes else ","
    return before + sign.join([f"{key}={text}" for key, text in members] or texts)


def bare(value: Any) -> str:
    """The values in a value, without delimiters and keys: blank where it is as good as none."""
    return "".join(_texts(list(value.values()) if isinstance(value, dict) else value))


def _texts(value: Any) -> list[str]:
    """Items, or keys and values in turn, or what is neither list nor object."""
    if isinstance(value, dict):
        return [text for member in _members(value) for text in member]
    if isinstance(value, list):
        return [as_text(item) for item in value if item is not None]
    return [as_text(value)]


def _members(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if item is not None:
            yield key, as_text(item)
