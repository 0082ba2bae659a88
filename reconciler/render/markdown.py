"""Texts of others, made harmless for Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

from reconciler.harmless import harmless

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
