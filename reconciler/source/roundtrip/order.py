"""Keys in the order of the schema, in block and flow mappings, with their comments."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from reconciler.kinds import registry
from reconciler.kinds.registry import API_VERSION, SCHEMA_FILES
from reconciler.source.roundtrip.layout import Layout
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
        return KeyOrder(self.schema, registry.resolve(self.schema, found))

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
    schema = registry.load(file)
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


def order_block_mappings(layout: Layout) -> str:
    """The text with the keys in order; only documents of our kinds are touched."""
    lines: list[str] = []
    for index, document in enumerate(layout.documents):
        place = layout.document_lines(index)
        order = order_for(document.root)
        if order is None or layout.has_explicit_keys(index) or not keeps_aliases(document.root, order):
            lines += layout.lines[place.start : place.stop]
        else:
            lines += _arranged(layout, document.root, order, place, is_root=True)
    return "\n".join(lines) if layout.documents else layout.text


class _Parts(Struct, frozen=True):
    """The lines of a block collection: what stays at its head, its children with their comments, its tail."""

    head: range
    children: list[range]
    tail: range


def _arranged(layout: Layout, node: Node, order: KeyOrder, place: range, *, is_root: bool = False) -> list[str]:
    """The lines of `place`, which hold `node`, in order."""
    if not node.is_block:
        return list(layout.lines[place.start : place.stop])
    parts = _split(layout, node, place, is_root=is_root)
    blocks = [
        _arranged(layout, child.value, order.below(child), lines)
        for child, lines in zip(node.children, parts.children, strict=True)
    ]
    if node.kind is NodeKind.MAPPING:
        positions = order.arrange(node)
        if positions != sorted(positions):
            blocks = _reordered(blocks, positions, node.column)
    head, tail = parts.head, parts.tail
    inside = [line for block in blocks for line in block]
    return [*layout.lines[head.start : head.stop], *inside, *layout.lines[tail.start : tail.stop]]


def _split(layout: Layout, node: Node, place: range, *, is_root: bool) -> _Parts:
    starts = [_first_start(layout, node, place, is_root=is_root)]
    ends = [layout.last_line(child.value) + 1 for child in node.children]
    for child, end in zip(node.children[1:], ends, strict=False):
        starts.append(_boundary(layout, range(end, child.start.line), node.column))
    tail = _behind_deeper_comments(layout, range(ends[-1], place.stop), node.column)
    stops = [*starts[1:], tail]
    children = [range(start, stop) for start, stop in zip(starts, stops, strict=True)]
    return _Parts(range(place.start, starts[0]), children, range(tail, place.stop))


def _first_start(layout: Layout, node: Node, place: range, *, is_root: bool) -> int:
    """Where the first child begins: with the comments right above it, unless they are the document's."""
    line = node.children[0].start.line
    if is_root or layout.lines[line][: node.column].strip(" "):  # behind a dash, comments above are the item's
        return line
    while line > place.start and layout.is_comment(line - 1):
        line -= 1
    return line


def _boundary(layout: Layout, gap: range, column: int) -> int:
    """The line of `gap`, the lines between two children, at which the second one begins."""
    start = _behind_deeper_comments(layout, gap, column)
    line = start
    while line < gap.stop and layout.is_comment(line):
        line += 1
    return line if line < gap.stop else start


def _behind_deeper_comments(layout: Layout, gap: range, column: int) -> int:
    deeper = [line for line in gap if layout.is_comment(line) and layout.indent(line) > column]
    return deeper[-1] + 1 if deeper else gap.start


def _reordered(blocks: list[list[str]], positions: list[int], column: int) -> list[list[str]]:
    """The blocks at their new positions.

    The first key of an item stands behind its dash: the dash goes to whichever key comes first. The blank
    lines above the block that comes first go to the one that was first, so that blocks stay apart.
    """
    was_first, now_first = list(blocks[0]), list(blocks[positions[0]])
    dash = ""
    if positions[0] != 0:
        line = _key_line(was_first)
        dash = was_first[line][:column]
        was_first[line] = " " * column + was_first[line][column:]
        blanks = next(number for number, text in enumerate(now_first) if text.strip(" \t"))
        was_first = now_first[:blanks] + was_first
        now_first = _behind_dash(now_first[blanks:], dash, column)
    moved = {0: was_first, positions[0]: now_first}
    return [moved.get(position, blocks[position]) for position in positions]


def _behind_dash(block: list[str], dash: str, column: int) -> list[str]:
    """The block with `dash` before its key, and the comments above its key above the dash."""
    if not dash.strip():
        return block
    key = _key_line(block)
    margin = " " * (len(dash) - len(dash.lstrip(" ")))
    comments = [margin + line.lstrip(" ") if line.strip(" \t") else line for line in block[:key]]
    return [*comments, dash + block[key][column:], *block[key + 1 :]]


def _key_line(block: list[str]) -> int:
    """Where the key of a block is: comments and blank lines may stand above it."""
    return next(
        number for number, line in enumerate(block) if line.strip(" \t") and not line.lstrip(" \t").startswith("#")
    )


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
