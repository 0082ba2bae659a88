"""Values as YAML text in canonical form, as `fmt` would leave it.

Written by hand, as the language needed is so small: block mappings and lists, flow collections, plain texts
that no loader can take for anything else, JSON strings (which YAML's double quotes contain), literal blocks.
ruamel.yaml's dumper takes seven seconds for a megabyte, which the largest documents have dozens of,
and both it and libyaml turn keys beyond 128 characters into `? key`. Three parsers hold the result
against what was to be written, over all documents of the long test of imports.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

_PLAIN = re.compile(r"[A-Za-z][^\s:#\x00-\x1f\x7f-\x9f]*(?:(?: (?!#)|[:#](?!\s|\Z))[^\s:#\x00-\x1f\x7f-\x9f]*)*")
_FLOW_SIGNS = re.compile(r"[,\[\]{}?]")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Indents:
    """How far collections stand inside the mapping that their key is in: its keys, and its dashes."""

    mapping: int = 2
    sequence: int = 2


USUAL = Indents()


def mapping_lines(value: Mapping[str, Any], column: int = 0, indents: Indents = USUAL) -> Iterator[str]:
    """The lines of a block mapping whose keys stand at `column`; none for an empty one."""
    for key, item in value.items():
        yield from entry_lines(f"{' ' * column}{scalar(key)}:", item, column, indents)


def item_lines(item: object, column: int, indents: Indents = USUAL) -> Iterator[str]:
    """The lines of one item of a block sequence whose dashes stand at `column`."""
    if isinstance(item, Mapping) and item:
        lines = list(mapping_lines(item, column + 2, indents))
        yield f"{' ' * column}- {lines[0].lstrip(' ')}"
        yield from lines[1:]
    else:
        yield from entry_lines(f"{' ' * column}-", item, column, Indents())


def entry_lines(start: str, value: object, column: int, indents: Indents = USUAL) -> Iterator[str]:
    """The lines of a key or dash, `start`, which stands at `column`, with its value."""
    if isinstance(value, Mapping) and value:
        yield start
        yield from mapping_lines(value, column + indents.mapping, indents)
    elif isinstance(value, list) and value:
        yield start
        for item in value:
            yield from item_lines(item, column + indents.sequence, indents)
    elif isinstance(value, str) and fits_literal_block(value):
        margin = " " * (column + indents.mapping)
        yield f"{start} {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{margin}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{start} {scalar(value)}"


def flow(value: object) -> str:
    """A value on one line, as it may stand in a flow collection."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and is_plain(value, in_flow=True):
        return value
    return quoted(value) if isinstance(value, str) else scalar(value)


def fits_literal_block(value: str) -> bool:
    """Whether every reader gets `value` back from a literal block: white space at the edges is where they differ."""
    if "\n" not in value or value[0] in " \n" or value.endswith(("\n\n", " ")) or " \n" in value:
        return False
    return _UNFIT.search(value) is None


def is_plain(value: str, *, in_flow: bool = False) -> bool:
    """Whether every reader takes `value`, without quotes, for the text that it is."""
    return (
        _PLAIN.fullmatch(value) is not None
        and value[-1] != " "
        and value.lower() not in _WORDS
        and (value.isascii() or value.isprintable())
        and not (in_flow and _FLOW_SIGNS.search(value))
    )


def quoted(value: str) -> str:
    """A text in double quotes."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


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
