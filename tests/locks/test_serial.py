"""Applies at once end as some serial order of those that said applied: over interleavings, and with real processes."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import engines
import pytest
from conftest import CATEGORY, Workspace, clean_environment
from hypothesis import given, settings
from hypothesis import strategies as st
from live_state import sql
from lock_world import FakeHost, Place

from reconciler.core.plan import Plan
from reconciler.errors import ReconcilerError
from reconciler.services.apply import ApplyOptions, TokenOptions, apply_plan
from reconciler.wiring.run import now, open_tokens

NAMES = ("one", "two", "three")
ACTORS = 4
TIME, DEATH = ACTORS, ACTORS + 1


def category(name: str, text: str) -> str:
    """One of the records that everybody changes."""
    return CATEGORY.replace("crm", name).replace("Customer data", f"The {name}, description: {text}")


class Attempt:
    """One plan and apply, in a thread that goes on only when it is told to. It pauses with a plan, with the lease, and
    when all is written and not committed."""

    def __init__(self, place: "SharedPlace", host: FakeHost, actor: str, *, prune: bool) -> None:
        self.actor, self.at, self.outcome = actor, "", ""
        self.pid = 0
        self.plan: Plan | None = None
        self._place, self._host, self._prune = place, host, prune
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._paused.acquire()

    def step(self) -> None:
        """Let it go on to its next pause, or to its end."""
        self._go.release()
        self._paused.acquire()

    def _pause(self, at: str) -> None:
        self.at = at
        self._paused.release()
        self._go.acquire()

    def _run(self) -> None:
        store = self._place.store_on(self._host)
        if int(self.actor.rpartition("-")[2]) % 4:  # as if it had to wait for secrets: it takes the lease before
            lease = store.lease
            store.lease = lambda run, interrupts, is_brief: lease(run, interrupts)
        try:
            self.plan = self._place.plan(store, prune=self._prune, max_deletes="100%", actor=self.actor)
            self._pause("planned")
            tokens = TokenOptions(open_tokens(self._place.settings, store), fetch=False)
            apply_plan(self.plan, store, ApplyOptions(self, tokens, self.actor, now, interrupts=self))
            self.outcome = "applied" if self.plan.changes else "nothing"
        except ReconcilerError as failure:
            self.outcome = {6: "stale", 8: "locked"}.get(failure.exit_code, str(failure))
        except BaseException as failure:
            self.outcome = repr(failure)
            raise
        finally:
            store.close()
            self.at = "ended"
            self._paused.release()

    # a backend of secrets, and of interrupts, that only pauses

    def refuse(self, reference: Any) -> None:
        """Anything may be read."""

    def prefetch(self, references: Any, progress: Any) -> None:
        """The lease is taken."""
        self.pid = self._host.pid
        self._pause("leased")

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Nothing interrupts."""
        yield

    def hold(self) -> None:
        """All is written; the transaction is open."""
        self._pause("written")


class SharedPlace(Place):
    """One of several repositories with one store and one owner."""

    def __init__(self, root: Path, store: Path) -> None:
        root.mkdir()
        text = f"apiVersion: reconciler/v1\nkind: Project\nowner: us\ntargets: {{local: {{store: 'sqlite:{store}'}}}}\n"
        (root / "reconciler.yaml").write_text(engines.project(root, text))
        super().__init__(root)
        self._store = store

    @property
    def path(self) -> Path:
        """The store that all share."""
        return self._store

    def declare(self, names: Sequence[str], text: str) -> None:
        """Just these, with this description."""
        (self.root / "connectors/crm.yaml").write_text("---\n".join(category(name, text) for name in names))


def described(body: dict[str, Any] | None) -> str:
    """The description in a body."""
    return str(body["spec"]["description"]) if body else ""


def serial(store: Path, plans: dict[str, Plan]) -> dict[str, str]:
    """What the applied plans, in the order of the history, make of nothing. Each finds what it was made with."""
    live: dict[str, str] = {}
    for (actor,) in sql(store, "SELECT actor FROM runs ORDER BY id"):
        for change in plans[actor].changes:
            name = change.key.name
            assert (change.record is not None) == (name in live), (actor, name, live)
            if change.before is not None:
                assert described(change.before) == live[name], (actor, name, live)
            if not change.body:
                del live[name]
            else:
                live[name] = described(json.loads(change.body))
    return live


def play(decisions: Sequence[tuple[int, int]], folder: Path) -> set[str]:
    """Let actors go on as decided; returns the outcomes, all checked."""
    store, host = folder / "store.db", FakeHost()
    places = [SharedPlace(folder / f"repo{number}", store) for number in range(ACTORS)]
    running: list[Attempt | None] = [None] * ACTORS
    asleep: list[Attempt] = []
    everybody: list[Attempt] = []
    for who, what in [*[(0, 7)] * 4, *decisions]:  # all records are there at first
        if who == TIME:
            host.passes(10 + what * 5)
        elif who == DEATH:
            fallen = running[what % ACTORS]
            if fallen and fallen.at == "leased":
                host.dead.add(fallen.pid)
                asleep.append(fallen)
                running[what % ACTORS] = None
        elif (attempt := running[who]) is None:
            names = [name for bit, name in enumerate(NAMES) if (what or 7) >> bit & 1]
            places[who].declare(names, f"v{len(everybody)}")
            started = Attempt(places[who], host, f"actor-{len(everybody)}", prune=what in (3, 5))
            everybody.append(started)
            running[who] = started
        else:
            attempt.step()
            if attempt.at == "ended":
                running[who] = None
    left = [attempt for attempt in running if attempt]
    for attempt in [*sorted(left, key=lambda one: one.at != "written"), *asleep]:  # one of them may hold the write lock
        while attempt.at != "ended":
            attempt.step()
    outcomes = {attempt.outcome for attempt in everybody}
    assert outcomes <= {"applied", "nothing", "stale", "locked"}, outcomes
    applied = {attempt.actor: attempt.plan for attempt in everybody if attempt.outcome == "applied"}
    assert sorted(applied) == sorted(actor for (actor,) in sql(store, "SELECT actor FROM runs"))
    found = dict(sql(store, "SELECT name, description FROM categories"))
    assert found == serial(store, {actor: plan for actor, plan in applied.items() if plan})
    assert sql(store, "SELECT * FROM leases WHERE fence IS NOT NULL") == []
    noted = dict(sql(store, "SELECT actor, outcome FROM attempts"))
    expected = {"applied": "applied", "stale": "stale", "locked": "died"}  # who was locked out at first is not noted
    assert noted == {one.actor: expected[one.outcome] for one in everybody if one.actor in noted}
    assert sql(store, "SELECT count(*), count(DISTINCT run) FROM attempts WHERE outcome = 'applied'") == [(len(applied),) * 2]  # fmt: skip
    return outcomes


DECISIONS = st.lists(st.tuples(st.integers(0, DEATH), st.integers(0, 7)), max_size=50)


@settings(max_examples=15, deadline=None)
@given(decisions=DECISIONS)
def test_any_interleaving_is_some_serial_order(decisions: list[tuple[int, int]]) -> None:
    """Of planning, taking the lease, writing, committing, standing still, dying and waking up again."""
    with tempfile.TemporaryDirectory() as folder:
        play(decisions, Path(folder))


@pytest.mark.long
@settings(max_examples=1500, deadline=None)
@given(decisions=DECISIONS)
def test_a_thousand_interleavings(decisions: list[tuple[int, int]]) -> None:
    """The same, more often."""
    with tempfile.TemporaryDirectory() as folder:
        play(decisions, Path(folder))


def test_each_outcome_comes_about(tmp_path: Path) -> None:
    """What the interleavings are made of, one by one."""
    scripts = {
        "somebody has the lease": ([(0, 1), (1, 1), (0, 0), (1, 0)], {"applied", "locked"}),
        "somebody was first": ([(0, 1), (1, 1), (0, 0), (0, 0), (0, 0), (1, 0)], {"applied", "stale"}),
        "both in turn": ([(0, 1), (1, 2), (0, 0), (0, 0), (0, 0), (1, 0)], {"applied"}),
        "both create": ([*[(2, 3)] * 4, (0, 4), (1, 4), (0, 0), (0, 0), (0, 0), (1, 0)], {"applied", "stale"}),
        "one dies, and wakes up": ([(0, 1), (0, 0), (DEATH, 0), (1, 2), (1, 0)], {"applied", "locked"}),
        "one stands still, and wakes up": ([(0, 1), (0, 0), (TIME, 5), (1, 2), (1, 0)], {"applied", "locked"}),
        "one stands still, and nobody comes": ([(0, 1), (0, 0), (TIME, 5)], {"applied"}),
    }
    for number, (about, (decisions, outcomes)) in enumerate(scripts.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert play(decisions, folder) == outcomes, about


def test_sixteen_processes_at_once(empty: Workspace, tmp_path: Path) -> None:
    """Half with saved plans, two for each record and one for all: none is lost, and none writes over another."""
    spaces = []
    names = [f"c{number}" for number in range(7)]
    empty.write("connectors/all.yaml", "---\n".join(category(name, "first") for name in names))
    empty.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: us\n")
    empty.ok("apply", "--yes", "-q")
    for number in range(16):
        space = Workspace(tmp_path / f"repo{number}")
        space.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: us\ntargets: {{local: {{store: 'sqlite:{empty.store}'}}}}\n")  # fmt: skip
        mine = names if number >= 14 else [names[number // 2]]
        space.write("connectors/all.yaml", "---\n".join(category(name, f"by{number}") for name in mine))
        if number % 2:
            space.ok("plan", "--no-prune", "--out", "plan.json")
        spaces.append(space)
    processes = []
    for number, space in enumerate(spaces):
        asked = ["plan.json"] if number % 2 else ["--no-prune"]
        line = ["apply", *asked, "--yes", "-q", "--as", f"by{number}", "--lock-timeout", "60"]
        processes.append(
            subprocess.Popen([sys.executable, "-m", "reconciler", *line], cwd=space.root, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )  # fmt: skip
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert {code for _, code in ends} <= {0, 6}, ends
    assert all("Traceback" not in errors for (_, errors), _ in ends)
    order = [actor for (actor,) in sql(empty.store, "SELECT actor FROM runs ORDER BY id")][1:]
    assert sorted(order) == sorted(f"by{number}" for number, (_, code) in enumerate(ends) if code == 0)
    live = dict.fromkeys(names, "first")
    for actor in order:
        number = int(actor[2:])
        live |= dict.fromkeys(names if number >= 14 else [names[number // 2]], actor)
    assert dict(sql(empty.store, "SELECT name, description FROM categories")) == live
    assert sql(empty.store, "SELECT * FROM leases") == []
    outcomes = sorted(outcome for (outcome,) in sql(empty.store, "SELECT outcome FROM attempts"))
    assert outcomes.count("applied") == len(order) + 1 and set(outcomes) <= {"applied", "stale"}
