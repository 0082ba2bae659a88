"""One function between bytes and values: `load`.

Two speeds. A file that the byte guard finds nothing in goes through the fast library; everything
else, and whatever that library refuses, through the careful parser, which says where and why.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.diagnostics import Diagnostic
from reconciler.source.text import SourceText
from reconciler.source.yaml.guard import BOM, guard, needs_care

if TYPE_CHECKING:
    from reconciler.yaml.nodes import Node

_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_FAST_POSITION = re.compile(r"line (\d+), column (\d+)")


class Loaded(Struct, frozen=True):
    """What a file holds.

    Attributes:
        documents: the value of each document that is not empty, with its index in the file.
        faults: what is wrong; documents may be missing then.
        nodes: the documents with positions, by index, when the careful parser read the file.
    """

    documents: list[tuple[int, Any]]
    faults: list[Diagnostic]
    nodes: "Sequence[Node | None]" = ()


FastParser = Callable[[str], Any]


def fast_parser() -> FastParser | None:
    """The fast library's function from the text of one document to its value, or None without the library."""
    try:
        from yaml_rs import loads
    except ImportError:
        return None
    return lambda text: loads(text, parse_datetime=False)


def load(data: bytes, file: str, fast: FastParser | None) -> Loaded:
    """The documents of the file `file` with the content `data`. Never raises for what the file holds."""
    if fast is not None and not needs_care(data):
        documents = _load_fast(data, fast)
        if documents is not None:
            return Loaded(documents, [])
    return load_carefully(data, file, fast)


def _load_fast(data: bytes, fast: FastParser) -> list[tuple[int, Any]] | None:
    try:
        text = data.removeprefix(BOM).decode()
        parts = [text] if "\n---" not in text else _split(text)
        values = [fast(part) for part in parts]
    except (ValueError, TypeError):  # not UTF-8, refused by the library, or a key that cannot be one
        return None
    found = []
    for index, value in enumerate(values):
        if type(value) is dict:
            found.append((index, value))
        elif value is not None:
            return None
    return found


def _split(text: str) -> list[str]:
    """The text of each document. A line that starts with --- is a separator wherever it stands."""
    starts = [found.start() for found in _SEPARATOR.finditer(text)]
    if not starts or (text[: starts[0]].strip() and not _only_comments(text[: starts[0]])):
        starts.insert(0, 0)
    else:
        starts[0] = 0
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _only_comments(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def load_carefully(data: bytes, file: str, fast: FastParser | None) -> Loaded:
    """As `load`, by the careful parser. A fault that only the fast library sees is reported too."""
    from reconciler.source.fixes import with_fixes
    from reconciler.source.yaml.parser import parse
    from reconciler.yaml.nodes import NodeKind, value_of

    faults = guard(data, file)
    source = SourceText(file, data)
    if faults:
        return Loaded([], with_fixes(source, faults))
    parsed = parse(source)
    faults = list(parsed.faults)
    documents = []
    for index, node in enumerate(parsed.documents):
        if node is not None and node.kind is not NodeKind.MAPPING:
            hint = "start with apiVersion: reconciler/v1"
            span = node.start.position, node.opened.position
            faults.append(source.diagnostic("RC114", "the document is not a mapping", *span, hint=hint))
        elif node is not None:
            documents.append((index, value_of(node)))
    if not faults and fast is not None:
        faults += _fast_fault(source, fast)
    return Loaded(documents, with_fixes(source, faults), parsed.documents)


def _fast_fault(source: SourceText, fast: FastParser) -> list[Diagnostic]:
    """What the fast library alone refuses: the two are held to the same language, so it counts."""
    offset = 0
    for part in _split(source.text):
        try:
            fast(part)
        except (ValueError, TypeError) as fault:
            message = str(fault).splitlines()[-1].strip()
            found = _FAST_POSITION.search(str(fault))
            line, column = (int(found[1]), int(found[2])) if found else (1, 1)
            start = (line + offset, column)
            return [source.diagnostic("RC104", message, start, (start[0], column + 1))]
        offset += part.count("\n")
    return []
