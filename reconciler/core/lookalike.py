"""Names that a person may take for one another. For hints alone: who somebody is is decided by exact comparison."""

import unicodedata
from collections.abc import Iterable

_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0432\u043c\u043d\u0442\u043a"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0251\u0261\u0131",
    "aeopcyxijshdqwbmhtkaikvoptuxagi",
)
"""Small letters of Cyrillic, Greek and others that look Latin; a few of those that Unicode TR 39 lists."""


def skeleton(name: str) -> str:
    """What remains of a name for the eye: without case, accents, width, invisible signs and foreign look-alikes."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf", "Cc", "Zs"))
    return seen.translate(_LATIN)


def alike(name: str, names: Iterable[str]) -> str:
    """The first of `names` that looks like `name` and is another, or ""."""
    wanted = skeleton(name)
    return next((other for other in sorted(names) if other != name and skeleton(other) == wanted), "")


def odd_characters(name: str) -> str:
    """The characters of a name that are not ASCII, by their code points, or ""."""
    odd = sorted({char for char in name if not char.isascii() or not char.isprintable()})
    return ", ".join(f"U+{ord(char):04X}" for char in odd)
