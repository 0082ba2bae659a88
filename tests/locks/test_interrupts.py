"""Ctrl-C and SIGTERM at points that are counted and not waited for: the run is done or undone, and says which."""

import contextlib
import gc
import io
import random
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import engines
import pytest
import reconciler
from conftest import KEY, Workspace
from live_state import sql

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.app import run as run_line

pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # git, at an end
OURS = str(Path(reconciler.__file__).parent)
WATCHED = (OURS, contextlib.__file__)
CRITICAL = ("carrying.py", "interrupts.py", "services/apply.py", "running.py", "heartbeat.py", "session.py", "leases.py", "attempts.py", "sqlite.py", "contextlib.py")  # fmt: skip
UNDONE, DONE = "interrupted; nothing was changed", "interrupted too late: the plan was already applied"


class Points:
    """Counts the lines that are run, and sends signals at some of them.

    Attributes:
        first: of the lines of `CRITICAL`, when each was reached first from each module.
        count: how many lines were run.
    """

    def __init__(self, at: int = -1, again: int = -1, number: int = signal.SIGINT) -> None:
        """Send `number` at line `at`, and once more so many calls and returns later as `again` says."""
        self.first: dict[tuple[str, str, int], int] = {}
        self.count = 0
        self.sent = 0
        self.where: list[str] = []
        self._at, self._again, self._number = at, again, number

    def __enter__(self) -> "Points":
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(WATCHED):
            return None
        if event in ("line", "call"):
            if file.endswith(CRITICAL):
                caller = frame.f_back.f_code.co_filename if frame.f_back else ""
                self.first.setdefault((caller, file, frame.f_lineno), self.count)
            self.count += 1
            if self.count - 1 == self._at:
                self.sent += 1
                self.where = [f"{at.filename}:{at.lineno}" for at in traceback.extract_stack(frame)[-6:]]
                if self._again >= 0:
                    sys.setprofile(self._profile)
                signal.raise_signal(self._number)
        return self._trace

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if self._again == 0:
            self.sent += 1
            signal.raise_signal(self._number)
        self._again -= 1


class Line:
    """A repository whose description changes, applied in this process."""

    def __init__(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"RECONCILER_STORE_KEY": KEY, "CRM_PASSWORD": "x", "USER": "ada"}.items():
            monkeypatch.setenv(name, value)
        self.workspace = workspace
        self._number = 0
        for _ in range(10):  # a create and updates, so that all that is loaded, or compiled once it is used often, is
            self.run(Points())

    def run(self, points: Points) -> tuple[int, str, str]:
        """Change the description and apply; exit code and both streams."""
        self._number += 1
        text = CONNECTOR.replace("Contacts of the CRM.", f"Text {self._number}")
        self.workspace.write("connectors/crm.yaml", text)
        out, err = io.StringIO(), io.StringIO()
        interrupts = SignalInterrupts()
        with (
            engines.as_one_process(),
            handlers_kept(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                interrupts.catch()
                with points:
                    code = run_line(["-C", str(self.workspace.root), "apply", "--yes"], interrupts)
            except KeyboardInterrupt:  # as __main__ does
                code, _ = 130, err.write(UNDONE)
            finally:
                interrupts.end()
        return code, out.getvalue(), err.getvalue()

    @property
    def is_live(self) -> bool:
        """Whether the last description is."""
        ((live,),) = sql(self.workspace.store, "SELECT description FROM connectors")
        return bool(live == f"Text {self._number}")

    def holds(self, points: Points) -> str:
        """Interrupt one apply, and check all that has to be so; returns the outcome of its attempt."""
        code, out, err = self.run(points)
        attempts = "SELECT outcome, run FROM attempts ORDER BY id DESC LIMIT 1"
        ((outcome, run),) = sql(self.workspace.store, attempts)
        live = self.is_live
        about = "\n".join([*points.where, str((code, outcome, live)), out, err])
        assert "Traceback" not in err and "bug" not in err, about
        assert sql(self.workspace.store, "SELECT * FROM leases") == [], about
        assert outcome in ("applied", "interrupted"), about
        assert points.sent, about
        assert code == (130 if err else 0), about
        assert (DONE in err or not err) == live and (UNDONE in err) == (not live), about
        assert ("Applied to local" in out) == live, about
        runs = sql(self.workspace.store, "SELECT count(*) FROM runs")[0][0]
        assert (outcome, run) == ("applied", runs) or not live, about
        return str(outcome)


CONNECTOR = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
---
apiVersion: reconciler/v1
kind: Connector
metadata: {name: crm-contacts}
spec:
  displayName: Contacts
  description: Contacts of the CRM.
  categories: [crm]
  authorization: {method: basic, username: svc, password: {env: CRM_PASSWORD}}
  endpoints: {list: {method: GET, url: "https://crm.example.com"}}
"""


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """Signals do what they did before, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def line(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Applied once."""
    yield Line(empty, monkeypatch)
    gc.collect()  # what was left of git's processes


def critical(line: Line) -> list[int]:
    """When each line of the modules that matter is reached first."""
    points = Points()
    assert line.run(points)[0] == 0
    return sorted(points.first.values())


def test_one_at_any_line(line: Line) -> None:
    """At a draw of the lines that matter; `-m long` takes all."""
    moments = critical(line)
    chosen = random.Random(11).sample(moments, 60)
    assert {line.holds(Points(at)) for at in chosen} == {"applied", "interrupted"}


def test_a_second_one_at_any_line(line: Line) -> None:
    """While the first is taken back, reported, or just noted; and SIGTERM counts like Ctrl-C."""
    moments = critical(line)
    chance = random.Random(12)
    for at in chance.sample(moments, 60):
        number = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
        line.holds(Points(at, again=chance.choice([0, 1, 2, 5, 10, 30, 100]), number=number))


@pytest.mark.long
def test_one_and_a_second_one_at_every_line(line: Line) -> None:
    """All of them."""
    chance = random.Random(13)
    for at in critical(line):
        line.holds(Points(at))
        line.holds(Points(at, again=chance.randrange(60), number=signal.SIGTERM))
