"""Calls to the system that fail, each at several moments of a run: the store stays as it was, and it is said why."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from programs import needs, needs_mounts
from crash.runs import OWN_KEY
from crash.tracing import trace
from live_state import sql

pytestmark = pytest.mark.store_file

FULL = ("the disk is full", "free some space")
BROKEN = ("disk I/O error",)


def method(workspace: Workspace) -> str:
    """What the live endpoint is called by; "" where there is no store or no record."""
    rows = (
        sql(workspace.store, "SELECT method FROM endpoints") if workspace.store.exists() and is_made(workspace) else []
    )
    return rows[0][0] if rows else ""


def is_made(workspace: Workspace) -> bool:
    """Whether the store has its tables."""
    return bool(sql(workspace.store, "SELECT count(*) FROM sqlite_master")[0][0])


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        ("mkdir:ENOSPC:1", ("No space left on device",)),
        ("rename:EIO:1", ("Input/output error",)),
        ("link:ENOSPC:1", ("No space left on device",)),
        ("link:ENOSPC:2", ("key file", "No space left on device")),
        ("fsync:EIO:5", ("Input/output error",)),
        ("fsync:EIO:7", ("key file", "Input/output error")),
        ("pwrite64:ENOSPC:1+", FULL),
        ("pwrite64:ENOSPC:60+", FULL),
        ("fdatasync:EIO:2+", BROKEN),
    ],
)
def test_a_first_apply_in_which_a_call_fails(workspace: Workspace, fail: str, words: tuple[str, ...]) -> None:
    """Exit code 10, words that say what and where, no record; and as soon as the cause is gone it works."""
    workspace.env |= OWN_KEY
    traced = trace(workspace.root, ("apply", "--yes"), workspace.env, fail=fail)
    assert traced.exit_code == 10, traced.stderr
    assert all(word in traced.stderr for word in words) and "Traceback" not in traced.stderr, traced.stderr
    assert method(workspace) == ""
    workspace.ok("apply", "--yes")
    assert method(workspace) == "GET"
    assert workspace.ok("store", "check").stdout


def apply_failing(workspace: Workspace, fail: str) -> int:
    """An apply of a change in which a call fails, and one after it; returns the first one's exit code."""
    traced = trace(workspace.root, ("apply", "--yes", "-q"), workspace.env, fail=fail)
    found = (traced.exit_code, method(workspace))
    assert found in ((0, "PUT"), (10, "GET")), f"{fail}: {found} {traced.stderr}"
    if traced.exit_code:
        assert "nothing was changed" in traced.stderr and "hint: " in traced.stderr, f"{fail}: {traced.stderr}"
    workspace.ok("apply", "--yes", "-q")
    assert method(workspace) == "PUT"
    workspace.ok("store", "check")
    assert sql(workspace.store, "SELECT count(*) FROM runs") == [(2,)], fail
    return traced.exit_code


@pytest.fixture
def changed(workspace: Workspace) -> Workspace:
    """A repository that is applied, and one change."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    return workspace


@pytest.mark.parametrize(
    ("fail", "code"), [("pwrite64:ENOSPC:20+", 10), ("fdatasync:EIO:3", 10), ("fdatasync:EIO:4+", 0)]
)
def test_an_apply_in_which_a_call_fails(changed: Workspace, fail: str, code: int) -> None:
    """Before the commit, in it, and when all is committed and only has to be moved into the main file."""
    assert apply_failing(changed, fail) == code


@pytest.mark.long
def test_an_apply_in_which_any_call_fails(
    changed: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each call that writes, once and from then on: it says truly whether it was done."""
    calls = {"fdatasync": "EIO", "pwrite64": "ENOSPC", "ftruncate": "EIO", "unlink": "EROFS"}
    codes = []
    for call, error in calls.items():
        for number in range(1, 200):
            for more in ("", "+"):
                copy = Workspace(tmp_path / "copy")
                shutil.copytree(changed.root, copy.root)
                codes.append(apply_failing(copy, f"{call}:{error}:{number}{more}"))
                shutil.rmtree(copy.root)
            if codes[-10:] == [0] * 10:
                break
    with capsys.disabled():
        print(f"\n{len(codes)} failing calls: {codes.count(10)} applies undone, {codes.count(0)} done")
    assert codes.count(10) > 100


def test_a_disk_that_is_really_full(changed: Workspace, tmp_path: Path) -> None:
    """With no room at all, some, and enough: it is said why, and room is all that it takes to go on."""
    needs("bash")
    needs_mounts()
    script = """
        mount -t tmpfs -o size=2m none "$1" || exit 99
        for free in 0 60 300; do
          rm -rf "$1"/* "$1"/.reconciler; cp -r . "$1"; cd "$1"
          head -c "$(( ($(df -k --output=avail . | tail -1) - free) * 1024 ))" /dev/zero >filler
          "$2" -m reconciler apply --yes -q; echo "$free: $?"
          rm filler; "$2" -m reconciler apply --yes -q || echo "still failing"
          cd "$OLDPWD"
        done
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "-", str(disk), sys.executable], cwd=changed.root, check=False,
        env=clean_environment({**changed.env, "PYTHONDONTWRITEBYTECODE": "1"}), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["0: 10", "60: 10", "300: 0", ""], done.stdout
    assert "cannot be read or written: disk I/O error; nothing was changed" in done.stderr  # not even the first page
    assert "the disk is full; nothing was changed\n  hint: free some space and run the command again" in done.stderr
