"""examples/live: what docs/how-to/try-authorization.md promises of it, done for real."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import clean_environment, run_command
from servers.process import HOST, free_port

LIVE = Path(__file__).parents[1] / "examples" / "live"
PORTS = ("18443", "18444")
METHODS = (
    "none", "basic", "bearer-stored", "bearer-requested", "oauth2-password", "oauth2-client-credentials",
)  # fmt: skip
ENDPOINTS = {"none": "echo", "basic": "check-token"}  # of the others: whoami, which checks the token


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A copy of the example on ports of its own, so that it runs beside others."""
    copy = tmp_path / "live"
    shutil.copytree(LIVE, copy, ignore=shutil.ignore_patterns(".live"))
    ports = {port: str(free_port()) for port in PORTS}
    for file in filter(Path.is_file, copy.rglob("*")):
        text = file.read_text("utf-8")
        for port, own in ports.items():
            text = text.replace(port, own)
        file.write_text(text, "utf-8")
    return copy


def environment() -> dict[str, str]:
    """As a reader's, who sets no key for the store: it keeps one in a file beside itself."""
    return {name: value for name, value in clean_environment().items() if name != "RECONCILER_STORE_KEY"}


def made_up(folder: Path) -> list[str]:
    """The secrets of the example, and the token that was stored by hand."""
    found = re.findall(r"^[A-Z_]+=(.+)$", (folder / ".env.example").read_text("utf-8"), re.MULTILINE)
    assert len(found) == 6 and all(value.startswith("made-up-") for value in found)
    return [*found, (folder / ".live" / "token").read_text("utf-8").strip()]


def listens(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex((HOST, port)) == 0


def ports_of(folder: Path) -> list[int]:
    (found,) = re.findall(r"DATA_PORT, OAUTH_PORT = .*?, (\d+), (\d+)", (folder / "serve").read_text("utf-8"))
    return [int(port) for port in found]


def test_definitions_are_valid_and_canonical_without_the_servers():
    for command in ("validate", "fmt"):
        extra = ("--strict",) if command == "validate" else ("--check",)
        result = run_command("-C", LIVE, command, *extra, cwd=LIVE.parent)
        assert result.exit_code == 0, result.output


def test_show(live: Path):
    before = {path for path in live.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, live / "show"], cwd=live.parent, env=environment(), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, check=False,
    )  # fmt: skip
    out = done.stdout
    assert done.returncode == 0, out
    steps = [part.partition("\n")[::2] for part in re.split(r"^\$ ", out, flags=re.MULTILINE)[1:]]

    # Every method reaches its data source.
    for method in METHODS:
        line = f"reconciler call {method} {ENDPOINTS.get(method, 'whoami')} --fail"
        answers = [answer for command, answer in steps if command.startswith(line)]
        assert answers[0].startswith("200 OK in "), out
    said = dict(steps)  # of a command that was given several times, the last answer
    assert '"sub":"svc-crm"' in said["reconciler call oauth2-password whoami --fail"]
    assert '"sub":"sync"' in said["reconciler call oauth2-client-credentials whoami --fail"]
    assert said["reconciler call bearer-stored whoami --fail"].startswith("401 UNAUTHORIZED in ")

    # Renewal: by refresh token, and for tokens that the server refuses.
    log = (live / ".live" / f"{ports_of(live)[1]}.log").read_text("utf-8")
    assert log.count("via refresh_token grant") == 2
    assert "attempt 2" in said["reconciler call oauth2-password whoami --fail"]

    # Failures say what and what to do.
    wrong = said["SYNC_SECRET=wrong reconciler apply --yes --quiet"]
    assert "connector/oauth2-client-credentials: " in wrong and "answered 401 invalid_client" in wrong
    assert "not from a trusted authority" in said["reconciler call no-ca echo"]
    assert "no whole answer within 2 s" in said["reconciler call none slow --set seconds=9"]
    assert "7 ok, 1 failed" in said["reconciler call --all"]

    # No secret is shown or stored in the clear, and nothing is left behind but .live.
    stores = list((live / ".live").glob("store.db*"))
    assert stores
    stored = b"".join(file.read_bytes() for file in stores)
    for secret in made_up(live):
        assert secret not in out
        assert secret.encode() not in stored
    assert {
        path for path in live.rglob("*") if path.is_file() and ".live" not in path.relative_to(live).parts
    } == before
    assert not any(listens(port) for port in ports_of(live))


def test_serve_ends_its_servers(live: Path):
    with subprocess.Popen(
        [sys.executable, live / "serve"], env=environment(), stdout=subprocess.PIPE, text=True
    ) as serve:
        try:
            assert serve.stdout and serve.stdout.readline().startswith("httpbin: https://")
            assert all(listens(port) for port in ports_of(live))
        finally:
            serve.send_signal(signal.SIGINT)
    assert serve.returncode == 0
    assert not any(listens(port) for port in ports_of(live))


def test_a_taken_port_is_named(live: Path):
    port = ports_of(live)[0]
    with socket.create_server((HOST, port)):
        done = subprocess.run(
            [sys.executable, live / "show"], env=environment(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} of 127.0.0.1 is taken")
    assert not (live / ".live").exists()
