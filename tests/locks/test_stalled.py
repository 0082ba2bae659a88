"""Processes that are stopped, killed, interrupted or told another time: real ones, at points that are waited for by what they do."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from programs import needs
from live_state import sql

WAITER = """\
#!/bin/sh
echo asked >> "$0.log"
cat "$0.gate"
"""
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
secrets: {helpers: {wait: {command: [./waiter]}}}
"""


@pytest.fixture
def gated(workspace: Workspace) -> Workspace:
    """A repository that is applied, and whose next apply waits for a gate when it resolves its secret."""
    workspace.ok("apply", "--yes", "-q")
    workspace.write("waiter", WAITER).chmod(0o755)
    os.mkfifo(workspace.root / "waiter.gate")
    workspace.write("reconciler.yaml", PROJECT)
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", '{exec: "wait:crm"}')
    return workspace


def apply_until_gate(gated: Workspace, *prefix: str) -> subprocess.Popen[str]:
    """Start an apply that has the lease and waits."""
    command = [*prefix, sys.executable, "-m", "reconciler", "apply", "--yes", "-q"]
    process = subprocess.Popen(command, cwd=gated.root, env=clean_environment(gated.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    until = time.monotonic() + 30
    while not (gated.root / "waiter.log").exists():
        assert time.monotonic() < until and process.poll() is None, process.communicate()
        time.sleep(0.02)
    (gated.root / "waiter.log").unlink()
    return process


def open_gate(gated: Workspace) -> None:
    """Let the secret be resolved."""
    (gated.root / "waiter.gate").write_text("a-new-password")


def other(gated: Workspace, tmp_path: Path, text: str) -> Workspace:
    """Another repository for the same store, with another description and no gate."""
    space = Workspace(tmp_path / "other")
    shutil.copytree(gated.root / "policies", space.root / "policies")
    space.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: local\ntargets: {{local: {{store: 'sqlite:{gated.store}'}}}}\n")  # fmt: skip
    definitions = (gated.root / "connectors/crm.yaml").read_text().replace('{exec: "wait:crm"}', "{env: CRM_PASSWORD}")
    space.write("connectors/crm.yaml", definitions.replace("Contacts of the CRM.", text))
    return space


def test_one_that_was_stopped_writes_nothing_when_it_goes_on(gated: Workspace, tmp_path: Path) -> None:
    """SIGSTOP until its lease is over, another apply, SIGCONT: exit code 8, and what the other wrote is live."""
    stopped = apply_until_gate(gated)
    space = other(gated, tmp_path, "by the other")
    result = space.run("apply", "--yes", "--lock-timeout", "0")
    assert result.exit_code == 8 and f"apply by ada (process {stopped.pid} on " in result.stderr
    stopped.send_signal(signal.SIGSTOP)
    sql(gated.store, "UPDATE leases SET expires = 0, uptime = 0")  # as if 30 seconds had passed
    space.ok("apply", "--yes", "--as", "grace")
    stopped.send_signal(signal.SIGCONT)
    open_gate(gated)
    _, errors = stopped.communicate(timeout=30)
    assert stopped.returncode == 8, errors
    assert "this run lost its lease on the store" in errors and "nothing was changed" in errors
    assert "hint: run the command again" in errors
    assert sql(gated.store, "SELECT description FROM connectors") == [("by the other",)]
    found = sql(gated.store, "SELECT actor, outcome FROM attempts ORDER BY id")
    assert found == [("ada", "applied"), ("ada", "died"), ("grace", "applied")]
    assert sql(gated.store, "SELECT * FROM leases") == []


def test_one_that_was_killed_is_succeeded_at_once(gated: Workspace, tmp_path: Path) -> None:
    """Also while its parent has not looked at its end."""
    killed = apply_until_gate(gated)
    killed.kill()
    until = time.monotonic() + 10
    while "Z" not in Path(f"/proc/{killed.pid}/stat").read_text().rpartition(")")[2].split()[0]:
        assert time.monotonic() < until
    shown = gated.ok("lock", "show").stdout
    assert "Its process has ended: the next run takes the lease." in shown
    other(gated, tmp_path, "by the other").ok("apply", "--yes", "--lock-timeout", "0")
    assert sql(gated.store, "SELECT outcome FROM attempts WHERE id = 2") == [("died",)]
    killed.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_waiting_for_a_secret(gated: Workspace, number: int) -> None:
    """At once; the lease is free, and the next command just works."""
    process = apply_until_gate(gated)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (
        130,
        "error: interrupted; nothing was changed\n  hint: run the command again\n",
    )
    assert sql(gated.store, "SELECT * FROM leases") == []
    assert sql(gated.store, "SELECT outcome FROM attempts WHERE id = 2") == [("interrupted",)]
    gated.edit("connectors/crm.yaml", '{exec: "wait:crm"}', "{env: CRM_PASSWORD}")
    gated.ok("apply", "--yes", "--lock-timeout", "0")


def test_a_signal_that_is_ignored_stays_so(gated: Workspace) -> None:
    """As nohup has it."""
    process = apply_until_gate(gated, "nohup")
    process.send_signal(signal.SIGHUP)
    open_gate(gated)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


@pytest.mark.store_file  # which calls it makes
@pytest.mark.parametrize(("call", "when"), [("fdatasync", "1"), ("fdatasync", "2..3"), ("fdatasync", "3"), ("pwrite64", "4..5"), ("pwrite64", "20")])  # fmt: skip
def test_signals_at_system_calls(workspace: Workspace, call: str, when: str) -> None:
    """One or two, as calls of the store's making and of the transaction return: all or nothing, and it is said which."""
    command = [needs("strace"), "-f", "-o", os.devnull, "-e", f"inject={call}:signal=INT:when={when}", sys.executable, "-m", "reconciler", "apply", "--yes"]  # fmt: skip
    done = subprocess.run(command, cwd=workspace.root, env=clean_environment(workspace.env), capture_output=True, text=True, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr
    tables = sql(workspace.store, "SELECT count(*) FROM sqlite_master")[0][0]
    live = sql(workspace.store, "SELECT count(*) FROM records")[0][0] if tables else 0
    assert (done.returncode, live) in ((130, 0), (130, 4)), done.stderr
    assert ("interrupted; nothing was changed" in done.stderr) == (live == 0)
    assert ("interrupted too late: the plan was already applied" in done.stderr) == (live == 4)
    assert not tables or sql(workspace.store, "SELECT * FROM leases") == []
    workspace.ok("apply", "--yes", "--lock-timeout", "0")
    assert sql(workspace.store, "SELECT count(*) FROM records") == [(4,)]


@pytest.mark.parametrize("jump", ["-400d", "+400d"])
def test_a_jump_of_the_wall_clock_takes_no_lease(gated: Workspace, tmp_path: Path, jump: str) -> None:
    """As `date -s` makes it: the clock since the boot goes on. And the lease is given back all the same."""
    faketime = needs("faketime")
    holder = apply_until_gate(gated)
    environment = clean_environment({**gated.env, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    space = other(gated, tmp_path, "by the other")
    command = [faketime, "-f", jump, sys.executable, "-m", "reconciler", "apply", "--yes", "--lock-timeout", "0"]
    done = subprocess.run(command, cwd=space.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 8, done.stderr
    assert f"apply by ada (process {holder.pid} on " in done.stderr
    open_gate(gated)
    assert holder.communicate(timeout=20) == ("", "") and holder.returncode == 0
    done = subprocess.run(command, cwd=space.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
