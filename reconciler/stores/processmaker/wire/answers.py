"""What an instance answered: a reply, a refusal, or nothing that can be told."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct

from reconciler.core.secret import Redactor, Secret
from reconciler.errors import StoreUnavailable
from reconciler.harmless import harmless
from reconciler.net.client import Response
from reconciler.net.urls import host_of

OK, REDIRECT, NOT_MODIFIED = 200, 300, 304
BAD, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, INVALID, TOO_MANY = 400, 401, 403, 404, 422, 429
FAILED, UNAVAILABLE = 500, 503
_LONGEST = 200  # characters of what a server says that are repeated
_IN_PLACE = (
    "a login page or a proxy answers in its place: check the URL of the store, and what stands before the instance"
)


class Reply(Struct, frozen=True):
    """What an instance said to a request that it took.

    Attributes:
        body: decoded JSON; None where there is none, as for most changes, and where it is what `etag` was of (304).
        etag: of a GET, where the instance gives one that can be sent back.
        date: by the server's clock; None where it does not say.
    """

    status: int
    body: Any = None
    etag: str = ""
    date: datetime | None = None


class Lost(StoreUnavailable):
    """A change was sent, and nobody knows whether it was done.

    Attributes:
        is_answered: whether the instance itself has answered, so that it is at work at it no more.
    """

    def __init__(self, message: str, *, hint: str = "", is_answered: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_answered = is_answered


class Refused(StoreUnavailable):
    """The instance did not do what was asked, and says so.

    Attributes:
        status: between 400 and 499.
        fields: what it finds wrong with which field; texts, one or more each.
        said: its message, made harmless and without secrets; "" for none.
    """

    def __init__(self, message: str, status: int, fields: Mapping[str, tuple[str, ...]], said: str) -> None:
        super().__init__(message, hint=_HINTS.get(status, ""))
        self.status = status
        self.fields = fields
        self.said = said


_HINTS = {
    403: "the token's user lacks a permission for that: see  reconciler store check",
    404: "it is gone, or the instance does not have that route: see  reconciler store check",
    413: "it is larger than the instance takes: its limit is post_max_size",
}


class Asked(Struct, frozen=True):
    """The request that an answer is to.

    Attributes:
        host: whose answer it is, as it is shown.
        path: below the API.
        secrets: all that was sent with it, which no message repeats.
    """

    host: str
    verb: str
    path: str
    secrets: tuple[Secret, ...] = ()

    @property
    def words(self) -> str:
        """The request, in a message."""
        return harmless(f"{self.verb} {self.path}")


def read_answer(asked: Asked, answer: Response) -> Reply:
    """What was said to a GET.

    Raises:
        Refused: it was refused.
        StoreUnavailable: it is no answer of an API.
    """
    if refusal := _refusal(asked, answer):
        raise refusal
    if answer.status == NOT_MODIFIED:
        return _reply(answer, None)
    if fault := _fault(answer):
        raise StoreUnavailable(f"{asked.host} answered {asked.words} with {fault}", hint=_hint(answer))
    body = _decoded(answer)
    if not isinstance(body, dict | list):
        raise StoreUnavailable(f"{asked.host} answered {asked.words} with JSON that is no record and no list", hint=_IN_PLACE)  # fmt: skip
    return _reply(answer, body)


def read_change(asked: Asked, answer: Response) -> Reply:
    """What was said to a change.

    Raises:
        Refused: it was not done.
        Lost: it is no answer of an API.
    """
    if refusal := _refusal(asked, answer):
        raise refusal
    if OK <= answer.status < REDIRECT and not answer.body.strip():
        return _reply(answer, None)
    if fault := _fault(answer):
        message = f"{asked.host} answered {asked.words} with {fault}"
        raise Lost(message, hint=_hint(answer), is_answered=answer.status == FAILED)
    return _reply(answer, _decoded(answer))


def _reply(answer: Response, body: Any) -> Reply:
    try:
        date = parsedate_to_datetime(answer.header("date"))
    except (ValueError, OverflowError):
        date = None
    aware = None if date is None else date.replace(tzinfo=date.tzinfo or UTC)
    etag = answer.header("etag")
    is_sendable = len(etag) <= _LONGEST and etag.isascii() and etag.isprintable()
    return Reply(answer.status, body, etag if is_sendable else "", aware)


def _fault(answer: Response) -> str:
    """Why it is no answer of an API, in words; "" where it may be one."""
    if answer.status >= FAILED:
        return f"{answer.status}: an error of the server"
    if answer.status >= REDIRECT:
        return f"{answer.status}: a redirect{_target(answer.header('location'))}"
    if answer.cut:
        return f"more than {len(answer.body) // 2**20} MiB"
    if _decoded(answer) is _NONE:
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        return "a page of HTML" if "html" in kind else "what is no JSON"
    return ""


def _target(location: str) -> str:
    """Where a redirect leads, as far as that is worth to be shown."""
    if location.partition("?")[0].rstrip("/").endswith("/login"):
        return " to a login page"
    where = host_of(location)
    return "" if where == "the server" else f" to {harmless(where)}"


def _hint(answer: Response) -> str:
    if answer.status >= FAILED:
        return "see the instance's log, storage/logs/ on its server"
    if answer.cut:
        return "ask for fewer records at once:  processmaker: {pageSize: 50}"
    return _IN_PLACE


_NONE = object()


def _decoded(answer: Response) -> Any:
    """What its JSON says, or `_NONE`."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _NONE


def _refusal(asked: Asked, answer: Response) -> Refused | None:
    if not BAD <= answer.status < FAILED:
        return None
    body = _decoded(answer)
    content = body if isinstance(body, dict) else {}
    redactor = Redactor(asked.secrets)
    said = next((_shown(text, redactor) for key in ("message", "error") if isinstance(text := content.get(key), str)), "")  # fmt: skip
    errors = content.get("errors")
    fields = dict(_fields(errors, redactor)) if isinstance(errors, dict) else {}
    first = f": {said}" if said else ""
    return Refused(f"{asked.host} answered {asked.words} with {answer.status}{first}", answer.status, fields, said)


def _fields(errors: Mapping[Any, Any], redactor: Redactor) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is wrong with which field: a list of texts, one text, or a number of what is in the way."""
    for name, found in list(errors.items())[:50]:
        texts = found if isinstance(found, list) else [found]
        shown = (_shown(str(text), redactor) for text in texts[:10] if isinstance(text, str | int))
        yield _shown(str(name), redactor), tuple(shown)


def _shown(text: str, redactor: Redactor) -> str:
    text = redactor.text(text)
    return harmless(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
