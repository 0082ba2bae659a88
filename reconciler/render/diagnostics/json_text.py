"""JSON as text that is safe to print, for the formats that are JSON."""

import json
import re
from typing import Any

from reconciler.render.style import well_formed

# Unseen characters can hide what a line says or steer a terminal; the second # of two could begin a command to the
# runner of a CI job. Outside of strings JSON has none of them, so that each may be written as an escape.
_ESCAPED = re.compile(
    r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]|(?<=#)#",
)


def json_text(content: Any) -> str:
    """`content` as indented JSON."""
    text = well_formed(json.dumps(content, indent=2, ensure_ascii=False))
    return _ESCAPED.sub(_escape, text) + "\n"


def _escape(unseen: re.Match[str]) -> str:
    units = unseen[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
