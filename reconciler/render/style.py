"""How text looks: colour, tables, Markdown, JSON that is safe to print."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.core import access
from reconciler.core.access import Route, Where
from reconciler.harmless import Escapes, harmless, own

RED, GREEN, YELLOW, CYAN, BOLD, DIM = "31", "32", "33", "36", "1", "2"


def paint(text: str, *codes: str, color: bool) -> str:
    """`text` in the colours given, when `color`."""
    if not (color and text):
        return text
    return own(f"\x1b[{';'.join(codes)}m") + text + own("\x1b[0m")


def plural(count: int, noun: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_WIDEST = 44
_NARROWEST = 8


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, color: bool, marked: Sequence[str] = (), columns: int = 0
) -> list[str]:
    """The lines of a table. Long cells are cut; nothing in them reaches the terminal as a control character.

    Args:
        marked: a colour for each row, "" for none.
        columns: how wide the terminal is; 0 where it is none.
    """
    cells = [[_cell(cell, _WIDEST) for cell in row] for row in rows]
    widths = [max(_width(row[column]) for row in [header, *cells]) for column in range(len(header))]
    if columns and _narrow(widths, header, columns):
        cells = [[_cell(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    lines = [paint(_line(header, widths), BOLD, color=color)]
    for index, row in enumerate(cells):
        style = marked[index] if marked else ""
        lines.append(paint(_line(row, widths), style, color=color) if style else _line(row, widths))
    return lines


def _narrow(widths: list[int], header: Sequence[str], columns: int) -> bool:
    """Take from the widest columns what the terminal has no room for, and say whether any was taken.

    The first column names the row, and titles stay whole: where that is too much, lines are longer than the terminal.
    """
    over = sum(widths) + 2 * (len(widths) - 1) - columns
    taken = False
    while over > 0:
        wide = [at for at in range(1, len(widths)) if widths[at] > max(_width(header[at]), _NARROWEST)]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
        over, taken = over - 1, True
    return taken


def _cell(text: str, widest: int) -> str:
    text = harmless(text)
    while _width(text) > widest:
        text = text[: widest - 1].rstrip() + "…" if len(text) > widest else text[:-2] + "…"
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


_MAX_CHARACTERS = 60_000  # a comment may hold 65,536
_BREAK = "&#8203;"
"""Seen by nobody, and keeps apart what would be a mention or a link."""
_SIGNS = str.maketrans({char: f"\\{char}" for char in r"\`*_[]#|~$"} | {"&": "&amp;", "<": "&lt;", "@": f"@{_BREAK}"})
_LINK = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_BLOCK = re.compile(r"\A(\s*\d{0,9})([>+=.)-])")
_TICKS = re.compile(r"`+")


def code(text: str) -> str:
    """Text in a code span."""
    shown = harmless(text)
    ticks = "`" * (_longest_ticks([shown]) + 1)
    margin = " " if not shown.strip("`") or shown[0] == "`" or shown[-1] == "`" else ""
    return f"{ticks}{margin}{shown}{margin}{ticks}"


def escape(text: str) -> str:
    """Text without meaning to Markdown, without links and without mentions of people."""
    escaped = _LINK.sub(_BREAK, harmless(text).translate(_SIGNS))
    return _BLOCK.sub(r"\1\\\2", escaped, count=1) if _BLOCK.match(escaped) else escaped


def diff_block(lines: Sequence[str]) -> Iterator[str]:
    """Lines of a difference in a code block that none of them ends; nothing for no lines."""
    if lines:
        ticks = "`" * max(3, _longest_ticks(lines) + 1)
        yield from (f"{ticks}diff", *lines, ticks, "")


def _longest_ticks(lines: Iterable[str]) -> int:
    return max((len(ticks) for line in lines for ticks in _TICKS.findall(line)), default=0)


def fitted(head: Iterable[str], blocks: Iterable[Iterable[str]], count: int, command: str) -> str:
    """The head, then as many of the blocks of lines as a comment can hold.

    Args:
        head: lines that may be cut anywhere; a block is shown whole or not at all.
        count: how many blocks there are.
        command: what shows those that do not fit.
    """
    lines: list[str] = []
    size = 0
    for part in (line for text in head for line in text.split("\n")):
        size += len(part) + 1
        if size > _MAX_CHARACTERS:
            return "\n".join([*lines, f"… and more; `reconciler {command}` shows all of it."]) + "\n"
        lines.append(part)
    for index, made in enumerate(blocks):
        block = list(made)
        size += sum(len(line) + 1 for line in block)
        if size > _MAX_CHARACTERS:
            lines.append(f"… and {count - index:,} more; `reconciler {command}` shows all of them.")
            break
        lines += block
    return "\n".join(lines).rstrip() + "\n"


def reason(actor: str, route: Route, where: Where | None) -> str:
    """`reasons.reason` without what would steer a terminal."""
    return harmless(access.reason(actor, route, where))


def route_json(route: Route | None, where: Where | None) -> dict[str, Any] | None:
    """A route as data."""
    if route is None:
        return None
    file, line = where(route) if where else (None, None)
    return {
        "groups": list(route.groups),
        "policy": route.policy,
        "grant": route.grant.index if route.grant else None,
        "superAdmin": route.grant is None,
        "expires": route.grant.expires.isoformat() if route.grant and route.grant.expires else None,
        "file": file,
        "line": line,
    }


def _escape(char: str) -> str:
    r"""As JSON escapes it.

    A lone surrogate is shown as text, `\\udce9`: it stands for a byte of a name that is no text, and many readers
    refuse a JSON text that holds half a character.
    """
    units = char.encode("utf-16-be", "surrogatepass").hex()
    backslash = "\\\\" if "\ud800" <= char <= "\udfff" else "\\"
    return "".join(f"{backslash}u{units[at : at + 4]}" for at in range(0, len(units), 4))


_ESCAPES = Escapes(_escape, kept="\n")
_SECOND = re.compile(r"(?<=#)([\ufe0e\ufe0f]*)#")


def json_text(content: Any) -> str:
    """`content` as indented JSON. Outside of strings JSON has nothing that becomes an escape here."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    if not text.isascii() or "\x7f" in text:
        text = text.translate(_ESCAPES)
    return (_SECOND.sub(r"\1\\u0023", text) if "#" in text else text) + "\n"
