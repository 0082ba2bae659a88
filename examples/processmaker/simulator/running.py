"""A running simulator inside a test."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

from simulator.faults import Plan
from simulator.instance import Simulator
from simulator.profiles import API, PROFILES, Switches
from simulator.store import Store
from simulator.web import Handler, Server


class Handle:
    """A running simulator inside a test."""

    def __init__(self, simulator: Simulator, host: str, port: int, tls: tuple[str, str] | None):
        self.simulator, self.host, self.tls, self.killed = simulator, host, tls, False
        simulator.on_kill = self._kill
        self._listen(port)

    def _listen(self, port: int) -> None:
        handler = type("Handler", (Handler,), {"simulator": self.simulator, "scheme": "https" if self.tls else "http"})
        self.server = Server((self.host, port), handler, tls=self.tls)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{API}"

    @property
    def tokens(self) -> dict[str, dict]:
        return self.simulator.tokens

    def token(self, name: str = "admin") -> str:
        return self.simulator.tokens[name]["token"]

    def login(self, username: str = "admin") -> dict[str, str]:
        """What the password grant of /oauth/token takes, in the words of a target's `login`."""
        client, secret = next(iter(self.store.clients.items()))
        password = self.store.passwords[username]
        return {"clientId": client, "clientSecret": secret, "username": username, "password": password}

    @property
    def requests(self) -> list[dict]:
        return self.simulator.requests

    @property
    def store(self) -> Store:
        return self.simulator.store

    @property
    def faults(self) -> Plan:
        return self.simulator.plan

    @property
    def switches(self) -> Switches:
        return self.simulator.switches

    def plaintext(self, connector: int) -> Any:
        """The credentials of a connector, decrypted: for assertions, the API never gives them."""
        return self.store.vault.unlock(self.store.connectors.rows[connector]["credentials"])

    def _kill(self) -> None:
        self.killed = True
        self.server.socket.close()
        self.server.cut()
        threading.Thread(target=self.server.shutdown, daemon=True).start()

    def restart(self) -> None:
        """After a kill: the same state on the same port."""
        self.stop()
        self.killed = False
        self._listen(self.port)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()
        self.server.cut()

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


Kind = TypeVar("Kind", bound=Handle)


def start(
    profile: str = "4.14",
    faults: list | None = None,
    tls: tuple[str, str] | None = None,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    seed: dict | None = None,
    random_seed: int = 1,
    state: str | None = None,
    kind: type[Kind] = Handle,
    **switches: Any,
) -> Kind:
    """Starts a simulator in this process; further keywords are switches (see Switches)."""
    simulator = Simulator(PROFILES[profile], seed, random_seed, faults or [], switches, state)
    return kind(simulator, host, port, tls)
