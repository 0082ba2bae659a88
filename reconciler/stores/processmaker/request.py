"""A request to an instance, before it is sent."""

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
