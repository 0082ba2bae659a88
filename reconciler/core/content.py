"""Canonical bodies: JSON with sorted keys and without white space, and what it says."""

from typing import Any, Self

import msgspec
from msgspec import Struct

_ENCODER = msgspec.json.Encoder(order="sorted")
_LEVELS = 250
"""Above each value there are fewer: far less than what recursion ends at, wherever it begins."""
_TOO_DEEP = b"\n" + b" " * _LEVELS


def encode(content: Any) -> bytes:
    """Canonical JSON of a body, or of another value: sorted keys, no white space.

    Raises:
        TypeError: it holds what canonical JSON cannot: half a character, say, or too many levels.
    """
    try:
        body = _ENCODER.encode(content)
        too_deep = body.count(b"[") + body.count(b"{") > _LEVELS and _TOO_DEEP in msgspec.json.format(body, indent=1)
    except (ValueError, RecursionError) as failure:
        raise TypeError("canonical JSON cannot hold it") from failure
    if too_deep:
        raise TypeError(f"more than {_LEVELS} levels of nesting")
    return body


def decode(body: bytes) -> dict[str, Any]:
    """A canonical body, decoded.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(body)
    except RecursionError:
        raise ValueError("too many levels of nesting") from None
    return content


class Content(Struct, frozen=True):
    """What a record is to hold, or holds: its canonical body, and the value where that is at hand.

    Whoever has the value passes it on with the body, so that nobody decodes what was encoded just now. A value is
    never changed, as it is shared; of very many only the bodies are held.
    """

    body: bytes
    held: dict[str, Any] | None = None

    @property
    def value(self) -> dict[str, Any]:
        """What the body says; decoded each time where it is not held."""
        return decode(self.body) if self.held is None else self.held

    def at_hand(self) -> Self:
        """With its value."""
        return self if self.held is not None else type(self)(self.body, decode(self.body))

    def without_value(self) -> Self:
        """As small as can be."""
        return self if self.held is None else type(self)(self.body)


def content_of(value: dict[str, Any]) -> Content:
    """A canonical value with its body.

    Raises:
        TypeError: it holds what canonical JSON cannot.
    """
    body = encode(value)
    return Content(body, decode(body) if b"null" in body else value)  # which infinite numbers become
