"""What display names and other texts an instance can hold, and what secrets are called that nobody has named."""

import re
import unicodedata
from collections.abc import Iterable

from reconciler.kinds.canonical import fold

_SIGNS = frozenset("-_.'")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)\s*", re.ASCII)
_TAGS_ONCE = r"<(?![ \t\n\r\v\f])|<(?=[\s\0\u200b\ufeff]*\Z)"  # at the end too, as blanks behind it are taken off first
_TAGS_NOW = r"<\?(?!\?>).+?\?>|<!--(?!-).+?-->|</?[a-z0-9][^>]*>"
_BRACES = r"\{\{|\}\}"
_MARKUP = {
    version: re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for version, pattern in (
        ("", f"{_TAGS_ONCE}|{_BRACES}"),
        ("2020", _TAGS_ONCE),
        ("4.14", f"{_TAGS_NOW}|{_BRACES}"),
    )
}
"""What is dropped from descriptions: by each version, and by any of them."""
_LONGEST = 255
_AS_TWO = str.maketrans({"æ": "ae", "œ": "oe"})
_FIRST_ASTRAL = 0x10000
"""Characters from here on are all the same to the server's collation."""


def _is_of_names(char: str) -> bool:
    category = unicodedata.category(char)
    return char in _SIGNS or char.isspace() or category[0] == "L" or category == "Nd"


def is_number(key: str) -> bool:
    """Whether the server takes a key for a number."""
    return _NUMBER.fullmatch(key) is not None


def markup_in(text: str, version: str) -> tuple[int, int] | None:
    """The first stretch of a description that is taken for markup or a placeholder, and dropped.

    Args:
        version: as facts have it; "" for any.
    """
    found = _MARKUP.get(version, _MARKUP[""]).search(text)
    return found.span() if found else None


def signs_not_of_names(name: str) -> str:
    """The characters of a display name that an instance refuses, each once."""
    return "".join(dict.fromkeys(char for char in name if not _is_of_names(char)))


def compared(name: str) -> str:
    """A name as the server's collation compares it, or a little more coarsely: what is taken there is the same here."""
    return "".join(char if ord(char) < _FIRST_ASTRAL else "\U0010ffff" for char in fold(name).translate(_AS_TWO))


def are_holdable_purposes(purposes: Iterable[str]) -> bool:
    """Whether endpoints stay under their purposes: of numbers alone the server makes a list."""
    listed = list(purposes)
    return not listed or not all(map(is_number, listed))


def variable(*parts: str) -> str:
    """The name of an environment variable for the secret that `parts` describe; the same for the same parts."""
    plain = unicodedata.normalize("NFKD", "_".join(parts)).encode("ascii", "ignore").decode().upper()
    name = re.sub(r"[^A-Z0-9]+", "_", plain.replace("'", "")).strip("_")[:_LONGEST] or "SECRET"
    return f"_{name}"[:_LONGEST] if name[0].isdigit() else name
