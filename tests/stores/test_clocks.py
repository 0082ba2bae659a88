"""Clocks that jump by hours, between commands and during one. The store stays whole, and nothing waits for ever."""

import json
import time
from datetime import UTC, datetime
from itertools import count

import pytest
from conftest import Workspace
from crash.runs import with_grant
from live_state import InProcess, sql
from msgspec.structs import replace
from servers.oauth import OAuthServer

from reconciler.core.lease import Moment
from reconciler.stores.host import LocalHost

pytestmark = pytest.mark.store_file

HOURS = pytest.mark.parametrize("jump", [-5 * 3600, 5 * 3600], ids=["back", "forward"])


class Jumping:
    """A wall clock that is off by `jump` seconds after so many readings."""

    def __init__(self, jump: int, after: int = 0) -> None:
        self.jump = jump
        self.after = after
        self.readings = 0

    def seconds(self) -> float:
        """Since 1970."""
        self.readings += 1
        return time.time() + (self.jump if self.readings > self.after else 0)

    def __call__(self) -> str:
        text = datetime.fromtimestamp(self.seconds(), UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")


class Host(LocalHost):
    """This machine, with such a clock."""

    def __init__(self, clock: Jumping) -> None:
        self.clock = clock

    def moment(self) -> Moment:
        """Now; the clock that counts from the boot does not jump."""
        return replace(super().moment(), wall=self.clock.seconds())


def at(workspace: Workspace, clock: Jumping) -> InProcess:
    """The repository, to be worked with by that clock."""
    return InProcess(workspace.root, workspace.env, clock, Host(clock))


@HOURS
def test_the_clock_jumps_between_two_commands(workspace: Workspace, jump: int) -> None:
    """The history tells of the runs in the order in which they were; its chain follows."""
    workspace.ok("apply", "--yes")
    for clock, method in ((Jumping(jump), "PUT"), (Jumping(0), "PATCH")):
        workspace.edit("connectors/crm.yaml", "method: GET" if method == "PUT" else "method: PUT", f"method: {method}")
        planned = json.loads(workspace.ok("plan", "-o", "json").stdout)["changes"]
        assert at(workspace, clock).plan_json()["changes"] == planned
        at(workspace, clock).apply()
    runs = json.loads(workspace.ok("history", "-o", "json").stdout)["runs"]
    assert [run["id"] for run in runs] == [3, 2, 1]
    latest = max(runs, key=lambda run: run["finished"])["id"]
    assert latest == (2 if jump > 0 else 3), "the times are those of the clocks"
    workspace.ok("store", "check")
    assert "Nothing to do" in workspace.ok("plan").stdout


@HOURS
def test_the_clock_jumps_during_an_apply(workspace: Workspace, jump: int) -> None:
    """After its first reading, its second, and so on to the last: the run is whole each time, and keeps its lease."""
    workspace.ok("apply", "--yes")
    methods = {0: ("GET", "PUT"), 1: ("PUT", "GET")}
    for after in count():
        old, new = methods[after % 2]
        workspace.edit("connectors/crm.yaml", f"method: {old}", f"method: {new}")
        clock = Jumping(jump, after)
        at(workspace, clock).apply()
        assert not at(workspace, Jumping(0)).plan().changes
        assert sql(workspace.store, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM leases)") == [
            (after + 2, 0)
        ]
        if clock.readings <= after:
            break
    assert after > 3
    workspace.ok("store", "check")
    assert {outcome for (outcome,) in sql(workspace.store, "SELECT outcome FROM attempts")} == {"applied"}


@HOURS
def test_tokens_that_were_got_while_the_clock_was_wrong(empty: Workspace, nanoidp: OAuthServer, jump: int) -> None:
    """They are due as soon as it is right again: what the store holds of their end is worth nothing."""
    with_grant(empty, nanoidp)
    at(empty, Jumping(jump)).apply(fetch=True)
    planned = json.loads(empty.ok("plan", "-o", "json").stdout)["changes"]
    assert [(change["address"], change["origin"]) for change in planned] == [
        ("connector/one", "token"),
        ("connector/two", "token"),
    ]
    empty.ok("apply", "--yes")
    assert "Nothing to do" in empty.ok("plan").stdout
    assert sql(empty.store, "SELECT (SELECT count(*) FROM tokens), (SELECT count(*) FROM leases)") == [(2, 0)]
