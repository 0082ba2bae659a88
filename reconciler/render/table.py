"""Tables for people: columns as wide as their cells, on a terminal as in a file."""

import unicodedata
from collections.abc import Sequence

from reconciler.harmless import harmless
from reconciler.render.style import BOLD, paint

_WIDEST = 44


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, color: bool, marked: Sequence[str] = ()
) -> list[str]:
    """The lines of a table. Long cells are cut; nothing in them reaches the terminal as a control character.

    Args:
        marked: a colour for each row, "" for none.
    """
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(_width(row[column]) for row in [header, *cells]) for column in range(len(header))]
    lines = [paint(_line(header, widths), BOLD, color=color)]
    for index, row in enumerate(cells):
        style = marked[index] if marked else ""
        lines.append(paint(_line(row, widths), style, color=color) if style else _line(row, widths))
    return lines


def _cell(text: str) -> str:
    text = harmless(text)
    while _width(text) > _WIDEST:
        text = text[: _WIDEST - 1].rstrip() + "…" if len(text) > _WIDEST else text[:-2] + "…"
    return text


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
