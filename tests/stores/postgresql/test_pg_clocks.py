"""The clock of the server and that of a client differ by an hour: leases, drift and tokens go by the server's."""

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from conftest import KEY, Result, Workspace, clean_environment
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
    """Whoever's machine it was."""
    assert run_off(workspace, off, "apply", "--yes").exit_code == 0
    started, finished = sql(workspace.store, "SELECT started, finished FROM runs")[0]
    assert is_now(started) and is_now(finished), (started, finished)
    assert is_now(sql(workspace.store, "SELECT max(changed_at) FROM records")[0][0])
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    told = json.loads(run_off(workspace, off, "drift", "-o", "json").stdout)
    assert is_now(re.search(r'"since": "([^"]+)"', json.dumps(told))[1])


@HOUR
def test_a_lease_is_neither_taken_early_nor_kept_for_long(workspace: Workspace, off: str) -> None:
    """Another machine holds it for half a minute more: it is held for everybody, and then it is free for everybody."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    for ends, code in ((time.time() + 25, 8), (time.time() - 5, 0)):
        sql(workspace.store, "DELETE FROM leases")
        row = ("apply/local", "elsewhere:4711:1:elsewhere:ab", ends)
        sql(workspace.store, "INSERT INTO leases (name, holder, expires) VALUES (?, ?, ?)", *row)
        done = run_off(workspace, off, "apply", "--yes", "--lock-timeout", "0")
        assert done.exit_code == code, (ends, done.output)


@HOUR
def test_tokens_end_when_the_server_says(empty: Workspace, nanoidp: OAuthServer, off: str) -> None:
    """What one machine keeps is right for all others, whatever its own clock shows."""
    with_grant(empty, nanoidp)
    empty.env["RECONCILER_STORE_KEY"] = KEY
    assert run_off(empty, off, "apply", "--yes").exit_code == 0
    before = sql(empty.store, "SELECT uid, obtained, expires FROM tokens ORDER BY 1")
    assert before and all(is_now(obtained) for _, obtained, _ in before), before
    assert all(0 < (datetime.fromisoformat(ends) - datetime.now(UTC)).total_seconds() < 4000 for _, _, ends in before)
    assert "Nothing to do" in empty.ok("plan").stdout, "to a machine whose clock is right"
    assert run_off(empty, off, "apply", "--yes").exit_code == 0
    assert "Nothing to do" in empty.ok("plan", "--full").stdout
