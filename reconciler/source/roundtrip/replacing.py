"""A value in the place of another one, in its style where that can hold it."""

from collections.abc import Iterator
from typing import Any

from reconciler.source.roundtrip.layout import Layout
from reconciler.source.roundtrip.scalars import content_start, in_block
from reconciler.source.roundtrip.splices import CannotEdit, Splice
from reconciler.yaml.nodes import Child, Node, NodeKind
from reconciler.yaml.writer import WIDTH, Style, flow, item_lines, like, literal, mapping_lines


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
