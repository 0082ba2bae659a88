"""A proxy before a real server that misbehaves as a test tells it to, and remembers what it was sent.

Each request takes the next step of the script; when the script has run out, requests simply pass.
"""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from servers.process import HOST

LONGEST = 60.0  # seconds; no step outlives it


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float  # seconds of the monotonic clock
    raw: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """The header's value, None when it was not sent; several are joined."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None


class Exchange:
    """A request that waits for its answer."""

    def __init__(self, front: "Front", client: socket.socket, request: Request) -> None:
        self.front, self.client, self.request = front, client, request

    def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        self.client.sendall(data)
        self.front.sent(len(data))

    def upstream(self) -> Iterator[bytes]:
        """The real server's answer, as bytes, until it closes."""
        with self.front.connect() as server:
            server.sendall(_closing(self.request.raw))
            while data := server.recv(65536):
                yield data

    def answer(self, status: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send an answer of our own."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}", "Connection: close"]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def pause(self, seconds: float) -> bool:
        """Wait; true when the proxy is being closed."""
        return self.front.closing.wait(seconds)

    def stall(self) -> None:
        """Say nothing more until the client gives up."""
        end = time.monotonic() + LONGEST
        self.client.settimeout(0.05)
        while time.monotonic() < end and not self.front.closing.is_set():
            try:
                if not self.client.recv(1024):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def reset(self) -> None:
        """Close so that the client sees a reset."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


class Step(Protocol):
    """What happens to one request."""

    def play(self, exchange: Exchange) -> None:
        """Answer the request, or fail to."""


@dataclass(frozen=True)
class Pass:
    """The real server's answer."""

    def play(self, exchange: Exchange) -> None:
        for data in exchange.upstream():
            exchange.send(data)


@dataclass(frozen=True)
class Delay:
    """The real server's answer, late."""

    seconds: float

    def play(self, exchange: Exchange) -> None:
        if not exchange.pause(self.seconds):
            Pass().play(exchange)


@dataclass(frozen=True)
class Reset:
    """The connection is reset; the real server never sees the request."""

    def play(self, exchange: Exchange) -> None:
        exchange.reset()


@dataclass(frozen=True)
class ResetAfter:
    """The real server does what was asked, then the connection is reset before a byte of the answer."""

    def play(self, exchange: Exchange) -> None:
        for _ in exchange.upstream():
            pass
        exchange.reset()


@dataclass(frozen=True)
class Close:
    """The connection is closed without an answer."""

    def play(self, exchange: Exchange) -> None:
        return


@dataclass(frozen=True)
class Silent:
    """Nothing is answered and the connection stays open."""

    def play(self, exchange: Exchange) -> None:
        exchange.stall()


@dataclass(frozen=True)
class HalfThenClose:
    """Half of the real body, then the end: less than Content-Length promised."""

    def play(self, exchange: Exchange) -> None:
        exchange.send(_half(exchange))


@dataclass(frozen=True)
class HalfThenReset:
    """Half of the real body, then a reset."""

    def play(self, exchange: Exchange) -> None:
        exchange.send(_half(exchange))
        exchange.pause(0.05)  # a reset may overtake bytes that were not read yet
        exchange.reset()


@dataclass(frozen=True)
class HalfThenStall:
    """Half of the real body, then nothing, with the connection open."""

    def play(self, exchange: Exchange) -> None:
        exchange.send(_half(exchange))
        exchange.stall()


@dataclass(frozen=True)
class Drip:
    """The real answer, one byte at a time; no single read takes long, the whole does."""

    milliseconds: float

    def play(self, exchange: Exchange) -> None:
        end = time.monotonic() + LONGEST
        for byte in b"".join(exchange.upstream()):
            exchange.send(bytes([byte]))
            if exchange.pause(self.milliseconds / 1000) or time.monotonic() > end:
                return


@dataclass(frozen=True)
class Endless:
    """A body without an end."""

    content_type: str = "application/json"

    def play(self, exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self.content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        exchange.send(head.encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and not exchange.front.closing.is_set():
            exchange.send(chunk)


@dataclass(frozen=True)
class Answer:
    """An answer of the test's own."""

    status: str = "200 OK"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def play(self, exchange: Exchange) -> None:
        exchange.answer(self.status, self.headers, self.body)


@dataclass(frozen=True)
class Raw:
    """Bytes that need not be HTTP, then the end."""

    data: bytes

    def play(self, exchange: Exchange) -> None:
        exchange.send(self.data)


def too_many(retry_after: object = 1) -> Answer:
    """429 with Retry-After; None leaves the header out."""
    return _later("429 Too Many Requests", retry_after)


def unavailable(retry_after: object = 1) -> Answer:
    """503 with Retry-After; None leaves the header out."""
    return _later("503 Service Unavailable", retry_after)


def html_error(status: str = "502 Bad Gateway") -> Answer:
    """What a gateway says that knows nothing of JSON."""
    page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def empty(status: str = "200 OK") -> Answer:
    """An answer without a body."""
    return Answer(status)


def redirect(to: str, status: str = "302 Found") -> Answer:
    """Sends the client to another address."""
    return Answer(status, b"", {"Location": to})


def _later(status: str, retry_after: object) -> Answer:
    headers = {"Content-Type": "application/json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(status, b'{"error": "try again later"}', headers)


def _half(exchange: Exchange) -> bytes:
    head, mark, body = b"".join(exchange.upstream()).partition(b"\r\n\r\n")
    return head + mark + body[: len(body) // 2]


def _closing(raw: bytes) -> bytes:
    """The request with the wish that the server closes after it, so that its answer has an end."""
    head, _, body = raw.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n" + body


def _read(client: socket.socket) -> Request | None:
    """One request; None when the client closed or spoke no HTTP."""
    with client.makefile("rb") as stream:
        head = b""
        while line := stream.readline(65536):
            head += line
            if line == b"\r\n":
                break
        if not head.endswith(b"\r\n\r\n"):
            return None
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = tuple((name, value.strip()) for name, _, value in (text.partition(":") for text in lines))
        fields = {name.lower(): value for name, value in headers}
        raw = body = stream.read(int(fields.get("content-length", 0)))
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while size := int((line := stream.readline()).split(b";")[0], 16):
                body += (chunk := stream.read(size))
                raw += line + chunk + stream.readline()
            raw += line + stream.readline()
        return Request(method, target, headers, body, time.monotonic(), head + raw)


class Front:
    """The proxy; with `certificate` it speaks TLS to the client, with `upstream_tls` to the real server."""

    def __init__(
        self, upstream: str, *, tls: ssl.SSLContext | None = None, upstream_tls: ssl.SSLContext | None = None
    ) -> None:
        self._upstream, self._tls, self._upstream_tls = urlsplit(upstream), tls, upstream_tls
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._requests: list[Request] = []
        self._threads: list[threading.Thread] = []
        self._connections = self._sent = 0
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"
        self._loop = threading.Thread(target=self._accept, daemon=True)
        self._loop.start()

    def play(self, *steps: Step) -> None:
        """Append steps to the script."""
        with self._lock:
            self._steps.extend(steps)

    def clear(self) -> None:
        """Forget the script and what has arrived."""
        with self._lock:
            self._steps.clear()
            self._requests.clear()
            self._connections = self._sent = 0

    @property
    def requests(self) -> tuple[Request, ...]:
        """What has arrived so far; a request stands here before it is answered."""
        with self._lock:
            return tuple(self._requests)

    @property
    def connections(self) -> int:
        """How many connections came in, also those whose TLS handshake failed."""
        with self._lock:
            return self._connections

    @property
    def bytes_sent(self) -> int:
        """How much was sent to clients."""
        with self._lock:
            return self._sent

    def sent(self, count: int) -> None:
        """Count bytes sent."""
        with self._lock:
            self._sent += count

    def connect(self) -> socket.socket:
        """A connection to the real server."""
        host = self._upstream.hostname or HOST
        server = socket.create_connection((host, self._upstream.port or 80), LONGEST)
        return self._upstream_tls.wrap_socket(server, server_hostname=host) if self._upstream_tls else server

    def close(self) -> None:
        """Stop listening and end what is under way."""
        self.closing.set()
        self._loop.join()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with self._listener:
            while not self.closing.is_set():
                try:
                    client, _ = self._listener.accept()
                except TimeoutError:
                    continue
                with self._lock:
                    self._connections += 1
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(LONGEST)
        # A client that gives up, or a certificate that it does not like, is what the tests are about.
        with suppress(OSError), client:
            if self._tls is None:
                self._handle(client)
            else:
                with self._tls.wrap_socket(client, server_side=True) as wrapped:
                    self._handle(wrapped)

    def _handle(self, client: socket.socket) -> None:
        request = _read(client)
        if request is None:
            return
        with self._lock:
            self._requests.append(request)
            step: Step = self._steps.pop(0) if self._steps else Pass()
        step.play(Exchange(self, client, request))
