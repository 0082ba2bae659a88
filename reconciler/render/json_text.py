"""JSON as text that is safe to print: the same data, in which nothing is unseen and no runner finds a command."""

import json
import re
from typing import Any

from reconciler.harmless import Escapes


def _escape(char: str) -> str:
    r"""As JSON escapes it.

    A lone surrogate is shown as text, `\\udce9`: it stands for a byte of a name that is no text, and many readers
    refuse a JSON text that holds half a character.
    """
    units = char.encode("utf-16-be", "surrogatepass").hex()
    backslash = "\\\\" if "\ud800" <= char <= "\udfff" else "\\"
    return "".join(f"{backslash}u{units[at : at + 4]}" for at in range(0, len(units), 4))


_ESCAPES = Escapes(_escape, kept="\n")
_SECOND = re.compile(r"(?<=#)([\ufe0e\ufe0f]*)#")


def json_text(content: Any) -> str:
    """`content` as indented JSON. Outside of strings JSON has nothing that becomes an escape here."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    if not text.isascii() or "\x7f" in text:
        text = text.translate(_ESCAPES)
    return (_SECOND.sub(r"\1\\u0023", text) if "#" in text else text) + "\n"
