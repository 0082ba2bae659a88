"""HTTP/1.1 with connections that are kept."""

from __future__ import annotations

import socket
import ssl
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulator.faults import Hangup, Killed
from simulator.instance import Simulator
from simulator.messages import Answer, Request, pretty_message
from simulator.profiles import API, BODY_BYTES
from simulator.texts import clean_input
from simulator.values import as_array, read_json


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that are kept."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm, wbufsize = True, -1  # an answer leaves at once and in one piece
    server_version, sys_version = "simulator", ""
    simulator: Simulator
    scheme = "http"

    def log_message(self, *_):
        pass

    def _all(self) -> None:
        raw = self._read_body()
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        if path.startswith("/__"):
            body = read_json(raw) if raw else {}
            return self._reply(self.simulator.control(self.command, path, body if isinstance(body, dict) else {}))
        if raw is None:
            return self._reply(pretty_message(413, ""))
        request = self._request(path, url.query, raw)
        try:
            self.simulator.serve(request, self._reply)
        except Hangup:
            self._hang_up()
        except Killed:
            self._hang_up()
            self.simulator.on_kill()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = _all

    def _read_body(self) -> bytes | None:
        """None when it is over the limit; the connection then ends, as the rest is not read."""
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES:
            self.close_connection = True
            left = length
            while left > 0 and (part := self.rfile.read(min(left, 65536))):
                left -= len(part)
            return None
        return self.rfile.read(length)

    def _read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _request(self, path: str, query: str, raw: bytes) -> Request:
        profile = self.simulator.profile
        base = f"{self.scheme}://{self.headers.get('Host') or 'localhost'}"
        below = path[len(API) :] if path.startswith(API + "/") else "/.." + path
        kind = self.headers.get("Content-Type") or ""
        body = read_json(raw) if "/json" in kind or "+json" in kind else {}
        form = (
            parse_query(raw.decode("utf-8", "replace")) if kind.startswith("application/x-www-form-urlencoded") else {}
        )
        clean = [
            {key: as_array(clean_input(profile, value)) for key, value in part.items()}
            for part in (parse_query(query), body if isinstance(body, dict) else {}, form)
        ]
        request = Request(self.command, below, *clean, self.headers, base, raw=raw, raw_query=query)
        if self.command == "POST":  # an override by field or header
            other = request.inputs.get("_method") or self.headers.get("X-HTTP-Method-Override")
            request.method = str(other or "POST").upper()
        return request

    def _reply(self, answer: Answer, keep: int | None = None) -> None:
        body = b"" if self.command == "HEAD" or answer.status in (204, 304) else answer.body
        self.send_response(answer.status)
        self.send_header("Cache-Control", "no-cache, private")
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        if keep is not None or self.close_connection:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body if keep is None else body[:keep])

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def parse_query(text: str) -> dict[str, Any]:
    """a=1&a=2 is "2"; a[]=1 and a[k]=1 make lists and maps."""
    found: dict[str, Any] = {}
    for key, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        name, bracket, rest = key.partition("[")
        if not bracket:
            found[name] = value
            continue
        inner = rest.rstrip("]")
        held = found.get(name) if isinstance(found.get(name), (dict, list)) else ({} if inner else [])
        if isinstance(held, list) and not inner:
            held.append(value)
        else:
            held = dict(enumerate(held)) if isinstance(held, list) else held
            held[inner or str(len(held))] = value
        found[name] = held
    return found


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):  # a client that goes away is no error
            super().handle_error(request, client_address)

    def __init__(self, *arguments, tls: tuple[str, str] | None = None):
        super().__init__(*arguments)
        self.open: set = set()
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.context = context
        self.tls = bool(tls)

    def get_request(self):
        connection, address = super().get_request()
        self.open.add(connection)
        return connection, address

    def finish_request(self, request, client_address):
        if not self.tls:
            self.RequestHandlerClass(request, client_address, self)
            return
        # Here, in the thread of the connection, so that a slow handshake holds nobody up.
        with self.context.wrap_socket(request, server_side=True) as wrapped:
            self.open.add(wrapped)
            try:
                self.RequestHandlerClass(wrapped, client_address, self)
            finally:
                self.open.discard(wrapped)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """Ends every open connection, as the end of a process does."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
