"""The clock of the server and that of a client differ by an hour: leases, drift and tokens go by the server's."""

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Result, Workspace, clean_environment
from crash.runs import with_grant
from live_state import drift, sql
from programs import needs
from servers.oauth import OAuthServer

pytestmark = pytest.mark.on_postgresql

HOUR = pytest.mark.parametrize("off", ["-1h", "+1h"])


def run_off(workspace: Workspace, off: str, *arguments: str) -> Result:
    """One command on a machine whose wall clock is wrong."""
    environment = clean_environment({**workspace.env, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    command = [needs("faketime"), "-f", off, sys.executable, "-m", "reconciler", *arguments]
    done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def is_now(text: str) -> bool:
    """Whether a time is the present one, within a minute."""
    return abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)


@HOUR
def test_runs_and_drift_have_the_times_of_the_server(workspace: Workspace, off: str) -> None:
    """Whoever's machine it was; how long ago something was is right on each."""
    assert run_off(workspace, off, "apply", "--yes").exit_code == 0
    started, finished = sql(workspace.store, "SELECT started, finished FROM runs")[0]
    assert is_now(started) and is_now(finished), (started, finished)
    assert is_now(sql(workspace.store, "SELECT max(changed_at) FROM records")[0][0])
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    for told in (run_off(workspace, off, "drift"), run_off(workspace, off, "plan")):
        assert re.search(r"just now|\b\d+ s ago", told.stdout), told.output
        assert "1 h ago" not in told.stdout
    told = json.loads(run_off(workspace, off, "drift", "-o", "json").stdout)
    assert is_now(re.search(r'"since": "([^"]+)"', json.dumps(told))[1])


@HOUR
def test_a_lease_is_neither_taken_early_nor_kept_for_long(workspace: Workspace, off: str) -> None:
    """Another machine holds it for half a minute more: it is held for everybody, and then it is free for everybody."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    columns = [name for (name,) in sql(workspace.store, "SELECT attname FROM pg_attribute WHERE attrelid = 'leases'::regclass AND attnum > 0")]  # fmt: skip
    assert "expires" in columns, columns
    owner = sql(workspace.store, "SELECT name FROM leases")
    name = owner[0][0] if owner else "apply/local"
    for ends, code in ((time.time() + 30, 8), (time.time() - 5, 0)):
        held_elsewhere(workspace, name, ends)
        done = run_off(workspace, off, "apply", "--yes", "--lock-timeout", "0")
        assert done.exit_code == code, (ends, done.output)


def held_elsewhere(workspace: Workspace, name: str, ends: float) -> None:
    """A lease of a process of another machine."""
    raise NotImplementedError
