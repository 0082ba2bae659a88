"""Ask servers for tokens, patiently: the protocol is oauthlib's."""

import json
import time
from collections.abc import Callable
from threading import Event
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from reconciler.core.calls import Token, Trust
from reconciler.core.secret import Secret
from reconciler.errors import NetworkFailure
from reconciler.kinds.authorization import TokenGrant, basic
from reconciler.net.client import Response, ResponseLimits, Sender
from reconciler.net.retry import Patience, with_patience
from reconciler.net.trust import ContextCache
from reconciler.net.urls import host_of
from reconciler.tokens.answers import read_token, refuses_client

Header = tuple[str, str]
_FORM: Header = ("Content-Type", "application/x-www-form-urlencoded")


class Posted(NamedTuple):
    """Headers and body of a request for a token."""

    headers: tuple[Header, ...]
    body: str


def token_request(grant: TokenGrant, *, encoded: bool) -> Posted:
    """What asks for a token by credentials.

    Args:
        encoded: whether the client's id and secret are form-encoded inside of a Basic header.
    """
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient

    if grant.kind == "request":
        return _plain_request(grant)
    headers, fields = _client_authentication(grant, encoded=encoded)
    client_id, scope = fields.pop("client_id", ""), list(grant.scopes) or None
    named, further = bool(client_id), urlencode(_further(grant))
    if grant.kind == "password":
        username, password = _user(grant)
        client = LegacyApplicationClient(client_id)
        body = client.prepare_request_body(
            username, password, body=further, scope=scope, include_client_id=named, **fields
        )
    else:
        client = BackendApplicationClient(client_id)
        body = client.prepare_request_body(body=further, scope=scope, include_client_id=named, **fields)
    return Posted((*headers, _FORM), body)


def _further(grant: TokenGrant) -> list[tuple[str, str]]:
    """What a definition adds to each request: whom the token is for (RFC 8707), and fields of the server's own."""
    audience = [("audience", grant.audience)] if grant.audience else []
    resource = [("resource", one) for one in grant.resource]
    return [*audience, *resource, *((name, value.reveal()) for name, value in grant.fields)]


def refresh_request(grant: TokenGrant, refresh: Secret, *, encoded: bool) -> Posted:
    """What asks for a token by a refresh token: RFC 6749, section 6; for whom it is goes along: RFC 8707, section 2.2."""
    from oauthlib.oauth2 import LegacyApplicationClient

    headers, fields = _client_authentication(grant, encoded=encoded)
    client_id = fields.get("client_id", "")
    body = LegacyApplicationClient(client_id).prepare_refresh_body(
        body=urlencode(_further(grant)), refresh_token=refresh.reveal(), include_client_id=bool(client_id), **fields
    )
    return Posted((*headers, _FORM), body)


def has_two_encodings(grant: TokenGrant) -> bool:
    """Whether the client's id and secret look different when they are form-encoded inside of a Basic header.

    RFC 6749, section 2.3.1, asks for that, and servers disagree: some take them as they are.
    """
    if grant.in_body or grant.client_id is None or grant.client_secret is None or ":" in grant.client_id.reveal():
        return False  # a colon would end the id, if it went as it is
    return any(quote_plus(text.reveal()) != text.reveal() for text in (grant.client_id, grant.client_secret))


def _client_authentication(grant: TokenGrant, *, encoded: bool) -> tuple[tuple[Header, ...], dict[str, str]]:
    """Headers and form fields that say which client asks. One without a secret names itself in the form."""
    if grant.client_id is None:
        return (), {}
    name = grant.client_id.reveal()
    if grant.client_secret is None:
        return (), {"client_id": name}
    secret = grant.client_secret.reveal()
    if grant.in_body:
        return (), {"client_id": name, "client_secret": secret}
    if encoded:
        name, secret = quote_plus(name), quote_plus(secret)
    return (("Authorization", basic(Secret(name), Secret(secret)).reveal()),), {}


def _plain_request(grant: TokenGrant) -> Posted:
    """A token request that is not OAuth's; in a form it looks like one of OAuth's without a client."""
    username, password = _user(grant)
    if grant.send == "basic":
        header = ("Authorization", basic(Secret(username), Secret(password)).reveal())
        return Posted((header, _FORM), urlencode([("grant_type", "client_credentials"), *_further(grant)]))
    fields = [(grant.username_field, username), (grant.password_field, password), *_further(grant)]
    if grant.send == "json":
        return Posted((("Content-Type", "application/json"),), json.dumps(dict(fields)))
    return Posted((_FORM,), urlencode([("grant_type", "password"), *fields]))


def _user(grant: TokenGrant) -> tuple[str, str]:
    assert grant.username is not None and grant.password is not None
    return grant.username.reveal(), grant.password.reveal()


LIMITS = ResponseLimits(seconds=30, max_bytes=256 * 1024)
PATIENCE = Patience(attempts=2, wait_seconds=0.5, growth=2, longest_seconds=30)


class TokenClient:
    """Fetches tokens. Keeps a connection for each way of trust; not for several threads."""

    def __init__(
        self,
        contexts: ContextCache | None = None,
        clock: Callable[[], float] = time.time,
        patience: Patience = PATIENCE,
    ) -> None:
        """Make a client.

        Args:
            contexts: shared between the clients of several threads.
            clock: the present time in seconds since 1970.
        """
        self._clock = clock
        self._patience = patience
        self._senders: dict[int, Sender] = {}
        self._contexts = contexts if contexts is not None else ContextCache()
        self._stop = Event()

    def fetch(self, grant: TokenGrant, trust: Trust) -> Token:
        """A token for the credentials of `grant`.

        Raises:
            CredentialsRefused: the server gives none for them.
            NetworkFailure: the server does not answer as it should.
        """
        return self._ask(grant, trust, lambda encoded: token_request(grant, encoded=encoded))

    def renew(self, grant: TokenGrant, trust: Trust, refresh: Secret) -> Token:
        """A token for a refresh token; where the server sends no new refresh token the old one stays good.

        Raises:
            CredentialsRefused, NetworkFailure: as `fetch`.
        """
        token = self._ask(grant, trust, lambda encoded: refresh_request(grant, refresh, encoded=encoded))
        return token if token.refresh else Token(token.access, refresh, token.lifetime, token.scope)

    def _ask(self, grant: TokenGrant, trust: Trust, make: Callable[[bool], Posted]) -> Token:
        """Ask as the RFC wants it; where the server does not know the client by that, in the other form of its secret.

        A user's password that may be what is refused is not sent again: many servers count the tries, and lock the
        account. Another place for the client's secret than the definition's is not tried: some servers log bodies.
        """
        answer = self._send(grant, trust, make(True))
        if has_two_encodings(grant) and refuses_client(answer, with_user=grant.password is not None):
            answer = self._send(grant, trust, make(False))
        return read_token(answer, grant, self._clock())

    def _send(self, grant: TokenGrant, trust: Trust, posted: Posted) -> Response:
        sender = self._sender(trust)
        further = [(name, value.reveal()) for name, value in grant.headers]
        accept = [] if any(name.lower() == "accept" for name, _ in further) else [("Accept", "application/json")]
        headers = [*accept, *posted.headers, *further]

        def attempt() -> Response:
            if self._stop.is_set():
                raise NetworkFailure(f"{host_of(grant.url)}: interrupted")
            return sender.send("POST", grant.url, headers=headers, body=posted.body.encode(), limits=LIMITS)

        answer, _ = with_patience(attempt, self._patience, sleep=self._wait)
        return answer

    def _wait(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _sender(self, trust: Trust) -> Sender:
        context = self._contexts.get(trust)
        if id(context) not in self._senders:
            self._senders[id(context)] = Sender(trust, context)
        return self._senders[id(context)]

    def abort(self) -> None:
        """End what is under way, from another thread."""
        self._stop.set()
        for sender in list(self._senders.values()):
            sender.abort()

    def close(self) -> None:
        """Close the connections."""
        for sender in self._senders.values():
            sender.close()
        self._senders.clear()
