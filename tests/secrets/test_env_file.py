"""--env-file: files, pipes and what a shell makes of <(...), read once; what is none is an error on every command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace

from reconciler.core.references import Bounds
from reconciler.errors import UsageError
from reconciler.secrets.local import ResolverContext
from reconciler.secrets.own import Own

COMMANDS = (
    "plan", "apply --yes", "validate", "get", "history", "token status", "fmt --check", "drift", "export", "lock",
    "can ada connectors:view --live", "store check", "explain RC301", "call crm-contacts list --dry-run", "schema",
)  # fmt: skip


@pytest.fixture
def workspace_with_a_secret(empty: Workspace) -> Workspace:
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR.replace("CRM_PASSWORD", "CRM_PIPED"))
    return empty


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_there_is_an_error_everywhere(workspace_with_a_secret: Workspace, command: str) -> None:
    """Also where no secret is needed; and a directory is."""
    for path, why in (("nope", "there is no env file nope"), (".", "the env file . cannot be read: Is a directory")):
        result = workspace_with_a_secret.run("--env-file", path, *command.split())
        assert (result.exit_code, result.stdout) == (64, "")
        assert result.stderr == f"error: {why}\n  hint: check --env-file\n"


def test_the_variable_counts_where_there_is_a_store(workspace_with_a_secret: Workspace) -> None:
    """A pipeline may set it for all jobs, and have the file in one."""
    env = {"RECONCILER_ENV_FILE": "nope"}
    workspace_with_a_secret.ok("validate", env=env)
    assert "there is no env file nope" in workspace_with_a_secret.run("plan", env=env).stderr


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that says its lines to one reader, once."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = Thread(target=path.write_text, args=("CRM_PIPED=from-the-pipe\nOTHER=1\n",), daemon=True)
    writer.start()
    yield path
    writer.join(5)
    assert not writer.is_alive()


@pytest.mark.parametrize("command", ["apply --yes --secrets check", "apply --yes --preflight"])
def test_a_pipe_is_read_once(workspace_with_a_secret: Workspace, pipe: Path, command: str) -> None:
    workspace_with_a_secret.edit("connectors/crm.yaml", "https://crm.example.com", "http://127.0.0.1:9")
    result = workspace_with_a_secret.run(*command.split(), "--env-file", str(pipe))
    assert "CRM_PIPED is not set" not in result.output and "1 secret" in result.output


def test_what_a_shell_makes_of_a_command(workspace_with_a_secret: Workspace) -> None:
    """Before the command too."""
    line = f"exec {sys.executable} -m reconciler --env-file <(printf 'CRM_PIPED=x\\n') apply --yes"
    made = subprocess.run(
        ["bash", "-c", line], cwd=workspace_with_a_secret.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert made.returncode == 0, made.stderr
    assert "1 secret resolved" in made.stdout
    workspace_with_a_secret.edit("connectors/crm.yaml", "CRM_PIPED", "CRM_OTHER")
    line = f"{sys.executable} -m reconciler apply --yes --env-file <(head -c 1048577 /dev/zero)"
    made = subprocess.run(
        ["bash", "-c", line], cwd=workspace_with_a_secret.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert made.returncode == 64 and "holds more than 1 MiB" in made.stderr


def test_many_threads_read_it_once(pipe: Path, tmp_path: Path) -> None:
    """References that are far away are looked up in parallel, and each may ask."""
    context = ResolverContext({}, pipe, tmp_path, {}, Own(tmp_path, {}), Bounds(str(tmp_path), ()), True)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(context.lookup, ["CRM_PIPED"] * 64)) == {"from-the-pipe"}
    with pytest.raises(UsageError, match="there is no env file"):
        ResolverContext({}, tmp_path / "nope", tmp_path, {}, Own(tmp_path, {}), Bounds(str(tmp_path), ()), True).lookup(
            "A"
        )
