"""Ask an instance, within its limits: patiently, a few requests at once, and saying what nobody can know."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import msgspec

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.errors import CertificateUnusable, NetworkFailure, StoreUnavailable, UsageError
from reconciler.net.client import Response, ResponseLimits
from reconciler.net.pool import SenderPool
from reconciler.net.retry import retry_after
from reconciler.stores.processmaker.wire.address import Address
from reconciler.stores.processmaker.wire.answers import (
    FAILED,
    INVALID,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    Asked,
    Lost,
    Refused,
    Reply,
    read_answer,
    read_change,
)
from reconciler.stores.processmaker.wire.login import Login, Post
from reconciler.stores.processmaker.wire.options import Options
from reconciler.stores.processmaker.wire.request import ACCEPT, FORM, USUAL, Header, Patience, Request, texts_of

LARGEST = 64 * 1024 * 1024  # bytes of an answer
_OF_PROXIES = ("basic", "digest", "negotiate", "ntlm")
"""Ways to ask for credentials that an instance does not have."""
_GLANCE = 0.25  # seconds between two looks at whether somebody asked to stop
_MOMENT = 2.0  # seconds that nobody needs to be told of
_HINTS = (
    ("tls: {ca: {file: PATH}}", "processmaker: {ca: PATH}  in the target"),
    ("the endpoint's timeoutSeconds", "timeoutSeconds of the target's processmaker settings"),
)
"""What hints for connectors say, and what is meant here."""


DEFAULTS = Options()


class Client:
    """Asks one instance, for several threads. Nothing is opened before it is used, or once more after `close`.

    Attributes:
        options: what the target says of the instance.
        requests: how many were sent until now, those for a token included.
        is_ending: whether somebody asked to stop: then nothing is waited for any more.
    """

    def __init__(
        self,
        address: Address,
        login: Callable[[Post], Login],
        options: Options = DEFAULTS,
        *,
        trust: Callable[[], Trust] = Trust,
        say: Callable[[str], None] = lambda _: None,
        patience: Patience = USUAL,
    ) -> None:
        """Open nothing yet.

        Args:
            login: makes what proves who asks, from what posts a form.
            trust: gives whose certificates are trusted.
            say: told in a sentence why nothing happens for a while.
        """
        self.address = address
        self.options, self.in_flight = options, options.in_flight
        self.timeout_seconds = float(options.timeout_seconds)
        self.requests = 0
        self.login = login(self._post)
        self._answered, self._seconds, self._free_at = 0, 0.0, 0.0
        self._make_trust, self._say, self._patience = trust, say, patience
        self._pool: SenderPool | None = None
        self.is_ending: Callable[[], bool] = lambda: False
        self._lock = Lock()

    @property
    def mean_seconds(self) -> float:
        """How long a request took on average; 0 before the first answer."""
        return self._seconds / self._answered if self._answered else 0.0

    def get(self, path: str, params: Mapping[str, str | int] | None = None, etag: str = "") -> Reply:
        """Read; what was lost is asked for again.

        Args:
            path: below the API, such as "/data_sources".
            etag: of what is known: if it is still that, the status is 304 and the body None.

        Raises:
            Refused: it is not to be had.
            StoreUnavailable: there is no answer, or none of an API.
        """
        asked = Request("GET", path, urlencode(params or {}), etag)
        found = self._tried(asked)
        for number, pause in enumerate(self._patience.lost):
            status = None if isinstance(found, NetworkFailure) else found.status
            if status is not None and (status < FAILED or (status == FAILED and number)):
                break
            self.wait(pause)
            found = self._tried(asked)
        if isinstance(found, NetworkFailure):
            raise _unavailable(found)
        return read_answer(self._words(asked), found)

    def change(self, verb: str, path: str, body: Any = None, secrets: Sequence[Secret] = ()) -> Reply:
        """Change something. It is sent again only where it is known that nothing was done.

        Args:
            path: below the API, such as "/data_sources/7".
            body: to be sent as JSON; None for none.
            secrets: texts in it that no message repeats, besides those of credentials.

        Raises:
            Refused: it was not done.
            Lost: nobody knows whether it was done.
            StoreUnavailable: it was not done, and nothing else is going to be.
        """
        asked = Request(verb, path, body=None if body is None else msgspec.json.encode(body))
        words = self._words(asked, body, secrets)
        try:
            answer, is_repeated = self._sent(asked)
        except NetworkFailure as failure:
            raise Lost(f"{failure.message}, to {words.words}", hint=translated(failure.hint)) from None
        try:
            return read_change(words, answer)
        except Refused as refused:
            if is_repeated and refused.status == INVALID:  # by what was done before a 503, maybe
                raise Lost(refused.message, hint=refused.hint, is_answered=True) from None
            raise

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _words(self, asked: Request, body: Any = None, secrets: Sequence[Secret] = ()) -> Asked:
        given = body.get("credentials") if isinstance(body, dict) else None
        return Asked(self.address.host, asked.verb, asked.path, (*self.login.secrets(), *texts_of(given), *secrets))

    def _tried(self, asked: Request) -> Response | NetworkFailure:
        try:
            return self._sent(asked)[0]
        except NetworkFailure as failure:
            return failure

    def _sent(self, asked: Request) -> tuple[Response, bool]:
        """The answer, once the instance has time and takes the token; and whether 503 came before it.

        Raises:
            NetworkFailure: the answer was lost.
            StoreUnavailable: nothing was done.
        """
        token, is_renewed, busy = self.login.token(), False, 0.0
        is_repeated = False
        while True:
            answer = self._reached(asked.verb, self.address.api + asked.target, asked.headers(token), asked.body)
            if answer.status in (TOO_MANY, UNAVAILABLE):
                is_repeated |= answer.status == UNAVAILABLE
                busy += self._hold_back(asked, answer, busy)
                try:
                    self.wait(self._free_at - time.monotonic())
                except StoreUnavailable as ended:
                    raise _sort_of(asked, answer.status)(ended.message) from None
            elif answer.status != UNAUTHORIZED:
                self.login.take(token)
                return answer, is_repeated
            elif answer.header("www-authenticate").lower().startswith(_OF_PROXIES):
                message = f"{self.address.host}: something before the instance asks for a user and a password"
                raise StoreUnavailable(message, hint="let requests below /api/1.0 through to it, which have a token")
            elif is_renewed:
                raise self.login.refusal()
            else:
                token, is_renewed = self.login.renewed(token), True

    def _hold_back(self, asked: Request, answer: Response, waited: float) -> float:
        """Let nothing be sent for as long as the instance asks for; gives the seconds.

        Args:
            waited: how long the request has waited until now.

        Raises:
            StoreUnavailable: that is longer than anybody would wait.
        """
        pause = retry_after(answer.header("retry-after"), datetime.now(UTC)) or max(
            self._patience.pause, min(waited, 15.0)
        )
        host, status = self.address.host, answer.status
        why = "too many requests" if status == TOO_MANY else "in maintenance, or overloaded"
        if waited + pause > self._patience.busy:
            message = f"{host} answered {asked.verb} {asked.path} with {status}: {why}; it asks to wait {pause:.0f} s"
            raise _sort_of(asked, status)(message, hint="try again later")
        now = time.monotonic()
        with self._lock:
            is_longer = now + pause > self._free_at + 1.0  # else others have said so
            self._free_at = max(self._free_at, now + pause)
        if is_longer:
            self._say(f"{host} answered {status} ({why}); waiting {pause:.0f} s")
        return pause

    def _reached(self, verb: str, url: str, headers: Sequence[Header], body: bytes | None) -> Response:
        """The answer of a server that may be away for a moment.

        Raises:
            NetworkFailure: the answer was lost.
            StoreUnavailable: no connection was made.
        """
        pauses = self._patience.refused if self._answered else self._patience.refused[:1]
        for pause in (*pauses, None):
            try:
                return self._exchanged(verb, url, headers, body)
            except NetworkFailure as failure:
                if not failure.unsent:
                    raise
                if pause is None or not failure.transient:
                    raise _unavailable(failure) from None
                self.wait(pause)
        raise AssertionError("the last try returns or raises")

    def _exchanged(self, verb: str, url: str, headers: Sequence[Header], body: bytes | None) -> Response:
        while (left := self._free_at - time.monotonic()) > 0:
            self.wait(left)
        limits = ResponseLimits(self.timeout_seconds, LARGEST)
        with self._senders().lent() as sender:
            with self._lock:
                self.requests += 1
            answer = sender.send(verb, url, headers=headers, body=body, limits=limits)
        with self._lock:
            self._answered += 1
            self._seconds += answer.seconds
        return answer

    def _senders(self) -> SenderPool:
        with self._lock:
            if self._pool is None:
                is_tls = self.address.root.startswith("https")
                self._pool = _pool(self._make_trust() if is_tls else Trust(verify=False))  # of no use without TLS
            return self._pool

    def _post(self, url: str, form: bytes) -> Response:
        try:
            return self._reached("POST", url, (ACCEPT, FORM), form)
        except NetworkFailure as failure:
            raise _unavailable(failure) from None

    def wait(self, seconds: float, why: str = "") -> None:
        """Wait; it ends soon after somebody asked to stop.

        Args:
            why: told where it takes longer than a moment.

        Raises:
            StoreUnavailable: somebody did.
        """
        if why and seconds > _MOMENT:
            self._say(f"{why}; waiting {seconds:.0f} s")
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.is_ending():
                raise StoreUnavailable(f"{self.address.host} is not waited for any more, as the run was to end")
            time.sleep(min(left, _GLANCE))


def _pool(trust: Trust) -> SenderPool:
    try:
        return SenderPool(trust)
    except CertificateUnusable as failure:
        message = failure.message.replace("tls.ca", "processmaker.ca of the target")
        raise UsageError(message, hint="name a file of PEM certificates (-----BEGIN CERTIFICATE-----)") from None


def _sort_of(asked: Request, status: int) -> type[StoreUnavailable]:
    """What it is that an instance which answers 429 or 503 is asked no more: before a 503 a change may have been done."""
    return Lost if status == UNAVAILABLE and asked.verb != "GET" else StoreUnavailable


def _unavailable(failure: NetworkFailure) -> StoreUnavailable:
    return StoreUnavailable(failure.message, hint=translated(failure.hint))


def translated(hint: str) -> str:
    """What a hint for connectors means here."""
    for theirs, ours in _HINTS:
        hint = hint.replace(theirs, ours)
    return hint
