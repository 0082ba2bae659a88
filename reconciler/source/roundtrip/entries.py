"""Entries of collections put in and taken out, with the lines or the separators that are theirs."""

from collections.abc import Mapping, Sequence

from reconciler.source.roundtrip.layout import Layout
from reconciler.source.roundtrip.splices import CannotEdit, Splice
from reconciler.source.roundtrip.surroundings import first_line, is_spaced, line_behind, stands_alone
from reconciler.yaml.nodes import Node

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
