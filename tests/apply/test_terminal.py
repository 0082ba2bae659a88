"""apply and plan on a terminal: colour, questions, Ctrl-C, and a reader that goes away."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from live_state import sql

from reconciler.core.secret import Secret
from reconciler.importers.processmaker_seal import sealed

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """The program on a terminal of its own."""

    def __init__(
        self, workspace: Workspace, *arguments: str, env: dict[str, str] | None = None, own_stdout: bool = True
    ) -> None:
        self._own, theirs = pty.openpty()
        environment = clean_environment({**workspace.env, "TERM": "xterm", **(env or {})})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments], cwd=workspace.root, env=environment, stdin=theirs,
            stdout=theirs if own_stdout else subprocess.PIPE, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.text = ""

    def read_until(self, wanted: str = "", seconds: float = 20) -> str:
        """Read until `wanted` has come, or to the end."""
        until = time.monotonic() + seconds
        while (not wanted or wanted not in self.text) and time.monotonic() < until:
            if not select.select([self._own], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._own, 65536)
            except OSError:  # Linux says so at the end of a terminal
                break
            if not data:
                break
            self.text += data.decode().replace("\r\n", "\n")
        assert wanted in self.text, self.text
        return self.text

    def type(self, keys: str) -> None:
        """Press keys; \\x03 is Ctrl-C."""
        os.write(self._own, keys.encode())

    def end(self) -> int:
        """Read the rest; the exit code."""
        self.read_until()
        os.close(self._own)
        assert "Traceback" not in self.text, self.text
        return self.process.wait(timeout=20)


def records(workspace: Workspace) -> int:
    """How many records are live."""
    return sql(workspace.store, "SELECT count(*) FROM records")[0][0] if workspace.store.exists() else 0


@pytest.mark.parametrize(
    ("arguments", "env", "colored"),
    [([], {}, True), ([], {"NO_COLOR": "1"}, False), (["--color", "never"], {}, False), (["--color", "always"], {"NO_COLOR": "1"}, True), ([], {"TERM": "dumb"}, False)],
)  # fmt: skip
def test_colour_on_a_terminal(workspace: Workspace, arguments: list[str], env: dict[str, str], colored: bool) -> None:
    """By default; not where it is not wanted."""
    terminal = Terminal(workspace, "plan", *arguments, env=env)
    assert terminal.end() == 0
    assert bool(ESCAPE.search(terminal.text)) == colored
    assert "4 to create." in terminal.text


def test_no_colour_in_a_pipe_unless_asked_for(workspace: Workspace) -> None:
    """And the same words."""
    plain = workspace.ok("plan").stdout
    colored = workspace.ok("plan", "--color", "always").stdout
    assert not ESCAPE.search(plain) and ESCAPE.search(colored)
    assert ESCAPE.sub("", colored) == plain
    for line in ("plan -o json", "plan -o markdown", "get -o json", "get -o yaml"):
        assert not ESCAPE.search(workspace.ok(*line.split(), "--color", "always").stdout)


@pytest.mark.parametrize(
    ("answer", "code", "count"),
    [("y\n", 0, 4), ("n\n", 5, 0), ("\n", 5, 0), ("what\nyes\n", 0, 4), ("\x04", 130, 0), ("\x03", 130, 0)],
)
def test_apply_asks_first(workspace: Workspace, answer: str, code: int, count: int) -> None:
    """Nothing happens without a yes; the end of input and Ctrl-C are none."""
    terminal = Terminal(workspace, "apply")
    text = ESCAPE.sub("", terminal.read_until("Apply to local? [y/N]: "))
    assert "+ " in text and "4 to create." in text, "the plan comes before the question"
    time.sleep(0.3)  # Python forgets a Ctrl-C between its last look at signals and its read
    terminal.type(answer)
    assert terminal.end() == code
    assert records(workspace) == count
    if code == 5:
        assert "not applied; nothing was changed" in terminal.text
    if code == 130:
        assert "interrupted" in terminal.text


def test_who_is_asked_sees_what_about(workspace: Workspace) -> None:
    """Also when the answer on stdout is to be JSON."""
    terminal = Terminal(workspace, "apply", "-o", "json", own_stdout=False)
    assert "4 to create." in terminal.read_until("Apply to local?")
    terminal.type("y\n")
    assert terminal.process.stdout is not None
    assert terminal.process.stdout.read().startswith(b'{\n  "version": 1,\n  "type": "report"')
    terminal.process.stdout.close()
    assert terminal.end() == 0


def test_nothing_to_do_asks_nothing(workspace: Workspace) -> None:
    """And --no-input refuses to ask, on a terminal too."""
    refused = Terminal(workspace, "apply", "--no-input")
    assert refused.end() == 64 and "pass --yes" in refused.text
    workspace.ok("apply", "--yes", "-q")
    terminal = Terminal(workspace, "apply")
    assert terminal.end() == 0
    assert terminal.text == "Nothing to do: local is what the working tree says (4 records).\n"


SLOW = """
import signal, sys, os
import reconciler.stores.sql.session as session, reconciler.services.apply as service
def at_point(point):
    if os.environ.get("STOP_AT") == point:
        os.kill(os.getpid(), signal.SIGINT)
real_write, real_report = session.SqlSession.write, service.Report
def write(self, *a, **k):
    at_point("before"); done = real_write(self, *a, **k); at_point("written"); return done
session.SqlSession.write = write
def report(*a, **k):
    at_point("committed"); return real_report(*a, **k)
service.Report = report
"""


@pytest.mark.parametrize(("point", "applied"), [("before", False), ("written", False), ("committed", True)])
@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_ctrl_c_tells_the_truth(
    workspace: Workspace, tmp_path: Path, point: str, applied: bool, quiet: list[str]
) -> None:
    """Before the commit nothing is changed; after it everything is, and is said to be."""
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "STOP_AT": point}
    result = workspace.run("apply", "--yes", *quiet, env=env)
    assert result.exit_code == 130, result.output
    assert records(workspace) == (4 if applied else 0)
    message = "interrupted too late: the plan was already applied" if applied else "interrupted; nothing was changed"
    assert message in result.stderr
    assert ("Applied to local" in result.stdout) == (applied and not quiet)


@pytest.mark.store_file
def test_ctrl_c_ends_the_waiting_for_a_lock(workspace: Workspace) -> None:
    """At once, and not when the time is up."""
    import sqlite3

    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    holder = sqlite3.connect(workspace.store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes", "--lock-timeout", "60"], cwd=workspace.root, env=clean_environment(workspace.env),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    while "1 to update." not in process.stdout.readline():
        pass
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    holder.execute("ROLLBACK")
    holder.close()
    assert time.monotonic() - began < 5
    assert process.returncode == 130 and "nothing was changed" in errors


def test_a_reader_that_goes_away_stops_what_is_not_begun(workspace: Workspace) -> None:
    """No traceback, no half-told apply: what could not be shown is not done."""
    many = "---\n".join(
        f"apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: c{n}}}\nspec: {{displayName: C{n}}}\n"
        for n in range(3000)
    )
    workspace.write("connectors/many.yaml", many)
    for command in ("apply --yes", "plan", "plan -o json"):
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m reconciler {command} | head -1'], cwd=workspace.root, env=clean_environment(workspace.env), capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.stdout.count("\n") == 1
        assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert records(workspace) == 0


def test_a_report_that_cannot_be_written_is_not_a_failed_apply(workspace: Workspace) -> None:
    """What is said on stderr is true, and nothing is tried again at the exit."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")

    def run(*arguments: str) -> tuple[int, str]:
        with open("/dev/full", "w") as full:
            done = subprocess.run([sys.executable, "-m", "reconciler", *arguments], cwd=workspace.root, env=clean_environment(workspace.env), stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
        return done.returncode, done.stderr

    assert run("apply", "--yes") == (
        10,
        "error: what is to be done cannot be shown, and nothing was changed: No space left on device\n"
        "  hint: see that the output can be written, or pass --quiet\n",
    )
    assert records(workspace) == 0
    assert run("apply", "--yes", "-o", "json") == (
        10,
        "error: everything was applied, but the report cannot be written: No space left on device\n",
    )
    assert records(workspace) == 4
    for line in (["plan"], ["get"], ["plan", "-o", "json"]):
        code, errors = run(*line)
        assert code == 10
        assert errors == "error: the answer cannot be written; what was asked for is done: No space left on device\n"


@pytest.mark.parametrize(("typed", "code", "said"), [("the words of it", 0, "wrote connectors/shop.yaml"), ("other words", 3, "does not open"), ("\x04", 64, "no password was given"), ("\x03", 130, "")])  # fmt: skip
def test_a_password_is_asked_for_and_not_shown(workspace: Workspace, typed: str, code: int, said: str) -> None:
    """Of a file that it protects; Ctrl-D and Ctrl-C end it without a trace."""
    entry = {"type": "DataConnector", "attributes": {"name": "Shop", "endpoints": "{}"}}
    document = sealed({"version": "2", "export": {"a": entry}}, Secret("the words of it"))
    workspace.write("export.json", json.dumps(document))
    terminal = Terminal(workspace, "import", "processmaker", "export.json")
    terminal.read_until("Password of the file: ")
    terminal.type(typed if typed < " " else f"{typed}\n")
    assert terminal.end() == code
    assert said in terminal.text and "words" not in terminal.text.replace("does not open", "")


def test_a_new_password_is_asked_for_twice(workspace: Workspace) -> None:
    """So that nobody protects a file by a slip."""
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\n")
    terminal = Terminal(workspace, "export", "processmaker", "--out", "file.json", "--password", "ask")
    terminal.read_until("Password for the file: ")
    terminal.type("a long password\n")
    terminal.read_until("Once more: ")
    terminal.type("a lomg password\n")
    assert terminal.end() == 64 and "these were two passwords" in terminal.text
    assert not (workspace.root / "file.json").exists()
