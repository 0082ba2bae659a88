"""A limit on how long a request may take in all.

httpx limits each single wait, so a server that sends one byte now and then keeps a request going for ever.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any


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

    def close(self) -> None:
        """Forget the connections."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
