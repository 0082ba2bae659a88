"""Diagnostics as text: position, message, the line with a caret below it, what to do."""

import unicodedata
from collections.abc import Iterator, Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.diagnostics import Checked
from reconciler.render.style import BOLD, CYAN, DIM, RED, YELLOW, harmless, paint, plural

_WIDTH = 100  # columns of a line that are shown around the caret
_COLORS = {Severity.ERROR: RED, Severity.WARNING: YELLOW}


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """All diagnostics, and one line that sums them up."""
    lines = [line for found in diagnostics for line in _lines(found, color=color)]
    return "\n".join([*lines, _summary(diagnostics, checked, color=color)]) + "\n"


def _lines(found: Diagnostic, *, color: bool) -> Iterator[str]:
    severity = found.severity
    word = paint(f"{severity}[{found.code}]:", _COLORS[severity], BOLD, color=color)
    yield f"{paint(harmless(str(found.span)) + ':', BOLD, color=color)} {word} {harmless(found.message)}"
    if found.snippet.strip():
        gutter = f"{found.span.line:>5} | "
        shown, before, marked = _excerpt(found)
        yield paint(gutter, DIM, color=color) + shown
        yield (
            paint("      | ", DIM, color=color)
            + " " * before
            + paint("^" * marked, _COLORS[severity], BOLD, color=color)
        )
    if found.hint:
        yield f"  {paint('hint:', CYAN, color=color)} {harmless(found.hint)}"
    yield ""


def _excerpt(found: Diagnostic) -> tuple[str, int, int]:
    """The part of the line around the caret, the columns before the caret, and the columns under it."""
    characters = found.snippet
    start = min(found.span.column - 1, len(characters))
    end = max(min(found.span.end_column - 1, len(characters)), start + 1)
    cut = 0
    if len(characters) > _WIDTH:
        cut = max(0, min(start - _WIDTH // 3, len(characters) - _WIDTH))
    shown = [_cell(char) for char in characters[cut : cut + _WIDTH]]
    prefix, suffix = "…" if cut else "", "…" if cut + _WIDTH < len(characters) else ""
    before = len(prefix) + sum(_width(cell) for cell in shown[: start - cut])
    marked = sum(_width(cell) for cell in shown[start - cut : end - cut])
    return prefix + "".join(shown) + suffix, before, max(marked, 1)


def _cell(char: str) -> str:
    return "    " if char == "\t" else harmless(char)


def _width(cell: str) -> int:
    """Columns that a cell takes on a terminal."""
    if cell.isascii():
        return len(cell)
    if unicodedata.combining(cell) or unicodedata.category(cell) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _summary(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    errors = sum(found.severity is Severity.ERROR for found in diagnostics)
    warnings = len(diagnostics) - errors
    if not diagnostics:
        return f"{plural(checked.files, 'file')}, {plural(checked.documents, 'document')}: valid."
    parts = [plural(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    text = f"{' and '.join(parts)} in {plural(checked.files, 'file')}."
    return paint(text, RED if errors else YELLOW, BOLD, color=color)
