"""Values with where they stand."""

from typing import Any

from msgspec import Struct

from reconciler.source.text import Position

SCALAR, MAPPING, SEQUENCE = "scalar", "mapping", "sequence"


class Node(Struct):
    """One value with where it stands.

    Attributes:
        kind: `SCALAR`, `MAPPING` or `SEQUENCE`.
        value: a scalar's value; a mapping's list of (key node, value node); a sequence's list of nodes.
        end: just behind a scalar; behind the opening of a collection.
    """

    kind: str
    value: Any
    start: Position
    end: Position
    weight: int = 0


def value_of(node: Node | None) -> Any:
    """The plain value of a node; repeated parts are separate objects."""
    if node is None:
        return None
    if node.kind is MAPPING:
        return {key.value: value_of(item) for key, item in node.value}
    if node.kind is SEQUENCE:
        return [value_of(item) for item in node.value]
    return node.value


def find(node: Node | None, path: tuple[str | int, ...], *, at_key: bool = False) -> Node | None:
    """The node at `path`, or the nearest one above it that exists; with `at_key` the key of the last step."""
    for index, step in enumerate(path):
        below = _step(node, step)
        if below is None:
            return node
        key, item = below
        node = key if at_key and key is not None and index == len(path) - 1 else item
    return node


def _step(node: Node | None, step: str | int) -> tuple[Node | None, Node] | None:
    if node is None or node.kind is SCALAR:
        return None
    if node.kind is MAPPING:
        return next(((key, item) for key, item in node.value if key.value == step), None)
    return (None, node.value[step]) if isinstance(step, int) and step < len(node.value) else None


def key_above(node: Node | None, path: tuple[str | int, ...]) -> Node | None:
    """The key node that the value at `path` stands under, or the nearest key above it."""
    found: Node | None = None
    for step in path:
        below = _step(node, step)
        if below is None:
            break
        found, node = (below[0] or below[1]), below[1]
    return found
