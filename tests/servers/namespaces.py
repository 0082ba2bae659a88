"""Clients on machines of their own: network namespaces that reach this machine by a cable each, which may be unplugged."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import clean_environment
from programs import needs
from servers.authority import Authority
from servers.postgresql import NEWEST, PostgreSQL, postgresql
from servers.process import HOST

NETWORK = "198.18"  # set aside for tests of networks (RFC 2544)


class Machine:
    """A namespace and its cable."""

    def __init__(self, name: str, number: int) -> None:
        self.name = f"{name}-{number}"
        self._cable = f"v{name}-{number}"
        self._network = f"{NETWORK}.{number}"

    def make(self) -> None:
        """Make it, with the cable plugged in."""
        ip("netns", "add", self.name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{self.server}/30", "dev", self._cable)
        ip("link", "set", self._cable, "up")
        self._inside("addr", "add", f"{self._network}.2/30", "dev", "eth0")
        self._inside("link", "set", "eth0", "up")
        self._inside("link", "set", "lo", "up")

    def remove(self) -> None:
        """Away with it; the cable goes along."""
        for what in (["link", "del", self._cable], ["netns", "del", self.name]):
            subprocess.run(["ip", *what], capture_output=True, check=False)

    @property
    def server(self) -> str:
        """The address at which it reaches what listens on this machine."""
        return f"{self._network}.1"

    @property
    def address(self) -> str:
        """Its own, as servers see it."""
        return f"{self._network}.2"

    def unplug(self) -> None:
        """Nothing gets through from now on, and nobody is told."""
        ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """What was on its way and is sent again gets through."""
        ip("link", "set", self._cable, "up")
        self._inside("neigh", "flush", "all")  # which nobody answered for: "no route to host" for another second

    def start(self, *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start the command line there."""
        return self.start_program([sys.executable, "-m", "reconciler", *arguments], cwd=cwd, env=env)

    def start_program(
        self, command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start any program there."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *map(str, command)],
            cwd=cwd,
            env=clean_environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _inside(self, *arguments: str) -> None:
        ip("-n", self.name, *arguments)


def ip(*arguments: str) -> None:
    """Run `ip`, which must succeed."""
    done = subprocess.run([needs("ip"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def needs_namespaces() -> None:
    """Skip a test that makes networks of its own where that is not permitted, as it is to root alone."""
    command = [needs("unshare"), "-n", needs("ip"), "link", "add", "type", "veth"]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("making networks is not permitted here")


@contextmanager
def reached_from(authority: Authority, machines: Sequence[Machine], major: str = NEWEST) -> Iterator[PostgreSQL]:
    """A server of its own that listens at the other end of each machine's cable, too."""
    with postgresql(authority, major) as server:
        with (server.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0.0/16 scram-sha-256\n")
        server.restart(listen_addresses=",".join((HOST, *(machine.server for machine in machines))))
        yield server


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """So many machines, which reach this one and not each other."""
    needs_namespaces()
    name = f"rec{os.getpid() % 100_000}"  # a cable's name has 15 characters at most
    first = os.getpid() * count % 250
    made = [Machine(name, (first + number) % 250) for number in range(count)]
    try:
        for machine in made:
            machine.make()
        yield made
    finally:
        for machine in made:
            machine.remove()
