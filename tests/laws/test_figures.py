"""What README and docs/performance.md say about speed is what was measured."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORED = "docs/figures/speed.json"


def check(root: Path) -> "subprocess.CompletedProcess[str]":
    """Compare pages and plots with the stored measurements."""
    argv = [sys.executable, root / "benchmarks/run.py", "--check"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that figures are made of and written to."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks", ignore=shutil.ignore_patterns("out", "__pycache__"))
    return tmp_path


def test_pages_and_plots_are_as_stored() -> None:
    """And whatever goal is missed says why."""
    done = check(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def faster(document: dict) -> None:
    """One result looks better than it was."""
    document["results"]["version"]["ratio"] /= 2


def fewer(document: dict) -> None:
    """One of the three figures that README shows looks better than it was."""
    document["results"]["plan-one-10k-octodns"]["ratio"] /= 2


def slower(document: dict) -> None:
    """One goal is missed while the machine was quiet, and no row says why."""
    document["results"]["call-httpx"] |= {"ratio": 99.0, "others": 0.0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (faster, "docs/performance.md is not as stored"),
        (fewer, "README.md is not as stored"),
        (slower, "`call`: a goal is missed, and no row of rows.py says why"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_differs_is_told(copy: Path, change: Callable[[dict], None], said: str) -> None:
    """A figure that was edited, and a miss that nobody explains."""
    document = json.loads((copy / STORED).read_text())
    change(document)
    (copy / STORED).write_text(json.dumps(document))
    done = check(copy)
    assert done.returncode == 1
    assert said in done.stderr
