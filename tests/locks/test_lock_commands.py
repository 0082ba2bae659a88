"""lock show and lock release, and that planning never locks."""

import json
import re
import socket
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from schema_checks import fits
from conftest import Workspace, clean_environment
from programs import needs
from live_state import sql

from reconciler.kinds import registry
from reconciler.stores.host import LocalHost

OWNERS = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec: {subjects: [{user: margaret}], superAdmin: true}
"""


def answer(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """A command's JSON, held against its schema."""
    content: dict[str, Any] = json.loads(workspace.ok("lock", *arguments, "-o", "json").stdout)
    fits(content, "lock.schema.json")
    return content


def hold(workspace: Workspace, holder: str, seconds: float = 25.0) -> None:
    """Put a run's lease and attempt into the store, as `holder`."""
    moment = LocalHost().moment().after(seconds)
    number = sql(
        workspace.store,
        "INSERT INTO attempts (started, verb, actor, holder, owner, target, git_commit, outcome)"
        " VALUES ('2026-11-01T10:00:00.000Z', 'apply', 'grace', ?, 'local', 'local', '', 'running') RETURNING id",
        holder,
    )[0][0]
    sql(
        workspace.store,
        "INSERT INTO leases (name, holder, expires, boot, uptime, fence, seen) VALUES ('apply/local', ?, ?, ?, ?, ?, '2026-11-01T10:00:10.000Z')",
        holder, moment.wall, moment.boot, moment.uptime, number,
    )  # fmt: skip


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A repository that is applied."""
    workspace.ok("apply", "--yes", "-q")
    return workspace


def test_nothing_is_locked(workspace: Workspace) -> None:
    """Not even a store that is not there, and showing makes none."""
    assert workspace.ok("lock", "show").stdout == "local is not locked.\n"
    assert answer(workspace, "show") == {"version": 1, "type": "lock", "target": "local", "lease": None, "last": None}
    assert workspace.ok("lock", "release").stdout == "local is not locked.\n"
    assert not workspace.store.exists()


def test_a_lease_that_lives(applied: Workspace) -> None:
    """Is shown with all there is to know, kept from other runs, and released by force alone."""
    hold(applied, "elsewhere:7:1:kernel:nonce")
    shown = re.sub(r"\d+ days ago", "AGO", applied.ok("lock", "show").stdout)
    assert shown.splitlines()[:3] == [
        "local is locked: apply by grace (process 7 on elsewhere)",
        "  since          2026-11-01T10:00:00.000Z (AGO)",
        "  last heard of  AGO",
    ]
    assert "unless it is heard of before\n  fence          2\n" in shown
    lease = answer(applied, "show")["lease"]
    assert (lease["standing"], lease["holder"]) == ("held", {"host": "elsewhere", "pid": 7})

    applied.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    result = applied.run("apply", "--yes", "--lock-timeout", "0.1")
    assert result.exit_code == 8
    assert "is locked by another run; waited 0.1 s\n" in result.stderr
    assert "  apply by grace (process 7 on elsewhere) since 2026-11-01T10:00:00.000Z\n" in result.stderr
    assert "reconciler lock show" in result.stderr
    result = applied.run("lock", "release")
    assert result.exit_code == 8 and "its holder seems to live" in result.stderr and "--force" in result.stderr
    assert "apply by grace (process 7 on elsewhere)" in result.stderr

    assert re.sub(r"\d+ days ago", "AGO", applied.ok("lock", "release", "--force").stdout) == (
        "Released the lease of grace (process 7 on elsewhere), held since 2026-11-01T10:00:00.000Z (AGO); it will write nothing.\n"
    )
    rows = sql(applied.store, "SELECT verb, actor, outcome, run FROM attempts ORDER BY id")
    assert rows == [("apply", "ada", "applied", 1), ("apply", "grace", "released", None), ("lock release", "ada", "applied", None)]  # fmt: skip
    applied.ok("apply", "--yes")


def test_one_that_is_dead_is_told_from_one_that_is_late(applied: Workspace) -> None:
    """Both are released without force."""
    me = LocalHost().holder()
    hold(applied, f"{me.host}:{me.pid}:1:{me.kernel}:nonce")
    assert "Its process has ended: the next run takes the lease." in applied.ok("lock", "show").stdout
    assert answer(applied, "release")["lease"]["standing"] == "dead"
    assert answer(applied, "show")["last"]["verb"] == "lock release"
    hold(applied, "elsewhere:7:1:kernel:nonce", seconds=-1)
    assert "It stands still, or has died on another host" in applied.ok("lock", "show").stdout
    assert answer(applied, "show")["lease"]["standing"] == "expired"
    assert applied.ok("lock", "release").stdout.endswith(" days ago).\n")
    outcomes = sql(applied.store, "SELECT outcome FROM attempts WHERE actor = 'grace'")
    assert outcomes == [("died",), ("died",)]


def test_releasing_takes_a_super_admin(workspace: Workspace) -> None:
    """Where the store has one."""
    workspace.write("policies/owners.yaml", OWNERS)
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    hold(workspace, "elsewhere:7:1:kernel:nonce", seconds=-1)
    for named, words in (([], "who releases its lease has to be known"), (["--as", "ada"], "it takes a super admin")):
        result = workspace.run("lock", "release", "--force", *named)
        assert result.exit_code == 4 and words in result.stderr and "hint: " in result.stderr
    assert answer(workspace, "show")["lease"] is not None
    workspace.ok("lock", "release", "--as", "margaret")
    assert sql(workspace.store, "SELECT actor FROM attempts ORDER BY id DESC LIMIT 1") == [("margaret",)]


def test_what_became_of_the_last_run_is_shown(applied: Workspace) -> None:
    """When it was not well."""
    applied.edit("connectors/crm.yaml", "env: CRM_PASSWORD", "env: NOWHERE")
    assert applied.run("apply", "--yes").exit_code == 10
    shown = applied.ok("lock", "show").stdout
    assert shown.startswith("local is not locked.\nThe last run: apply by ada (process ")
    assert f"on {socket.gethostname()}), begun " in shown and ", failed with exit code 10 " in shown
    last = answer(applied, "show")["last"]
    assert last["outcome"] == "failed: world" and last["run"] is None
    assert sql(applied.store, "SELECT count(*) FROM runs") == [(1,)]


def test_planning_and_looking_write_nothing_and_lock_nothing(applied: Workspace) -> None:
    """No byte of the store's file, and no lock but the shared ones of a reader; while another run holds the lease."""
    applied.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    hold(applied, "elsewhere:7:1:kernel:nonce")
    before = applied.store.read_bytes()
    for line in ("plan", "drift", "get", "history", "lock show", "can ada connectors:view --live", "store check"):
        log = applied.root.parent / "strace.log"
        subprocess.run(
            [needs("strace"), "-f", "-y", "-o", log, "-e", "trace=pwrite64,write,pwritev,ftruncate,fsync,fdatasync", sys.executable, "-m", "reconciler", *line.split()],
            cwd=applied.root, env=clean_environment(applied.env), capture_output=True, check=False,
        )  # fmt: skip
        touched = [row for row in log.read_text().splitlines() if str(applied.store) in row]
        assert [row for row in touched if f"{applied.store}-shm" not in row] == [], line
        assert applied.store.read_bytes() == before
        wal = applied.store.with_name("store.db-wal")
        assert not wal.exists() or wal.stat().st_size == 0


def test_an_apply_of_nothing_takes_no_lease(applied: Workspace) -> None:
    """It works while another run holds it, and leaves no attempt."""
    hold(applied, "elsewhere:7:1:kernel:nonce")
    assert "Nothing to do" in applied.ok("apply", "--yes").stdout
    assert sql(applied.store, "SELECT count(*) FROM attempts") == [(2,)]
