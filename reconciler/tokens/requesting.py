"""Ask servers for tokens, patiently."""

import time
from collections.abc import Callable
from threading import Event

from reconciler.core.calls import Token, Trust
from reconciler.core.secret import Secret
from reconciler.errors import NetworkFailure
from reconciler.kinds.authorization import Grant
from reconciler.net.client import Answer, Limits, Sender
from reconciler.net.retry import Patience, with_patience
from reconciler.net.trust import ContextCache
from reconciler.net.urls import host_of
from reconciler.tokens.answers import read_token, refuses_client
from reconciler.tokens.forms import Posted, has_two_encodings, refresh_request, token_request

LIMITS = Limits(seconds=30, max_bytes=256 * 1024)
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

    def fetch(self, grant: Grant, trust: Trust) -> Token:
        """A token for the credentials of `grant`.

        Raises:
            CredentialsRefused: the server gives none for them.
            NetworkFailure: the server does not answer as it should.
        """
        return self._ask(grant, trust, lambda encoded: token_request(grant, encoded=encoded))

    def renew(self, grant: Grant, trust: Trust, refresh: Secret) -> Token:
        """A token for a refresh token; where the server sends no new refresh token the old one stays good.

        Raises:
            CredentialsRefused, NetworkFailure: as `fetch`.
        """
        token = self._ask(grant, trust, lambda encoded: refresh_request(grant, refresh, encoded=encoded))
        return token if token.refresh else Token(token.access, refresh, token.lifetime, token.scope)

    def _ask(self, grant: Grant, trust: Trust, make: Callable[[bool], Posted]) -> Token:
        """Ask as the RFC wants it; where the server does not know the client by that, in the other form of its secret.

        A user's password that is refused is not sent again: many servers count the tries, and lock the account.
        """
        answer = self._send(grant, trust, make(True))
        if has_two_encodings(grant) and refuses_client(answer):
            answer = self._send(grant, trust, make(False))
        return read_token(answer, grant, self._clock())

    def _send(self, grant: Grant, trust: Trust, posted: Posted) -> Answer:
        sender = self._sender(trust)
        headers = [("Accept", "application/json"), *posted.headers]

        def attempt() -> Answer:
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
