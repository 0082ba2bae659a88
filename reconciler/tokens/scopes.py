"""Which of the scopes that a server says to have granted may be shown, and stored in the clear."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from reconciler.core.secret import Secret

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749, section 3.3
_MOST = 500
_RUN = 8
"""So many characters of a secret in a row are a part of it, and no accident."""


def shown_scopes(said: Any, asked: Sequence[str], secrets: Iterable[Secret]) -> list[str]:
    """The scopes of a text or list. Where any but those asked for repeats a part of a secret, none but those are kept."""
    words = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    scopes = [word for word in words[:_MOST] if isinstance(word, str) and _SCOPE.fullmatch(word)]
    others = "".join(scope for scope in scopes if scope not in asked)
    if others and not _runs(others).isdisjoint(run for secret in secrets for run in _secret_runs(secret.reveal())):
        return [scope for scope in scopes if scope in asked]
    return scopes


def _secret_runs(value: str) -> Iterator[str]:
    """Runs of a secret as it is, reversed, and as URLs, Base64 and hexadecimals write it."""
    data = value.encode("utf-8", "surrogatepass")
    yield from _runs(value)
    yield from _runs(value[::-1])
    yield from _runs(quote(data, safe=""))
    yield from _runs(data.hex())
    for shift in range(3):
        written = b64encode(bytes(shift) + data).decode()[4 * bool(shift) :].rstrip("=")[:-1]
        yield from _runs(written)
        yield from _runs(written.translate({43: "-", 47: "_"}))


def _runs(text: str) -> set[str]:
    small = text.lower()
    return {small[start : start + _RUN] for start in range(len(small) - _RUN + 1)}
