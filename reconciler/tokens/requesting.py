"""Ask for tokens: OAuth 2.0 grants (RFC 6749) by oauthlib on httpx, and token requests of other servers."""

import json
import time
from collections.abc import Callable
from threading import Event
from urllib.parse import quote_plus

from reconciler.core.secret import Secret
from reconciler.core.token import Token
from reconciler.core.trust import Trust
from reconciler.errors import NetworkFailure
from reconciler.kinds.authorization import Grant, basic
from reconciler.net.failures import host_of
from reconciler.net.retrying import Patience, with_patience
from reconciler.net.sending import Answer, Limits, Sender
from reconciler.net.trust import ContextCache
from reconciler.tokens.answers import read_token

LIMITS = Limits(seconds=30, max_bytes=256 * 1024)
PATIENCE = Patience(
    attempts=2, wait_seconds=0.5, growth=2, longest_seconds=30, statuses=frozenset((429, 500, 502, 503, 504))
)
_FORM = ("Content-Type", "application/x-www-form-urlencoded")


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

    def fetch(self, grant: Grant, trust: Trust) -> Token:
        """A token for the credentials of `grant`.

        Raises:
            CredentialsRefused: the server gives none for them.
            NetworkFailure: the server does not answer as it should.
        """
        headers, body = _request(grant)
        return self._send(grant, trust, headers, body)

    def renew(self, grant: Grant, trust: Trust, refresh: Secret) -> Token:
        """A token for a refresh token; where the server sends no new refresh token the old one stays good.

        Raises:
            CredentialsRefused, NetworkFailure: as `fetch`.
        """
        from oauthlib.oauth2 import LegacyApplicationClient

        headers, fields = _client_authentication(grant)
        client = LegacyApplicationClient(fields.pop("client_id", ""))
        body = client.prepare_refresh_body(refresh_token=refresh.reveal(), include_client_id=bool(client.client_id), client_id=client.client_id, **fields)  # fmt: skip
        token = self._send(grant, trust, [*headers, _FORM], body, refresh)
        return token if token.refresh else Token(token.access, refresh, token.lifetime, token.scope)

    def _send(
        self, grant: Grant, trust: Trust, headers: list[tuple[str, str]], body: str, used: Secret | None = None
    ) -> Token:
        sender = self._sender(trust)
        sent = [("Accept", "application/json"), *headers]

        def attempt() -> Answer:
            if self._stop.is_set():
                raise NetworkFailure(f"{host_of(grant.url)}: interrupted")
            return sender.send("POST", grant.url, headers=sent, content=body.encode(), limits=LIMITS)

        answer, _ = with_patience(attempt, self._patience, sleep=self._wait)
        return read_token(answer, grant, self._clock(), [used] if used else [])

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


def _request(grant: Grant) -> tuple[list[tuple[str, str]], str]:
    """Headers and body of a request for a token."""
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient

    if grant.kind == "request" and grant.send != "form":
        return _plain_request(grant)
    username = grant.username.reveal() if grant.username else ""
    password = grant.password.reveal() if grant.password else ""
    if grant.kind == "request":
        names = {grant.username_field: username, grant.password_field: password}
        return [_FORM], _form({"grant_type": "password", **names})
    headers, fields = _client_authentication(grant)
    client_id, scope = fields.pop("client_id", ""), list(grant.scopes) or None
    if grant.kind == "password":
        client = LegacyApplicationClient(client_id)
        body = client.prepare_request_body(username, password, scope=scope, include_client_id=bool(client_id), **fields)
    else:
        client = BackendApplicationClient(client_id)
        body = client.prepare_request_body(scope=scope, include_client_id=bool(client_id), **fields)
    return [*headers, _FORM], body


def _client_authentication(grant: Grant) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Headers and form fields that say which client asks: RFC 6749, section 2.3.1.

    A client without a secret names itself in the body.
    """
    if grant.client_id is None:
        return [], {}
    name = grant.client_id.reveal()
    if grant.client_secret is None:
        return [], {"client_id": name}
    if grant.in_body:
        return [], {"client_id": name, "client_secret": grant.client_secret.reveal()}
    encoded = basic(Secret(quote_plus(name)), Secret(quote_plus(grant.client_secret.reveal())))
    return [("Authorization", encoded.reveal())], {}


def _plain_request(grant: Grant) -> tuple[list[tuple[str, str]], str]:
    assert grant.username is not None and grant.password is not None
    if grant.send == "basic":
        return [("Authorization", basic(grant.username, grant.password).reveal()), _FORM], _form(
            {"grant_type": "client_credentials"}
        )
    fields = {grant.username_field: grant.username.reveal(), grant.password_field: grant.password.reveal()}
    return [("Content-Type", "application/json")], json.dumps(fields)


def _form(fields: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(fields)
