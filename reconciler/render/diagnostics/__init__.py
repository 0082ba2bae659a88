"""Diagnostics in the formats that people and other tools read; text is made here."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.harmless import cells, harmless
from reconciler.render.style import BOLD, CYAN, DIM, RED, YELLOW, paint, plural

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab")


class Checked(Struct, frozen=True):
    """What was checked.

    Attributes:
        files, documents: how many.
        paths: of the files.
        version: of this tool.
        since: what was looked at is what differs from this revision, and what that concerns; "" for everything.
    """

    files: int
    documents: int
    paths: tuple[str, ...] = ()
    version: str = ""
    since: str = ""


def render(format_name: str, diagnostics: Sequence[Diagnostic], *, checked: Checked, color: bool = False) -> str:
    """The diagnostics, which are sorted, in one of `FORMATS`; `color` is for text."""
    if format_name == "text":
        return render_text(diagnostics, checked, color=color)
    from reconciler.render.diagnostics.formats import RENDERERS

    return RENDERERS[format_name](diagnostics, checked, color=color)


_WIDTH = 100  # columns of a line that are shown around the caret
_TAB = "    "
_COLORS = {Severity.ERROR: RED, Severity.WARNING: YELLOW}


def render_text(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
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
    """The part of the line around the caret, the columns before the caret, and the columns under it.

    A line wider than `_WIDTH` is cut at both ends; its characters far off are not even looked at.
    """
    line = found.snippet
    start = min(found.span.column - 1, len(line))
    first = max(start - _WIDTH, 0)
    before, after = _cells(line[first:start]), _cells(line[start : start + _WIDTH])
    room = max(_WIDTH // 3, _WIDTH - sum(map(_width, after)))
    left = before[len(before) - _fitting(before[::-1], room) :]
    right = after[: _fitting(after, _WIDTH - sum(map(_width, left)))]
    prefix = "…" if first or len(left) < len(before) else ""
    suffix = "…" if start + len(right) < len(line) else ""
    marked = sum(map(_width, right[: max(found.span.end_column - found.span.column, 1)]))
    shown = prefix + "".join(left + right) + suffix
    return shown, len(prefix) + sum(map(_width, left)), max(marked, 1)


def _cells(line: str) -> list[str]:
    return [_TAB if char == "\t" else cell for char, cell in zip(line, cells(line), strict=True)]


def _fitting(shown: list[str], columns: int) -> int:
    """How many cells, from the first on, take at most `columns`."""
    for count, cell in enumerate(shown):
        columns -= _width(cell)
        if columns < 0:
            return count
    return len(shown)


def _width(cell: str) -> int:
    """Columns that a cell takes on a terminal."""
    if cell.isascii():
        return len(cell)
    from unicodedata import category, east_asian_width

    if category(cell) in ("Mn", "Me") or "\u1160" <= cell <= "\u11ff" or "\ud7b0" <= cell <= "\ud7ff":
        return 0  # combining marks; vowels and finals of Korean syllables, which stand in the cell of the initial
    return 2 if east_asian_width(cell) in "WF" else 1


def _summary(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    errors = sum(found.severity is Severity.ERROR for found in diagnostics)
    warnings = len(diagnostics) - errors
    if not diagnostics:
        since = f", looked at for what changed since {harmless(checked.since)}" if checked.since else ""
        return f"{plural(checked.files, 'file')}, {plural(checked.documents, 'document')}{since}: valid."
    parts = [plural(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    text = f"{' and '.join(parts)} in {plural(checked.files, 'file')}."
    if fixable := sum(found.fix is not None for found in diagnostics):
        text += f" {fixable:,} can be mended by  reconciler validate --fix"
    return paint(text, RED if errors else YELLOW, BOLD, color=color)
