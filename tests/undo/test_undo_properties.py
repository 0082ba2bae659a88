"""What holds of every history: a rollback is exact, a restore undoes a delete, and both leave nothing to plan."""

import random
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from conftest import Workspace
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st
from live_state import database_at, file_bytes, sql
from undo_world import UndoBench, records

from reconciler.core.conditions import Basis
from reconciler.core.progress import NOTHING_INTERRUPTS
from reconciler.core.model import Key
from reconciler.core.ports.store import RunInfo
from reconciler.services.care import PURGE, carry_out_purge, make_purge
from reconciler.services.care import carry_out_purge, make_purge
from reconciler.stores.sql.audit import audit
from reconciler.wiring.run import now

SECRETS = {"S0": "Ucanary0a8b7c6", "S1": "Ucanary1d5e4f3"}


class Thing(NamedTuple):
    """A connector or a group: what is chosen of it."""

    kind: str
    text: int
    secret: int
    was: str = ""


Things = dict[str, Thing]


def definitions(things: Things) -> str:
    """As documents; connectors lie in categories by their text."""
    parts = [
        f"apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: cat{number}}}\n"
        f"spec: {{displayName: Category {number}}}\n"
        for number in sorted({thing.text % 3 for thing in things.values() if thing.kind == "Connector"})
    ]
    for name, thing in sorted(things.items()):
        metadata = f"{{name: {name}{f', previously: [{thing.was}]' if thing.was else ''}}}"
        start = f"apiVersion: reconciler/v1\nkind: {thing.kind}\nmetadata: {metadata}\n"
        if thing.kind == "Group":
            mode = ("authoritative", "additive")[thing.secret]
            members = f"members: {{mode: {mode}, users: [ada, u{thing.text}]}}"
            parts.append(f"{start}spec: {{displayName: The {name}, {members}}}\n")
        else:
            authorization = f"{{method: bearer, token: {{env: S{thing.secret}}}}}"
            parts.append(
                f"{start}spec: {{displayName: The {name}, description: t{thing.text}, categories: [cat{thing.text % 3}],"
                f" authorization: {authorization}, endpoints: {{a: {{method: GET, url: 'https://x.example/'}}}}}}\n"
            )
    return "---\n".join(parts)


def step(chance: random.Random, things: Things) -> Things:
    """Another state: some new, changed, renamed, gone, and now and then two that trade their names."""
    after: Things = {}
    for name, thing in things.items():
        kept = thing._replace(was="")
        match chance.randrange(7):
            case 0:
                continue
            case 1 | 2:
                after[name] = kept._replace(text=chance.randrange(9), secret=chance.randrange(2))
            case 3:
                after[f"r{chance.randrange(10**6)}"] = kept._replace(was=name)
            case _:
                after[name] = kept
    for _ in range(chance.randrange(3)):
        name = f"n{chance.randrange(5)}"
        kind = things[name].kind if name in things else chance.choice(["Connector", "Group"])
        after.setdefault(name, Thing(kind, chance.randrange(9), chance.randrange(2)))
    stay = [name for name in sorted(after) if name in things and not after[name].was and after[name].kind == "Group"]
    if len(stay) > 1 and chance.random() < 0.4:
        one, two = chance.sample(stay, 2)
        after[one], after[two] = after[two]._replace(was=two), after[one]._replace(was=one)
    return {name: thing._replace(was="" if thing.was in after and after[thing.was].was != name else thing.was)
            for name, thing in after.items()} or {"n0": Thing("Group", 0, 0)}  # fmt: skip


def purge(bench: UndoBench) -> None:
    """Destroy what was deleted so far."""
    with closing(bench.store()) as store:
        found = make_purge(store, bench.settings.owner, 0, "", now())
        assert isinstance(found.basis, Basis)
        if found.wanted:
            run = RunInfo("ada", bench.settings.owner, "local", "", now(), PURGE)
            carry_out_purge(found, store, run, NOTHING_INTERRUPTS)


@settings(max_examples=draws(8), deadline=None)
@given(st.integers(0, 2**32))
def test_a_rollback_is_exact(seed: int) -> None:
    """Identities, bodies, references, and fingerprints of secrets are those after the run; then nothing is to be done."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bench, workspace = None, Workspace(root)
        things: Things = {"n0": Thing("Connector", 0, 0), "n1": Thing("Group", 1, 0)}
        seen = {}
        for _ in range(chance.randrange(2, 6)):
            workspace.write(
                "connectors/a.yaml", definitions({n: t for n, t in things.items() if t.kind == "Connector"})
            )
            workspace.write("policies/a.yaml", definitions({n: t for n, t in things.items() if t.kind == "Group"}))
            bench = bench or UndoBench(root, SECRETS)
            bench.apply(max_deletes="100%")
            seen[sql(bench.path, "SELECT max(id) FROM runs")[0][0]] = records(bench.path)
            if chance.random() < 0.2:
                purge(bench)
            things = step(chance, things)
        for run in chance.sample(sorted(seen), min(3, len(seen))):
            if not seen[run]:
                continue
            bench.rollback(run)
            assert records(bench.path) == seen[run]
            again = bench.plan_rollback(run)
            assert again.is_empty and not again.confirmed
            found = audit(database_at(bench.path))
            assert not found.faults, found.faults
        assert not any(value.encode() in file_bytes(bench.path) for value in SECRETS.values())


@settings(max_examples=draws(5), deadline=None)
@given(st.integers(0, 2**32))
def test_a_restore_undoes_a_delete(seed: int) -> None:
    """Whatever was deleted, one by one or together; nothing is resolved, and the ciphertexts are the same."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        workspace = Workspace(root)
        things = {f"n{number}": Thing(chance.choice(["Connector", "Group"]), chance.randrange(9), chance.randrange(2))
                  for number in range(chance.randrange(2, 7))}  # fmt: skip
        groups = {name: thing for name, thing in things.items() if thing.kind == "Group"}
        workspace.write("connectors/a.yaml", definitions({n: t for n, t in things.items() if t.kind == "Connector"}))
        workspace.write("policies/a.yaml", definitions(groups) or "# nothing\n")
        bench = UndoBench(root, SECRETS)
        bench.apply()
        before, sealed = records(bench.path), set(sql(bench.path, "SELECT * FROM secrets"))
        gone = {name for name in things if chance.random() < 0.6}
        left = {name: thing for name, thing in things.items() if name not in gone}
        workspace.write(
            "connectors/a.yaml", definitions({n: t for n, t in left.items() if t.kind == "Connector"}) or "# -\n"
        )
        workspace.write("policies/a.yaml", definitions({n: t for n, t in left.items() if t.kind == "Group"}) or "# -\n")
        workspace.write(
            "policies/stays.yaml",
            "apiVersion: reconciler/v1\nkind: Group\nmetadata: {name: stays}\nspec: {displayName: Stays}\n",
        )
        bench.apply(max_deletes="100%")
        blind = UndoBench(root, {})  # without the secrets
        keys = [Key(*key) for key in before if key not in records(bench.path)]
        keys.sort(key=lambda key: (key.kind != "Category", chance.random()))
        if keys and chance.random() < 0.5:
            blind.restore(*keys)
        for key in keys if keys and not set(before) <= set(records(bench.path)) else ():
            blind.restore(key)
        after = records(bench.path)
        after.pop(("Group", "stays"))
        assert after == before and set(sql(bench.path, "SELECT * FROM secrets")) == sealed
        assert not sql(bench.path, "SELECT * FROM quarantine") and not audit(database_at(bench.path)).faults
