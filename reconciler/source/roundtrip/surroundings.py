"""Which lines of a block collection belong to which of its entries, as far as an edit has to know."""

from collections import Counter

from reconciler.source.roundtrip.indentation import usual_distances
from reconciler.source.roundtrip.layout import Layout
from reconciler.yaml.nodes import Child, Node, NodeKind
from reconciler.yaml.writer import Style


def first_line(layout: Layout, child: Child) -> int:
    """The first line of an entry: of the comments right above it that line up with it, else its own."""
    line = child.start.line
    while line > 0 and layout.is_comment(line - 1) and layout.indent(line - 1) == child.start.column:
        line -= 1
    return line


def line_behind(layout: Layout, child: Child) -> int:
    """The first line behind an entry and behind the comments right below it that are indented deeper."""
    line = layout.last_line(child.value) + 1
    while line < len(layout.lines) and layout.is_comment(line) and layout.indent(line) > child.start.column:
        line += 1
    return line


def stands_alone(layout: Layout, child: Child) -> bool:
    """Whether nothing stands before an entry on its line: no dash of an item around it, and no marker."""
    return not layout.lines[child.start.line][: child.start.column].strip(" ")


def is_spaced(layout: Layout, node: Node) -> bool:
    """Whether there is a blank line between any two entries of a block collection."""
    pairs = list(zip(node.children, node.children[1:], strict=False))
    return bool(pairs) and all(
        any(map(layout.is_blank, range(layout.last_line(above.value) + 1, below.start.line))) for above, below in pairs
    )


def style_of(layout: Layout) -> Style:
    """How a file is written: what most of it does."""
    distances = usual_distances([document.root for document in layout.documents])
    leaves = Counter(is_flow for document in layout.documents for is_flow in _leaves(document.root))
    return Style(distances.get(NodeKind.MAPPING, 2), distances.get(NodeKind.SEQUENCE, 2), leaves[True] > leaves[False])


def _leaves(node: Node) -> list[bool]:
    """For each collection that holds no other whether it is written in flow."""
    if not node.children:
        return []
    below = [child.value for child in node.children if child.value.children]
    return [found for child in below for found in _leaves(child)] if below else [not node.is_block]
