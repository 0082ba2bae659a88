"""The gate and the apply give one verdict: on random repositories, policies, people, approvals and changes."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Workspace
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from reconciler.core.access import PERMISSIONS

PEOPLE = ("ada", "hedy", "lea", "margaret", "nobody")
CATEGORIES, GROUPS, CONNECTORS, POLICIES = (
    ("crm", "hr", "fin"),
    ("g0", "g1", "g2"),
    ("c0", "c1", "c2"),
    ("p0", "p1", "p2"),
)
Document = dict[str, Any]
World = dict[tuple[str, str], Document]

LABELS = st.sampled_from([{}, {"team": "a"}, {"team": "b"}, {"team": "a", "zone": "x"}])
FILED = st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3, unique=True)
PEOPLE_LISTED = st.lists(st.sampled_from(PEOPLE[:-1]), max_size=2, unique=True)
WIDE = st.sampled_from(
    [
        [f"{area}:{verb}" for verb in ("view", "create", "edit", "delete")]
        for area in ("connectors", "categories", "groups", "policies")
    ]
)
GRANT = st.fixed_dictionaries(
    {"permissions": st.one_of(WIDE, st.lists(st.sampled_from(PERMISSIONS), min_size=1, max_size=5, unique=True))},
    optional={
        "on": st.one_of(
            st.builds(lambda filed: {"categories": filed}, FILED),
            st.builds(lambda labels: {"labels": labels}, LABELS.filter(bool)),
            st.builds(lambda filed, labels: {"categories": filed, "labels": labels}, FILED, LABELS.filter(bool)),
        )
    },
)
SUBJECTS = st.lists(
    st.sampled_from([*({"user": name} for name in PEOPLE[:-1]), *({"group": name} for name in GROUPS)]),
    min_size=1, max_size=2, unique_by=str,
)  # fmt: skip


def made(kind: str, name: str, spec: Document, labels: dict[str, str]) -> Document:
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}


@st.composite
def connectors(draw: st.DrawFn, name: str) -> Document:
    endpoints = {"list": {"method": draw(st.sampled_from(["GET", "PUT"])), "url": "https://data.example.com"}}
    return made(
        "Connector", name, {"displayName": name, "categories": draw(FILED), "endpoints": endpoints}, draw(LABELS)
    )


@st.composite
def groups(draw: st.DrawFn, name: str) -> Document:
    below = draw(st.lists(st.sampled_from(GROUPS[: GROUPS.index(name)]), max_size=1)) if name != GROUPS[0] else []
    members = {"mode": "authoritative", "users": draw(PEOPLE_LISTED), "groups": below}
    return made(
        "Group", name, {"displayName": draw(st.sampled_from([name, f"{name} too"])), "members": members}, draw(LABELS)
    )


@st.composite
def policies(draw: st.DrawFn, name: str) -> Document:
    spec = {"subjects": draw(SUBJECTS), "grants": draw(st.lists(GRANT, max_size=2))}
    if draw(st.integers(0, 5)) == 0:
        spec["superAdmin"] = True
    return made("PermissionPolicy", name, spec, draw(LABELS))


@st.composite
def categories(draw: st.DrawFn, name: str) -> Document:
    return made("Category", name, {"displayName": draw(st.sampled_from([name, f"{name} too"]))}, draw(LABELS))


KINDS = (
    ("Category", CATEGORIES, categories),
    ("Group", GROUPS, groups),
    ("PermissionPolicy", POLICIES, policies),
    ("Connector", CONNECTORS, connectors),
)
"""What there is; categories and groups never go, as others refer to them."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    found = {
        (kind, name): draw(make(name))
        for kind, names, make in KINDS
        for name in names
        if kind in ("Category", "Group") or draw(st.integers(0, 4))
    }
    if draw(st.integers(0, 7)):  # else there may be no super admin
        spec = {
            "subjects": draw(st.sampled_from([[{"user": "margaret"}], [{"group": "g2"}]])),
            "superAdmin": True,
            "grants": [],
        }
        found["PermissionPolicy", "owners"] = made("PermissionPolicy", "owners", spec, {})
    return found


@st.composite
def changed(draw: st.DrawFn, world: World) -> World:
    """A few of them others, some gone, new or renamed."""
    after = dict(world)
    for _ in range(draw(st.integers(1, 3))):
        kind, names, make = draw(st.sampled_from(KINDS))
        name = draw(st.sampled_from(names))
        what = draw(st.sampled_from(["another", "another", "gone", "renamed"]))
        if what == "another" or kind in ("Category", "Group") or (kind, name) not in world:
            after[kind, name] = draw(make(name))
        elif what == "gone":
            after.pop((kind, name), None)
        elif (kind, name) in after:
            document = after.pop((kind, name))
            if draw(st.booleans()):
                document = draw(make(name))
            metadata = {**document["metadata"], "name": f"{name}-new", "previously": [name]}
            after[kind, f"{name}-new"] = {**document, "metadata": metadata}
    return after


def write(workspace: Workspace, world: World) -> None:
    for folder, kinds in (("connectors", ("Category", "Connector")), ("policies", ("Group", "PermissionPolicy"))):
        text = "".join(f"---\n{json.dumps(item)}\n" for (kind, _), item in world.items() if kind in kinds)
        workspace.write(f"{folder}/all.yaml", text)


def planned(workspace: Workspace, *said: str) -> Document:
    plan: Document = json.loads(workspace.run("plan", "-o", "json", *said).stdout)
    return plan


def meant(plan: Document) -> list[str]:
    """What lets the guards pass, which are no permissions."""
    guards = [problem for problem in plan["problems"] if problem["guard"]]
    return [f"--override={plan['fingerprint'][:12]}:{problem['guard']}={problem['count']}" for problem in guards]


def judged_alike(world: World, after: World, people: Sequence[tuple[str, Sequence[str]]]) -> None:
    """The gate's verdict, the plan's and in the end the apply's are one."""
    folder = Path(tempfile.mkdtemp())
    try:
        workspace = Workspace(folder / "repo")
        write(workspace, world)
        workspace.commit("base")
        workspace.ok("apply", "--yes", "-q", "--as", "margaret", *meant(planned(workspace, "--as", "margaret")))
        workspace.git("checkout", "-q", "-b", "change")
        write(workspace, after)
        workspace.commit()
        for actor, approvals in people:
            given = [word for name in approvals for word in ("--approved-by", name)]
            gate = workspace.run("authorize", "--base", "main", "--head", "change", "--actor", actor, *given)
            assert gate.exit_code in (0, 4), gate.output
            said = ["--as", actor, *given]
            plan = planned(workspace, *said)
            stands = any(problem["exitCode"] == 4 for problem in plan["problems"])
            assert stands is (gate.exit_code == 4), (gate.output, plan["problems"])
            event(f"{'refused' if stands else 'allowed'}, {len(plan['changes'])} changes, approvals: {bool(approvals)}")
        applied = workspace.run("apply", "--yes", *said, *meant(plan))
        assert (applied.exit_code == 4) is stands, (gate.output, applied.output)
        assert stands or applied.exit_code == 0, applied.output
    finally:
        shutil.rmtree(folder)


SIDES = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.lists(st.sampled_from(PEOPLE), max_size=2)), min_size=3, max_size=4
)
QUICK = settings(
    max_examples=6,
    deadline=None,
    phases={Phase.explicit, Phase.reuse, Phase.generate},
    suppress_health_check=list(HealthCheck),
)


@QUICK
@given(st.data())
def test_one_verdict(data: st.DataObject) -> None:
    """Both refuse, or both let pass."""
    world = data.draw(worlds())
    judged_alike(world, data.draw(changed(world)), data.draw(SIDES))


@pytest.mark.long
@settings(QUICK, max_examples=1_500)
@given(st.data())
def test_one_verdict_for_long(data: st.DataObject) -> None:
    world = data.draw(worlds())
    judged_alike(world, data.draw(changed(world)), data.draw(SIDES))
