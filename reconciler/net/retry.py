"""Senders that try again as patiently as the server asks for, and fetch documents."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

from msgspec import Struct

from reconciler.core.calls import Trust
from reconciler.core.secret import mask_text
from reconciler.errors import NetworkFailure
from reconciler.net.client import Response, ResponseLimits, Sender
from reconciler.net.trust import ContextCache
from reconciler.net.urls import is_same_origin, parse, redirected

RETRIED = frozenset((429, 502, 503, 504))
"""Too many requests, and what gateways say of servers that are away for a moment."""


class Patience(Struct, frozen=True):
    """How often to try again, and how long to wait.

    Attributes:
        attempts: further tries after the first.
        wait_seconds: before the first further try.
        growth: factor of each wait to the one before.
        longest_seconds: the longest wait for what a server's Retry-After asks; a longer one ends the tries.
        statuses: which answers are tried again, beside failures to get one.
    """

    attempts: int
    wait_seconds: float
    growth: float = 1.0
    longest_seconds: float = 60.0
    statuses: frozenset[int] = RETRIED


def with_patience(
    attempt: Callable[[], Response], patience: Patience, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[Response, int]:
    """The answer of the first good attempt, or of the last one, and how many there were.

    Raises:
        NetworkFailure: the last attempt got no answer.
    """
    wait = patience.wait_seconds
    for number in range(1, patience.attempts + 2):
        last = number == patience.attempts + 1
        try:
            answer = attempt()
        except NetworkFailure as failure:
            if last or not failure.transient:
                raise
            pause = wait
        else:
            asked = retry_after(answer.header("retry-after"), datetime.now(UTC))
            pause = max(wait, asked)
            if last or answer.status not in patience.statuses or asked > patience.longest_seconds:
                return answer, number
        sleep(pause)
        wait *= patience.growth
    raise AssertionError("the last attempt returns or raises")


def retry_after(value: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks to wait; 0 for none, or for one that cannot be read.

    RFC 9110, section 10.2.3: seconds or a date.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 10**8))
    try:
        then = parsedate_to_datetime(value)
        return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # no date, or one whose zone leads out of all years
        return 0.0


SECONDS = 60.0
MAX_REDIRECTS = 5
MOVED = frozenset((301, 302, 303, 307, 308))
_OK = 200


def fetch(url: str, *, limit: int) -> bytes:
    """The body of the answer to a GET of `url`, after redirects; a user and password of `url` go to its origin alone.

    Certificates are verified; at most `limit` bytes are read. Certificate authorities are those of the environment,
    as httpx reads them (SSL_CERT_FILE, SSL_CERT_DIR).

    Raises:
        NetworkFailure: no answer in time, an answer other than 200, or one that is too large.
        UsageError: `url` is not a URL.
    """
    target, credentials = _without_user(url)
    shown = mask_text(target.partition("?")[0])
    limits = ResponseLimits(SECONDS, limit)
    with Sender(Trust()) as sender:
        answer = _get(sender, target, credentials, limits)
        for _ in range(MAX_REDIRECTS):
            if answer.status not in MOVED or not answer.header("location"):
                break
            came, target = target, redirected(target, answer.header("location"))
            credentials = credentials if is_same_origin(came, target) else ()
            answer = _get(sender, target, credentials, limits)
    if answer.status != _OK:
        raise NetworkFailure(f"{shown} answered {answer.status} {answer.reason}".rstrip(), hint="check the URL")
    if answer.cut:
        raise NetworkFailure(f"the answer of {shown} is larger than {limit // 2**20} MiB", hint="is it the right URL?")
    return answer.body


def _get(sender: Sender, url: str, credentials: tuple[tuple[str, str], ...], limits: ResponseLimits) -> Response:
    accept = ("Accept", "application/json, application/yaml, */*;q=0.5")
    return sender.send("GET", url, headers=(accept, *credentials), limits=limits)


def _without_user(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The URL without user and password, and the header that carries these."""
    parsed = parse(url)
    if not parsed.userinfo:
        return url, ()
    proof = b64encode(f"{parsed.username}:{parsed.password}".encode()).decode()
    return str(parsed.copy_with(username=None, password=None)), (("Authorization", f"Basic {proof}"),)


class Senders:
    """A sender for each thread and trust; TLS contexts are shared."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._contexts = ContextCache()
        self._all: list[Sender] = []

    def open(self, trust: Trust) -> Sender:
        """This thread's sender for servers that are trusted so.

        Raises:
            CertificateUnusable: see `reconciler.net.trust.make_context`.
        """
        mine: dict[Trust, Sender] = self._mine.__dict__.setdefault("senders", {})
        if trust not in mine:
            mine[trust] = Sender(trust, self._contexts.get(trust))
            self._all.append(mine[trust])
        return mine[trust]

    def abort(self) -> None:
        """End what is under way, from another thread."""
        for sender in list(self._all):
            sender.abort()

    def close(self) -> None:
        """Close all of them."""
        for sender in self._all:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
