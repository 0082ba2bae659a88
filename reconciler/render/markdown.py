"""Texts that come from files, made harmless for Markdown."""

from reconciler.render.style import harmless


def code(text: str) -> str:
    """Text in a code span."""
    return "`" + harmless(text).replace("`", "'") + "`"


def escape(text: str) -> str:
    """Text without meaning to Markdown, and without mentions of people."""
    escaped = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\u200b")
    return "".join("\\" + char if char in "\\`*_[]#|~" else char for char in escaped)
