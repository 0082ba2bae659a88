"""Find the values of secrets in what servers send back, in the forms in which they come, and mask them."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from reconciler.core.secret import Secret
from reconciler.core.sensitive import MASK, mask_text, may_hold_token

_CHUNK = 64
_SHORT = 4
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_CONTROLS = {"\n": r"\\n", "\r": r"\\r", "\t": r"\\t"}


class Redactor:
    """Masks the values of some secrets, and what has the form of a token."""

    __slots__ = ("_forms", "_patterns")

    def __init__(self, secrets: Iterable[Secret]) -> None:
        values = {secret.reveal() for secret in secrets} - {""}
        # In text of another encoding a secret looks as its bytes do in Latin 1.
        looks = values | {value.encode(code).decode("latin-1") for value in values for code in ("utf-8", "utf-16-le")}
        chunks = {value[start : start + _CHUNK] for value in looks for start in range(0, len(value), _CHUNK)}
        patterns = [pattern for value in sorted(chunks, key=len, reverse=True) for pattern in _patterns(value)]
        self._patterns = [re.compile(pattern) for pattern in dict.fromkeys(patterns)]
        self._forms = {form for value in values for form in (value, quote(value, safe=""))}

    def text(self, text: str, *, cut: bool = False) -> str:
        """`text` with what is secret masked; of a text that was cut the end may be the beginning of a secret."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        if cut:
            text = self._without_beginning(text)
        return mask_text(text) if "://" in text or may_hold_token(text.encode("utf-8", "replace")) else text

    def data(self, data: bytes) -> bytes:
        """Bytes that are no text, with the secrets in them masked."""
        text = data.decode("latin-1")
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text.encode("latin-1")

    def _without_beginning(self, text: str) -> str:
        longest = 0
        for form in self._forms:
            for size in range(min(len(form), len(text)), _SHORT - 1, -1):
                if text.endswith(form[:size]):
                    longest = max(longest, size)
                    break
        return text[:-longest] + MASK if longest else text


def _patterns(value: str) -> Iterator[str]:
    """Patterns of all forms of `value`, each beginning with plain characters where it can, which is fast."""
    data = value.encode("utf-8", "surrogatepass")
    written = "".join(_ways(char) for char in value)
    if len(value) < _SHORT:
        yield rf"(?<!\w){written}(?!\w)"
        return
    yield written
    for shift in range(3):
        size = shift + len(data)
        core = b64encode(bytes(shift) + data).decode()[4 * bool(shift) : size // 3 * 4]
        if len(core) >= 2 * _SHORT:
            for form in {core, core.translate({43: "-", 47: "_"})}:
                yield re.escape(form) + r"[A-Za-z0-9+/_-]{0,4}={0,2}"
    yield data.hex()
    yield data.hex().upper()


def _ways(char: str) -> str:
    """How one character may come: as it is, or as URLs, JSON and HTML write it."""
    if char.isascii() and char.isalnum():
        return char
    octets = char.encode("utf-8", "surrogatepass")
    units = char.encode("utf-16-be", "surrogatepass")
    ways = {
        re.escape(char),
        r"\\" + re.escape(char),
        "".join(_either(f"%{octet:02X}") for octet in octets),
        "".join(_either(f"%25{octet:02X}") for octet in octets),
        "".join(r"\\u" + _either(units[at : at + 2].hex().upper()) for at in range(0, len(units), 2)),
        f"&#0*{ord(char)};",
        "&#[xX]0*" + _either(f"{ord(char):X}") + ";",
        *((r"\+",) if char == " " else ()),
        *(table[char] for table in (_NAMED, _CONTROLS) if char in table),
    }
    return f"(?:{'|'.join(sorted(ways))})"


def _either(text: str) -> str:
    return "".join(f"[{char}{char.lower()}]" if char.isalpha() else char for char in text)
