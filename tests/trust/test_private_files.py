"""Whatever the umask: what is kept of a run can be read by whoever ran it, and by nobody else."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, clean_environment

from reconciler.cli.boundary import keep_log
from reconciler.source.repository import MIN_ITEMS

SECRET = "a-value-that-nobody-is-to-read"


def run_with(umask: int, place: Workspace, *line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one command line under a umask."""
    return subprocess.run([sys.executable, "-m", "reconciler", *line], cwd=place.root, env=clean_environment({**place.env, **env}), umask=umask, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip


def open_to_others(folder: Path) -> list[str]:
    """The files and folders in it, and itself, that others may read, write or enter; .gitignore holds a star."""
    found = [folder, *(path for path in folder.rglob("*") if path.name != ".gitignore")]
    return [str(path) for path in found if not path.is_symlink() and path.lstat().st_mode & 0o077]


def test_stores_caches_and_plans_are_private(workspace: Workspace, tmp_path: Path) -> None:
    """With umask 0, in folders that are not there yet; a cache is made for many files only."""
    for number in range(MIN_ITEMS):
        workspace.write(
            f"connectors/c{number}.yaml", CATEGORY.replace("crm", f"c{number}").replace("Customer data", f"C{number}")
        )
    workspace.commit()
    cache, home = tmp_path / "new" / "cache", tmp_path / "home"
    home.mkdir(mode=0o700)
    places = {"XDG_CACHE_HOME": str(cache), "HOME": str(home), "RECONCILER_STORE_KEY": ""}
    for line in (
        ["validate"], ["plan"], ["apply", "--yes"], ["plan", "--out", "p.json"], ["plan", "--out", "new/p.json"],
        ["store", "backup", "b.db"], ["store", "rotate-key", "--yes"], ["history"], ["authorize", "--base", "main", "--actor", "ada"],
    ):  # fmt: skip
        done = run_with(0, workspace, *line, **places)
        assert done.returncode != 1, done.stderr
    assert (workspace.root / "p.json").exists() and (workspace.root / "b.db").exists() and cache.exists()
    kept = [
        workspace.root / ".reconciler",
        tmp_path / "new",
        *workspace.root.glob("*.json*"),
        *workspace.root.glob("b.db*"),
    ]
    assert [path for place in kept for path in open_to_others(place)] == []
    assert open_to_others(home) == []


def test_the_log_of_a_bug_is_private_and_holds_no_value(workspace: Workspace, tmp_path: Path) -> None:
    """Its name cannot be foretold; the exceptions' words and the variables are not in it."""
    workspace.write("sitecustomize.py", "")
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import os, reconciler.wiring.roots as w\n"
        "def boom(*a):\n"
        "    value = os.environ['VALUE']\n"
        "    try: int(value)\n"
        "    except ValueError as e: raise KeyError(value) from e\n"
        "w.locate_root = boom\n"
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    done = run_with(
        0, workspace, "plan", VALUE=SECRET, TMPDIR=str(logs), PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path])
    )
    assert done.returncode == 1 and "this is a bug in reconciler" in done.stderr
    log = Path(re.search(r"details are in (\S+)", done.stderr)[1])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600 and log.parent == logs
    text = log.read_text()
    assert "builtins.ValueError\n" in text and "builtins.KeyError\n" in text and "in boom" in text
    assert SECRET not in text + done.stderr
    gone = run_with(0, workspace, "plan", VALUE=SECRET, TMPDIR=str(logs), RECONCILER_X="", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))  # fmt: skip
    assert re.search(r"details are in (\S+)", gone.stderr)[1] != str(log)


def test_a_bug_without_a_place_for_its_log_is_told(monkeypatch) -> None:
    """A full disk makes no second bug of it."""
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert keep_log() == "no log of it can be kept: No space left on device"


@pytest.mark.parametrize("kind", ["a pipe", "a link to a pipe", "a device"])
@pytest.mark.parametrize("line", [("plan", "--out"), ("store", "backup", "--force")])
def test_what_is_no_file_is_not_replaced_by_one(workspace: Workspace, tmp_path: Path, kind: str, line: tuple[str, ...]) -> None:  # fmt: skip
    """As root it would take /dev/null from everybody."""
    workspace.ok("apply", "--yes")
    place = tmp_path / "place"
    if kind == "a device":
        try:
            os.mknod(place, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except OSError:
            pytest.skip("only root makes devices")
    else:
        os.mkfifo(tmp_path / "pipe" if kind == "a link to a pipe" else place)
        if kind == "a link to a pipe":
            place.symlink_to("pipe")
    result = workspace.run(*line, str(place))
    assert result.exit_code in (10, 64) and "no regular file" in result.stderr, result.output
    assert not place.is_file()
