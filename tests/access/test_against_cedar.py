"""Decisions compared with those of Cedar, an engine that others wrote, on random policies."""

import json
from datetime import datetime, timedelta
from typing import Any

import cedarpy
import pytest
from draws import draws
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from random_worlds import AREAS, GROUPS, MOMENTS, START, USERS, Document, document, read, worlds
from reconciler.core.access import AccessTarget, PERMISSIONS, apart, decide
from reconciler.core.access_diff import SUPER_ADMIN
from reconciler.core.access_diff import Entitlements, entitlements
from reconciler.core.model import Resource
from reconciler.kinds.access import make_access, target_of


def cedar_policies(world: list[Document]) -> str:
    """The same in Cedar's language, from the definitions as they were written."""
    lines = []
    for item in world:
        if item["kind"] != "PermissionPolicy":
            continue
        for subject in item["spec"]["subjects"]:
            ((kind, name),) = subject.items()
            who = f'principal == User::"{name}"' if kind == "user" else f'principal in Group::"{name}"'
            if item["spec"].get("superAdmin"):
                lines.append(f"permit({who}, action, resource);")
            for grant in item["spec"]["grants"]:
                actions = ", ".join(f'Action::"{permission}"' for permission in grant["permissions"])
                lines.append(f"permit({who}, action in [{actions}], resource) when {{ {condition(grant)} }};")
    return "\n".join(lines)


def condition(grant: Document) -> str:
    """When a grant holds, in Cedar's language."""
    parts = ["true"]
    on = grant.get("on", {})
    if "connectors" in on:
        parts.append(f"{json.dumps(on['connectors'])}.contains(resource.connector)")
    if "categories" in on:
        parts.append(f"resource.categories.containsAny({json.dumps(on['categories'])})")
    for key, value in on.get("labels", {}).items():
        parts.append(f'resource.labels has "{key}" && resource.labels["{key}"] == "{value}"')
    if "expires" in grant:
        date, zone = grant["expires"][:19], grant["expires"][19:].replace(":", "")
        parts.append(f'context.now < datetime("{date}{zone}")')
    return " && ".join(parts)


def cedar_entities(world: list[Document]) -> list[Document]:
    """People, groups and resources, with what they belong to."""
    parents: dict[str, list[Document]] = {}
    found = []
    for item in world:
        if item["kind"] == "Group":
            members = item["spec"]["members"]
            for name in members["users"]:
                parents.setdefault(f"u{name}", []).append({"type": "Group", "id": item["metadata"]["name"]})
            for name in members["groups"]:
                parents.setdefault(f"g{name}", []).append({"type": "Group", "id": item["metadata"]["name"]})
    found += [
        {"uid": {"type": "User", "id": name}, "attrs": {}, "parents": parents.get(f"u{name}", [])} for name in USERS
    ]
    found += [
        {"uid": {"type": "Group", "id": name}, "attrs": {}, "parents": parents.get(f"g{name}", [])} for name in GROUPS
    ]
    for item in world:
        name = item["metadata"]["name"]
        categories = {"Connector": item["spec"].get("categories"), "Category": [name]}.get(item["kind"]) or []
        for parts in [categories, *([category] for category in categories if len(categories) > 1)]:
            connector = name if item["kind"] == "Connector" else ""
            attributes = {"connector": connector, "categories": parts, "labels": item["metadata"].get("labels", {})}
            uid = {"type": f"{item['kind']}Record", "id": name if parts is categories else f"{name}/{parts[0]}"}
            found.append({"uid": uid, "attrs": attributes, "parents": []})
    return found


def places(permission: str, resource: Resource) -> list[str]:
    """What the permission is wanted on: to create or delete takes it in each category, as if it were the only one."""
    categories = resource.content.value["spec"].get("categories", ())
    name = f'{resource.key.kind}Record::"{resource.key.name}'
    if len(categories) < 2 or not permission.endswith((":create", ":delete")):
        return [f'{name}"']
    return [f'{name}/{category}"' for category in categories]


def cedar_allows(world: list[Document], questions: list[tuple[str, str, Resource]], now: datetime) -> list[bool]:
    """Cedar's answers; everything but view needs its answer for view too."""
    context = {"now": {"__extn": {"fn": "datetime", "arg": now.isoformat().replace("+00:00", "Z")}}}
    asked = sorted(
        {
            (user, name, place)
            for user, permission, resource in questions
            for place in places(permission, resource)
            for name in (permission, f"{permission.partition(':')[0]}:view")
        }
    )
    requests = [
        {"principal": f'User::"{user}"', "action": f'Action::"{name}"', "resource": place, "context": context}
        for user, name, place in asked
    ]
    results = cedarpy.is_authorized_batch(requests, cedar_policies(world), cedar_entities(world))
    assert [error for result in results for error in result.diagnostics.errors] == []
    answers = {key: result.allowed for key, result in zip(asked, results, strict=True)}
    return [
        all(
            answers[user, permission, place] and answers[user, f"{permission.partition(':')[0]}:view", place]
            for place in places(permission, resource)
        )
        for user, permission, resource in questions
    ]


def diff_allows(held: Entitlements, permission: str, target: AccessTarget, now: datetime) -> bool:
    """What the access diff and access tests work with: somebody's permissions with scope and end."""
    return SUPER_ADMIN in held or all(
        any(
            one.scope.categories <= part.categories
            and one.scope.connectors <= ({part.name} if part.area == "connectors" else set())
            and one.scope.labels <= part.labels.items()
            and (one.expires is None or now < one.expires)
            for one in held.get(permission, ())
        )
        for part in apart(permission, target)
    )


def compare(world: list[Document], now: datetime) -> None:
    """Ask about everybody, every permission and every resource."""
    resources = read(world)
    access = make_access((resource.key, resource.content.value) for resource in resources)
    questions = [
        (user, permission, resource)
        for resource in resources
        for permission in PERMISSIONS
        if permission.startswith(f"{AREAS[resource.key.kind]}:")
        for user in USERS
    ]
    expected = cedar_allows(world, questions, now)
    since = START - timedelta(hours=1)  # what has not ended then, with its end
    held = {user: entitlements(access.policies_of(user), since) for user in USERS}
    seen: set[str] = set()
    for (user, permission, resource), allowed in zip(questions, expected, strict=True):
        target = target_of(resource.key, resource.content.value)
        decision = decide(access, user, permission, target, now)
        seen.add(f"{allowed}: {decision.refusal or 'granted'}")
        assert decision.allowed is allowed, (user, permission, resource.key)
        assert diff_allows(held[user], permission, target, now) is allowed, (user, permission, resource.key)
    for what in sorted(seen):
        event(what)


QUICK = settings(
    max_examples=90, deadline=None, phases=set(Phase) - {Phase.explain}, suppress_health_check=list(HealthCheck)
)


@QUICK
@given(worlds(), MOMENTS)
def test_decisions_are_those_of_cedar(world: list[Document], now: datetime) -> None:
    compare(world, now)


@pytest.mark.long
@settings(QUICK, max_examples=20_000)
@given(worlds(), MOMENTS)
def test_decisions_are_those_of_cedar_for_long(world: list[Document], now: datetime) -> None:
    compare(world, now)


@settings(QUICK, max_examples=draws(150))
@given(
    st.dictionaries(
        st.sampled_from(GROUPS),
        st.tuples(st.lists(st.sampled_from(USERS), max_size=2), st.lists(st.sampled_from(GROUPS), max_size=3)),
    )
)
def test_circles_of_groups_add_nothing(members: dict[str, tuple[list[str], list[str]]]) -> None:
    """Live groups may be in a circle: whoever is in one of them is in all of them, and no more."""
    documents = [
        document(
            "Group",
            name,
            {
                "displayName": name,
                "members": {"mode": "additive", "users": sorted({*users}), "groups": sorted({*groups})},
            },
        )
        for name, (users, groups) in members.items()
    ]
    access = make_access((resource.key, resource.content.value) for resource in read(documents))
    belongs = {(user, name) for name, (users, _) in members.items() for user in users}
    while True:
        more = {(user, name) for name, (_, groups) in members.items() for user, inner in belongs if inner in groups}
        if more <= belongs:
            break
        belongs |= more
    for user in USERS:
        chains = access.groups_of(user)
        assert {(user, name) for name in chains} == {pair for pair in belongs if pair[0] == user}
        for name, chain in chains.items():
            assert chain[-1] == name and user in members[chain[0]][0]
            assert all(below in members[above][1] for below, above in zip(chain, chain[1:], strict=False))
