"""Standard streams that are closed, full, without a reader or no terminal: what was begun is done, and the exit code is true."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from programs import needs

READING = ("validate", "plan", "plan -o json", "drift", "get", "history", "export", "who-can connectors:view", "explain exit-codes", "schema", "completion bash", "--help", "--version", "-h", "plan --help")  # fmt: skip


def shell(place: Workspace, script: str, **env: str) -> tuple[int, str, str]:
    """Run a script in which `$R` is the program; returns its exit code and what arrived on the streams."""
    done = subprocess.run(
        [needs("bash"), "-c", script], cwd=place.root, env=clean_environment({**place.env, "R": f"{sys.executable} -m reconciler", **env}), capture_output=True, text=True, errors="surrogateescape", timeout=60, check=False
    )  # fmt: skip
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    assert "bug in reconciler" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def records(place: Workspace) -> int:
    """How many are live."""
    return len(json.loads(place.ok("get", "-o", "json").stdout)["records"])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_leads_nowhere(workspace: Workspace, closed: str) -> None:
    """As for git: the work is done, and no file of ours gets the number of a stream and is written into."""
    workspace.commit()
    assert shell(workspace, f"$R apply --yes {closed}")[0] == 0
    assert records(workspace) == 4
    assert "every" not in workspace.ok("store", "check").stderr
    assert shell(workspace, f"$R validate {closed}")[0] == 0
    assert shell(workspace, f"$R plan --out p.json {closed}")[0] == 0
    assert json.loads((workspace.root / "p.json").read_text())["type"] == "saved-plan"
    workspace.edit("connectors/crm.yaml", "method: GET", "method: GETT")
    assert shell(workspace, f"$R validate {closed}")[0] == 3


def test_nobody_to_ask_is_told(workspace: Workspace) -> None:
    """A closed stdin is no terminal."""
    code, _, errors = shell(workspace, "$R apply <&-")
    assert (code, "there is no terminal to ask on" in errors) == (64, True)
    assert records(workspace) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("line", READING)
def test_an_answer_that_cannot_be_written_is_told(workspace: Workspace, line: str) -> None:
    """With exit code 10, and on stderr."""
    workspace.ok("apply", "--yes")
    code, _, errors = shell(workspace, f"$R {line} >/dev/full")
    assert code == 10 and "the answer cannot be written" in errors and "No space left on device" in errors
    assert shell(workspace, f"$R {line} >/dev/full 2>/dev/full")[0] == 10
    assert shell(workspace, f"$R {line} 2>/dev/full")[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_failure_keeps_its_code_where_nothing_can_be_said(workspace: Workspace) -> None:
    """Invalid definitions are 3, wrong usage is 64, whatever becomes of the words."""
    assert shell(workspace, "$R nothing 2>/dev/full")[0] == 64
    assert shell(workspace, "$R nothing >/dev/full 2>&1")[0] == 64
    workspace.edit("connectors/crm.yaml", "method: GET", "method: GETT")
    assert shell(workspace, "$R validate >/dev/full")[0] == 3
    assert shell(workspace, "$R plan 2>/dev/full")[0] == 3


def test_talk_that_cannot_be_written_does_not_stop_an_apply(workspace: Workspace) -> None:
    """A full disk behind stderr is no reason to leave the work."""
    if Path("/dev/full").exists():
        assert shell(workspace, "$R apply --yes -v 2>/dev/full")[0] == 0
        assert records(workspace) == 4


def test_a_reader_that_goes_is_no_failed_apply(workspace: Workspace) -> None:
    """It was applied and says so, or it was not and says so."""
    for turn, line in enumerate(["apply --yes", "apply --yes -o json", "apply --yes -v", "-q apply --yes"]):
        workspace.edit("connectors/crm.yaml", f"page{turn or ''}, value", f"page{turn + 1}, value")
        _, codes, errors = shell(workspace, f"$R {line} | true; echo ${{PIPESTATUS[0]}}")
        applied = workspace.run("plan", "--detailed-exitcode").exit_code == 0
        if codes.strip() != "0":
            assert codes.strip() == "10"
            assert ("everything was applied" if applied else "nothing was changed") in errors
        else:
            assert applied
        workspace.ok("apply", "--yes")


def test_a_pipe_that_is_closed_before_anything_is_written(workspace: Workspace) -> None:
    """Not by chance: the reader has gone when the program starts."""
    code, said = _without_reader(workspace, "apply", "--yes")
    assert code == 10 and "what is to be done cannot be shown, and nothing was changed: Broken pipe" in said
    assert records(workspace) == 0
    code, said = _without_reader(workspace, "apply", "--yes", "-o", "json")
    assert code == 10 and "everything was applied, but the report cannot be written: Broken pipe" in said
    assert records(workspace) == 4
    code, said = _without_reader(workspace, "history")
    assert code == 10 and "the answer cannot be written; what was asked for is done: Broken pipe" in said


def _without_reader(place: Workspace, *line: str) -> tuple[int, str]:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "reconciler", *line], cwd=place.root, env=clean_environment(place.env), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)  # fmt: skip
    os.close(writing)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16"])
def test_any_encoding_can_be_written_to(workspace: Workspace, encoding: str) -> None:
    """What it lacks is shown as an escape."""
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "日本 é 🙂")
    for line in ("validate", "plan", "apply --yes", "get", "history", "export", "nothing-é"):
        code, _, _ = shell(workspace, f"$R {line}", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert code == (64 if line.startswith("nothing") else 0), line


@pytest.mark.parametrize("answer", ["", "n\n", "\xff\udcff\n"])
def test_only_yes_is_yes(workspace: Workspace, answer: str) -> None:
    """On a terminal, where the bytes that come may be anything; a terminal that has gone interrupts."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "reconciler", "apply"], cwd=workspace.root, env=clean_environment(workspace.env), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    os.close(theirs)
    os.write(ours, answer.encode("utf-8", "surrogateescape") + (b"" if answer.endswith("n\n") else b"\x04"))
    _, errors = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == (5 if answer.endswith("n\n") else 130), errors
    assert b"Apply to local? [y/N]: " in errors and records(workspace) == 0
