"""Documents of a text made to declare something else, one at a time, each edit checked."""

import re
from collections import Counter
from typing import Any

from reconciler.source.roundtrip.changing import changes
from reconciler.source.roundtrip.endings import own_ending, with_line_feeds
from reconciler.source.roundtrip.layout import Layout, read
from reconciler.source.roundtrip.splices import CannotEdit, Splice, on_own_breaks, spliced
from reconciler.source.roundtrip.tree import Mark


def change_document(text: str, index: int, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The text with one document changed, everything else as it was, line breaks too.

    Args:
        text: it parses.
        before, after: canonical bodies; what the document declares, and what it is to declare.

    Raises:
        CannotEdit: it would take more than editing the places that differ.
    """
    moved = _in_order_of(before, after)
    for old, new in ((before, moved), (moved, after)):
        layout = read(with_line_feeds(text))
        text = _edited(text, layout, changes(layout, index, old, new), index)
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


def _edited(text: str, layout: Layout, splices: list[Splice], index: int) -> str:
    """The text with the edits made.

    Raises:
        CannotEdit: they overlap, lose a comment, or leave no YAML.
    """
    import yaml

    found = spliced(text, on_own_breaks(text, own_ending(text), splices))
    start = layout.documents[index].root.start
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


def remove_document(text: str, index: int) -> str | None:
    """The text without one of its documents and the comments that belong to it; None when no other is left."""
    layout = read(with_line_feeds(text))
    if len(layout.documents) == 1:
        return None
    lines = layout.document_lines(index)
    start, stop = lines.start, lines.stop
    if index == 0:
        first = layout.documents[0].start.line
        start = _behind_head(layout, first)
        stop += not _MARKER.match(layout.lines[first]) and _LONE_MARKER.fullmatch(layout.lines[stop]) is not None
    splice = Splice(layout.line_start(start), layout.line_start(stop), "")
    found = spliced(text, on_own_breaks(text, own_ending(text), [splice]))
    assert found is not None
    return found


_MARKER = re.compile("---")
_LONE_MARKER = re.compile(r"---[ \t]*")
_OF_THE_FILE = re.compile(r"yaml-language-server|vim?:|-\*-|SPDX|copyright|licen[cs]e", re.IGNORECASE)


def _behind_head(layout: Layout, first: int) -> int:
    """The first line that belongs to the first document: a licence or a mode line right above it does not."""
    line = first
    while line > 0 and layout.is_comment(line - 1):
        line -= 1
    head = [number for number in range(line, first) if _OF_THE_FILE.search(layout.lines[number])]
    return first if head or _MARKER.match(layout.lines[first]) else line


def start_of(text: str, index: int) -> Mark:
    """Where a document begins."""
    return read(with_line_feeds(text)).documents[index].root.start
