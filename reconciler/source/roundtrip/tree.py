"""A text as a tree of everything that is written in it."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from reconciler.yaml.nodes import Mark, Node, NodeKind, collection_node, mark_of, scalar_node
from reconciler.yaml.tree import Anchored, Language


class AsWritten(Language[Node]):
    """The language of `fmt`: a node for everything that is written, aliases too.

    Nothing is refused: its texts were read before, within limits.
    """

    def __init__(self, dashes: Sequence[Mark] = ()) -> None:
        """Take the places of the dashes, which a scanner sees; without them items begin where their values do."""
        self._dashes = dashes
        self._indexes = [mark.index for mark in dashes]

    def _dash(self, start: Mark) -> Mark:
        position = bisect_left(self._indexes, start.index) - 1
        return self._dashes[position] if position >= 0 else start

    def scalar(self, event: Any, *, is_key: bool) -> Node:
        """A node without a value."""
        return scalar_node(event)

    def alias(self, event: Any, found: Anchored[Node] | None, *, is_key: bool) -> Node:
        """A node of its own."""
        start, end = mark_of(event.start_mark), mark_of(event.end_mark)
        return Node(NodeKind.ALIAS, start, end, end, text=event.anchor)

    def collection(self, start: Any, items: list[Node], end: Any) -> Node:
        """A node with its children."""
        return collection_node(start, items, end, self._dash)
