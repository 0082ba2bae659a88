"""Nodes of YAML, their values and their places."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Mark(Struct, frozen=True):
    """A place in a text: index, line and column count from 0, in characters."""

    index: int
    line: int
    column: int

    @property
    def position(self) -> tuple[int, int]:
        """Line and column from 1, as people count."""
        return self.line + 1, self.column + 1


class NodeKind(StrEnum):
    """What a node is."""

    SCALAR = "scalar"
    ALIAS = "alias"
    SEQUENCE = "sequence"
    MAPPING = "mapping"


class Node(Struct):
    """One value as it is written.

    Attributes:
        start: where its anchor or tag stands when it has one.
        opened: behind the first sign of a collection; of what is none, as `end`.
        end: behind a scalar, an alias or a flow collection; a block collection ends with its last child.
        style: a scalar's first sign (``""`` when plain); of a collection ``block`` or ``flow``.
        text: a scalar's text, an alias's name.
        value: what a scalar means, where a language says so.
    """

    kind: NodeKind
    start: Mark
    opened: Mark
    end: Mark
    style: str = ""
    text: str = ""
    anchor: str = ""
    tag: str = ""
    children: tuple["Child", ...] = ()
    value: Any = None

    @property
    def is_block(self) -> bool:
        """Whether it is a collection whose structure is given by indentation."""
        return self.style == "block"

    @property
    def column(self) -> int:
        """Column of a block collection: of its keys or dashes."""
        return self.children[0].start.column


class Child(Struct, frozen=True):
    """One entry of a mapping, or one item of a sequence (then without a key).

    Attributes:
        start: of the key, or of the item; of an item's dash where these are known.
    """

    start: Mark
    key: Node | None
    value: Node


def mark_of(mark: Any) -> Mark:
    """A mark of either library as one of ours."""
    return Mark(mark.index, mark.line, mark.column)


def scalar_node(event: Any, value: Any = None) -> Node:
    """The node of a scalar."""
    first, behind = event.start_mark, event.end_mark
    start = Mark(first.index, first.line, first.column)
    end = Mark(behind.index, behind.line, behind.column)
    tag = str(event.tag) if event.tag else ""
    return Node(NodeKind.SCALAR, start, end, end, event.style or "", event.value, event.anchor or "", tag, (), value)


def collection_node(start: Any, items: Sequence[Node], end: Any, dash: Callable[[Mark], Mark] | None = None) -> Node:
    """The node of a collection; `items` are keys and values in turn where it is a mapping.

    Args:
        dash: from where an item of a block sequence begins to its dash, which events do not tell.
    """
    style = "flow" if start.flow_style else "block"
    first, opened = mark_of(start.start_mark), mark_of(start.end_mark)
    if type(start).__name__ == "MappingStartEvent":
        kind = NodeKind.MAPPING
        pairs = zip(items[::2], items[1::2], strict=True)
        children = tuple(Child(key.start, key, value) for key, value in pairs)
    else:
        kind = NodeKind.SEQUENCE
        places = [dash(item.start) if dash and style == "block" else item.start for item in items]
        children = tuple(Child(place, None, item) for place, item in zip(places, items, strict=True))
    last = children[-1].value.end if style == "block" else mark_of(end.end_mark)
    tag = str(start.tag) if start.tag else ""
    return Node(kind, first, opened, last, style, "", start.anchor or "", tag, children)


def value_of(node: Node | None) -> Any:
    """The plain value of a node; repeated parts are separate objects."""
    if node is None:
        return None
    if node.kind is NodeKind.MAPPING:
        return {child.key.value: value_of(child.value) for child in node.children if child.key}
    if node.kind is NodeKind.SEQUENCE:
        return [value_of(child.value) for child in node.children]
    return node.value


def steps(node: Node | None, path: tuple[str | int, ...]) -> Iterator[Child]:
    """The entries and items on the way along a path, as far as it leads."""
    for step in path:
        found = _below(node, step) if node is not None else None
        if found is None:
            return
        yield found
        node = found.value


def _below(node: Node, step: str | int) -> Child | None:
    if node.kind is NodeKind.MAPPING:
        return next((child for child in node.children if child.key and child.key.value == step), None)
    return node.children[step] if isinstance(step, int) and step < len(node.children) else None
