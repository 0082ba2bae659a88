"""The order of keys that the schemas of the kinds give."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from reconciler.kinds import schemas
from reconciler.kinds.registry import API_VERSION, SCHEMA_FILES
from reconciler.yaml.nodes import Child, Node, NodeKind


class KeyOrder(Struct, frozen=True):
    """What the schema says of one place in a document; an empty `node` knows nothing.

    Attributes:
        schema: the whole schema.
        node: the part of it for this place, references followed.
    """

    schema: dict[str, Any]
    node: dict[str, Any]

    def below(self, child: Child) -> "KeyOrder":
        """The order for what stands under one entry or item."""
        if child.key is None:
            found = self.node.get("items")
        else:
            properties = self.node.get("properties", {})
            found = properties.get(child.key.text, self.node.get("additionalProperties"))
        return KeyOrder(self.schema, schemas.resolve(self.schema, found))

    def arrange(self, mapping: Node) -> list[int]:
        """Positions of the entries in canonical order: known keys as in the schema, then the others as they stand."""
        rank = {name: position for position, name in enumerate(self.node.get("properties", ()))}
        keys = [child.key.text if child.key else "" for child in mapping.children]
        return sorted(range(len(keys)), key=lambda position: rank.get(keys[position], len(rank)))


def order_for(root: Node) -> KeyOrder | None:
    """The order for a document of one of our kinds, None for any other document."""
    if root.kind is not NodeKind.MAPPING:
        return None
    head = {child.key.text: child.value.text for child in root.children if child.key}
    file = SCHEMA_FILES.get(head.get("kind", ""))
    if head.get("apiVersion") != API_VERSION or file is None:
        return None
    schema = schemas.load(file)
    return KeyOrder(schema, schema)


def keeps_aliases(root: Node, order: KeyOrder) -> bool:
    """Whether every alias means the same anchor once the keys are in order."""
    return _targets(root, None) == _targets(root, order)


def _targets(root: Node, order: KeyOrder | None) -> dict[int, int | None]:
    """For each alias, by index, the index of the node that it repeats."""
    anchors: dict[str, int] = {}
    found: dict[int, int | None] = {}
    for node in _walk(root, order):
        if node.kind is NodeKind.ALIAS:
            found[node.start.index] = anchors.get(node.text)
        elif node.anchor:
            anchors[node.anchor] = node.start.index
    return found


def _walk(node: Node, order: KeyOrder | None) -> Iterator[Node]:
    """All nodes in the order in which a parser would meet them once the keys are in `order`."""
    yield node
    sort = order is not None and node.kind is NodeKind.MAPPING
    positions = order.arrange(node) if order is not None and sort else range(len(node.children))
    for position in positions:
        child = node.children[position]
        if child.key is not None:
            yield from _walk(child.key, None)
        yield from _walk(child.value, order.below(child) if order is not None else None)
