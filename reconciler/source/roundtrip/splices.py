"""Edits of a text as stretches that are replaced."""

from collections.abc import Iterable
from typing import NamedTuple

from reconciler.yaml.nodes import Mark


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
