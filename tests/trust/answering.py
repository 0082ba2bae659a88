"""A server that answers as it is told, and remembers what it was sent and over which connection; and connectors of it."""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Customer data}\n"
GOOD_TOKEN = b'{"access_token": "cnry-access", "token_type": "Bearer", "expires_in": 3600}'


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Said:
    """An answer."""

    body: bytes = b"{}"
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()


@dataclass
class Answering:
    """The server: what it says of each path, and what it was asked."""

    url: str
    says: dict[str, Said] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def of(self, path: str) -> list[Asked]:
        """The requests of a path."""
        return [one for one in self.asked if one.path.partition("?")[0] == path]


@contextmanager
def answering(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Answering]:
    """A running server; what it is not told about it answers with {}."""
    found = Answering("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append(Asked(self.command, self.path, headers, body, self.client_address[1]))
            said = found.says.get(self.path.partition("?")[0], Said())
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that leaves early is none."""

    server = Server((host, 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.url = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def connector(name: str, url: str, authorization: str, endpoints: str = "", more: str = "") -> str:
    """A connector of the server's; without endpoints it has `get`, of /data."""
    found = endpoints or f"    get: {{method: GET, url: '{url}/data'}}\n"
    return (
        f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}}}\nspec:\n  displayName: The {name}\n"
        f"  categories: [crm]\n  authorization: {authorization}\n{more}  endpoints:\n{found}"
    )


def client_credentials(url: str) -> str:
    """An authorization with a client's secret of its own."""
    return (
        f"{{method: oauth2-client-credentials, tokenUrl: '{url}/token', clientId: app, clientSecret: {{env: SECRET}}}}"
    )
