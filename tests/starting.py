"""Starts the program as a process of its own, in a third of the time.

Two thirds of a command line's time go into loading Python modules, and the suite starts thousands. So one process
loads them, and each command line runs in a fork of it: with its own arguments, environment, directory, streams and
exit code, and with a state of its own, as nothing has run before the fork. What Python or a library looks at while
it loads has to be what it was then; a command line whose environment differs in that starts anew. `--real-starts`
starts all of them anew; golden cases, terminals, faults and the law on what a command may load always do.

Run as a program, this is the process that forks. It is asked by one byte and a socket for each command line; the
fork reads the rest from the socket, and the answers are the fork's id and, at its end, its status.
"""

import atexit
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

LOADED_WITH = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "OPENSSL_", "SSL_")
"""How the names of variables begin that count while modules are loaded; and a library looks for git then."""


class Starter:
    """The process that forks; it ends with this one at the latest."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._loaded_with = _of_loading(environment)
        self._asking, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen([sys.executable, __file__], stdin=theirs, env=dict(environment))
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        self._asking.close()
        self._child.wait()

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether what counts while modules are loaded is the same."""
        return _of_loading(environment) == self._loaded_with

    def run(
        self, arguments: list[str], cwd: Path, environment: Mapping[str, str], stdin: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one command line; as `subprocess.run` of it."""
        if not cwd.is_dir():
            raise FileNotFoundError(cwd)
        ours, theirs = socket.socketpair()
        out, err, into = os.pipe(), os.pipe(), os.pipe()
        with ours:
            with theirs, self._lock:
                socket.send_fds(self._asking, [b"!"], [theirs.fileno()])
            asked = json.dumps([arguments, str(cwd), dict(environment)]).encode()
            socket.send_fds(ours, [b"%20d" % len(asked)], [into[0], out[1], err[1]])
            for end in (into[0], out[1], err[1]):
                os.close(end)
            ours.sendall(asked)
            with ours.makefile("rb") as answers:
                child = int(answers.readline())
                try:
                    texts = _talk(into[1], stdin.encode("utf-8", "surrogateescape"), (out[0], err[0]), timeout)
                except TimeoutError:
                    os.kill(child, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(arguments, timeout) from None
                status = os.waitstatus_to_exitcode(int(answers.readline()))
        return subprocess.CompletedProcess(arguments, status, *map(_decoded, texts))


def _of_loading(environment: Mapping[str, str]) -> dict[str, str]:
    found = {name: value for name, value in environment.items() if name.startswith(LOADED_WITH)}
    return {**found, "git": shutil.which("git", path=environment.get("PATH")) or ""}


def _decoded(data: bytes) -> str:
    """As text streams do."""
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _talk(into: int, text: bytes, streams: tuple[int, int], timeout: float) -> list[bytes]:
    """Write the one and read the others to their ends."""
    import time

    found: dict[int, list[bytes]] = {stream: [] for stream in streams}
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as ready:
        for stream in streams:
            ready.register(stream, selectors.EVENT_READ)
        ready.register(into, selectors.EVENT_WRITE)
        try:
            while ready.get_map():
                events = ready.select(end - time.monotonic())
                if not events:
                    raise TimeoutError
                for key, _ in events:
                    if key.fd == into:
                        with suppress(BrokenPipeError):
                            text = text[os.write(into, text[:4096]) :] if text else b""
                            if text:
                                continue
                    elif part := os.read(key.fd, 1 << 16):
                        found[key.fd].append(part)
                        continue
                    ready.unregister(key.fd)
                    os.close(key.fd)
        finally:
            for fd in list(ready.get_map()):
                os.close(fd)
    return [b"".join(parts) for parts in found.values()]


# the process that forks


def load() -> None:
    """Load what command lines load, and run nothing."""
    import importlib
    import pkgutil

    import reconciler

    for found in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in (  # imported where they are used
        "chevron_blue", "cryptography.hazmat.primitives.ciphers.aead", "cryptography.hazmat.primitives.kdf.hkdf",
        "dotenv", "git", "httpx", "jsonschema", "jsonschema_rs", "oauthlib.oauth2", "psycopg", "pydantic", "ruamel.yaml",
        "yaml", "yaml_rs", "asyncio", "csv", "difflib", "logging", "ssl", "subprocess", "tempfile", "xml.etree.ElementTree",
    ):  # fmt: skip
        importlib.import_module(name)


def serve(asking: socket.socket) -> socket.socket:
    """Fork for each command line; returns in the forks, with the socket that says what to run."""
    running: dict[int, socket.socket] = {}
    awake, wake = socket.socketpair()
    awake.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; whoever asks ends this by closing
    with selectors.DefaultSelector() as ready:
        ready.register(asking, selectors.EVENT_READ)
        ready.register(awake, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is awake:
                    with suppress(BlockingIOError):
                        awake.recv(4096)
                    _answer(running)
                    continue
                byte, fds, _, _ = socket.recv_fds(asking, 1, 1)
                if not byte:
                    os._exit(0)
                link = socket.socket(fileno=fds[0])
                child = os.fork()
                if not child:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    for other in (asking, awake, wake, *running.values()):
                        other.close()
                    return link
                link.sendall(b"%d\n" % child)
                running[child] = link


def _answer(running: dict[int, socket.socket]) -> None:
    """Give the status of those that have ended."""
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with running.pop(child) as link, suppress(BrokenPipeError):
            link.sendall(b"%d\n" % status)


def become(link: socket.socket) -> None:
    """Take up the arguments, the directory, the environment and the streams."""
    import tempfile

    with link:
        length, streams, _, _ = socket.recv_fds(link, 20, 3)
        with link.makefile("rb") as asked:
            arguments, cwd, environment = json.loads(asked.read(int(length)))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape")
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape")
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv = ["reconciler", *arguments]
    sys.path[0] = cwd


def run() -> None:
    """Run the command line and end as Python ends, but for taking everything apart, which would copy all that is shared."""
    import runpy

    try:
        runpy.run_module("reconciler", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    load()
    gc.collect()
    gc.freeze()
    become(serve(socket.socket(fileno=os.dup(0))))
    run()
