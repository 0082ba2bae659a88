"""Whether two texts mean the same and are written in the same style."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from reconciler.source.roundtrip.keyorder import order_for
from reconciler.source.roundtrip.layout import Layout
from reconciler.yaml.nodes import Node, NodeKind
from reconciler.yaml.tree import Document


class Meaning(Struct, frozen=True):
    """All of a file that formatting keeps: values, order of items, anchors, aliases, tags, quotes, comments, markers.

    Attributes:
        documents: a digest each.
        comments: how often each stands in the file.
    """

    documents: tuple[bytes, ...]
    comments: Counter[str]


def meaning(layout: Layout, *, any_order: bool) -> Meaning:
    """What a text means. With `any_order` the order of keys in documents of our kinds does not matter."""
    comments = Counter(comment.text for comment in layout.tokens.comments)
    return Meaning(digests(layout.documents, any_order=any_order), comments)


def digests(documents: Iterable[Document[Node]], *, any_order: bool) -> tuple[bytes, ...]:
    """One digest for each document."""
    return tuple(
        _Digester(any_order=any_order and order_for(item.root) is not None).document(item) for item in documents
    )


class _Digester:
    """Digests the nodes of one document; an alias counts as the node that it repeats."""

    def __init__(self, *, any_order: bool) -> None:
        self._any_order = any_order
        self._anchors: dict[str, bytes] = {}

    def document(self, document: Document[Node]) -> bytes:
        return _digest(document.header.encode(), self._node(document.root))

    def _node(self, node: Node) -> bytes:
        if node.kind is NodeKind.ALIAS:
            return _digest(b"alias", node.text.encode(), self._anchors.get(node.text, b""))
        parts = [self._child(child.key, child.value) for child in node.children]
        if self._any_order and node.kind is NodeKind.MAPPING:
            parts.sort()
        head = (node.kind, node.style, node.anchor, node.tag, node.text)
        found = _digest(*(text.encode("utf-8", "surrogatepass") for text in head), *parts)
        if node.anchor:
            self._anchors[node.anchor] = found
        return found

    def _child(self, key: Node | None, value: Node) -> bytes:
        return _digest(self._node(key) if key else b"", self._node(value))


def _digest(*parts: bytes) -> bytes:
    state = blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "big") + part)
    return state.digest()
