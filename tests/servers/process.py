"""Child processes that serve on loopback: started, waited for and stopped without leaving one behind."""

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
Ready = Callable[[int], bool]


class DidNotStart(Exception):
    """A server ended, or never answered; the message carries the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running child."""

    name: str
    port: int
    log: Path
    child: subprocess.Popen[bytes]

    def log_text(self) -> str:
        """What the server has printed so far."""
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> None:
        """End the child and all that it started, at once: nothing that they hold is worth a farewell."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(10)
        end = time.monotonic() + 5
        with suppress(OSError):  # children of the child die a moment later, and until then they may still accept
            while time.monotonic() < end:
                listens(self.port)
                time.sleep(0.005)


def free_port() -> int:
    """A port that no other process will be given for the next minute, so that parallel workers cannot collide.

    A connection to oneself leaves the port in TIME_WAIT: the kernel then hands it out to nobody, while a server that
    asks for it by number may have it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            accepted.close()  # the side that closes first is the one left waiting
        return int(listener.getsockname()[1])


def scrubbed(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment that knows nothing of the machine: no proxies, no certificate bundles, a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **(extra or {})}


def answers(path: str = "/", context: ssl.SSLContext | None = None) -> Ready:
    """Ready when an HTTP request gets an answer, whatever its status."""

    def ready(port: int) -> bool:
        link: http.client.HTTPConnection
        if context is None:
            link = http.client.HTTPConnection(HOST, port, timeout=2)
        else:
            link = http.client.HTTPSConnection(HOST, port, timeout=2, context=context)
        try:
            link.request("GET", path)
            return link.getresponse().status > 0
        finally:
            link.close()

    return ready


def listens(port: int) -> bool:
    """Ready when the port accepts."""
    socket.create_connection((HOST, port), 2).close()
    return True


def launch(
    name: str, command: Sequence[str | Path], *, folder: Path, port: int, env: Mapping[str, str] | None = None
) -> Server:
    """Start a child and return at once; call from the main thread, for the child dies with the thread."""
    log = folder / f"{name}-{port}.log"
    # The kernel ends the child when this process is killed and cannot do so itself.
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    output: IO[bytes]
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*tied, *map(str, command)],
            cwd=folder,
            env=scrubbed(folder, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(name, port, log, child)


def wait(server: Server, ready: Ready, limit: float = 30) -> Server:
    """Wait until a launched child answers."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if server.child.poll() is not None:
            raise DidNotStart(f"{server.name} ended with {server.child.returncode}:\n{server.log_text()[-2000:]}")
        try:
            if ready(server.port):
                return server
        except (OSError, http.client.HTTPException):
            time.sleep(0.03)
    server.stop()
    raise DidNotStart(f"{server.name} did not answer within {limit} s:\n{server.log_text()[-2000:]}")
