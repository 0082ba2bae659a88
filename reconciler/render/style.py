"""How text looks: colour for terminals, and numbers with nouns."""

from reconciler.harmless import own

RED, GREEN, YELLOW, CYAN, BOLD, DIM = "31", "32", "33", "36", "1", "2"


def paint(text: str, *codes: str, color: bool) -> str:
    """`text` in the colours given, when `color`."""
    if not (color and text):
        return text
    return own(f"\x1b[{';'.join(codes)}m") + text + own("\x1b[0m")


def plural(count: int, noun: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
