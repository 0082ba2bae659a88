"""What comes of calling endpoints. Nothing here holds a secret."""

from msgspec import Struct


class Shown(Struct, frozen=True):
    """An answer as it may be shown.

    Attributes:
        body: text, or the bytes of what is none.
        size: how many bytes were read of it.
        cut: whether there are more than were read.
        seconds: from sending the request to the end of the answer.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str | bytes
    size: int
    cut: bool
    seconds: float

    @property
    def media_type(self) -> str:
        """Its Content-Type, or ""."""
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


class Redirect(Struct, frozen=True):
    """One redirect that was followed.

    Attributes:
        url: where to, with what is secret masked.
        credentials: whether the credentials went along.
    """

    status: int
    url: str
    credentials: bool


class Outcome(Struct, frozen=True):
    """What came of a call.

    Attributes:
        attempts: how many times the request was sent, further ones along redirects not counted.
    """

    answer: Shown
    attempts: int
    redirects: tuple[Redirect, ...]


class Check(Struct, frozen=True):
    """What came of one endpoint when many were called.

    Attributes:
        status, seconds: None where there is no answer.
        verdict: ok, failed or skipped.
        reason: why it is not ok, or "".
    """

    connector: str
    endpoint: str
    status: int | None
    seconds: float | None
    verdict: str
    reason: str = ""
