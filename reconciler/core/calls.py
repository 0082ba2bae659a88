"""What comes of calls, preflights and token requests: records without secrets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError


class ShownResponse(Struct, frozen=True):
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


class CallOutcome(Struct, frozen=True):
    """What came of a call.

    Attributes:
        attempts: how many times the request was sent, further ones along redirects not counted.
    """

    answer: ShownResponse
    attempts: int
    redirects: tuple[Redirect, ...]


class CallResult(Struct, frozen=True):
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


class Check(Struct, frozen=True):
    """One thing that was tried.

    Attributes:
        name: secrets, secret, token or server.
        message: what came of it; never a secret.
        hint: what to do when it failed, or "".
    """

    name: str
    passed: bool
    message: str
    hint: str = ""


class PreflightVerdict(Struct, frozen=True):
    """All that was tried for one connector."""

    address: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether everything went well."""
        return all(check.passed for check in self.checks)


class Trust(Struct, frozen=True):
    """TLS settings of a connection.

    Attributes:
        verify: whether the server's certificate is verified.
        authority: PEM certificates that are trusted instead of the public authorities, or None for those.
        certificate: PEM certificate to show to the server, with its chain, or None for none.
        key: PEM private key of `certificate`; None when it stands in `certificate`.
    """

    verify: bool = True
    authority: Secret | None = None
    certificate: Secret | None = None
    key: Secret | None = None


MARGIN = timedelta(minutes=5)
"""A token is renewed so long before it expires, so that whoever uses it meanwhile can still finish."""
MARGIN_SHARE = 0.2
"""Of a token with a short life: the last share of its life is its margin."""


class TokenKey(NamedTuple):
    """Which token.

    Attributes:
        uid: of the connector's record.
        authorization: the name of the authorization that it belongs to; "" for the connector's own.
    """

    uid: str
    authorization: str = ""


class Whose(NamedTuple):
    """Whose token it is: the connector, and the name of the authorization, "" for the connector's own."""

    connector: str
    authorization: str

    def __str__(self) -> str:
        return f"{self.connector} ({self.authorization})" if self.authorization else self.connector


class TokenState(Struct, frozen=True):
    """What may be shown of a token.

    Attributes:
        made_with: keyed fingerprint of the authorization, with its secrets, that it was given for.
        obtained, expires: RFC 3339 in UTC; `expires` is None where the server said nothing.
        scope: what the server granted, or "".
        renewable: whether a refresh token came with it.
    """

    made_with: str
    obtained: str
    expires: str | None
    scope: str
    renewable: bool


class Token(Struct, frozen=True):
    """What a server gave.

    Attributes:
        refresh: refresh token, or None where none was given.
        lifetime: seconds from now, or None where the server said nothing.
    """

    access: Secret
    refresh: Secret | None
    lifetime: float | None
    scope: str


class Condition(StrEnum):
    """How it is with a token."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    MISSING = "missing"
    INACTIVE = "inactive"
    ELSEWHERE = "elsewhere"
    """There is none here, and none is needed: a live store that sends the requests itself fetches it."""


class TokenStatus(Struct, frozen=True):
    """One token of a connector, without its value.

    Attributes:
        state: None where there is none.
        is_held: whether a live store elsewhere has just this one; None where it is given none.
    """

    whose: Whose
    method: str
    condition: Condition
    state: TokenState | None
    is_held: bool | None = None


class Care(Struct, frozen=True):
    """What fetching or renewing did.

    Attributes:
        done: whose tokens were got.
        failed: why the others' were not.
        given: whose tokens a live store elsewhere was given; None where it is given none.
        kept: why it was not given the others', which are kept for the next time.
    """

    done: tuple[Whose, ...]
    failed: Mapping[Whose, ReconcilerError]
    given: tuple[Whose, ...] | None = None
    kept: Mapping[Whose, ReconcilerError] = {}


def condition_of(state: TokenState | None, now: str) -> Condition:
    """How it is with a token of an active connector."""
    if state is None:
        return Condition.MISSING
    if token_has_expired(state, now):
        return Condition.EXPIRED
    return Condition.EXPIRING if is_due(state, now) else Condition.VALID


def renew_at(state: TokenState) -> datetime | None:
    """From when on the token is due; None for never."""
    if state.expires is None:
        return None
    expires, obtained = moment(state.expires), moment(state.obtained)
    return expires - min(MARGIN, (expires - obtained) * MARGIN_SHARE)


def is_due(state: TokenState, now: str) -> bool:
    """Whether the token has expired or is about to; or was got at a time yet to come, by a clock that was wrong."""
    due = renew_at(state)
    return due is not None and (moment(now) >= due or moment(state.obtained) > moment(now) + MARGIN)


def token_has_expired(state: TokenState, now: str) -> bool:
    """Whether the token's time is over."""
    return state.expires is not None and moment(now) >= moment(state.expires)


def moment(text: str) -> datetime:
    """RFC 3339 text as a time."""
    return datetime.fromisoformat(text)


def later(text: str, seconds: float) -> str:
    """The time `seconds` after `text`, in the same form."""
    return (moment(text) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Headers = tuple[tuple[str, Secret], ...]
"""Names and values of headers that prove who sends a request."""
