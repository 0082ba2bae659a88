"""A new text for a block scalar, and where nodes stand."""

import re
from collections.abc import Iterator

from reconciler.source.roundtrip.layout import Layout
from reconciler.source.roundtrip.splices import Splice
from reconciler.yaml.nodes import Node
from reconciler.yaml.writer import block_header, block_lines, fits_block

_INDICATOR = re.compile(r"[|>][-+0-9]*")
_FOLDABLE = re.compile(r"[^\s](?:[^\s]| (?=[^\s]))*")
_NARROWEST = 60


def in_block(layout: Layout, node: Node, value: str) -> Iterator[Splice]:
    """Edits that give a block scalar a new value; none when no block scalar can hold it."""
    start = content_start(layout, node)
    header = _INDICATOR.match(layout.text, start)
    last = layout.last_line(node)
    if header is None or last <= node_line(layout, start):
        return
    first = node_line(layout, start) + 1
    lines = [line for line in layout.lines[first : last + 1] if line.strip(" ")]
    if not lines:
        return
    if not fits_block(value):
        return
    margin = len(lines[0]) - len(lines[0].lstrip(" "))
    body = value.removesuffix("\n")
    width = max(_NARROWEST, *(len(line.strip(" ")) for line in lines))
    folded = list(_folded(body, width)) if header[0][0] == ">" else []
    written = folded or body.split("\n")
    yield Splice(start, header.end(), block_header(">" if folded else "|", value))
    begin = layout.line_start(first)
    end = layout.line_start(last) + len(layout.lines[last])
    yield Splice(begin, end, "\n".join(block_lines(written, margin)))


def _folded(body: str, width: int) -> Iterator[str]:
    """The lines of a folded scalar; none when folding would not give the text back."""
    paragraphs = body.split("\n")
    if not all(_FOLDABLE.fullmatch(paragraph) for paragraph in paragraphs):
        return
    for position, paragraph in enumerate(paragraphs):
        if position:
            yield ""
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > width:
                yield line
                line = word
            else:
                line = f"{line} {word}" if line else word
        yield line


_PROPERTIES = re.compile(r"&[^\s,\[\]{}]+\s+")


def content_start(layout: Layout, node: Node) -> int:
    """Where a node begins behind its anchor."""
    found = _PROPERTIES.match(layout.text, node.start.index) if node.anchor else None
    return found.end() if found else node.start.index


def node_line(layout: Layout, index: int) -> int:
    """The line that a character is on."""
    return layout.text.count("\n", 0, index)
