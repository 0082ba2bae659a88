"""Values as YAML text in canonical form, as `fmt` would leave it: for `get`, `export`, `import` and `adopt`.

Written by hand, as the language needed is so small: block mappings and lists, flow collections, plain texts
that no loader can take for anything else, JSON strings (which YAML's double quotes contain), literal blocks.
ruamel.yaml's dumper takes seven seconds for a megabyte, which the largest documents have dozens of,
and both it and libyaml turn keys beyond 128 characters into `? key`. Three parsers hold the result
against what was to be written, over all documents of the long test of imports.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.harmless import Escapes, harmless, harmless_lines

_PLAIN = re.compile(r"[A-Za-z][^\s:#\x00-\x1f\x7f-\x9f]*(?:(?: (?!#)|[:#](?!\s|\Z))[^\s:#\x00-\x1f\x7f-\x9f]*)*")
_FLOW_SIGNS = re.compile(r"[,\[\]{}?]")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_ESCAPES = Escapes(lambda char: f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")


class Style(Struct, frozen=True):
    """How collections are written.

    Attributes:
        mapping, sequence: how far keys and dashes stand inside the mapping that the collection's key is in.
        leaves_in_flow: whether a collection that holds no other stands on one line where it fits.
    """

    mapping: int = 2
    sequence: int = 2
    leaves_in_flow: bool = False


USUAL = Style()
WIDTH = 100
"""Columns that a flow collection may take up."""


def text_of(document: Mapping[str, Any]) -> str:
    """The text of a document that is not empty; keys in the order that they have."""
    return "\n".join(mapping_lines(document)) + "\n"


def joined(texts: Iterable[str]) -> str:
    """The texts of documents as one text."""
    return "---\n".join(texts)


def mapping_lines(value: Mapping[str, Any], column: int = 0, style: Style = USUAL) -> Iterator[str]:
    """The lines of a block mapping whose keys stand at `column`; none for an empty one."""
    for key, item in value.items():
        yield from entry_lines(f"{' ' * column}{scalar(key)}:", item, column, style)


def item_lines(item: object, column: int, style: Style = USUAL) -> Iterator[str]:
    """The lines of one item of a block sequence whose dashes stand at `column`."""
    if isinstance(item, Mapping) and item and not _in_flow(f"{' ' * column}-", item, style):
        lines = list(mapping_lines(item, column + 2, style))
        yield f"{' ' * column}- {lines[0].lstrip(' ')}"
        yield from lines[1:]
    else:
        yield from entry_lines(f"{' ' * column}-", item, column, replace(style, mapping=2, sequence=2))


def entry_lines(start: str, value: object, column: int, style: Style = USUAL) -> Iterator[str]:
    """The lines of a key or dash, `start`, which stands at `column`, with its value."""
    if _in_flow(start, value, style):
        yield f"{start} {flow(value)}"
    elif isinstance(value, Mapping) and value:
        yield start
        yield from mapping_lines(value, column + style.mapping, style)
    elif isinstance(value, list) and value:
        yield start
        for item in value:
            yield from item_lines(item, column + style.sequence, style)
    elif block := literal(value, column + style.mapping):
        yield f"{start} {block[0]}"
        yield from block[1:]
    else:
        yield f"{start} {scalar(value)}"


def _in_flow(start: str, value: object, style: Style) -> bool:
    """Whether a collection goes on the line of its key or dash."""
    if not style.leaves_in_flow or not isinstance(value, Mapping | list) or not value:
        return False
    items = value.values() if isinstance(value, Mapping) else value
    return not any(isinstance(item, Mapping | list) and item for item in items) and (
        len(start) + len(flow(value)) < WIDTH
    )


def flow(value: object) -> str:
    """A value on one line, as it may stand in a flow collection."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and is_plain(value, in_flow=True):
        return value
    return quoted(value) if isinstance(value, str) else scalar(value)


def literal(value: object, column: int) -> list[str]:
    """The header of a literal block and its lines; none where a value is no text of several lines, or does not fit."""
    if not isinstance(value, str) or "\n" not in value or not fits_block(value):
        return []
    return [block_header("|", value), *block_lines(value.removesuffix("\n").split("\n"), column)]


def fits_block(value: str) -> bool:
    """Whether every reader gets `value` back from a block scalar: white space at the edges is where they differ."""
    body = value.removesuffix("\n")
    if not body or body[0] in " \n" or body[-1] in " \n" or " \n" in body:
        return False
    return harmless_lines(value) == value


def block_header(sign: str, value: str) -> str:
    """What a block scalar begins with, `|` or `>`, so that its end is the one of `value`."""
    return sign if value.endswith("\n") else f"{sign}-"


def block_lines(lines: Iterable[str], column: int) -> Iterator[str]:
    """The lines of a block scalar, of which blank ones stay empty."""
    return (f"{' ' * column}{line}" if line else "" for line in lines)


def is_plain(value: str, *, in_flow: bool = False) -> bool:
    """Whether every reader takes `value`, without quotes, for the text that it is."""
    return (
        _PLAIN.fullmatch(value) is not None
        and value[-1] != " "
        and value.lower() not in _WORDS
        and (value.isascii() or (value.isprintable() and harmless(value) == value))
        and "##" not in value
        and not (in_flow and _FLOW_SIGNS.search(value))
    )


def quoted(value: str) -> str:
    """A text in double quotes. What `harmless` would change is an escape, which means the same to whoever reads it."""
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES).replace("##", r"#\x23")


def like(value: object, style: str, *, in_flow: bool) -> str:
    """A scalar on one line, in the style of the one that it replaces where that can hold it.

    Args:
        style: the first sign of that one, "" when it is plain.
    """
    if not isinstance(value, str):
        return scalar(value)
    if style == "'" and value.isprintable() and harmless(value) == value:
        return "'" + value.replace("'", "''") + "'"
    return value if style in ("", "|", ">") and is_plain(value, in_flow=in_flow) else quoted(value)


def scalar(value: object) -> str:
    """A text, number, boolean, null or empty collection on one line, as it may stand in a block collection."""
    if isinstance(value, str):
        return value if is_plain(value) else quoted(value)
    if isinstance(value, float):
        return _decimal(value)
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    assert isinstance(value, Mapping | Sequence) and not value
    return "{}" if isinstance(value, Mapping) else "[]"


def _decimal(value: float) -> str:
    """A number without an exponent, about which loaders differ."""
    text = format(Decimal(repr(value)), "f")
    return text if "." in text or not text.lstrip("-").isdigit() else f"{text}.0"
