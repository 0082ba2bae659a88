"""A new value for a scalar, in the style that the old one is written in where the new one allows it."""

import re
from collections.abc import Iterator

from reconciler.kinds.yaml_text import fits_literal_block, is_plain, quoted, scalar
from reconciler.source.roundtrip.layout import Layout
from reconciler.source.roundtrip.splices import Splice
from reconciler.source.roundtrip.tree import Node

_INDICATOR = re.compile(r"[|>][-+0-9]*")
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_FOLDABLE = re.compile(r"[^\s](?:[^\s]| (?=[^\s]))*")
_NARROWEST = 60


def inline(value: object, style: str, *, in_flow: bool) -> str:
    """A scalar on one line.

    Args:
        style: of the scalar that it replaces, see `Node.style`.
    """
    if not isinstance(value, str):
        return scalar(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return value if style in ("", "|", ">") and is_plain(value, in_flow=in_flow) else quoted(value)


def in_block(layout: Layout, node: Node, value: str) -> Iterator[Splice]:
    """Edits that give a block scalar a new value; none when no block scalar can hold it."""
    start = content_start(layout, node)
    header = _INDICATOR.match(layout.text, start)
    last = layout.last_line(node)
    if header is None or last <= node_line(layout, start):
        return
    first = node_line(layout, start) + 1
    lines = [line for line in layout.lines[first : last + 1] if line.strip(" ")]
    if not lines:
        return
    margin = " " * (len(lines[0]) - len(lines[0].lstrip(" ")))
    body = value.removesuffix("\n")
    if not body or body[0] in " \n" or body[-1] in " \n" or " \n" in body or _UNFIT.search(body):
        return
    width = max(_NARROWEST, *(len(line.strip(" ")) for line in lines))
    folded = list(_folded(body, width)) if header[0][0] == ">" else []
    written = folded or body.split("\n")
    yield Splice(start, header.end(), (">" if folded else "|") + ("" if value.endswith("\n") else "-"))
    begin = layout.line_start(first)
    end = layout.line_start(last) + len(layout.lines[last])
    yield Splice(begin, end, "\n".join(margin + line if line else "" for line in written))


def _folded(body: str, width: int) -> Iterator[str]:
    """The lines of a folded scalar; none when folding would not give the text back."""
    paragraphs = body.split("\n")
    if not all(_FOLDABLE.fullmatch(paragraph) for paragraph in paragraphs):
        return
    for position, paragraph in enumerate(paragraphs):
        if position:
            yield ""
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > width:
                yield line
                line = word
            else:
                line = f"{line} {word}" if line else word
        yield line


def as_literal(value: object, margin: int) -> tuple[str, str] | None:
    """Header and lines of a text of several lines as a literal block; None for any other value."""
    if not isinstance(value, str) or not fits_literal_block(value):
        return None
    lines = value.removesuffix("\n").split("\n")
    text = "".join(f"{' ' * margin}{line}\n" if line else "\n" for line in lines)
    return ("|" if value.endswith("\n") else "|-"), text


_PROPERTIES = re.compile(r"&[^\s,\[\]{}]+\s+")


def content_start(layout: Layout, node: Node) -> int:
    """Where a node begins behind its anchor."""
    found = _PROPERTIES.match(layout.text, node.start.index) if node.anchor else None
    return found.end() if found else node.start.index


def node_line(layout: Layout, index: int) -> int:
    """The line that a character is on."""
    return layout.text.count("\n", 0, index)
