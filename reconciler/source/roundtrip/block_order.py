"""Keys of block mappings into the order of the schema, by moving whole lines with their comments.

Which comment goes with which entry:

- Comments above the first key of a document stay at its top: a licence, an editor's mode line.
- A comment right above a key goes with that key, and so do the blank lines above the comment.
- A comment that is indented deeper than the keys, or that follows an entry directly and is set off by
  a blank line from what comes next, goes with the entry above it.
- Other comments at the end of a mapping stay at its end.
"""

from msgspec import Struct

from reconciler.source.roundtrip.keyorder import KeyOrder, keeps_aliases, order_for
from reconciler.source.roundtrip.layout import Layout
from reconciler.yaml.nodes import Node, NodeKind


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
