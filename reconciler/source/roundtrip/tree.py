"""The nodes of a file with the places where they stand and the way they are written."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Mark(Struct, frozen=True):
    """A place in a text: index, line and column count from 0, in characters."""

    index: int
    line: int
    column: int


class NodeKind(StrEnum):
    """What a node is."""

    SCALAR = "scalar"
    ALIAS = "alias"
    SEQUENCE = "sequence"
    MAPPING = "mapping"


class Node(Struct, frozen=True):
    """One value as it is written.

    Attributes:
        style: a scalar's first sign (``""`` when plain); of a collection ``block`` or ``flow``.
        text: a scalar's value, an alias's name.
        start: where its anchor or tag stands when it has one.
        end: behind a scalar, an alias or a flow collection; a block collection ends with its last child.
    """

    kind: NodeKind
    start: Mark
    end: Mark
    style: str = ""
    text: str = ""
    anchor: str = ""
    tag: str = ""
    children: tuple["Child", ...] = ()

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
        start: of the key, or of the item's dash.
    """

    start: Mark
    key: Node | None
    value: Node


class Document(Struct, frozen=True):
    """One document of a file.

    Attributes:
        header: its directives and whether its markers are written, for comparing.
        start: of its first token.
    """

    root: Node
    start: Mark
    header: str


def mark_of(mark: Any) -> Mark:
    """A mark of either library as one of ours."""
    return Mark(mark.index, mark.line, mark.column)


def build(events: Iterable[Any], dashes: Sequence[Mark] = ()) -> list[Document]:
    """The documents of a stream of events: those of PyYAML and of ruamel.yaml have the same names.

    `dashes`, where the scanner saw the items of block sequences, gives the items' places.
    Nesting must be bounded: each level is a call.
    """
    return list(_Builder(events, dashes).documents())


class _Builder:
    """Recursive descent over one stream of events."""

    def __init__(self, events: Iterable[Any], dashes: Sequence[Mark]) -> None:
        self._events = iter(events)
        self._dashes = dashes
        self._dash_indexes = [dash.index for dash in dashes]

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if type(event).__name__ != "DocumentStartEvent":
                continue
            root = self._node(next(self._events))
            end = next(self._events)
            header = f"{event.explicit} {event.version} {event.tags} {end.explicit}"
            yield Document(root, mark_of(event.start_mark), header)

    def _node(self, event: Any) -> Node:
        start, end = mark_of(event.start_mark), mark_of(event.end_mark)
        match type(event).__name__:
            case "AliasEvent":
                return Node(NodeKind.ALIAS, start, end, text=event.anchor)
            case "ScalarEvent":
                anchor, tag = _properties(event)
                return Node(NodeKind.SCALAR, start, end, event.style or "", event.value, anchor, tag)
            case "SequenceStartEvent":
                return self._collection(NodeKind.SEQUENCE, event)
            case _:
                return self._collection(NodeKind.MAPPING, event)

    def _collection(self, kind: NodeKind, start: Any) -> Node:
        style = "flow" if start.flow_style else "block"
        children: list[Child] = []
        for event in self._events:
            if type(event).__name__.endswith("EndEvent"):
                break
            first = self._node(event)
            if kind is NodeKind.MAPPING:
                children.append(Child(first.start, first, self._node(next(self._events))))
            else:
                at = first.start if style == "flow" else self._dash_before(first.start)
                children.append(Child(at, None, first))
        end = children[-1].value.end if style == "block" else mark_of(event.end_mark)
        anchor, tag = _properties(start)
        return Node(kind, mark_of(start.start_mark), end, style, "", anchor, tag, tuple(children))

    def _dash_before(self, start: Mark) -> Mark:
        position = bisect_left(self._dash_indexes, start.index) - 1
        return self._dashes[position] if position >= 0 else start


def _properties(event: Any) -> tuple[str, str]:
    return event.anchor or "", str(event.tag or "")
