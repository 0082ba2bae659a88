"""What is rebuilt from the history equals what was live: random sequences of applies, and of writes by others."""

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from conftest import Workspace
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st
from live_state import database_at, InProcess, sql

from reconciler.core.model import Key
from reconciler.services.history import versions
from reconciler.stores.sql.audit import audit
from reconciler.stores.sql.history import SqlHistory
from reconciler.wiring.run import now

KINDS = ("Category", "Connector", "Group", "PermissionPolicy")
State = dict[tuple[str, str], Any]


def live(bench: InProcess) -> State:
    """Everything that is live."""
    rows = sql(bench.path, "SELECT kind, name, live FROM records JOIN documents USING (uid)")
    return {(kind, name): json.loads(body) for kind, name, body in rows}


def rebuilt(history: SqlHistory, run: int, time: str) -> State:
    """The same, as it was."""
    found = (trail.at(run, time) for trail in history.trails_of(KINDS))
    return {tuple(item[0]): item[1] for item in found if item is not None}


def definitions(names: dict[str, tuple[str, str]]) -> str:
    """Groups: from a name to a description and an earlier name."""
    parts = [
        f"apiVersion: reconciler/v1\nkind: Group\nmetadata: {{name: {name}{f', previously: [{was}]' if was else ''}}}\n"
        f"spec: {{displayName: The {name}, description: {text}, members: {{mode: authoritative, users: [ada]}}}}\n"
        for name, (text, was) in sorted(names.items())
    ]
    return "---\n".join(parts) or "# nothing\n"


def step(chance: random.Random, names: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Another set of groups: some new, some changed, some renamed, some gone."""
    after: dict[str, tuple[str, str]] = {}
    for name, (text, _) in names.items():
        match chance.randrange(6):
            case 0:
                continue
            case 1 | 2:
                after[name] = (f"t{chance.randrange(100)}", "")
            case 3:
                after[f"g{chance.randrange(10**9)}"] = (text, name)
            case _:
                after[name] = (text, "")
    for _ in range(chance.randrange(3)):
        after[f"g{chance.randrange(6)}"] = (f"t{chance.randrange(100)}", "")
    return {name: (text, was if was not in after else "") for name, (text, was) in after.items()}


def meddle(chance: random.Random, bench: InProcess) -> None:
    """Write outside of a run, once."""
    uids = [uid for (uid,) in sql(bench.path, "SELECT uid FROM records ORDER BY name")]
    if not uids:
        return
    uid = chance.choice(uids)
    match chance.randrange(4):
        case 0:
            sql(bench.path, "DELETE FROM records WHERE uid = ?", uid)
        case 1:
            sql(bench.path, "UPDATE records SET name = name || 'x', display = NULL WHERE uid = ?", uid)
        case _:
            sql(
                bench.path,
                "UPDATE documents SET live = json_set(live, '$.spec.description', ?) WHERE uid = ?",
                f"m{chance.random()}",
                uid,
            )


@settings(max_examples=draws(15), deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_the_state_at_each_time_is_the_one_that_was_live(seed: int, meddling: bool) -> None:
    """After every run, at once and after everything else that happened; by time and by run. The chain is whole."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "policies").mkdir()
        bench = InProcess(root, {})
        names: dict[str, tuple[str, str]] = {"g0": ("t0", "")}
        seen: list[tuple[int, str, State]] = []
        for _ in range(chance.randrange(2, 7)):
            Workspace(root).write("policies/groups.yaml", definitions(names))
            bench.apply(max_deletes="100%")
            run = sql(bench.path, "SELECT max(id) FROM runs")[0][0]
            if seen and seen[-1][0] == run:
                seen.pop()  # there was nothing to do
            seen.append((run, now(), live(bench)))
            if meddling and chance.random() < 0.6:
                _pause()
                meddle(chance, bench)
            names = step(chance, names) or {"g0": ("t0", "")}
            _pause()
        history = SqlHistory(database_at(bench.path))
        for run, time, state in seen:
            assert rebuilt(history, run, time) == state
            assert history.last_run(time) == run
        assert rebuilt(history, seen[-1][0], now()) == live(bench)
        for kind, name in {key for _, _, state in seen for key in state}:
            found = versions(history, Key(kind, name))
            assert all(version.known for version in found)
            held = [version.body for version in found if version.key == Key(kind, name)]
            assert all(state[kind, name] in held for _, _, state in seen if (kind, name) in state)
        history.close()
        found = audit(database_at(bench.path))
        assert not found.faults, found.faults


def _pause() -> None:
    """Until the clock, of which the store keeps milliseconds, has moved."""
    before = now()
    while now() == before:
        pass
