"""A value in the place of another one, in its style where that can hold it."""

import re
from collections.abc import Iterator
from typing import Any

from reconciler.source.roundtrip.layout import CannotEdit, Layout, Splice
from reconciler.yaml.nodes import Child, Node, NodeKind
from reconciler.yaml.writer import (
    WIDTH,
    Style,
    block_header,
    block_lines,
    fits_block,
    flow,
    item_lines,
    like,
    literal,
    mapping_lines,
)

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


class Replacing:
    """Replaces values of one text."""

    def __init__(self, layout: Layout, style: Style) -> None:
        self._layout = layout
        self._style = style

    def value(self, child: Child, parent: Node, new: Any) -> list[Splice]:
        """The edits that make `new`, whose keys are in order, the value of an entry."""
        node = child.value
        if node.is_block:
            return list(self._lines_to_inline(child, new))
        if node.style in ("|", ">"):
            edits = list(in_block(self._layout, node, new)) if isinstance(new, str) else []
            return edits or list(self._lines_to_inline(child, new))
        if isinstance(new, dict | list) and new:
            return list(self._collection(node, parent, new))
        return list(self._scalar(node, parent, new))

    def _scalar(self, node: Node, parent: Node, new: Any) -> Iterator[Splice]:
        if parent.is_block and node.style not in ('"', "'"):
            margin = parent.column + (self._style.mapping if parent.kind is NodeKind.MAPPING else 2)
            if block := literal(new, margin):
                yield self._in_place(node, block[0])
                yield self._on_next_line(node, "".join(f"{line}\n" for line in block[1:]))
                return
        style = node.style if node.kind is NodeKind.SCALAR else ""
        yield self._in_place(node, like(new, style, in_flow=not parent.is_block))

    def _collection(self, node: Node, parent: Node, new: Any) -> Iterator[Splice]:
        items = new.values() if isinstance(new, dict) else new
        is_leaf = not any(isinstance(item, dict | list) and item for item in items)
        short = is_leaf and node.start.column + len(flow(new)) <= WIDTH
        if not parent.is_block or parent.kind is not NodeKind.MAPPING or short:
            yield self._in_place(node, flow(new))
            return
        if isinstance(new, dict):
            lines = list(mapping_lines(new, parent.column + self._style.mapping, self._style))
        else:
            column = parent.column + self._style.sequence
            lines = [line for item in new for line in item_lines(item, column, self._style)]
        start = content_start(self._layout, node)
        while self._layout.text[start - 1] == " ":
            start -= 1
        yield Splice(start, node.end.index, "")
        yield self._on_next_line(node, "".join(f"{line}\n" for line in lines))

    def _in_place(self, node: Node, text: str) -> Splice:
        start = content_start(self._layout, node)
        space = " " if node.end.index <= start and self._layout.text[start - 1 : start] != " " else ""
        return Splice(start, max(node.end.index, start), space + text)

    def _on_next_line(self, node: Node, text: str) -> Splice:
        """The edit that puts lines behind the line on which a value ends."""
        line = node.end.line + 1
        at = self._layout.line_start(line)
        if line >= len(self._layout.lines):
            return Splice(at, at, "\n" + text.removesuffix("\n"))
        return Splice(at, at, text)

    def _lines_to_inline(self, child: Child, new: Any) -> Iterator[Splice]:
        """The edits that put `new` on the line of its key, in place of the lines below it."""
        layout, node, key = self._layout, child.value, child.key
        if key is None:
            raise CannotEdit("an item of several lines is to become another sort of value", child.start)
        colon = layout.text.index(":", key.end.index) + 1
        text = flow(new) if isinstance(new, dict | list) else like(new, "", in_flow=False)
        head = layout.lines[key.end.line]
        rest = head[colon - layout.line_start(key.end.line) :]
        comment = rest.find(" #")
        end = colon + (len(rest) if comment < 0 else comment)
        yield Splice(colon, end, f" {text}")
        start, stop = layout.line_start(key.end.line + 1), layout.line_start(layout.last_line(node) + 1)
        if stop > start:
            yield Splice(start, stop, "")
