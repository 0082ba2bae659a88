"""A text as a tree of all that is written in it, with what only the scanner knows."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from reconciler.yaml.nodes import Mark, Node, NodeKind, collection_node, mark_of, scalar_node
from reconciler.yaml.tree import Anchored, Language, tokens


class AsWritten(Language[Node]):
    """The language of `fmt`: a node for everything that is written, aliases too.

    Nothing is refused: its texts were read before, within limits.
    """

    def __init__(self, dashes: Sequence[Mark] = ()) -> None:
        """Take the places of the dashes, which a scanner sees; without them items begin where their values do."""
        self._dashes = dashes
        self._indexes = [mark.index for mark in dashes]

    def _dash(self, start: Mark) -> Mark:
        position = bisect_left(self._indexes, start.index) - 1
        return self._dashes[position] if position >= 0 else start

    def scalar(self, event: Any, *, is_key: bool) -> Node:
        """A node without a value."""
        return scalar_node(event)

    def alias(self, event: Any, found: Anchored[Node] | None, *, is_key: bool) -> Node:
        """A node of its own."""
        start, end = mark_of(event.start_mark), mark_of(event.end_mark)
        return Node(NodeKind.ALIAS, start, end, end, text=event.anchor)

    def collection(self, start: Any, items: list[Node], end: Any) -> Node:
        """A node with its children."""
        return collection_node(start, items, end, self._dash)


_BLOCK_HEADER = re.compile(r"[|>](?P<chomping>[-+0-9]*)(?:[ \t]+(?P<comment>#[^\n]*))?")
_COMMENT = re.compile(r"#[^\n]*")


class Comment(Struct, frozen=True):
    """A comment with its `#`, without spaces at its end."""

    index: int
    text: str


class Tokens(Struct, frozen=True):
    """What the scanner saw of one file.

    Attributes:
        comments: in their order.
        dashes: where the items of block sequences begin.
        explicit_keys: lines on which a key is marked with a question mark.
        content: lines that hold more than comments and spaces.
        held: lines whose end lies inside a scalar, so that it must not be touched.
        block_scalars: index behind a block scalar, as the parser gives it, to its last line of content.
        open_end: whether the text ends inside a block scalar, whose value a further line break would alter.
    """

    comments: tuple[Comment, ...]
    dashes: tuple[Mark, ...]
    explicit_keys: tuple[int, ...]
    content: frozenset[int]
    held: frozenset[int]
    block_scalars: dict[int, int]
    open_end: bool


def scan(text: str, lines: Sequence[str]) -> Tokens:
    """The tokens of a text that parses; `lines` is the text split at its line feeds."""
    collector = _Collector(text, lines)
    for token in tokens(text):
        collector.add(token)
    return collector.result()


class _Collector:
    """Goes through the tokens of one text; whatever lies between them is space and comments."""

    def __init__(self, text: str, lines: Sequence[str]) -> None:
        self._text = text
        self._lines = lines
        self._comments: list[Comment] = []
        self._dashes: list[Mark] = []
        self._explicit_keys: list[int] = []
        self._content: set[int] = set()
        self._held: set[int] = set()
        self._block_scalars: dict[int, int] = {}
        self._open_end = False
        self._position = 0

    def add(self, token: Any) -> None:
        start, end = token.start_mark, token.end_mark
        self._add_comments(self._position, start.index)
        self._position = max(self._position, end.index)
        if start.index == end.index:
            return
        match type(token).__name__:
            case "ScalarToken":
                self._add_scalar(token.style, start, end)
                return
            case "BlockEntryToken":
                self._dashes.append(mark_of(start))
            case "KeyToken":  # an implicit key has no width
                self._explicit_keys.append(start.line)
        self._content.update(range(start.line, end.line + 1))

    def _add_comments(self, start: int, end: int) -> None:
        for found in _COMMENT.finditer(self._text, start, max(start, end)):
            self._comments.append(Comment(found.start(), found[0].rstrip(" \t")))

    def _add_scalar(self, style: str | None, start: Any, end: Any) -> None:
        if style in ("|", ">"):
            last = self._add_block_scalar(start, end)
            self._held.update(range(start.line + 1, last + 1))
        else:
            last = end.line
            self._held.update(range(start.line, last))
        self._content.update(range(start.line, last + 1))

    def _add_block_scalar(self, start: Any, end: Any) -> int:
        """The scalar's last line that counts: with `+` that may be a blank one."""
        header = _BLOCK_HEADER.match(self._text, start.index)
        chomping = header["chomping"] if header else "+"
        if header and header["comment"]:
            self._comments.append(Comment(header.start("comment"), header["comment"].rstrip(" \t")))
        last: int = end.line if end.column and end.index >= len(self._text) else end.line - 1
        if "+" not in chomping:
            last = self._without_blank_end(start.line, last, explicit=any(map(str.isdigit, chomping)))
        self._block_scalars[end.index] = last
        self._open_end = end.index >= len(self._text) and not self._text.endswith("\n") and "-" not in chomping
        return last

    def _without_blank_end(self, header: int, last: int, *, explicit: bool) -> int:
        """The last line that is not blank. Spaces beyond the scalar's own indentation are content."""
        inside = self._lines[header + 1 : last + 1]
        first = next((line for line in inside if line.strip(" ")), "")
        indent = 0 if explicit else len(first) - len(first.lstrip(" "))
        while last > header and not self._lines[last].strip(" ") and len(self._lines[last]) <= indent:
            last -= 1
        return last

    def result(self) -> Tokens:
        self._add_comments(self._position, len(self._text))
        return Tokens(
            comments=tuple(self._comments),
            dashes=tuple(self._dashes),
            explicit_keys=tuple(self._explicit_keys),
            content=frozenset(self._content),
            held=frozenset(self._held),
            block_scalars=self._block_scalars,
            open_end=self._open_end,
        )
