"""A request to an instance, before it is sent, and how patiently that is done."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from reconciler.core.secret import Secret

Header = tuple[str, str]
ACCEPT: Header = ("Accept", "application/json")
FORM: Header = ("Content-Type", "application/x-www-form-urlencoded")
_JSON: Header = ("Content-Type", "application/json")


class Request(Struct, frozen=True):
    """One request.

    Attributes:
        path: below the API.
        etag: of what is known already.
    """

    verb: str
    path: str
    query: str = ""
    etag: str = ""
    body: bytes | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def headers(self, token: Secret) -> list[Header]:
        """With the token."""
        kind = [_JSON] if self.body is not None else []
        known = [("If-None-Match", self.etag)] if self.etag else []
        return [("Authorization", f"Bearer {token.reveal()}"), ACCEPT, *kind, *known]


def texts_of(value: Any) -> Iterator[Secret]:
    """All texts of credentials that are sent."""
    if isinstance(value, str):
        yield Secret(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)


class Patience(Struct, frozen=True):
    """How long is waited for an instance; all in seconds.

    Attributes:
        busy: how long in all one request waits for what answers 429 and 503.
        pause: the first wait for it, where it does not say how long; it grows.
        refused: before each further try, where the connection is refused.
        lost: before each further try of a GET whose answer was lost.
    """

    busy: float = 120.0
    pause: float = 1.0
    refused: tuple[float, ...] = (0.2, 0.6, 1.2)
    lost: tuple[float, ...] = (0.2, 1.0)


USUAL = Patience()
