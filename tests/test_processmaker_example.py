"""examples/processmaker: two simulated instances that one command starts, and a stand-in for the web form."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import clean_environment, run_command
from servers.process import free_port

EXAMPLE = Path(__file__).parents[1] / "examples" / "processmaker"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The example with its instances running, on ports of their own; the folder, and the environment that it wants."""
    folder = tmp_path / "processmaker"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".live", "__pycache__"))
    ports = {"18481": str(free_port()), "18482": str(free_port())}
    for path in (folder / "reconciler.yaml", folder / "connectors/stock.yaml"):
        path.write_text(re.sub("18481|18482", lambda found: ports[found[0]], path.read_text("utf-8")), "utf-8")
    command = [sys.executable, folder / "serve"]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == f"test:       http://127.0.0.1:{ports['18481']}/api/1.0\n"
            assert child.stdout.readline() == f"production: http://127.0.0.1:{ports['18482']}/api/1.0\n"
            assert child.stdout.readline() == f"In another shell: . {folder}/.live/environment\n"
            given = (folder / ".live/environment").read_text("utf-8")
            yield folder, dict(re.findall(r"^export (\w+)='(.*)'$", given, re.MULTILINE))
        finally:
            child.send_signal(signal.SIGINT)
            assert child.wait(timeout=30) == 0


def by_hand(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """What a person does in the web form."""
    command = [sys.executable, folder / "by-hand", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_two_instances_and_a_web_form(example: tuple[Path, dict[str, str]]) -> None:
    """People look and change by hand; what it takes to reach the instances is private."""
    folder, environment = example
    assert set(environment) == {"TEST_TOKEN", "PRODUCTION_TOKEN", "PRODUCTION_CLIENT_SECRET", "PRODUCTION_PASSWORD"}
    assert (folder / ".live/environment").stat().st_mode & 0o077 == 0
    assert by_hand(folder, environment, "test", "Fleet", "authtype=NONE", "data_source_category_id=2") == ""
    assert by_hand(folder, environment, "test", "Parcel tracking", "delete") == ""
    assert by_hand(folder, environment, "test") == (
        "categories:\n    1 Uncategorized: ACTIVE\n    2 Logistics: ACTIVE\n    3 Generated: ACTIVE\n"
        "connectors:\n    2 Ledger: NONE, in categories 1\n"
        "    3 Customers Collection: OAUTH2_BEARER, in categories 3\n    4 Fleet: NONE, in categories 2\n"
        "groups:\n    1 Process designers: view-data-sources, view-users\n"
    )
    assert "   10 Generated: ACTIVE\n" in by_hand(folder, environment, "production")
    assert by_hand(folder, environment, "test", "Fleet", "authtype=X").startswith("error: 422 {")
    assert by_hand(folder, {}, "test") == "error: no target test, or no TEST_TOKEN; run: . .live/environment\n"


def test_its_definitions() -> None:
    """Are valid, for both instances, and canonical."""
    commands = [
        ("validate", "--strict"),
        *(("validate", "--target", name) for name in ("test", "production")),
        ("fmt", "--check"),
    ]
    for command in commands:
        done = run_command("-C", EXAMPLE, *command, cwd=EXAMPLE)
        assert done.exit_code == 0, done.stdout + done.stderr
