"""Colour for terminals, and the making harmless of texts that come from files."""

RED, GREEN, YELLOW, CYAN, BOLD, DIM = "31", "32", "33", "36", "1", "2"
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))} | {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
}


def paint(text: str, *codes: str, color: bool) -> str:
    """`text` in the colours given, when `color`."""
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if color and text else text


def harmless(text: str) -> str:
    """`text` on one line, with control characters and marks of text direction shown as escapes."""
    return text.translate(_ESCAPES)


def plural(count: int, noun: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def well_formed(text: str) -> str:
    """`text` as it can be written in UTF-8: what stands for undecodable bytes of file names becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
