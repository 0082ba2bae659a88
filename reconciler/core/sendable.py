"""What keeps a text from being sent as it is. Told before anything is sent or written, as nobody is told afterwards."""

import re

_FAULTS = (
    (re.compile(r"\A\ufeff"), "begins with a byte order mark", True),
    (re.compile(r"[\r\n]\Z"), "ends with a line break", True),
    (re.compile(r"[\r\n]"), "holds a line break", True),
    (re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"), "holds a control character", True),
    (re.compile(r"[\ud800-\udfff]"), "is not UTF-8", True),
    (re.compile(r"\A[\t ]"), "begins with a blank", False),
    (re.compile(r"[\t ]\Z"), "ends with a blank", False),
    (re.compile(r"[^\t\x20-\x7e]"), "holds letters beyond ASCII", False),
)
"""What of a text is looked for, how it is told, and whether it is a fault anywhere or only in a header."""

HINT = "set it without that; printf '%s' writes no line break, and encode what is not ASCII"


def unsendable(text: str, *, in_header: bool) -> str:
    """Why `text` cannot be sent, as the rest of a sentence that begins with it; "" where it can.

    Args:
        in_header: whether it goes into a header as it is (RFC 9110, section 5.5); else it is encoded on the way, so
            that only what no credential may hold is a fault (RFC 6749, appendix A; RFC 7617, section 2).
    """
    return next((told for found, told, anywhere in _FAULTS if (anywhere or in_header) and found.search(text)), "")
