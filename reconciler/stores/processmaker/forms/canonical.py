"""What an instance holds, without what comes and goes without meaning.

The server takes blanks off the ends of texts, makes null of "", a list of {}, 1 of 1.0 and 0 of false, re-orders keys,
and lets its web form leave marks in endpoints. What differs in that alone is the same here, on either version.
"""

import json
from hashlib import sha256
from typing import Any

import msgspec

from reconciler.core.model import encode
from reconciler.stores.processmaker.forms.names import is_number
from reconciler.stores.processmaker.forms.rows import ConnectorRow

_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\0\u200b\ufeff"
"""What one version or the other takes off the ends of texts: each less, but never another one."""
BOOKKEEPING = frozenset(("id", "view", "updated"))
"""Keys of endpoints and of their entries that the web form writes for itself."""
_COMPARED = ("mappings", "debug_mode")
"""Further fields of a connector whose change is a change of it; others may move by themselves."""


def trimmed(text: str) -> str:
    """A text without the blanks at its ends that the server takes off."""
    return text.strip(_BLANKS)


def text_of(value: Any) -> str:
    """A value where a text belongs: "" for what says nothing, and otherwise as JSON writes it."""
    if isinstance(value, str):
        return trimmed(value)
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def is_set(value: Any) -> bool:
    """Whether a value where a truth belongs is one: 1 and "1" are as good as true."""
    return value is True or text_of(value).lower() in ("1", "true")


def count_of(value: Any) -> int | None:
    """A value where a whole number belongs, which may stand in a text; None for what says nothing, or is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = trimmed(value) if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def plain(value: Any) -> Any:
    """A part of the endpoints in canonical form; None for what says nothing."""
    if isinstance(value, str):
        return value.strip(_BLANKS) or None
    if isinstance(value, dict) and value and all(map(is_number, value)):
        value = list(value.values())  # which the server makes of it, if not in every answer
    if isinstance(value, dict):
        made = {}
        for key, item in value.items():
            if key not in BOOKKEEPING and (found := plain(item)) is not None:
                made[key] = found
        return made or None
    if isinstance(value, list):
        return [plain(item) for item in value] or None
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value


def entries_of(endpoints: Any) -> dict[str, dict[str, Any]]:
    """The endpoints of a row by purpose, in whatever form they come.

    A server that met numbers alone as purposes makes a list of them; who sent JSON as a text finds a text.
    """
    if isinstance(endpoints, str):
        endpoints = decoded(endpoints)
    if isinstance(endpoints, dict):
        return {purpose: entry if isinstance(entry, dict) else {} for purpose, entry in endpoints.items()}
    found: dict[str, dict[str, Any]] = {}
    for index, entry in enumerate(endpoints if isinstance(endpoints, list) else ()):
        fields = entry if isinstance(entry, dict) else {}
        purpose = text_of(fields.get("purpose"))
        found[purpose if purpose and purpose not in found else str(index)] = fields
    return found


def decoded(text: str) -> Any:
    """What JSON in a text says; None where it is none that we could hold."""
    try:
        value = msgspec.json.decode(text)
        encode(value)
    except (ValueError, TypeError, RecursionError):
        return None
    return value


def digest(value: Any) -> str:
    """SHA-256 of a value that JSON can say, in hexadecimal; the order of keys says nothing."""
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def connector_digest(row: ConnectorRow) -> str:
    """What tells a row from what it was: its version. The ciphertext counts, times do not."""
    further = {key: plain(row.others.get(key)) for key in _COMPARED}
    fields = (text_of(row.name), text_of(row.description), row.authtype, row.status, row.type)
    return digest([fields, sorted(row.categories), plain(entries_of(row.endpoints)), row.seal, further])
