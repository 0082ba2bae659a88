"""Keys of flow mappings, ``{name: crm}``, into the order of the schema."""

from reconciler.source.roundtrip.keyorder import KeyOrder, keeps_aliases, order_for
from reconciler.source.roundtrip.layout import Layout
from reconciler.yaml.nodes import Node, NodeKind

_SPACE = " \t\n"  # other spaces are content in YAML


def order_flow_mappings(layout: Layout) -> str:
    """The text with the entries of flow mappings swapped, all that stands between them left in its place.

    Only documents of our kinds are touched. A mapping with a comment inside keeps its order: which
    entry the comment is about cannot be told.
    """
    parts: list[str] = []
    position = 0
    for index, document in enumerate(layout.documents):
        order = order_for(document.root)
        if order is None or layout.has_explicit_keys(index) or not keeps_aliases(document.root, order):
            continue
        parts.append(layout.text[position : document.root.start.index])
        position = document.root.end.index
        parts.append(_render(layout, document.root, order, document.root.start.index, position))
    return "".join(parts) + layout.text[position:]


def _render(layout: Layout, node: Node, order: KeyOrder, start: int, end: int) -> str:
    """The text from `start` to `end`, which holds `node`, with its flow mappings in order."""
    if not node.children:
        return layout.text[start:end]
    starts = [child.start.index for child in node.children]
    stops = [*starts[1:], node.end.index - (1 if not node.is_block else 0)]
    entries = [
        _render(layout, child.value, order.below(child), begin, stop)
        for child, begin, stop in zip(node.children, starts, stops, strict=True)
    ]
    if node.kind is NodeKind.MAPPING and not node.is_block and not layout.has_comment(node):
        entries = _swapped(entries, order.arrange(node))
    return layout.text[start : starts[0]] + "".join(entries) + layout.text[stops[-1] : end]


def _swapped(entries: list[str], positions: list[int]) -> list[str]:
    """The entries at their new positions, each separator where it was."""
    cuts = [_cut(entry) for entry in entries]
    return [entries[new][: cuts[new]] + entries[old][cuts[old] :] for old, new in enumerate(positions)]


def _cut(entry: str) -> int:
    """Where the separator behind an entry begins. The space behind a colon without a value belongs to the entry."""
    end = len(entry.rstrip(_SPACE).removesuffix(",").rstrip(_SPACE))
    return end + 1 if entry[:end].endswith(":") and entry[end : end + 1].strip(_SPACE) == "" else end
