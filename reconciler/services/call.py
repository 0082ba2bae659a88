"""Perform an endpoint of a live connector."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Outcome, Redirect, Trust
from reconciler.core.model import LiveConnector
from reconciler.core.secret import Redactor, Secret
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.authorization import needs_token
from reconciler.kinds.requests import Request, query_secrets
from reconciler.net.client import Answer, Limits, Sender
from reconciler.net.retry import Patience, with_patience
from reconciler.services.following import Hop, follow, revealed
from reconciler.services.reading import redacted

UNAUTHORIZED = 401
WRITING = frozenset(("POST", "PUT", "PATCH", "DELETE"))
Headers = tuple[tuple[str, Secret], ...]
Authorize = Callable[[bool], Headers]
"""From whether a stored token is no good to the headers that prove who sends the request."""
_LOOPBACK = ("localhost", "::1")
_NOT_PRIVATE = ("tls.ca", "tls.clientCertificate")


class Call(Struct, frozen=True):
    """A request that is ready but for its authorization.

    Attributes:
        seconds: for each attempt in all.
    """

    connector: LiveConnector
    purpose: str
    request: Request
    seconds: float
    patience: Patience
    max_bytes: int


def prepare(connector: LiveConnector, purpose: str, request: Request, *, max_bytes: int) -> Call:
    """The call of an endpoint, with the times of its definition.

    Raises:
        InvalidDefinitions: credentials would be sent over plain http, or the definition is not readable.
    """
    endpoint = connector.spec["endpoints"][purpose]
    retry: Mapping[str, Any] = endpoint.get("retry", {})
    patience = Patience(int(retry.get("attempts", 0)), float(retry.get("waitSeconds", 5)))
    seconds = float(endpoint.get("timeoutSeconds", 30))
    authorized = connector.spec.get("authorization", {}).get("method", "none") != "none"
    if authorized or secrets_of(request):
        refuse_plain_http(request.url)
    return Call(connector, purpose, request, seconds, patience, max_bytes)


def secrets_of(request: Request) -> list[Secret]:
    """The secrets that are sent as parameters and headers."""
    sent = [value for _, value in (*request.params, *request.headers) if isinstance(value, Secret)]
    return sent + query_secrets(request.url)


def refuse_plain_http(url: str) -> None:
    """Stop before credentials go over a network in the clear; live records may be written by others.

    Raises:
        InvalidDefinitions: they would.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme.lower() == "http" and host not in _LOOPBACK and not host.startswith("127."):
        raise InvalidDefinitions(f"credentials would be sent over plain http to {host}", hint="use https:// in the URL")


def perform(call: Call, trust: Trust, authorize: Authorize, open_sender: Callable[[Trust], Sender]) -> Outcome:
    """Send the request; when a fetched token is refused, send it once more with a fresh one.

    Raises:
        CertificateUnusable, CredentialsRefused, NetworkFailure, SecretUnavailable: there is no answer.
    """
    headers = authorize(False)
    outcome = send(call, trust, headers, open_sender)
    if outcome.answer.status == UNAUTHORIZED and not outcome.redirects and needs_token(call.connector.spec):
        again = send(call, trust, authorize(True), open_sender, refused=headers)
        return replace(again, attempts=outcome.attempts + again.attempts)
    return outcome


def send(
    call: Call, trust: Trust, authorization: Headers, open_sender: Callable[[Trust], Sender], refused: Headers = ()
) -> Outcome:
    """Send the request with these headers, patiently, along its redirects.

    Args:
        refused: headers that were sent before, which the answer may repeat too.
    """
    request, redactor = call.request, redactor_of(call, (*authorization, *refused))
    proven = {name.lower() for name, _ in authorization}
    own = [(name, value) for name, value in request.headers if name.lower() not in proven]
    limits = Limits(call.seconds, call.max_bytes)
    hop = Hop(request.url, (*own, *authorization))

    def attempt() -> Answer:
        return open_sender(trust).send(
            request.method,
            request.url,
            headers=revealed(hop.headers),
            params=revealed(request.params),
            body=request.body.form or request.body.content,
            limits=limits,
        )

    answer, attempts = with_patience(attempt, call.patience)
    redirects: tuple[Redirect, ...] = ()
    if request.method == "GET":
        answer, redirects = follow(answer, hop, trust, open_sender, redactor, limits)
    return Outcome(redacted(answer, redactor), attempts, redirects)


def redactor_of(call: Call, authorization: Headers) -> Redactor:
    """What masks all secrets of a call in its answer."""
    stored = [value for name, value in call.connector.secrets.items() if name not in _NOT_PRIVATE]
    proofs = [Secret(value.reveal().partition(" ")[2] or value.reveal()) for _, value in authorization]
    return Redactor([*stored, *proofs, *secrets_of(call.request)])
