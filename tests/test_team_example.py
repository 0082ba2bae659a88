"""examples/team: a PostgreSQL that one command starts, and that ends with it."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from conftest import clean_environment, run_command

TEAM = Path(__file__).parents[1] / "examples" / "team"


def speaks(port: int) -> bool:
    """Whether a PostgreSQL answers there: asked for TLS, which this one has not, it says N."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            link.sendall((8).to_bytes(4) + (80877103).to_bytes(4))
            return link.recv(1) == b"N"
    except OSError:
        return False


def test_a_server_of_its_own() -> None:
    """Is up once it says where it is; what it takes to reach it is private, and it ends by Ctrl-C."""
    command = [sys.executable, TEAM / "serve"]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            said = re.fullmatch(r"PostgreSQL: 127\.0\.0\.1:(\d+)\n", child.stdout.readline())
            assert said is not None
            port = int(said[1])
            assert speaks(port)
            environment = (TEAM / ".live/environment").read_text()
            assert f"RECONCILER_STORE='postgresql://connectors@127.0.0.1:{port}/connectors'" in environment
            assert (TEAM / ".live/environment").stat().st_mode & 0o077 == 0
            assert (TEAM / ".live/pgpass").stat().st_mode & 0o077 == 0
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=30)
    assert not speaks(port)


def test_its_definitions() -> None:
    """Are valid and canonical."""
    for command in (("validate", "--strict"), ("fmt", "--check")):
        assert run_command("-C", TEAM, *command, cwd=TEAM).exit_code == 0
