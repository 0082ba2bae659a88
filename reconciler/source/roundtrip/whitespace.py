"""Spaces at the ends of lines, blank lines, and the end of the file."""

from reconciler.source.roundtrip.layout import Layout


def trim(layout: Layout) -> str:
    """The text without spaces at line ends, with at most one blank line in a row and one final line feed.

    Blank lines at either end of the file go. What lies inside a scalar is content and stays; so does the
    end of a file that stops inside a block scalar, because a line feed there would alter the value.
    """
    kept: list[str] = []
    after_blank = True
    for number, line in enumerate(layout.lines):
        is_blank = layout.is_blank(number)
        if not (is_blank and after_blank):
            kept.append(line if number in layout.tokens.held else line.rstrip(" \t"))
        after_blank = is_blank
    if kept and after_blank:
        kept.pop()
    return "\n".join(kept) + ("" if layout.tokens.open_end or not kept else "\n")
