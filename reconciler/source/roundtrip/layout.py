"""A text with all that the steps need to know of it."""

from bisect import bisect_left

from msgspec import Struct

from reconciler.source.roundtrip.tokens import Tokens, scan
from reconciler.source.roundtrip.tree import AsWritten
from reconciler.yaml.nodes import Node
from reconciler.yaml.tree import Document, documents, events


class Layout(Struct, frozen=True):
    """A text that parses, with its nodes and tokens.

    Attributes:
        lines: the text split at its line feeds.
    """

    text: str
    lines: tuple[str, ...]
    tokens: Tokens
    documents: tuple[Document[Node], ...]

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
