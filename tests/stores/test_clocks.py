"""Clocks that jump: by hours, between commands and during one. The store stays whole, and nothing waits for ever."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from clocks import jumping, later
from conftest import Workspace
from crash.runs import with_grant
from live_state import sql
from servers.faults import Delay
from servers.oauth import OAuthServer


@pytest.mark.parametrize("jump", ["-5h", "+5h"])
def test_the_clock_jumps_between_plan_and_apply(workspace: Workspace, jump: str) -> None:
    """The history tells of the runs in the order in which they were; its chain follows."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    planned = workspace.ok("plan", "-o", "json").stdout
    there = {**workspace.env, **later(jump)}
    assert json.loads(workspace.ok("plan", "-o", "json", env=there).stdout)["changes"] == json.loads(planned)["changes"]
    workspace.ok("apply", "--yes", env=there)
    workspace.edit("connectors/crm.yaml", "method: PUT", "method: PATCH")
    workspace.ok("apply", "--yes")
    runs = json.loads(workspace.ok("history", "-o", "json").stdout)["runs"]
    assert [run["id"] for run in runs] == [3, 2, 1]
    ends = [run["finished"] for run in reversed(runs)]
    assert any(before > after for before, after in pairwise(ends)), "the times are those of the clocks"
    workspace.ok("store", "check")
    assert "Nothing to do" in workspace.ok("plan").stdout
    assert sql(workspace.store, "SELECT count(*) FROM leases") == [(0,)]


@pytest.mark.parametrize("jump", ["-5h", "+5h"])
def test_tokens_that_were_got_while_the_clock_was_wrong(empty: Workspace, nanoidp: OAuthServer, jump: str) -> None:
    """They are due as soon as it is right again: what the store holds of their end is worth nothing."""
    with_grant(empty, nanoidp)
    empty.ok("apply", "--yes", env={**empty.env, **later(jump)})
    assert "Nothing to do" in empty.ok("plan", env={**empty.env, **later(jump)}).stdout
    planned = json.loads(empty.ok("plan", "-o", "json").stdout)["changes"]
    assert [(change["address"], change["origin"]) for change in planned] == [
        ("connector/one", "token"),
        ("connector/two", "token"),
    ]
    empty.ok("apply", "--yes")
    assert "Nothing to do" in empty.ok("plan").stdout
    assert sql(empty.store, "SELECT count(*) FROM tokens") == [(2,)]


@pytest.mark.parametrize("jump", ["-5h", "+5h"])
def test_the_clock_jumps_during_an_apply(empty: Workspace, nanoidp: OAuthServer, tmp_path: Path, jump: str) -> None:
    """While it waits for a server: it keeps its lease, and what it began it brings to an end."""
    with_grant(empty, nanoidp)
    clock = tmp_path / "clock"
    nanoidp.front.play(Delay(2.0))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(empty.run, "apply", "--yes", env={**empty.env, **jumping(clock)})
        while not nanoidp.token_requests:
            time.sleep(0.02)
        clock.write_text(jump, "utf-8")
        result = running.result(timeout=60)
    assert result.exit_code == 0, result.output
    ((started, finished),) = sql(empty.store, "SELECT started, finished FROM runs")
    hours = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds() / 3600
    assert abs(hours - int(jump.removesuffix("h"))) < 0.1, "the clock did jump"
    empty.ok("store", "check")
    empty.ok("apply", "--yes")
    assert "Nothing to do" in empty.ok("plan").stdout
    assert sql(empty.store, "SELECT (SELECT count(*) FROM tokens), (SELECT count(*) FROM leases)") == [(2, 0)]
