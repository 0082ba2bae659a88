"""Entries of collections put in and taken out, with the lines and separators that are theirs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.source.roundtrip.layout import CannotEdit, Layout, Splice, usual_distances
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


FIRST = -1
"""The place before the first entry."""


def put_in_block(layout: Layout, node: Node, added: Mapping[int, Sequence[str]]) -> list[Splice]:
    """Edits that add entries, each as its lines, behind the entry at a position."""
    gap = "\n" if is_spaced(layout, node) else ""
    return [_put_behind(layout, node, position, texts, gap) for position, texts in added.items()]


def _put_behind(layout: Layout, node: Node, position: int, texts: Sequence[str], gap: str) -> Splice:
    if position == FIRST:
        first = node.children[0]
        if stands_alone(layout, first):
            at = layout.line_start(first_line(layout, first))
            return Splice(at, at, "".join(f"{text}\n{gap}" for text in texts))
        text = "\n".join(texts).lstrip(" ") + f"\n{gap}{' ' * first.start.column}"
        return Splice(first.start.index, first.start.index, text)
    line = line_behind(layout, node.children[position])
    at = layout.line_start(line)
    if line >= len(layout.lines):  # the file ends without a line break
        return Splice(at, at, "".join(f"\n{gap}{text}" for text in texts))
    return Splice(at, at, "".join(f"{gap}{text}\n" for text in texts))


def take_out_of_block(layout: Layout, node: Node, gone: Sequence[int]) -> list[Splice]:
    """Edits that remove entries with the comments that are theirs."""
    lines: set[int] = set()
    splices: list[Splice] = []
    last = len(node.children) - 1
    for position in gone:
        child = node.children[position]
        if not stands_alone(layout, child):
            splices += _before_next(layout, node, position, gone)
            continue
        lines.update(range(first_line(layout, child), line_behind(layout, child)))
    return splices + [_without(layout, run, at_end=last in gone) for run in _runs(lines)]


def _before_next(layout: Layout, node: Node, position: int, gone: Sequence[int]) -> list[Splice]:
    """The edits that remove an entry behind a dash: the next one takes its place, its comments go above the dash."""
    child = node.children[position]
    following = node.children[position + 1] if position + 1 < len(node.children) else None
    if following is None or position + 1 in gone:
        raise CannotEdit("what is to be removed stands behind a dash", child.start)
    between = range(layout.last_line(child.value) + 1, following.start.line)
    margin = " " * layout.indent(child.start.line)
    comments = [f"{margin}{layout.lines[line].lstrip(' ')}\n" for line in between if layout.is_comment(line)]
    above = layout.line_start(child.start.line)
    return [Splice(above, above, "".join(comments)), Splice(child.start.index, following.start.index, "")]


def _runs(lines: set[int]) -> list[range]:
    found: list[range] = []
    for line in sorted(lines):
        if found and found[-1].stop == line:
            found[-1] = range(found[-1].start, line + 1)
        else:
            found.append(range(line, line + 1))
    return found


def _without(layout: Layout, run: range, *, at_end: bool) -> Splice:
    """The edit that removes lines, and a blank line where two would be left, or one at the end."""
    start, stop = run.start, run.stop
    blank_above = start > 0 and layout.is_blank(start - 1)
    ends_file = stop >= len(layout.lines) - 1
    if blank_above and not ends_file and layout.is_blank(stop):
        stop += 1
    elif blank_above and (at_end or ends_file):
        start -= 1
    return Splice(layout.line_start(start), layout.line_start(stop), "")


def change_flow(layout: Layout, node: Node, gone: Sequence[int], added: Mapping[int, Sequence[str]]) -> list[Splice]:
    """Edits that remove entries of a flow collection and add others, each behind the one at a position."""
    count = len(node.children)
    if len(gone) == count:
        start = node.children[0].start.index if count else node.end.index - 1
        _refuse_comments(layout, start, node.end.index - 1, node)
        new = [text for position in sorted(added) for text in added[position]]
        return [Splice(start, node.end.index - 1, ", ".join(new))]
    splices = [_run_out_of_flow(layout, node, run) for run in _runs(set(gone))]
    for position, texts in added.items():
        if position == FIRST:
            at, text = node.children[0].start.index, "".join(f"{text}, " for text in texts)
        else:
            at, text = node.children[position].value.end.index, "".join(f", {text}" for text in texts)
        splices.append(Splice(at, at, text))
    return splices


def _run_out_of_flow(layout: Layout, node: Node, run: range) -> Splice:
    if run.stop < len(node.children):
        start, end = node.children[run.start].start.index, node.children[run.stop].start.index
    else:
        start, end = node.children[run.start - 1].value.end.index, node.children[-1].value.end.index
    _refuse_comments(layout, start, end, node)
    return Splice(start, end, "")


def _refuse_comments(layout: Layout, start: int, end: int, node: Node) -> None:
    """Do not remove a comment of which nobody can tell what it is about."""
    if any(start <= comment.index < end for comment in layout.tokens.comments):
        raise CannotEdit("a comment stands beside what is to be removed", node.start)


def swapped(layout: Layout, node: Node, order: Sequence[int]) -> list[Splice]:
    """Edits that bring the items of a sequence into another order, each with the comments that are its own."""
    places: list[tuple[int, int]] = []
    for child in node.children:
        if not node.is_block:
            places.append((child.start.index, child.value.end.index))
            continue
        if not stands_alone(layout, child):
            raise CannotEdit("items of a list in a list are to change places", child.start)
        end = layout.line_start(line_behind(layout, child))
        places.append((layout.line_start(first_line(layout, child)), end - layout.text.endswith("\n", 0, end)))
    texts = [layout.text[start:end] for start, end in places]
    return [Splice(*places[old], texts[new]) for old, new in enumerate(order) if old != new]
