"""Runs on one instance that get in each other's way, and runs that die with something only they knew."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from servers.processmaker import Instance, instance
from test_pm_write_cli import CATEGORY, CONNECTOR, PASSWORD, killed_at


@pytest.fixture
def server() -> Iterator[Instance]:
    with instance(contract=False) as server:  # a process that is killed sends half a request
        yield server


def project(workspace: Workspace, server: Instance, state: Path, owner: str, names: str) -> None:
    """A repository with a category and connectors, whose state others use as well."""
    workspace.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": PASSWORD}
    options = {"timeoutSeconds": 1, "inFlight": 2}
    target = {"store": server.url, "state": f"sqlite:{state}", "token": {"env": "PM_TOKEN"}, "processmaker": options}
    said = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": owner, "targets": {"live": target}}
    (workspace.root / "reconciler.yaml").write_text(json.dumps(said))
    documents = [CATEGORY.format(kind="Category", name=f"for-{names[0]}")]
    documents += [CONNECTOR.format(kind="Connector", name=name).replace("[crm]", f"[for-{name[0]}]") for name in names.split()]  # fmt: skip
    workspace.write("connectors/all.yaml", "---\n".join(documents))


@pytest.fixture
def two(empty: Workspace, make_workspace, server: Instance, tmp_path: Path) -> tuple[Workspace, Workspace]:  # type: ignore[no-untyped-def]
    """Two repositories that share a state."""
    other = make_workspace("other")
    project(empty, server, tmp_path / "state.db", "acme/a", "a-0 a-1")
    project(other, server, tmp_path / "state.db", "acme/b", "b-0")
    return empty, other


def test_another_owner_looks_while_one_writes(two: tuple[Workspace, Workspace], server: Instance) -> None:
    """What it sees of the other's new records is nobody's then; both are noted as what they are, with their secrets."""
    ours, theirs = two
    seen = []
    server.meanwhile("POST", "/data_sources", lambda: seen.append(theirs.run("apply", "--yes")), nth=2)
    ours.ok("apply", "--yes")
    assert seen[0].exit_code == 0, seen[0].output
    for workspace in two:
        assert "Nothing to do" in workspace.ok("plan", "--secrets", "check").stdout
    assert "3 secrets" in ours.ok("store", "check").stdout
    ours.edit("connectors/all.yaml", "https://crm.example.com/a-0", "https://crm.example.com/other")
    server.meanwhile("PUT", "/data_sources/1", lambda: seen.append(theirs.run("drift", "--all")))
    ours.ok("apply", "--yes")
    assert "Nothing to do" in ours.ok("plan", "--secrets", "check").stdout


def test_another_owner_writes_while_one_looks(two: tuple[Workspace, Workspace], server: Instance) -> None:
    """Nobody waits for a look at the instance, and what is written during one is no less whose it is."""
    ours, theirs = two
    seen = []
    words = ("apply", "--yes", "--lock-timeout", "0.5")
    server.meanwhile("GET", "/data_sources", lambda: seen.append(theirs.run(*words)), nth=6)  # in the lease
    ours.ok("apply", "--yes")
    assert seen[0].exit_code == 0, seen[0].output
    for workspace in two:
        assert "Nothing to do" in workspace.ok("plan", "--secrets", "check").stdout


def test_a_plan_while_a_run_is_at_work(two: tuple[Workspace, Workspace], server: Instance) -> None:
    """Does not say that it was cut off."""
    ours, _ = two
    ours.edit("reconciler.yaml", '"timeoutSeconds": 1', '"timeoutSeconds": 30')
    seen = []
    server.meanwhile("POST", "/data_sources", lambda: seen.append(ours.run("plan")), nth=2)
    ours.ok("apply", "--yes")
    assert "is still at work: " in seen[0].stdout, seen[0].output
    assert "was cut off" not in seen[0].stdout


def test_what_another_owner_took_stays_his(two: tuple[Workspace, Workspace], server: Instance, tmp_path: Path) -> None:
    """A run that died made a record, and another owner adopted it before anybody found out."""
    ours, theirs = two
    assert killed_at(ours, server, 3)
    project(theirs, server, tmp_path / "state.db", "acme/b", "a-0 a-1")
    theirs.ok("apply", "--yes", "--adopt")
    refused = ours.run("apply", "--yes")
    assert refused.exit_code == 5, refused.output
    assert "connector/a-0 belongs to acme/b" in refused.output
    ours.ok("apply", "--resume", "--yes")
    assert "Nothing to do" in theirs.ok("plan", "--secrets", "check").stdout
    assert "2 secrets" in ours.ok("store", "check").stdout


@pytest.mark.parametrize("again", [("apply", "--yes"), ("apply", "--resume", "--yes")])
def test_secrets_that_only_a_dead_run_knew(two: tuple[Workspace, Workspace], server: Instance, again: tuple[str, ...]) -> None:  # fmt: skip
    """All was done, and nobody has noted its secrets: they are written again, once, so that the state has them."""
    ours, _ = two
    killed_at_the_end(ours, server)
    assert "authorization.password: (none) -> {env: CRM_PASSWORD}" in ours.ok("plan").stdout
    ours.ok(*again)
    assert "2 secrets" in ours.ok("store", "check").stdout
    assert "Nothing to do" in ours.ok("plan", "--secrets", "check").stdout


def killed_at_the_end(workspace: Workspace, server: Instance) -> None:
    """An apply whose process is killed when it looks at what it has made."""
    command = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    environment = clean_environment(workspace.env)
    process = subprocess.Popen(command, cwd=workspace.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def act(request: object) -> None:
        if request.method == "GET" and request.path.startswith("/data_sources/"):
            os.kill(process.pid, signal.SIGKILL)

    server.simulator.on_request.append(act)
    try:
        assert process.wait(60) == -signal.SIGKILL
    finally:
        server.simulator.on_request.remove(act)
