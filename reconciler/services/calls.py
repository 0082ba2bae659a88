"""Perform an endpoint of a live connector: redirects by hand, and what may be shown of the answer."""

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import CallOutcome, Headers, Redirect, ShownResponse, Trust
from reconciler.core.model import LiveConnector
from reconciler.core.secret import MASK, Redactor, Secret, carries_credentials
from reconciler.errors import InvalidDefinitions, NetworkFailure
from reconciler.kinds.authorization import needs_token
from reconciler.kinds.authorization_blocks import Authorization, allows_plain_http, carries, chosen
from reconciler.kinds.common import PLAIN_HTTP_HINT, is_insecure
from reconciler.kinds.request_entries import Pair
from reconciler.kinds.requests import Request, query_secrets, sent_url
from reconciler.net.client import Response, ResponseLimits, Sender
from reconciler.net.retry import MOVED, Patience, with_patience
from reconciler.net.urls import host_of, is_same_origin, redirected

MOST = 5


class Hop(Struct, frozen=True):
    """One request on the way; values that are secrets are credentials."""

    url: str
    headers: tuple[Pair, ...]


def follow(
    answer: Response,
    hop: Hop,
    trust: Trust,
    open_sender: Callable[[Trust], Sender],
    redactor: Redactor,
    limits: ResponseLimits,
) -> tuple[Response, tuple[Redirect, ...]]:
    """The answer at the end of the redirects, and the way there. Parameters go along only where Location repeats them.

    Raises:
        NetworkFailure: there are too many, or one leads where nothing should be sent.
    """
    redirects: list[Redirect] = []
    while answer.status in MOVED and answer.header("location"):
        if len(redirects) == MOST:
            raise NetworkFailure(f"it redirects more than {MOST} times", hint="check the endpoint's URL")
        target = redirected(hop.url, answer.header("location"))
        if not is_same_origin(target, hop.url):
            hop = replace(hop, headers=tuple(pair for pair in hop.headers if _may_leave(pair)))
            trust = replace(trust, certificate=None, key=None)
            if redactor.finds(target):
                raise NetworkFailure(f"{host_of(hop.url)}: it redirects to another host with a secret in the URL", hint="ask whoever runs the server")  # fmt: skip
        hop = replace(hop, url=target)
        kept = any(isinstance(value, Secret) for _, value in hop.headers)
        redirects.append(Redirect(answer.status, redactor.text(target), credentials=kept))
        answer = open_sender(trust).send("GET", target, headers=revealed(hop.headers), limits=limits)
    return answer, tuple(redirects)


def revealed(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Names and values as they are sent."""
    return [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs]


def _may_leave(pair: Pair) -> bool:
    return not isinstance(pair[1], Secret) and pair[0].lower() not in ("authorization", "cookie")


_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_TEXTUAL = re.compile(r"text/|application/(?:.*[/+])?(?:json|xml|javascript|yaml|x-www-form-urlencoded|graphql)", re.IGNORECASE)  # fmt: skip
_COOKIE_VALUE = re.compile(r"=[^;]*")
_TEXT_CODECS = ("utf-8", "ascii", "iso8859-", "cp12", "utf-16", "utf-32", "shift_jis", "euc_", "gb", "big5", "koi8")


def text_of(answer: Response) -> str | None:
    """The body as text, or None where it is none."""
    media_type = answer.header("content-type")
    declared = _CHARSET.search(media_type)
    codec = _codec(declared[1]) if declared else ""
    if codec:
        return answer.body.decode(codec, "replace")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(answer.body, final=not answer.cut)
    except UnicodeDecodeError:
        return answer.body.decode("utf-8", "replace") if _TEXTUAL.match(media_type) else None
    return None if "\0" in text else text


def _codec(name: str) -> str:
    """Python's name of a character set, or "" for what is none."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return ""
    return found if found.startswith(_TEXT_CODECS) else ""


def redacted(answer: Response, redactor: Redactor) -> ShownResponse:
    """The answer with what is secret masked; of cookies the name and the attributes stay."""
    headers = tuple((redactor.text(name), _header(name, value, redactor)) for name, value in answer.headers)
    text = text_of(answer)
    body = redactor.data(answer.body) if text is None else redactor.text(text, cut=answer.cut)
    return ShownResponse(
        answer.status, redactor.text(answer.reason), headers, body, len(answer.body), answer.cut, answer.seconds
    )


def _header(name: str, value: str, redactor: Redactor) -> str:
    if name.lower() == "set-cookie":
        return redactor.text(_COOKIE_VALUE.sub(f"={MASK}", value, count=1) if "=" in value else MASK)
    masked = carries_credentials(name) and not name.lower().startswith("access-control-")
    return MASK if masked else redactor.text(value)


UNAUTHORIZED = 401
WRITING = frozenset(("POST", "PUT", "PATCH", "DELETE"))
Authorize = Callable[[bool], Headers]
"""From whether a stored token is no good to the headers that prove who sends the request."""
_NOT_PRIVATE = ("tls.ca", "tls.clientCertificate")


class Call(Struct, frozen=True):
    """A request that is ready but for its authorization.

    Attributes:
        by: the authorization that it carries.
        seconds: for each attempt in all.
    """

    connector: LiveConnector
    purpose: str
    by: Authorization
    request: Request
    seconds: float
    patience: Patience
    max_bytes: int


def prepare(connector: LiveConnector, purpose: str, request: Request, *, max_bytes: int) -> Call:
    """The call of an endpoint, with the times of its definition.

    Raises:
        InvalidDefinitions: credentials would be sent over plain http, or the definition is not readable or names an
            authorization that there is not.
    """
    endpoint = connector.spec["endpoints"][purpose]
    retry: Mapping[str, Any] = endpoint.get("retry", {})
    patience = Patience(int(retry.get("attempts", 0)), float(retry.get("waitSeconds", 5)))
    seconds = float(endpoint.get("timeoutSeconds", 30))
    by = chosen(connector.spec, endpoint)
    if (carries(by) or secrets_of(request)) and not allows_plain_http(connector.spec):
        refuse_plain_http(request.url)
    return Call(connector, purpose, by, request, seconds, patience, max_bytes)


def secrets_of(request: Request) -> list[Secret]:
    """The secrets that are sent as parameters and headers."""
    sent = [value for _, value in (*request.params, *request.headers) if isinstance(value, Secret)]
    return sent + query_secrets(request.url)


def refuse_plain_http(url: str) -> None:
    """Stop before credentials go over a network in the clear; live records may be written by others.

    Raises:
        InvalidDefinitions: they would.
    """
    if is_insecure(url):
        host = urlsplit(url).hostname or ""
        raise InvalidDefinitions(f"credentials would be sent over plain http to {host}", hint=PLAIN_HTTP_HINT)


def perform(call: Call, trust: Trust, authorize: Authorize, open_sender: Callable[[Trust], Sender]) -> CallOutcome:
    """Send the request; when a fetched token is refused, send it once more with a fresh one.

    Raises:
        CertificateUnusable, CredentialsRefused, NetworkFailure, SecretUnavailable: there is no answer.
    """
    headers = authorize(False)
    outcome = send(call, trust, headers, open_sender)
    if outcome.answer.status == UNAUTHORIZED and not outcome.redirects and needs_token(call.by):
        again = send(call, trust, authorize(True), open_sender, refused=headers)
        return replace(again, attempts=outcome.attempts + again.attempts)
    return outcome


def send(
    call: Call, trust: Trust, authorization: Headers, open_sender: Callable[[Trust], Sender], refused: Headers = ()
) -> CallOutcome:
    """Send the request with these headers, patiently, along its redirects.

    Args:
        refused: headers that were sent before, which the answer may repeat too.
    """
    request, redactor = call.request, redactor_of(call, (*authorization, *refused))
    proven = {name.lower() for name, _ in authorization}
    own = [(name, value) for name, value in request.headers if name.lower() not in proven]
    limits = ResponseLimits(call.seconds, call.max_bytes)
    hop = Hop(request.url, (*own, *authorization))

    def attempt() -> Response:
        return open_sender(trust).send(
            request.method,
            sent_url(request),
            headers=revealed(hop.headers),
            body=request.body.content,
            limits=limits,
        )

    answer, attempts = with_patience(attempt, call.patience)
    redirects: tuple[Redirect, ...] = ()
    if request.method == "GET":
        answer, redirects = follow(answer, hop, trust, open_sender, redactor, limits)
    return CallOutcome(redacted(answer, redactor), attempts, redirects)


def redactor_of(call: Call, authorization: Headers) -> Redactor:
    """What masks all secrets of a call in its answer."""
    stored = [value for name, value in call.connector.secrets.items() if name not in _NOT_PRIVATE]
    proofs = [Secret(value.reveal().partition(" ")[2] or value.reveal()) for _, value in authorization]
    return Redactor([*stored, *proofs, *secrets_of(call.request)])
