"""What the tests rely on when they run command lines in forks: tests/starting.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment, starter
from engines import Placed

from reconciler.cli.app import COMMANDS

LINES = ["validate", "plan", "apply --yes", "schema connector", "plan --frobnicate", "validate -o sarif", "import openapi -", "token status", ""]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_fork_does_what_a_start_does(line: str, workspace: Workspace) -> None:
    """Exit code and both streams."""
    environment = clean_environment({**workspace.env, "COLUMNS": "60"})
    forked = starter().run(line.split(), workspace.root, environment, "a: é\r\n", 60)
    if isinstance(workspace.store, Placed):
        workspace.store.put_back()
    else:
        shutil.rmtree(workspace.store.parent, ignore_errors=True)  # with the mark that there was a store
    command = [sys.executable, "-m", "reconciler", *line.split()]
    real = subprocess.run(command, cwd=workspace.root, env=environment, input="a: é\r\n", capture_output=True, text=True, check=False)  # fmt: skip
    assert (forked.returncode, forked.stdout, forked.stderr) == (real.returncode, real.stdout, real.stderr)
    assert real.stdout or real.stderr


def test_what_is_read_while_loading_takes_a_start() -> None:
    """And so does a path that another git is found by; the rest does not matter."""
    assert starter().fits(clean_environment({"NO_COLOR": "1", "HOME": "/", "PATH": f"/nowhere:{os.environ['PATH']}"}))
    for name in ("PYTHONPATH", "PYTHONHASHSEED", "LD_PRELOAD", "TZ", "PATH", "SSL_CERT_FILE"):
        assert not starter().fits(clean_environment({name: "1"}))


def test_one_that_does_not_end_is_ended(workspace: Workspace) -> None:
    """By the time limit, as `subprocess.run` does."""
    fifo = workspace.root / "connectors" / "endless.yaml"
    os.mkfifo(fifo)
    with pytest.raises(subprocess.TimeoutExpired):
        workspace.run("import", "openapi", "connectors/endless.yaml", timeout=0.5)


def test_every_command_can_be_loaded_first() -> None:
    """In a process where nothing of the program is loaded yet: the forks would not notice a circle of imports."""
    code = f"""
import importlib, os
for module in {sorted({module for module, _ in COMMANDS.values()})!r}:
    if not os.fork():
        importlib.import_module(f"reconciler.cli.{{module}}")
        os._exit(0)
    assert os.wait()[1] == 0, module
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
