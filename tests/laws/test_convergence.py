"""What holds for every desired state and every live state."""

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import engines
import pytest
from draws import draws
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from live_state import InProcess, sql

from reconciler.wiring.run import now
from reconciler.render.plan_formats import plan_markdown
from reconciler.render.plan import plan_text
from reconciler.render.plan_parts import totals

Document = dict[str, Any]
TEXTS = st.sampled_from(["", "one", "two\nlines", "-- three", "Größe", "a `b` *c* <d> @e", "x" * 200])
SECRETS = st.sampled_from([{"env": "S1"}, {"env": "S2"}])


def document(kind: str, name: str, spec: Document, **metadata: Any) -> Document:
    """A definition."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


JSON_BODIES = st.sampled_from(["{}", '{"a": "{{a}}",\n "b": [1]}', "[1, 2]\n"])


def _sendable(endpoint: Document) -> Document:
    """An endpoint whose body is what its type says."""
    try:
        json.loads(endpoint.get("body") or "{}")
    except ValueError:
        return {**endpoint, "bodyType": "raw"}
    return endpoint


ENDPOINTS = st.dictionaries(
    st.sampled_from(["list", "Get all", "v1.more"]),
    st.fixed_dictionaries(
        {"method": st.sampled_from(["GET", "POST"]), "url": st.sampled_from(["https://e/1", "https://e/2"])},
        optional={
            "params": st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc"), "value": st.sampled_from(["", "1"]) | SECRETS}), max_size=3, unique_by=lambda entry: entry["name"]),
            "headers": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["X-A", "x-b"]), "value": st.sampled_from(["1", "2"])}), max_size=2, unique_by=lambda entry: entry["name"]),
            "body": TEXTS | JSON_BODIES, "bodyType": st.sampled_from(["json", "raw"]),
            "sample": st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, True, "1", None, [1], 1.5]), max_size=2),
            "timeoutSeconds": st.sampled_from([30, 5]), "retry": st.fixed_dictionaries({}, optional={"attempts": st.sampled_from([0, 2])}),
        },
    ).map(_sendable),
    max_size=3,
)  # fmt: skip
IGNORED = st.lists(
    st.sampled_from(
        [
            "description",
            "endpoints.list.timeoutSeconds",
            "endpoints.list.params.a.value",
            "endpoints.list.retry.attempts",
            "status",
        ]
    ),
    unique=True,
    max_size=2,
)


@st.composite
def desired_states(draw: st.DrawFn) -> list[Document]:
    """A valid state: references lead somewhere, display names differ, earlier names are free."""
    categories = draw(st.lists(st.sampled_from(["c0", "c1", "c2", "c3"]), min_size=1, unique=True))
    found = [
        _named(draw, "Category", name, categories, draw(st.fixed_dictionaries({}, optional={"description": TEXTS})))
        for name in categories
    ]
    connectors = draw(st.lists(st.sampled_from(["k0", "k1", "k2", "k3"]), unique=True))
    for name in connectors:
        spec = draw(
            st.fixed_dictionaries(
                {"endpoints": ENDPOINTS},
                optional={"description": TEXTS, "status": st.sampled_from(["active", "inactive"])},
            )
        )
        spec["categories"] = draw(st.lists(st.sampled_from(categories), min_size=1, unique=True))
        if draw(st.booleans()):
            spec["authorization"] = {"method": "basic", "username": "u", "password": draw(SECRETS)}
        if draw(st.booleans()):
            spec["lifecycle"] = {"ignore": draw(IGNORED)}
        found.append(_named(draw, "Connector", name, connectors, spec))
    groups = draw(st.lists(st.sampled_from(["g0", "g1", "g2"]), unique=True))
    for name in groups:
        members = {"mode": draw(st.sampled_from(["additive", "authoritative"])), "users": draw(st.lists(st.sampled_from(["ada", "grace", "hedy"]), unique=True)),
                   "groups": draw(st.lists(st.sampled_from([other for other in groups if other > name] or [""]).filter(bool), unique=True) if any(other > name for other in groups) else st.just([]))}  # fmt: skip
        found.append(_named(draw, "Group", name, groups, {"members": members}))
    if groups and draw(st.booleans()):
        found.append(
            document(
                "PermissionPolicy",
                "p",
                {
                    "subjects": [{"group": draw(st.sampled_from(groups))}],
                    "grants": [{"permissions": ["connectors:view"]}],
                },
            )
        )
    return found


def _named(draw: st.DrawFn, kind: str, name: str, taken: list[str], spec: Document) -> Document:
    """With a display name that others may have had before, and earlier names that nobody has or claims now."""
    shift = (len(taken) * 7 + sum(map(len, taken))) % 4
    spec["displayName"] = f"{kind} {(int(name[1]) + shift) % 4}"
    free = [f"{name[0]}{number}" for number in range(4) if f"{name[0]}{number}" not in taken]
    mine = [other for at, other in enumerate(free) if sorted(taken)[at % len(taken)] == name]
    previously = draw(st.lists(st.sampled_from(mine), unique=True)) if mine else []
    return document(kind, name, spec, **({"previously": previously} if previously else {}))


EDITS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.sampled_from([
            "json_set(live, '$.spec.description', 'by hand')", "json_remove(live, '$.spec.description')", "json_set(live, '$.spec.status', 'inactive')",
            "json_set(live, '$.spec.endpoints.list.timeoutSeconds', 7)", "json_set(live, '$.spec.endpoints.list.url', 'https://hand')",
            "json_set(live, '$.spec.members.users', json('[\"zoe\",\"ada\",\"hedy\"]'))", "json_set(live, '$.spec.members', 5)",
            "json_remove(live, '$.spec.categories')", "json_set(live, '$.metadata.labels.x', 'y')", "'[]'", "json_set(live, '$.spec.endpoints', json('{}'))",
        ]),
    ),
    max_size=4,
)  # fmt: skip
FEW = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=draws(12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def lay_out(root: Path, documents: list[Document], order: random.Random) -> None:
    """Write the documents in any order into a few files."""
    for folder in ("connectors", "policies"):
        (root / folder).mkdir(exist_ok=True)
        for old in (root / folder).glob("*.yaml"):
            old.unlink()
    shuffled = order.sample(documents, len(documents))
    for found in shuffled:
        folder = "connectors" if found["kind"] in ("Category", "Connector") else "policies"
        with (root / folder / f"{order.randrange(3)}.yaml").open("a") as opened:
            opened.write(f"---\n{json.dumps(found)}\n")


def snapshot(bench: InProcess) -> dict[str, bytes]:
    """The store's files, or what stands in its tables."""
    if engines.current():
        return {"tables": bench.path.read_bytes()}
    return {
        path.name: path.read_bytes()
        for path in bench.path.parent.glob("store.db*")
        if not path.name.endswith("-shm") and path.stat().st_size
    }


def converges(states: list[tuple[list[Document], Any]], seed: int) -> None:
    order = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = None
        for documents, edits in states:
            lay_out(Path(folder), documents, order)
            bench = bench or InProcess(Path(folder), {"S1": "s1", "S2": "s2"})
            first = bench.plan_json(max_deletes="100%")
            assert first["problems"] == []
            lay_out(Path(folder), documents, order)
            again = bench.plan_json(max_deletes="100%")
            for change in first["changes"] + again["changes"]:
                change.pop("file", None)
            assert first == again, "the plan does not depend on the order of files and documents"
            bench.apply(max_deletes="100%")
            after = bench.plan()
            assert after.is_empty, plan_text(after, now(), color=False)
            before = snapshot(bench)
            assert not bench.apply().plan.changes
            assert snapshot(bench) == before
            uids = [uid for (uid,) in sql(bench.path, "SELECT uid FROM records ORDER BY kind, name")]
            for position, edit in edits:
                sql(bench.path, f"UPDATE documents SET live = {edit} WHERE uid = ?", uids[position % len(uids)])


STATES = st.lists(st.tuples(desired_states(), EDITS), min_size=1, max_size=4)


@FEW
@given(states=STATES, seed=st.integers(0, 1000))
def test_after_an_apply_the_plan_is_empty(states: list[tuple[list[Document], Any]], seed: int) -> None:
    """From whatever live state, made by earlier applies and by hand; and a second apply writes nothing."""
    converges(states, seed)


@pytest.mark.on_postgresql
@settings(FEW, max_examples=draws(3))
@given(states=STATES, seed=st.integers(0, 1000))
def test_after_an_apply_to_postgresql_the_plan_is_empty(states: list[tuple[list[Document], Any]], seed: int) -> None:
    """The same, with the store in PostgreSQL."""
    converges(states, seed)


@FEW
@given(before=desired_states(), after=desired_states(), edits=EDITS)
def test_every_format_tells_the_same(before: list[Document], after: list[Document], edits: Any) -> None:
    """The same changes, in the same order, with the same fields; and what is written is what was announced."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), before, random.Random(0))
        bench = InProcess(Path(folder), {"S1": "s1", "S2": "s2"})
        bench.apply()
        uids = [uid for (uid,) in sql(bench.path, "SELECT uid FROM records ORDER BY kind, name")]
        for position, edit in edits:
            sql(bench.path, f"UPDATE documents SET live = {edit} WHERE uid = ?", uids[position % len(uids)])
        lay_out(Path(folder), after, random.Random(1))
        plan = bench.plan(max_deletes="100%")
        text, markdown = plan_text(plan, now(), color=False), plan_markdown(plan)
        content = bench.plan_json(max_deletes="100%")
        addresses = [change["address"] for change in content["changes"]]
        heads = [line for line in text.splitlines() if line[:2] in ("+ ", "~ ", "- ", "» ", "& ", "« ")]
        assert [line.split()[1] for line in heads] == addresses
        assert [line.split("`")[3] for line in markdown.splitlines() if line.startswith("#### ")] == addresses
        if plan.changes:
            assert totals(plan) in text and totals(plan) in markdown
        for change in content["changes"]:
            assert change["action"] != "update" or change["fields"] or change["notes"], "an update says what it changes"
            assert len({tuple(field["path"]) for field in change["fields"]}) == len(change["fields"])
        bench.apply(max_deletes="100%")
        counted = sql(
            bench.path, "SELECT action, count(*) FROM history WHERE run = (SELECT max(id) FROM runs) GROUP BY action"
        )
        if plan.changes:
            assert dict(counted) == {action.value: count for action, count in plan.counts.items() if count}
