"""Send one request and read its answer within limits of time and size."""

import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct

from reconciler.core.calls import Trust
from reconciler.errors import NetworkFailure, UsageError
from reconciler.net.answers import ACCEPTED, read_limited, refused_by, translate
from reconciler.net.trust import make_context
from reconciler.net.urls import Proxy, host_of, parse, proxy_for
from reconciler.version import __version__

if TYPE_CHECKING:
    import ssl

    import httpx


class Deadline:
    """Shuts the connections of a client when a request's time is over, which ends the wait for them.

    Attributes:
        passed: whether that has happened.
    """

    def __init__(self) -> None:
        self.passed = False
        self._connections: list[socket.socket] = []

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note each connection that is made; this is httpx's `trace` extension."""
        if event == "connection.connect_tcp.complete":
            self._forget_ended()
            made = info["return_value"].get_extra_info("socket")
            self._connections.append(made.dup())  # TLS takes the first descriptor over, and hides it

    @contextmanager
    def running(self, seconds: float) -> Iterator[None]:
        """Within the block the limit is `seconds`."""
        self.passed = False
        timer = Timer(seconds, self.end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def end(self) -> None:
        """Shut the connections now."""
        self.passed = True
        for connection in list(self._connections):
            with suppress(OSError):  # it may have ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    def _forget_ended(self) -> None:
        """Let go of connections that the other side has ended: a server may do so after each answer."""
        ended = [connection for connection in self._connections if _is_ended(connection)]
        for connection in ended:
            connection.close()
        self._connections = [connection for connection in self._connections if connection not in ended]

    def close(self) -> None:
        """Forget the connections."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()


def _is_ended(connection: socket.socket) -> bool:
    """Whether the other side has ended it, as far as the system tells."""
    if not hasattr(select, "poll"):
        return False
    ends = select.poll()
    ends.register(connection, getattr(select, "POLLRDHUP", 0))  # that it broke is told unasked
    return bool(ends.poll(0))


CONNECT_SECONDS = 10.0
USER_AGENT = f"reconciler/{__version__}"
_DEFAULTS = (("User-Agent", USER_AGENT), ("Accept-Encoding", ACCEPTED), ("Connection", "keep-alive"))


class Response(Struct, frozen=True):
    """What a server said.

    Attributes:
        headers: in the order in which they came.
        body: decoded from its content encoding; at most the limit.
        cut: whether the body is longer than the limit.
        seconds: from the start of the request to the end of the answer.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool
    seconds: float

    def header(self, name: str) -> str:
        """The first value of a header, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class ResponseLimits(Struct, frozen=True):
    """How long a request may take in all, and how much is read of its answer."""

    seconds: float = 30.0
    max_bytes: int = 1024 * 1024


USUAL = ResponseLimits()


class Sender:
    """Sends requests to servers that are trusted in the same way. Not for several threads.

    It keeps connections and nothing else: it has no cookie jar, reads no netrc, answers no challenge and follows no
    redirect, so that nothing of one connector's request gets into another's. That is why it drives httpx's
    transports, and not its client, which keeps all of these.

    Proxies are those of the environment, see `reconciler.net.urls`.
    """

    def __init__(self, trust: Trust, context: "ssl.SSLContext | None" = None) -> None:
        """Open nothing yet.

        Args:
            context: made for `trust` before.

        Raises:
            CertificateUnusable: see `make_context`.
        """
        self._deadline = Deadline()
        self._transports: dict[str, httpx.HTTPTransport] = {}  # by the proxy's URL
        self._context = context or make_context(trust)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        limits: ResponseLimits = USUAL,
    ) -> Response:
        """Send a request; the answer may have any status.

        Args:
            body: its bytes, or None for none.

        Raises:
            NetworkFailure: there was no whole answer in time.
            UsageError: there can be no such request.
        """
        import httpx

        began = time.perf_counter()
        request = self._request(method, parse(url), headers, body, limits)
        proxy = proxy_for(request.url, os.environ)
        try:
            with self._deadline.running(limits.seconds):
                answer = self._transport(proxy).handle_request(request)
                try:
                    encoding = answer.headers.get("content-encoding", "")
                    body, cut = read_limited(answer.iter_raw(), encoding, limits.max_bytes, host_of(url))
                finally:
                    answer.close()
        except (httpx.HTTPError, httpx.StreamError, OSError, UnicodeError) as failure:
            if self._deadline.passed:
                message = f"{host_of(url)}: no whole answer within {limits.seconds:g} s"
                hint = "is the server slow? the limit is the endpoint's timeoutSeconds"
                raise NetworkFailure(message, hint=hint, transient=True) from None
            raise translate(failure, url, proxy) from None
        if self._deadline.passed:
            raise NetworkFailure(f"{host_of(url)}: no whole answer within {limits.seconds:g} s", transient=True)
        if proxy and answer.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            raise refused_by(proxy, url)
        received = tuple((key, value) for key, value in answer.headers.multi_items())
        return Response(answer.status_code, answer.reason_phrase, received, body, cut, time.perf_counter() - began)

    def _request(
        self,
        method: str,
        target: "httpx.URL",
        headers: Sequence[tuple[str, str]],
        body: bytes | None,
        limits: ResponseLimits,
    ) -> "httpx.Request":
        """The request as it goes to the transport.

        Raises:
            UsageError: something in it cannot be sent; what, is for whoever knows where it comes from to find.
        """
        import httpx

        timeout = httpx.Timeout(limits.seconds, connect=min(CONNECT_SECONDS, limits.seconds))
        own = {name.lower() for name, _ in headers}
        defaults = [pair for pair in _DEFAULTS if pair[0].lower() not in own]
        try:
            return httpx.Request(
                method,
                target,
                headers=[*defaults, *headers],
                content=body,
                extensions={"timeout": timeout.as_dict(), "trace": self._deadline.trace},
            )
        except (httpx.InvalidURL, ValueError):  # characters that have no place there
            message = f"{host_of(str(target))}: a header of the request holds what cannot be sent"
            raise UsageError(message, hint="write text in ASCII, or encode it") from None

    def _transport(self, proxy: Proxy | None) -> "httpx.HTTPTransport":
        import httpx

        through = proxy.url.reveal() if proxy else ""
        if through not in self._transports:
            self._transports[through] = httpx.HTTPTransport(
                verify=self._context, trust_env=False, proxy=through or None
            )
        return self._transports[through]

    def abort(self) -> None:
        """End what is under way, from another thread."""
        self._deadline.end()

    def close(self) -> None:
        """Close the connections."""
        for transport in self._transports.values():
            transport.close()
        self._deadline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
