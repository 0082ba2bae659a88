"""Connectors as YAML text: `dump` and `dump_files`.

Written by hand, as the language needed is so small: block mappings and lists, plain texts that no
loader can take for anything else, JSON strings (which YAML's double quotes contain), literal blocks.
ruamel.yaml's dumper takes seven seconds for a megabyte, which the largest documents have dozens of,
and both it and libyaml turn keys beyond 128 characters into `? key`. Three parsers hold the result
against what was to be written, over all documents of the long test.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.importers.openapi.records import Imported
from reconciler.importers.openapi.texts import one_line

_PLAIN = re.compile(r"[A-Za-z][^\s:#\x00-\x1f\x7f-\x9f]*(?:(?: (?!#)|[:#](?!\s|\Z))[^\s:#\x00-\x1f\x7f-\x9f]*)*")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_INDENT: Final = "  "


def dump(imported: Imported) -> str:
    """All documents as one YAML text, with a comment at the top that says where they come from."""
    return _comment(imported) + "---\n".join(map(_text, imported.documents))


def dump_files(imported: Imported) -> dict[str, str]:
    """Each document as the text of a file of its own, by file name; none is larger than a file may be."""
    comment = _comment(imported)
    return {f"{document['metadata']['name']}.yaml": comment + _text(document) for document in imported.documents}


def _comment(imported: Imported) -> str:
    title = one_line(imported.title)[:200] or "a document without a title"
    version = f", version {one_line(imported.version)}" if imported.version else ""
    return (
        f"# Imported from {one_line(imported.format)}: {title}{version}.\n"
        "# Placeholders in double braces are filled in by each call; `sample` holds values for a test call.\n"
        "# Bodies show every field that is known: remove those that are not needed.\n"
    )


def _text(document: Mapping[str, Any]) -> str:
    return "\n".join(_mapping(document, "")) + "\n"


def size_of(endpoints: Mapping[str, Any]) -> tuple[int, int]:
    """Bytes that the endpoints take up in a file, and values, keys included, that a reader counts."""
    lines = list(_mapping(endpoints, _INDENT * 2))
    return sum(len(line.encode()) + 1 for line in lines), _count(endpoints)


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(f"{indent}{_scalar(key)}:", item, indent + _INDENT)


def _sequence(value: Sequence[Any], indent: str) -> Iterator[str]:
    for item in value:
        if isinstance(item, Mapping) and item:
            lines = list(_mapping(item, indent + _INDENT))
            yield f"{indent}- {lines[0].lstrip(' ')}"
            yield from lines[1:]
        else:
            yield from _entry(f"{indent}-", item, indent + _INDENT)


def _entry(start: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield start
        yield from _mapping(value, indent)
    elif isinstance(value, list) and value:
        yield start
        yield from _sequence(value, indent)
    elif isinstance(value, str) and _fits_literal_block(value):
        yield f"{start} {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{indent}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{start} {_scalar(value)}"


def _fits_literal_block(value: str) -> bool:
    """Whether every reader gets `value` back from a literal block: white space at the edges is where they differ."""
    if "\n" not in value or value[0] in " \n" or value.endswith(("\n\n", " ")) or " \n" in value:
        return False
    return _UNFIT.search(value) is None


def _is_plain(value: str) -> bool:
    """Whether every reader takes `value`, without quotes, for the text that it is."""
    return (
        _PLAIN.fullmatch(value) is not None
        and value[-1] != " "
        and value.lower() not in _WORDS
        and (value.isascii() or value.isprintable())
    )


def _scalar(value: object) -> str:
    if isinstance(value, str) and _is_plain(value):
        return value
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    return "{}" if isinstance(value, Mapping) else "[]"
