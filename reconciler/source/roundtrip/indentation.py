"""A file's own indentation, found by what most of its lines do and then applied to all of them.

Two figures make the style: how far a mapping stands inside the mapping above it, and how far the
dashes of a sequence do. Everything else - the space behind a dash, continued lines, block scalars,
flow collections - keeps its place relative to the line that it belongs to.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from msgspec import Struct

from reconciler.source.roundtrip.layout import Layout
from reconciler.yaml.nodes import Node, NodeKind


class _Frame(Struct, frozen=True):
    """A block collection around a line: its column before and after, and the frame around it."""

    old: int
    new: int
    parent: "_Frame | None"

    def outwards(self) -> Iterator["_Frame"]:
        """This frame and those around it."""
        frame: _Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent


Distances = dict[NodeKind, int]


def indent_evenly(layout: Layout) -> str:
    """The text in the style that most of it has; documents with explicit keys (``? key``) keep their lines."""
    roots = [item.root for index, item in enumerate(layout.documents) if not layout.has_explicit_keys(index)]
    style = usual_distances(roots)
    frames: dict[int, _Frame] = {}
    for root in roots:
        _frame_lines(layout, root, style, None, frames)
    if all(frame.old == frame.new for frame in frames.values()):
        return layout.text
    return "\n".join(_shifted(layout, frames))


def usual_distances(roots: list[Node]) -> Distances:
    """For each sort of collection the distance that most keys or dashes have; the first one on a tie."""
    counts = {NodeKind.MAPPING: Counter[int](), NodeKind.SEQUENCE: Counter[int]()}
    for node, distance in chain.from_iterable(map(_distances, roots)):
        counts[node.kind][distance] += len(node.children)
    return {kind: found.most_common(1)[0][0] for kind, found in counts.items() if found}


def _distances(node: Node) -> Iterator[tuple[Node, int]]:
    """The block collections under keys, each with its distance from the mapping that the key is in."""
    for child in node.children if node.is_block else ():
        if child.value.is_block:
            if child.key is not None:
                yield child.value, child.value.column - node.column
            yield from _distances(child.value)


def _frame_lines(
    layout: Layout, node: Node, style: Distances, around: _Frame | None, frames: dict[int, _Frame]
) -> None:
    """Note for each line of `node` the innermost block collection that it begins in."""
    if not node.is_block:
        return
    frame = around or _Frame(node.column, node.column, None)
    for child in node.children:
        for line in range(child.start.line, layout.last_line(child.value) + 1):
            frames[line] = frame
        if child.value.is_block:
            _frame_lines(layout, child.value, style, _frame_below(child.value, frame, style, child.key), frames)


def _frame_below(node: Node, frame: _Frame, style: Distances, key: Node | None) -> _Frame:
    if key is None:  # inside an item
        return _Frame(node.column, node.column + frame.new - frame.old, frame)
    return _Frame(node.column, frame.new + style[node.kind], frame)


def _shifted(layout: Layout, frames: dict[int, _Frame]) -> Iterator[str]:
    comments = _comment_columns(layout, frames)
    for number, line in enumerate(layout.lines):
        if number in comments:
            yield " " * comments[number] + line.lstrip(" ")
        elif number in frames and (line.strip(" ") or _in_block_scalar(layout, number)):
            yield _shift(line, frames[number].new - frames[number].old)
        else:
            yield line


def _in_block_scalar(layout: Layout, line: int) -> bool:
    """Whether a line of spaces may be content, or become content when the lines around it move."""
    return line in layout.tokens.held


def _shift(line: str, distance: int) -> str:
    if distance >= 0 or not line:
        return " " * distance + line if line else line
    spaces = len(line) - len(line.lstrip(" "))
    return line[min(-distance, spaces) :]


def _comment_columns(layout: Layout, frames: dict[int, _Frame]) -> dict[int, int]:
    """New columns of the lines that hold only a comment."""
    found: dict[int, int] = {}
    above: _Frame | None = None
    waiting: list[int] = []
    for line in range(len(layout.lines)):
        if layout.is_comment(line):
            waiting.append(line)
        elif line in layout.tokens.content:  # without a frame: a marker, or a document that keeps its lines
            below = frames.get(line)
            found.update({number: _column(layout.indent(number), above, below) for number in waiting})
            above, waiting = below, []
    found.update({number: _column(layout.indent(number), above, None) for number in waiting})
    return found


def _column(old: int, above: _Frame | None, below: _Frame | None) -> int:
    """Where a comment at column `old` goes: along with the collection that it lines up with.

    That is one around the next line if there is one, else one around the line before, the outermost
    first. A comment that lines up with nothing goes with the nearest collection to its left, but not
    further right than the one to its right: it must not end up in a block scalar.
    """
    inner = list(below.outwards()) if below else []
    outer = list(above.outwards())[::-1] if above else []
    for frame in (*inner, *outer):
        if frame.old == old:
            return frame.new
    left = max((frame for frame in (*inner, *outer) if frame.old < old), key=lambda frame: frame.old, default=None)
    moved = old + left.new - left.old if left else old
    return max(0, min([moved, *(frame.new for frame in (*inner, *outer) if frame.old > old)]))
