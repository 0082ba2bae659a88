"""Runs that are cut off at every one of their points leave the old store or the new one, and nobody has to repair it.

Each run is traced once. From the trace every state is made that a kill leaves, before each call and within writes,
and states that a power cut may leave, where only what was synced is certain.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import groupby

import pytest
from conftest import CATEGORY, Workspace
from crash.cuts import Cut, kills, power_cuts
from crash.disk import Disk, Files, Recording, record
from crash.looking import Stage, View
from crash.runs import OWN_KEY, RUNS, Run, copied
from crash.tracing import Trace, trace
from servers.oauth import OAuthServer

PART = ".reconciler"
SAMPLES, LONG_SAMPLES = 6, 1000
GO_ON_EVERY, GO_ON_POWER = 12, 12
"""In the long mode the next command is run after every so many kills, and after so many power cuts."""


@dataclass
class Recorded:
    """One run, traced, and its repository before and after."""

    name: str
    run: Run
    workspace: Workspace
    recording: Recording
    trace: Trace
    old: View
    new: View
    real: Files
    stage: Stage
    views: list[View] = field(default_factory=list)
    """What the store held in turn, from kill to kill; filled by the first who asks for `indexes`."""
    _indexes: list[int] = field(default_factory=list)

    def indexes(self) -> list[int]:
        """For each point which of `views` a kill there leaves."""
        if not self._indexes:
            points: dict[int, int] = {}
            for cut in kills(self.recording):
                view = self.look(cut)
                if not self.views or view != self.views[-1]:
                    assert view not in self.views, f"{cut.how}: back to an earlier state"
                    self.views.append(view)
                points[cut.point] = len(self.views) - 1
            last = 0
            for point in range(len(self.recording.effects) + 1):
                last = points.get(point, last)
                self._indexes.append(last)
        return self._indexes

    def look(self, cut: Cut) -> View:
        """What a state holds; it is whole."""
        self.stage.place(cut.disk)
        try:
            return self.stage.look()
        except Exception as failure:
            failure.add_note(f"{self.name}: {cut.how}")
            raise


@pytest.fixture(scope="module")
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The run named, traced."""
    name = request.param
    run = RUNS[name]
    server: OAuthServer | None = request.getfixturevalue("_nanoidp") if run.oauth else None
    folder = tmp_path_factory.mktemp("run")
    (folder / "repo" / "policies").mkdir(parents=True)
    workspace = Workspace(folder / "repo")
    run.prepare(workspace, server)
    with reading(workspace) if run.read else nullcontext():
        before = Disk.read(workspace.root, PART)
        traced = trace(workspace.root, run.command, workspace.env)
        real = Disk.read(workspace.root, PART)
    assert traced.exit_code == 0, traced.stderr
    with copied(workspace.root) as root:
        stage = Stage(root, workspace.env)
        seen = []
        for disk in (before, real):
            stage.place(disk)
            seen.append(stage.look())
        yield Recorded(name, run, workspace, record(before, traced.ops), traced, *seen, real.files(), stage)


@contextmanager
def reading(workspace: Workspace) -> Iterator[None]:
    """Another process has the store open."""
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM records'); print(flush=True); input()"
    command = [sys.executable, "-c", program, str(workspace.store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        reader.stdout.readline()
        yield
        reader.communicate("\n")


each_run = pytest.mark.parametrize("recorded", RUNS, indirect=True)


@each_run
def test_what_is_replayed_is_what_was_done(recorded: Recorded) -> None:
    """All calls of the trace give the very files that the run left; it wrote to no others."""
    assert without_shared_memory(recorded.recording.after().files()) == without_shared_memory(recorded.real)
    assert not recorded.trace.elsewhere
    assert recorded.new.count("runs") == recorded.old.count("runs") + recorded.run.adds
    assert recorded.new != recorded.old


def without_shared_memory(files: Files) -> Files:
    """SQLite writes to that file through memory, which no trace sees, and makes it anew after a crash."""
    return {path: content for path, content in files.items() if not path.endswith("-shm")}


@each_run
def test_killed_at_every_point(recorded: Recorded) -> None:
    """The store is the old one or the new one, each token is there once, and nothing goes back."""
    recorded.indexes()
    views = recorded.views
    contents = [content for content, _ in groupby(view.content for view in views)]
    assert contents == ([recorded.old.content, recorded.new.content] if recorded.run.adds else [recorded.old.content])
    for view in views:
        assert len({dict(token)["uid"] for token in view.tokens}) == view.count("tokens")
        assert {dict(token)["uid"] for token in recorded.old.tokens} <= {dict(token)["uid"] for token in view.tokens}
        assert view.tokens <= recorded.old.tokens | recorded.new.tokens, "no token but those of before and after"
    assert views[-1] == recorded.new


def cut_power(recorded: Recorded, samples: int, *, every: bool) -> int:
    """Look at what power cuts leave; returns how many different states that were."""
    indexes, seen = recorded.indexes(), set()
    certain = acknowledged(recorded)
    for cut in power_cuts(recorded.recording, samples, random.Random(recorded.name), every=every):
        files = without_shared_memory(cut.disk.files())
        state = hash(tuple(files.items()))
        if (state, cut.point) in seen:
            continue
        seen.add((state, cut.point))
        view = recorded.look(cut)
        assert view in recorded.views, f"{cut.how}: neither old nor new"
        index = recorded.views.index(view)
        assert index <= indexes[cut.point], f"{cut.how}: more than was written"
        assert index >= certain[cut.point], f"{cut.how}: what was committed is lost"
    return len(seen)


def acknowledged(recorded: Recorded) -> list[int]:
    """For each point what has to last: that which the run went on from after it had synced it."""
    indexes, effects = recorded.indexes(), recorded.recording.effects
    certain, found = [0], 0
    for point, effect in enumerate(effects, 1):
        if effect.do != "sync" and point > 1 and effects[point - 2].do == "sync":
            found = indexes[point - 1]
        certain.append(found)
    certain[-1] = indexes[-1]  # the process has said that it is done
    return certain


@each_run
def test_power_cut_before_every_sync(recorded: Recorded) -> None:
    """What was committed lasts, and what is left is the old store or the new one."""
    assert cut_power(recorded, SAMPLES, every=False)


@each_run
def test_the_next_command_just_works(recorded: Recorded) -> None:
    """Just before what matters is committed, with a lease that nobody ends any more and, where there were any, with
    refresh tokens that were used up. The first apply also with every file half made.
    """
    indexes, old = recorded.indexes(), recorded.old
    matters = (
        number for number, view in enumerate(recorded.views) if (view.content, view.tokens) != (old.content, old.tokens)
    )
    chosen = {indexes.index(next(matters)) - 1}
    if recorded.name == "the first apply":
        chosen = {point for point, effect in enumerate(recorded.recording.effects, 1) if effect.do == "name"}
    for cut in kills(recorded.recording):
        if cut.point in chosen:
            chosen.discard(cut.point)
            go_on(recorded, cut)


def go_on(recorded: Recorded, cut: Cut) -> None:
    """Plan and apply, as if nothing had happened."""
    recorded.stage.place(cut.disk)
    before = recorded.stage.look()
    recorded.stage.spoiled()
    workspace = Workspace(recorded.stage.root)
    workspace.env = recorded.workspace.env
    planned = workspace.run("plan", "--detailed-exitcode")
    assert planned.exit_code in (0, 2), f"{cut.how}: {planned.output}"
    done = workspace.run("apply", "--yes")
    assert done.exit_code == 0, f"{cut.how}: {done.output}"
    assert workspace.run("plan", "--detailed-exitcode").exit_code == 0, cut.how
    view = recorded.stage.look()
    assert view.count("runs") == before.count("runs") + planned.exit_code // 2, cut.how
    assert view.count("tokens") == recorded.new.count("tokens"), cut.how
    if recorded.run.command[0] == "apply":
        assert view.count("history") == recorded.new.count("history"), cut.how


@pytest.mark.parametrize("kill", ["mkdir:1", "link:1", "fdatasync:4", "pwrite64:9", "pwrite64:90", "unlink:4"])
def test_a_real_kill_leaves_what_the_trace_says(workspace: Workspace, kill: str) -> None:
    """So the states of the other tests are those that a kill leaves; and what is left works."""
    workspace.env |= OWN_KEY
    traced = trace(workspace.root, ("apply", "--yes"), workspace.env, kill=kill)
    assert traced.exit_code == -signal.SIGKILL, traced.stderr
    real = Disk.read(workspace.root, PART).files()
    assert without_shared_memory(record(Disk(modes={0: 0o755}), traced.ops).after().files()) == without_shared_memory(
        real
    )
    workspace.ok("apply", "--yes")
    assert "connector/crm-contacts" in workspace.ok("get").stdout
    assert (workspace.store.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.long
@each_run
def test_every_point_of_every_run(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """All kills; of power cuts every single loss, every torn write and many samples; the next command at many."""
    indexes = recorded.indexes()
    killed = sum(1 for _ in kills(recorded.recording))
    cut = cut_power(recorded, LONG_SAMPLES, every=True)
    went_on = 0
    for number, state in enumerate(kills(recorded.recording)):
        if number % GO_ON_EVERY == 0:
            go_on(recorded, state)
            went_on += 1
    samples = list(power_cuts(recorded.recording, 2, random.Random(recorded.name), every=False))
    for state in random.Random(1).sample(samples, min(GO_ON_POWER, len(samples))):
        go_on(recorded, state)
        went_on += 1
    with capsys.disabled():
        print(
            f"\n{recorded.name}: {len(indexes) - 1} calls, {killed} states after kills, {cut} after power cuts,"
            f" {len(recorded.views)} different stores, {went_on} gone on from"
        )


def unformatted(workspace: Workspace) -> None:
    """Two files that `fmt` changes."""
    for name in ("one", "two"):
        text = CATEGORY.replace("crm", name).replace("Customer data", name)
        workspace.write(f"connectors/{name}.yaml", "".join(sorted(text.splitlines(keepends=True), reverse=True)))


def planned(workspace: Workspace) -> None:
    """A saved plan, which is going to be replaced."""
    workspace.write("connectors/one.yaml", CATEGORY)
    workspace.ok("plan", "--out", "connectors/plan.json")
    workspace.edit("connectors/one.yaml", "Customer data", "Data of customers")


def applied(workspace: Workspace) -> None:
    """A store."""
    workspace.write("connectors/one.yaml", CATEGORY)
    workspace.ok("apply", "--yes")


@pytest.mark.parametrize(
    ("prepare", "command"),
    [
        (unformatted, ("fmt",)),
        (planned, ("plan", "--out", "connectors/plan.json")),
        (applied, ("store", "backup", "connectors/copy.db")),
    ],
)
def test_files_are_the_old_or_the_new_whole(empty: Workspace, prepare: object, command: tuple[str, ...]) -> None:
    """Not only the store's; what is left of a draft has a name that no definition has."""
    prepare(empty)
    before = Disk.read(empty.root, "connectors")
    traced = trace(empty.root, command, empty.env)
    assert traced.exit_code == 0 and not traced.elsewhere
    recording = record(before, [op for op in traced.ops if op.path.startswith("connectors")])
    old, new = before.files(), Disk.read(empty.root, "connectors").files()
    assert recording.after().files() == new != old
    for cut in (*kills(recording), *power_cuts(recording, SAMPLES, random.Random(1), every=True)):
        found = cut.disk.files()
        assert old.keys() <= found.keys()
        for path, content in found.items():
            draft = os.path.basename(path).startswith(".") and not path.endswith((".yaml", ".json"))
            assert draft or content in (old.get(path), new[path]), f"{cut.how}: {path}"
    least = [cut for cut in power_cuts(recording, 0, random.Random(1), every=False) if "nothing unsynced" in cut.how][
        -1
    ]
    assert {path: content for path, content in least.disk.files().items() if path in new} == new, "it lasts"
