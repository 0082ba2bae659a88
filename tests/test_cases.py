"""Golden folders: a repository, and the transcript of a session in it.

A transcript begins with lines after ``# `` that say what it is about. Lines that begin with ``$ `` are run
by the shell, with ``reconciler`` on the path; what follows is what they print (stderr lines after ``! ``)
and the exit code when it is not 0. After a change on purpose: ``pytest tests/test_cases.py --update``, and read the difference.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment, timeless

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/transcript.txt"))
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

_COMMIT = re.compile(r"\b[0-9a-f]{40}\b|(?<=commit )[0-9a-f]{12}\b")
_PLAN = re.compile(
    r'(?<=--override )[0-9a-f]{12}\b|(?<="fingerprint": ")[0-9a-f]{64}(?=",\n  "source")'
)  # holds drawn identities
_HEAD = re.compile(r'(?<="head": ")[0-9a-f]{64}')  # of the history, which holds times


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_transcript(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The session prints what the transcript says."""
    transcript = case / "transcript.txt"
    written = transcript.read_text("utf-8")
    played = play(written, case, tmp_path)
    if request.config.getoption("--update"):
        transcript.write_text(played, "utf-8")
        return
    assert played == written


def play(transcript: str, case: Path, tmp_path: Path) -> str:
    """The transcript with the outputs that its commands give now."""
    root = tmp_path / "repo"
    shutil.copytree(case / "repo", root) if (case / "repo").is_dir() else root.mkdir()
    program = tmp_path / "bin" / "reconciler"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    program.chmod(0o755)
    env = clean_environment({"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"})
    lines = []
    for line in transcript.splitlines():
        if line.startswith("# ") and all(above.startswith("# ") for above in lines):
            lines.append(line)
        elif line.startswith("$ "):
            lines += [*([""] if lines and not lines[-1].startswith("# ") else []), line, *_outputs(line[2:], root, env)]
    return "\n".join(lines) + "\n"


def _outputs(command: str, root: Path, env: dict[str, str]) -> list[str]:
    done = subprocess.run(
        ["sh", "-c", command], cwd=root, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    lines = _stable(done.stdout, root) + [f"! {line}".rstrip() for line in _stable(done.stderr, root)]
    return [*lines, f"[exit {done.returncode}]"] if done.returncode else lines


def _stable(text: str, root: Path) -> list[str]:
    text = _PLAN.sub("PLAN", _HEAD.sub("HEAD", text))
    text = _COMMIT.sub("COMMIT", _TIME.sub("TIME", timeless(text.replace(str(root), "ROOT"))))
    return [line.rstrip() for line in text.splitlines()]
