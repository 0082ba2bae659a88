"""Random histories against a simple model of what the store must hold.

The model knows nothing of plans' inner workings: it keeps, for every record, its identity, what it holds and what was
last applied, and says for each step what must be live afterwards, or that the step must be refused.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from conftest import Result, run_command
from live_state import database_at, InProcess, sql

from reconciler.core.progress import Uninterrupted
from reconciler.errors import RecordConflict
from reconciler.services.access_objections import AccessLimits
from reconciler.services.apply import ApplyOptions, TokenOptions, apply_plan
from reconciler.services.judgement import PlanOptions
from reconciler.services.saved_plans import revive
from reconciler.stores.sql.audit import audit
from reconciler.render.saved_plan import About
from reconciler.wiring.saved_plans import read_plan, write_plan
from reconciler.wiring.run import now, open_secrets, open_tokens

Name = tuple[str, str]
"""Kind and name."""
CATEGORIES, CONNECTORS = ("c0", "c1", "c2"), ("k0", "k1", "k2", "k3")
WORDS = ("one", "two", "three")
CHANCE = st.integers(0, 2**32).map(Random)
LATER = "2999-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Body:
    """What a record holds, as far as the histories change it."""

    display: str
    words: str
    categories: tuple[str, ...] = ()
    secret: str = ""

    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = {"displayName": self.display, "description": self.words}
        if self.categories:
            found["categories"] = list(self.categories)
        if self.secret:
            found["authorization"] = {"method": "basic", "username": "u", "password": {"env": self.secret}}
        return found


@dataclass(frozen=True)
class Live:
    """A live record: its identity, what it holds, what was last applied, and what a run wrote last.

    The last two differ once a record comes back as it was that had been changed outside of a run when it was deleted.
    """

    uid: int
    body: Body
    applied: Body
    written: Body = field(compare=False)


State = dict[Name, Live]
Declared = dict[Name, tuple[Body, tuple[str, ...]]]
"""By name: what is declared, and earlier names."""


@dataclass(frozen=True)
class Step:
    """What a plan does to one record; `revived` is the one that comes back from deletion."""

    action: str
    name: Name
    was: Name | None
    before: Live | None
    body: Body | None
    revived: Live | None = None


def plan_of(declared: Declared, live: State, deleted: State) -> list[Step]:
    """What takes live to what is declared, in no particular order. What was deleted at an address comes back there."""
    steps, taken = [], set()
    for name, (body, previously) in declared.items():
        was = name
        if name not in live:
            earlier = [(name[0], old) for old in previously]
            free = [old for old in earlier if old in live and old not in declared and old not in taken]
            if not free:
                revived = deleted.get(name)
                steps.append(Step("restore" if revived else "create", name, None, None, body, revived))
                continue
            was = free[0]
            taken.add(was)
        if was != name:
            steps.append(Step("rename", name, was, live[was], body))
        elif live[name].body != body:
            steps.append(Step("update", name, name, live[name], body))
    gone = [name for name in live if name not in declared and name not in taken]
    return steps + [Step("delete", name, name, live[name], None) for name in gone]


def after(steps: list[Step], live: State, fresh: Callable[[], int]) -> State:
    """The state that the steps leave."""
    found = {name: record for name, record in live.items() if name not in {step.was for step in steps}}
    for step in steps:
        if step.body is not None:
            known = step.before or step.revived
            found[step.name] = Live(known.uid if known else fresh(), step.body, step.body, step.body)
    return found


def confirmed(declared: Declared, live: State) -> set[Name]:
    """Records that others have made what is declared: an apply notes it, and writes nothing else."""
    return {
        name for name, (body, _) in declared.items() if name in live and live[name].body == body != live[name].applied
    }


def is_refused(steps: list[Step], planned: State, live: State) -> bool:
    """Whether something moved that the steps touch or refer to, or they would leave something without its category."""
    by_uid = {record.uid: (name, record) for name, record in live.items()}
    for step in steps:
        if step.before is not None and by_uid.get(step.before.uid) != (step.was, step.before):
            return True
        if step.before is None and step.name in live:
            return True
    touched = {step.was for step in steps}
    made = {step.name for step in steps if step.body}
    for step in steps:
        for category in step.body.categories if step.body else ():
            name = ("Category", category)
            if name not in touched | made and (name not in live or live[name].uid != planned[name].uid):
                return True
    left = after(steps, live, lambda: -1)
    displays = [(name[0], record.body.display) for name, record in left.items()]
    dangling = any(("Category", used) not in left for record in left.values() for used in record.body.categories)
    return dangling or len(set(displays)) < len(displays)


class Histories(RuleBasedStateMachine):
    """One repository, one store, whatever may happen to them."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "connectors").mkdir()
        self.bench = InProcess(self.folder, {"S1": "s1", "S2": "s2"})
        self.declared: Declared = {("Category", "c0"): (Body("C c0", "one"), ())}
        self.live: State = {}
        self.gone: list[tuple[Name, Live]] = []
        self.drifted: dict[int, int] = {}  # the last run before a record was first changed outside of a run: from
        # then on the store cannot tell that it was there still, once it has vanished
        self.outlived: dict[int, set[int]] = {}  # by what vanished: what had been deleted at its address before
        self.uids: dict[str, int] = {}
        self.next = 0
        self.deletions: Counter[int] = Counter()
        self.saved: list[tuple[Path, list[Step], State, Counter[int]]] = []
        self.after: dict[int, State] = {}
        self.runs = 0

    def teardown(self) -> None:
        shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)

    # what authors do

    def _edit(self, chance: Random) -> None:
        """A few edits, as one commit has them; most of the time something is different afterwards."""
        for _ in range(chance.randint(1, 4)):
            connectors = sorted(name for kind, name in self.declared if kind == "Connector")
            what = chance.choice(
                ["category", "connector", "connector", "rename", "rename", "drop", "drop", "drop category"]
            )
            if what == "category":
                name = chance.choice(CATEGORIES)
                self.declared["Category", name] = (Body(f"C {name}", chance.choice(WORDS)), ())
            elif what == "drop category":
                name = chance.choice(CATEGORIES[1:])
                if not any(name in body.categories for body, _ in self.declared.values()):
                    self.declared.pop(("Category", name), None)
            elif what == "connector" or not connectors:
                self._declare_connector(chance, chance.choice(CONNECTORS))
            elif what == "drop":
                del self.declared["Connector", chance.choice(connectors)]
            else:
                self._rename(chance.choice(connectors), chance.choice(CONNECTORS))
            self._free_earlier_names()

    def _declare_connector(self, chance: Random, name: str) -> None:
        """Display names may be passed on from one to another."""
        known = sorted(name for kind, name in self.declared if kind == "Category")
        used = tuple(sorted(chance.sample(known, chance.randint(1, len(known)))))
        taken = {body.display for key, (body, _) in self.declared.items() if key != ("Connector", name)}
        shown = next(f"K {one}" for one in (chance.choice(CONNECTORS), *CONNECTORS) if f"K {one}" not in taken)
        earlier = self.declared.get(("Connector", name), (None, ()))[1]
        body = Body(shown, chance.choice(WORDS), used, chance.choice(["", "S1", "S2"]))
        self.declared["Connector", name] = (body, earlier)

    def _rename(self, old: str, new: str) -> None:
        if ("Connector", new) in self.declared:
            return
        body, earlier = self.declared.pop(("Connector", old))
        claimed = {one for key, (_, names) in self.declared.items() if key[0] == "Connector" for one in names}
        kept = tuple(one for one in dict.fromkeys((old, *earlier)) if one not in claimed)
        self.declared["Connector", new] = (body, kept)

    def _free_earlier_names(self) -> None:
        """An earlier name is nobody's now."""
        for (kind, name), (body, earlier) in self.declared.items():
            self.declared[kind, name] = (body, tuple(one for one in earlier if (kind, one) not in self.declared))

    # what happens outside of a run

    @precondition(lambda self: self.live)
    @rule(chance=CHANCE)
    def drift(self, chance: Random) -> None:
        name, words = chance.choice(sorted(self.live)), chance.choice(WORDS)
        self._sql(
            "UPDATE documents SET live = json_set(live, '$.spec.description', ?) WHERE uid = ?", words, self._uid(name)
        )
        record = self.live[name]
        if words != record.body.words:
            self.drifted.setdefault(record.uid, self.runs)
        self.live[name] = replace(record, body=replace(record.body, words=words))

    @precondition(lambda self: any(kind == "Connector" for kind, _ in self.live))
    @rule(chance=CHANCE)
    def vanish(self, chance: Random) -> None:
        name = chance.choice(sorted(name for name in self.live if name[0] == "Connector"))
        self._sql("DELETE FROM records WHERE uid = ?", self._uid(name))
        record = self.live.pop(name)
        for run in range(self.drifted.pop(record.uid, self.runs) + 1, self.runs + 1):
            self.after[run] = {other: one for other, one in self.after[run].items() if one.uid != record.uid}
        self.outlived[record.uid] = {one.uid for other, one in self.gone if other == name}

    # what the tool does

    @rule(chance=CHANCE)
    def apply(self, chance: Random) -> None:
        """All that is declared is live afterwards, just so; a second plan is empty."""
        self._edit(chance)
        steps = plan_of(self.declared, self.live, self.deleted)
        noted = confirmed(self.declared, self.live)
        self._lay_out()
        report = self.bench.apply(max_deletes="100%")
        self._done(steps, {(change.action.value, tuple(change.key)) for change in report.plan.changes}, noted)
        assert self.bench.plan().is_empty

    @rule(chance=CHANCE)
    def die_before_the_commit(self, chance: Random) -> None:
        """Nothing of it is kept."""
        self._edit(chance)
        self._lay_out()
        store = self.bench.store()
        plan = self.bench.plan(store, max_deletes="100%")
        with pytest.raises(KeyboardInterrupt) if plan.changes or plan.confirmed else nullcontext():
            self._carry_out(plan, store, interrupts=Dies())

    @rule(chance=CHANCE)
    def save(self, chance: Random) -> None:
        """A plan is written to a file; the store is as it was."""
        self._edit(chance)
        self._lay_out()
        store = self.bench.store()
        plan = self.bench.plan(store, max_deletes="100%")
        steps = plan_of(self.declared, self.live, self.deleted)
        assert self._actions(steps) == {(change.action.value, tuple(change.key)) for change in plan.changes}
        path = self.folder / f"plan{len(self.saved)}.json"
        about = About("1", now(), LATER, "apply", store.identity(), adopt=False)
        write_plan(plan, path, store, about, environment={})
        store.close()
        self.saved.append((path, steps, dict(self.live), self.deletions.copy()))

    @precondition(lambda self: self.saved)
    @rule(chance=CHANCE)
    def apply_saved(self, chance: Random) -> None:
        """Just what it says, or nothing when it is stale."""
        path, steps, planned, deletions = chance.choice(self.saved[-3:])
        store = self.bench.store()
        options = PlanOptions("local", "local", max_deletes="100%", now=now(), limits=AccessLimits())
        revived = [(step.name, step.revived) for step in steps if step.revived]
        gone = any(
            (name, one) not in self.gone or self.deletions[one.uid] != deletions[one.uid] for name, one in revived
        )
        refused = gone or is_refused(steps, planned, self.live)
        try:
            plan = revive(read_plan(path), store, options)
            report = self._carry_out(plan, store)
        except RecordConflict:
            assert refused
            return
        finally:
            store.close()
        assert not refused
        self._done(steps, {(change.action.value, tuple(change.key)) for change in report.plan.changes})

    @precondition(lambda self: self.gone)
    @rule(chance=CHANCE)
    def restore(self, chance: Random) -> None:
        """What was deleted is back as it was, with its identity; or something stands in its way."""
        name, back = chance.choice(sorted(dict(self.gone).items()))
        steps = [Step("restore", name, None, None, back.body, back)]
        result = self._run("restore", f"{name[0].lower()}/{name[1]}", "--yes", "-q")
        if is_refused(steps, self.live, self.live):
            assert result.exit_code == 6, result.output
            return
        assert result.exit_code == 0, result.output
        self.gone.remove((name, back))
        self.live[name] = replace(back, written=back.body)
        self._ran(True)

    @precondition(lambda self: self.after)
    @rule(chance=CHANCE)
    def roll_back(self, chance: Random) -> None:
        """The records that were there after a run are, and hold what the runs up to it had written."""
        run = chance.choice(sorted(self.after))
        then = self.after[run]
        result = self._run("rollback", str(run), "--yes", "-q", "--max-deletes", "100%")
        assert result.exit_code == 0, result.output
        back, now = {record.uid for record in then.values()}, {record.uid for record in self.live.values()}
        self.gone = [(name, one) for name, one in self.gone if one.uid not in back]
        going = [(name, one) for name, one in self.live.items() if one.uid not in back]
        self.gone += going
        self._delete_again(going)
        ((runs,),) = sql(self.bench.path, "SELECT count(*) FROM runs")
        moved = {name: one.body for name, one in self.live.items()} != {name: one.body for name, one in then.items()}
        assert runs - self.runs in ((1,) if moved or back != now else (0, 1)), result.output
        self._written(one.uid for name, one in self.live.items() if then.get(name) != one)
        self.live = dict(then)
        self.outlived = {uid: before for uid, before in self.outlived.items() if uid not in back}
        self._ran(runs > self.runs)

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(1, 10**6))
    def change_the_key(self, number: int) -> None:
        """Secrets, and all else, stay as they are."""
        key = f"another key of more than thirty-two characters {number}"
        sealed = sql(self.bench.path, "SELECT 1 FROM meta WHERE key = 'key_check'")
        result = self._run("store", "rotate-key", "-q", RECONCILER_NEW_STORE_KEY=key)
        assert result.exit_code == 0, result.output
        is_new = self.bench.environment["RECONCILER_STORE_KEY"] != key
        self.bench.environment["RECONCILER_STORE_KEY"] = key
        self._ran(bool(sealed) and is_new)

    # what holds always

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        if not getattr(self, "bench", None) or not self.bench.path.exists():
            return
        found = {
            (kind, name): json.loads(live)["spec"]
            for kind, name, live in sql(
                self.bench.path, "SELECT kind, name, live FROM records JOIN documents USING (uid)"
            )
        }
        wanted = {name: record.body.spec() for name, record in self.live.items()}
        assert found == wanted
        for (name, record), uid in zip(sorted(self.live.items()), self._uids(), strict=True):
            assert self.uids.setdefault(uid, record.uid) == record.uid, f"{name} is another record"
        assert [
            fault.message for fault in audit(database_at(self.bench.path)).faults if fault.check != "references"
        ] == []
        ((runs,),) = sql(self.bench.path, "SELECT count(*) FROM runs")
        assert runs == self.runs

    # helpers

    def _run(self, *arguments: str, **environment: str) -> Result:
        return run_command(*arguments, cwd=self.folder, env={**self.bench.environment, **environment})

    def _lay_out(self) -> None:
        documents = []
        for (kind, name), (body, earlier) in self.declared.items():
            metadata = {"name": name, **({"previously": list(earlier)} if earlier else {})}
            documents.append({"apiVersion": "reconciler/v1", "kind": kind, "metadata": metadata, "spec": body.spec()})
        text = "".join(f"---\n{json.dumps(document)}\n" for document in documents)
        (self.folder / "connectors" / "all.yaml").write_text(text)

    def _actions(self, steps: list[Step]) -> set[tuple[str, Name]]:
        return {(step.action, step.name) for step in steps}

    def _done(self, steps: list[Step], told: set[tuple[str, Name]], noted: Iterable[Name] = ()) -> None:
        assert told == self._actions(steps)
        back = [(step.name, step.revived) for step in steps if step.revived]
        self.gone = [one for one in self.gone if one not in back]
        going = [(step.was, step.before) for step in steps if step.body is None and step.was and step.before]
        self.gone += going
        self._delete_again(going)
        self.live = after(steps, self.live, self._fresh)
        self._written([*(step.before.uid for step in steps if step.before), *(self.live[name].uid for name in noted)])
        for name in noted:
            body = self.live[name].body
            self.live[name] = replace(self.live[name], applied=body, written=body)
        self._ran(bool(steps or noted))

    def _written(self, uids: Iterable[int]) -> None:
        """A run took over what others had made of the records."""
        for uid in uids:
            self.drifted.pop(uid, None)

    def _delete_again(self, going: Iterable[tuple[Name, Live]]) -> None:
        uids = {one.uid for _, one in going}
        self.deletions.update(uids)
        self.outlived = {uid: before - uids for uid, before in self.outlived.items()}

    @property
    def deleted(self) -> State:
        """By address what was deleted last there, and comes back with it; not what was there before one that vanished."""
        outlived = {uid for before in self.outlived.values() for uid in before}
        return {name: one for name, one in self.gone if one.uid not in outlived}

    def _ran(self, something: bool) -> None:
        if something:
            self.runs += 1
            self.after[self.runs] = {name: replace(one, body=one.written) for name, one in self.live.items()}

    def _fresh(self) -> int:
        self.next += 1
        return self.next

    def _carry_out(self, plan: Any, store: Any, **options: Any) -> Any:
        secrets = open_secrets(self.bench.settings, self.bench.environment)
        tokens = TokenOptions(open_tokens(self.bench.settings, store), fetch=False)
        try:
            return apply_plan(plan, store, ApplyOptions(secrets, tokens, "ada", now, **options))
        finally:
            store.close()

    def _sql(self, statement: str, *values: object) -> None:
        sql(self.bench.path, statement, *values)

    def _uid(self, name: Name) -> str:
        ((uid,),) = sql(self.bench.path, "SELECT uid FROM records WHERE kind = ? AND name = ?", *name)
        return str(uid)

    def _uids(self) -> list[str]:
        return [uid for (uid,) in sql(self.bench.path, "SELECT uid FROM records ORDER BY kind, name")]


class Dies(Uninterrupted):
    """An interrupt at the last moment at which nothing is done yet."""

    def hold(self) -> None:
        raise KeyboardInterrupt


def _sized(examples: int, steps: int) -> settings:
    return settings(
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=steps,
        max_examples=examples,
    )


TestHistories = Histories.TestCase
TestHistories.settings = _sized(7, 30)


@pytest.mark.on_postgresql
class TestHistoriesOnPostgresql(Histories.TestCase):
    """The same, with the store in PostgreSQL."""

    settings = _sized(2, 30)


@pytest.mark.long
def test_many_histories() -> None:
    """The same, many more and longer."""
    run_state_machine_as_test(Histories, settings=_sized(int(os.environ.get("HISTORIES", "1000")), 60))
