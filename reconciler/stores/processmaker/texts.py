"""What an instance makes of texts, as far as definitions have to mind it."""

import re
import unicodedata

from reconciler.kinds.canonical import fold

_BLANK = r"[\s\0\u200b\ufeff]"  # what one version or the other takes off
_OUTER = re.compile(rf"\A{_BLANK}+|{_BLANK}+\Z")
_TAG = re.compile(r"<(?![ \t\n\r\v\f])")
"""What versions take for the beginning of markup; what follows may be lost up to the end of the text."""
_BRACES = re.compile(r"\{\{|\}\}")
_SIGNS = frozenset("-_.'")
_AS_TWO = str.maketrans({"æ": "ae", "œ": "oe"})


def trimmed(text: str) -> str:
    """A text without the outer blanks that the server takes off."""
    return _OUTER.sub("", text)


def is_whole(text: str) -> bool:
    """Whether a text is kept to its ends; an empty one is not, as it becomes null."""
    return text != "" and _OUTER.search(text) is None


def markup_in(text: str) -> tuple[int, int] | None:
    """The first stretch of a description that the server would take for markup or a placeholder, and drop."""
    found = [match.span() for pattern in (_TAG, _BRACES) if (match := pattern.search(text))]
    return min(found) if found else None


def unnamed_signs(name: str) -> str:
    """The characters of a display name that the server refuses, each once: no letter, digit, blank or one of - _ . '."""
    return "".join(dict.fromkeys(sign for sign in name if not _is_sign_of_names(sign)))


def _is_sign_of_names(sign: str) -> bool:
    category = unicodedata.category(sign)
    return sign in _SIGNS or sign.isspace() or category[0] == "L" or category == "Nd"


def compared(name: str) -> str:
    """A name as the server's collation compares it, or a little more coarsely: what is taken there is the same here."""
    return "".join(sign if ord(sign) < 0x10000 else "\U0010ffff" for sign in fold(name).translate(_AS_TWO))
