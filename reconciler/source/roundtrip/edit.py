"""Documents of a file made to declare something else, or taken out; all others stay byte for byte."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from reconciler.source.roundtrip.change import changes
from reconciler.source.roundtrip.entries import style_of
from reconciler.source.roundtrip.layout import (
    CannotEdit,
    Layout,
    Splice,
    on_own_breaks,
    own_ending,
    read,
    spliced,
    with_line_feeds,
)
from reconciler.yaml.nodes import Mark
from reconciler.yaml.writer import Style

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class DocumentParts(Struct, frozen=True):
    """A file cut where its documents begin.

    Attributes:
        texts: of each document, with the line breaks that it has; together they are the file.
        lines: the line, from 0, at which each begins.
        ending: the line break for new lines.
        style: how the file is written.
    """

    texts: tuple[str, ...]
    lines: tuple[int, ...]
    ending: str
    style: Style


def cut(text: str) -> DocumentParts:
    """The documents of a text that parses."""
    layout = read(with_line_feeds(text))
    lines = _LINE.findall(text)
    places = [layout.document_lines(index) for index in range(len(layout.documents))]
    texts = tuple("".join(lines[place.start : place.stop]) for place in places)
    return DocumentParts(texts, tuple(place.start for place in places), own_ending(text), style_of(layout))


def change_document(parts: DocumentParts, index: int, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The text of one document changed, line breaks as they were.

    Args:
        before, after: canonical bodies; what the document declares, and what it is to declare.

    Raises:
        CannotEdit: it would take more than editing the places that differ.
    """
    text, line = parts.texts[index], parts.lines[index]
    moved = _in_order_of(before, after)
    for old, new in ((before, moved), (moved, after)):
        if old != new:
            layout = read(with_line_feeds(text))
            text = _edited(text, layout, changes(layout, old, new, parts.style, line), parts.ending)
    return text


def _in_order_of(before: Any, after: Any) -> Any:
    """`before` with the items of named lists that both have in the order that they have in `after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {key: _in_order_of(value, after[key]) if key in after else value for key, value in before.items()}
    if not (_is_named(before) and _is_named(after)):
        return before
    places = {item["name"]: place for place, item in enumerate(after)}
    kept = iter(sorted((item for item in before if item["name"] in places), key=lambda item: places[item["name"]]))
    return [next(kept) if item["name"] in places else item for item in before]


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value)


def _edited(text: str, layout: Layout, splices: list[Splice], ending: str) -> str:
    """The text with the edits made.

    Raises:
        CannotEdit: they overlap, lose a comment, or leave no YAML.
    """
    import yaml

    found = spliced(text, on_own_breaks(text, ending, splices))
    start = layout.documents[0].root.start
    if found is None:
        raise CannotEdit("the places that differ overlap", start)
    try:
        after = read(with_line_feeds(found))
    except yaml.YAMLError:
        raise CannotEdit("the places that differ cannot be edited one by one", start) from None
    inside = [
        comment.text
        for comment in layout.tokens.comments
        if any(splice.start <= comment.index < splice.end for splice in splices)
    ]
    kept = Counter(comment.text for comment in layout.tokens.comments) - Counter(inside)
    if not kept <= Counter(comment.text for comment in after.tokens.comments):
        raise CannotEdit("a comment would be lost", start)
    return found


def join(texts: Sequence[str | None]) -> str | None:
    """The documents as a file, without those that are None and what belongs to them; None when no other is left.

    Args:
        texts: as `Parts` has them, changed or not.
    """
    kept = [text for text in texts if text is not None]
    return "".join(kept) if kept else None


_MARKER = re.compile(r"---(?=\s|\Z)")
_LONE_MARKER = re.compile(r"---[ \t]*(?:\r\n|\r|\n)")
_OF_THE_FILE = re.compile(r"yaml-language-server|vim?:|-\*-|SPDX|copyright|licen[cs]e", re.IGNORECASE)


def without(texts: Sequence[str | None], index: int) -> list[str | None]:
    """The documents without one; what stands above the first one and is not about it stays."""
    left = [*texts[:index], None, *texts[index + 1 :]]
    text = texts[index] or ""
    if index or len(texts) == 1:
        return left
    layout = read(with_line_feeds(text))
    first = layout.documents[0].start.line
    head = "".join(_LINE.findall(text)[: _behind_head(layout, first)])
    following = next((number for number, other in enumerate(left) if other is not None), None)
    if following is None:
        return left
    rest = left[following] or ""
    if not _MARKER.match(layout.lines[first]):  # the marker was there to end the first one
        rest = _LONE_MARKER.sub("", rest, count=1) if _LONE_MARKER.match(rest) else rest
    left[following] = head + rest
    return left


def _behind_head(layout: Layout, first: int) -> int:
    """The first line that belongs to the first document: a licence or a mode line right above it does not."""
    line = first
    while line > 0 and layout.is_comment(line - 1):
        line -= 1
    above = [number for number in range(line, first) if _OF_THE_FILE.search(layout.lines[number])]
    return first if above or _MARKER.match(layout.lines[first]) else line


def start_of(text: str) -> Mark:
    """Where the first document of a text begins."""
    return read(with_line_feeds(text)).documents[0].root.start
