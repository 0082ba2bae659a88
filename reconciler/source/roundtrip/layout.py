"""A text with its line endings, white space and indentation, and edits of it as stretches that are replaced."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from msgspec import Struct

from reconciler.source.roundtrip.tree import AsWritten, Tokens, scan
from reconciler.yaml.nodes import Mark, Node, NodeKind
from reconciler.yaml.tree import DocumentTree, documents, events


class Layout(Struct, frozen=True):
    """A text that parses, with its nodes and tokens.

    Attributes:
        lines: the text split at its line feeds.
    """

    text: str
    lines: tuple[str, ...]
    tokens: Tokens
    documents: tuple[DocumentTree[Node], ...]

    def last_line(self, node: Node) -> int:
        """The last line with content of `node`."""
        while node.is_block:
            node = node.children[-1].value
        if node.style in ("|", ">"):
            return self.tokens.block_scalars[node.end.index]
        return node.end.line

    def line_start(self, line: int) -> int:
        """Index of the first character of a line; of the line behind the last one, the end of the text."""
        return min(sum(map(len, self.lines[:line])) + line, len(self.text))

    def is_comment(self, line: int) -> bool:
        """Whether there is a comment, and nothing else, on the line."""
        return line not in self.tokens.content and self.lines[line].lstrip(" \t").startswith("#")

    def is_blank(self, line: int) -> bool:
        """Whether the line is empty, and not a part of a scalar."""
        return line not in self.tokens.content and not self.lines[line].strip(" \t")

    def indent(self, line: int) -> int:
        """How many spaces the line begins with."""
        return len(self.lines[line]) - len(self.lines[line].lstrip(" "))

    def document_lines(self, position: int) -> range:
        """The lines of the document at `position`, up to the next document."""
        first = self.documents[position].start.line if position else 0
        behind = position + 1
        last = self.documents[behind].start.line if behind < len(self.documents) else len(self.lines)
        return range(first, last)

    def has_explicit_keys(self, position: int) -> bool:
        """Whether a key of the document is marked with a question mark; such a document keeps its lines."""
        lines, keys = self.document_lines(position), self.tokens.explicit_keys
        return bisect_left(keys, lines.start) != bisect_left(keys, lines.stop)

    def has_comment(self, node: Node) -> bool:
        """Whether a comment stands inside a flow collection."""
        found = bisect_left(self.tokens.comments, node.start.index, key=lambda comment: comment.index)
        return found < len(self.tokens.comments) and self.tokens.comments[found].index < node.end.index


def read(text: str) -> Layout:
    """The layout of a text without carriage returns.

    Raises:
        yaml.YAMLError: the text does not parse.
    """
    lines = tuple(text.split("\n"))
    found = scan(text, lines)
    return Layout(text, lines, found, tuple(documents(events(text), AsWritten(found.dashes))))


class Splice(NamedTuple):
    """That the characters from `start` to `end` are replaced."""

    start: int
    end: int
    text: str


class CannotEdit(Exception):
    """A change that would take more than moving the lines that it is about.

    Attributes:
        mark: where.
        hint: what to do.
    """

    def __init__(self, message: str, mark: Mark, hint: str = "edit it by hand") -> None:
        super().__init__(message, mark, hint)
        self.message = message
        self.mark = mark
        self.hint = hint


def spliced(text: str, splices: Iterable[Splice]) -> str | None:
    """The text with all edits made; those at one place in the order given. None when two of them overlap."""
    parts: list[str] = []
    position = 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if splice.start < position:
            return None
        parts += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join(parts) + text[position:]


def on_own_breaks(text: str, ending: str, splices: Iterable[Splice]) -> list[Splice]:
    """Edits of a text with line feeds as edits of `text`, whose line breaks may be any; new ones are `ending`."""
    offsets: list[int] = []
    position = 0
    while position < len(text):
        offsets.append(position)
        position += 2 if text.startswith("\r\n", position) else 1
    offsets.append(position)
    return [Splice(offsets[item.start], offsets[item.end], item.text.replace("\n", ending)) for item in splices]


_BREAK = re.compile("\r\n|\r|\n")


def own_ending(text: str) -> str:
    """The line ending that most lines have; the first one on a tie, a line feed when there is none."""
    found = Counter(_BREAK.findall(text)).most_common(1)
    return found[0][0] if found else "\n"


def with_line_feeds(text: str) -> str:
    """The text with a line feed at the end of each line."""
    return _BREAK.sub("\n", text)


def trim(layout: Layout) -> str:
    """The text without spaces at line ends, with at most one blank line in a row and one final line feed.

    Blank lines at either end of the file go. What lies inside a scalar is content and stays; so does the
    end of a file that stops inside a block scalar, because a line feed there would alter the value.
    """
    kept: list[str] = []
    after_blank = True
    for number, line in enumerate(layout.lines):
        is_blank = layout.is_blank(number)
        if not (is_blank and after_blank):
            kept.append(line if number in layout.tokens.held else line.rstrip(" \t"))
        after_blank = is_blank
    if kept and after_blank:
        kept.pop()
    return "\n".join(kept) + ("" if layout.tokens.open_end or not kept else "\n")


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
