"""Texts that come from files, made harmless for Markdown."""

from collections.abc import Iterable

from reconciler.render.style import harmless

_MAX_CHARACTERS = 60_000  # a comment may hold 65,536


def code(text: str) -> str:
    """Text in a code span."""
    return "`" + harmless(text).replace("`", "'") + "`"


def escape(text: str) -> str:
    """Text without meaning to Markdown, and without mentions of people."""
    escaped = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\u200b")
    return "".join("\\" + char if char in "\\`*_[]#|~" else char for char in escaped)


def fitted(head: Iterable[str], blocks: Iterable[Iterable[str]], count: int, command: str) -> str:
    """The head, then as many of the blocks of lines as a comment can hold.

    Args:
        count: how many blocks there are.
        command: what shows those that do not fit.
    """
    lines = list(head)
    size = sum(len(line) + 1 for line in lines)
    for index, made in enumerate(blocks):
        block = list(made)
        size += sum(len(line) + 1 for line in block)
        if size > _MAX_CHARACTERS:
            lines.append(f"… and {count - index:,} more; `reconciler {command}` shows all of them.")
            break
        lines += block
    return "\n".join(lines).rstrip() + "\n"
