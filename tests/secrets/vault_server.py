"""A server that answers as Vault's API documents: https://developer.hashicorp.com/vault/api-docs/secret/kv.

It is not Vault, of which no program can be installed where these tests run.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from secret_checks import CANARY

MOUNTS = {
    "team/kv/": {"path": "team/kv/", "type": "kv", "options": {"version": "2"}},
    "old/": {"path": "old/", "type": "kv", "options": None},
    "auth/token/": {"path": "auth/token/", "type": "token", "options": None},
    "database/": {"path": "database/", "type": "database", "options": {}},
}
SECRETS = {
    "/v1/team/kv/data/crm": {"data": {"token": CANARY}, "metadata": {"version": 3}},
    "/v1/secret/data/crm": {"data": {"token": CANARY}, "metadata": {"version": 3}},
    "/v1/secret/data/two%20words": {"data": {"token": "spaced"}, "metadata": {"version": 1}},
    "/v1/old/crm": {"token": CANARY + "-old"},
    "/v1/auth/token/lookup-self": {"id": "a-token"},
    "/v1/database/creds/role": {"password": "made-" + CANARY},
}


class Vault(BaseHTTPRequestHandler):
    """Answers. What it was asked stands in `seen`."""

    sealed = False
    page: bytes | None = None
    elsewhere = ""
    seen: list[tuple[str, str, dict[str, str]]] = []

    def do_GET(self) -> None:
        self.note()
        if self.elsewhere:
            return self.send(307, "text/plain", b"", Location=self.elsewhere + self.path)
        if self.page is not None:
            return self.send(200, "text/html", self.page)
        if self.sealed:
            return self.reply(503, {"errors": ["Vault is sealed"]})
        if self.headers.get("X-Vault-Token") != "a-token":
            return self.reply(403, {"errors": ["permission denied"]})
        prefix = "/v1/sys/internal/ui/mounts/"
        if self.path.startswith(prefix):
            found = [content for mount, content in MOUNTS.items() if self.path.startswith(prefix + mount)]
            denied = {"errors": ["preflight capability check returned 403"]}
            return self.reply(200, {"data": found[0]}) if found else self.reply(403, denied)
        if self.path == "/v1/team/kv/data/deleted":
            gone = {"data": None, "metadata": {"deletion_time": "2026-01-01T00:00:00Z", "destroyed": False}}
            return self.reply(404, {"data": gone})
        if self.path in SECRETS:
            return self.reply(200, {"data": SECRETS[self.path]})
        return self.reply(404, {"errors": []})

    def do_POST(self) -> None:
        self.note()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = self.path == "/v1/auth/approle/login" and body == {"role_id": "role", "secret_id": "secret"}
        if good:
            return self.reply(200, {"auth": {"client_token": "a-token"}})
        return self.reply(400, {"errors": [f"invalid role or secret ID {CANARY}"]})

    def note(self) -> None:
        self.seen.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))

    def reply(self, status: int, content: dict[str, object]) -> None:
        self.send(status, "application/json", json.dumps(content).encode())

    def send(self, status: int, sort: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", sort)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def paths(method: str) -> list[str]:
    """What it was asked for."""
    return [path for asked, path, _ in Vault.seen if asked == method]


def serve(context=None):
    Vault.sealed, Vault.page, Vault.elsewhere, Vault.seen = False, None, "", []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vault)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # clients that do not trust it
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def vault():
    """Its address."""
    yield from serve()


@pytest.fixture
def vault_tls(authority):
    """The address of one with a certificate by the tests' authority."""
    yield from serve(authority.good.server_context())
