"""Groups with their members, and policies by the names that groups hold."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pm_desk import Desk

from reconciler.errors import StoreUnavailable
from reconciler.kinds.canonical import canonical
from reconciler.kinds.registry import KINDS, is_definition
from reconciler.stores.processmaker.forms.groups import group_body, group_digest, group_fields, group_row, user_row
from reconciler.stores.processmaker.forms.policies import (
    PERMISSIONS,
    managed_names,
    pairs,
    policy_bodies,
    policy_note,
    unmanaged_body,
    written_body,
)

MANAGED = managed_names(None)
USERS = {1: "admin", 3: "ada", 4: "grace"}
GROUPS = {2: "sales", 5: "support"}
RAW = {"id": 2, "name": "Sales", "description": None, "status": "ACTIVE", "manager_id": None}


def policy(*grants: Any, groups: tuple[str, ...] = ("sales",), **spec: Any) -> Any:
    """A canonical body."""
    subjects = [{"group": group} for group in groups]
    return canonical({"spec": {"subjects": subjects, "grants": list(grants), **spec}}, KINDS["PermissionPolicy"])


def grant(*permissions: str, **more: Any) -> Any:
    """A grant."""
    return {"permissions": list(permissions), **more}


def live(known: dict[str, Any], **held: set[str]) -> dict[str, Any]:
    """Live bodies by name, where groups hold our permissions of these words."""
    names = {group: {MANAGED[word] for word in words} for group, words in held.items()}
    return policy_bodies({f"policy:{name}": (name, body) for name, body in known.items()}, names, MANAGED)


def test_a_group_is_its_name_description_and_members() -> None:
    """Mode, labels and lifecycle are the state's; its status is nobody's."""
    known = {"metadata": {"labels": {"a": "b"}}, "spec": {"displayName": "Sales", "members": {"mode": "additive", "users": ["ada"], "groups": ["support"]}}}  # fmt: skip
    row = group_row(RAW, {3: 11}, {5: 12})
    assert group_body(row, known, USERS, GROUPS) is known
    assert group_body(group_row({**RAW, "status": "INACTIVE"}, {3: 11}, {5: 12}), known, USERS, GROUPS) is known
    more = group_body(group_row(RAW, {4: 13, 3: 11, 99: 14}, {}), known, USERS, GROUPS)
    assert more == {**known, "spec": {"displayName": "Sales", "members": {"mode": "additive", "users": ["ada", "grace"]}}}  # fmt: skip
    assert group_body(group_row(RAW), known, USERS, GROUPS) is known
    assert group_body(group_row(RAW, {}, {}), None, USERS, GROUPS) == {"spec": {"displayName": "Sales"}}
    found = group_body(row, None, USERS, GROUPS)
    assert found["spec"]["members"] == {"mode": "authoritative", "users": ["ada"], "groups": ["support"]}
    assert group_body(row, found, USERS, GROUPS) is found
    undeclared = {"spec": {"displayName": "Sales"}}
    assert group_body(group_row(RAW, {}, {}), undeclared, USERS, GROUPS) is undeclared
    assert group_fields({"spec": {"displayName": "Sales", "description": " d\n"}}) == {"name": "Sales", "description": "d"}  # fmt: skip
    digests = {group_digest(each) for each in (row, group_row(RAW, {3: 11}, {}), group_row(RAW), group_row({**RAW, "description": "x"}))}  # fmt: skip
    assert len(digests) == 4


def test_names_that_are_there_twice_are_told() -> None:
    """As parallel writes leave them."""
    listed = [{"name": "view-groups"}, {"name": "edit-groups"}, {"name": "view-groups"}]
    row = group_row({**RAW, "permissions": listed})
    assert row.permissions == ("edit-groups", "view-groups")
    assert row.doubled == ("view-groups",)
    with pytest.raises(StoreUnavailable, match="group 2 has no list of permissions"):
        group_row({**RAW, "permissions": [1]})
    assert user_row({"id": 3, "username": "ada", "is_administrator": 1}).is_administrator


def test_the_catalogue_says_what_our_permissions_are_called() -> None:
    """By title; by the usual name where there is no such title; and what is not there is not managed."""
    assert managed_names(Desk("4.14").ask("GET", "/permissions")) == MANAGED
    assert sorted(MANAGED) == sorted(PERMISSIONS)
    assert MANAGED["categories:edit"] == "edit-data-source-categories"
    catalogue = {
        "Data Connectors": [
            {"id": 1, "name": "see-ds", "title": "View data connectors"},
            {"id": 2, "name": "edit-data-sources", "title": None},
        ],
        "Odd": [{"name": "x"}],
    }
    assert managed_names(catalogue) == {"connectors:view": "see-ds", "connectors:edit": "edit-data-sources"}
    assert managed_names({"Odd": "no list"}) == MANAGED


VIEW, EDIT = "connectors:view", "connectors:edit"


def test_a_policy_stands_for_pairs_of_groups_and_names() -> None:
    """A narrowed grant, users, permissions that an instance has not, and super admins stand for none."""
    body = policy(grant(VIEW, "connectors:call"), grant("groups:view", expires="2030-01-01T00:00:00Z"), groups=("sales", "support"))  # fmt: skip
    assert pairs(body, MANAGED) == {
        (group, name) for group in ("sales", "support") for name in ("view-data-sources", "view-groups")
    }
    assert not pairs(policy(grant(VIEW, on={"categories": ["crm"]})), MANAGED)
    assert not pairs({"spec": {"subjects": [{"user": "ada"}], "grants": [grant(VIEW)]}}, MANAGED)
    assert not pairs(policy(grant(VIEW), superAdmin=True), MANAGED)
    for odd in ({}, {"spec": []}, {"spec": {"subjects": 1}}, {"spec": {"subjects": [1], "grants": [1]}}, policy(grant()), {"spec": {"subjects": [{"group": "sales"}], "grants": [{"permissions": [["a"]]}]}}):  # fmt: skip
        assert not pairs(odd, MANAGED)
        assert live({"odd": odd}, sales={VIEW}) is not None


def test_what_a_group_does_not_hold_is_missing_from_its_policies() -> None:
    """Of all that give it; a grant of which nothing is left goes."""
    both, one = policy(grant(VIEW, EDIT), groups=("sales", "support")), policy(grant(EDIT))
    found = live({"both": both, "one": one}, sales={VIEW}, support={VIEW, EDIT})
    assert found["policy:both"]["spec"]["grants"] == [grant(VIEW)]
    assert found["policy:one"]["spec"] == {"subjects": [{"group": "sales"}]}
    gone = live({"both": both}, support={VIEW, EDIT})
    assert "grants" not in gone["policy:both"]["spec"]


def test_what_no_policy_gives_is_a_further_grant() -> None:
    """Of the first policy that is for the group alone, or whose groups all hold it, or of the first."""
    a, b = policy(grant(VIEW), groups=("sales", "support")), policy(grant(VIEW))
    assert live({"a": a, "b": b}, sales={VIEW, EDIT}, support={VIEW}) == {
        "policy:a": a, "policy:b": policy(grant(VIEW), grant(EDIT)),
    }  # fmt: skip
    assert live({"a": a}, sales={VIEW, EDIT}, support={VIEW})["policy:a"]["spec"]["grants"] == [grant(VIEW), grant(EDIT)]  # fmt: skip
    assert live({"b": b, "a": a}, sales={VIEW, EDIT}, support={VIEW, EDIT})["policy:b"] is b
    admin = policy(grant(VIEW), superAdmin=True)
    assert live({"a": admin}, sales={VIEW, EDIT}) == {"policy:a": admin}
    assert unmanaged_body("sales", {"view-data-sources", "edit-users"}, MANAGED) == policy(grant(VIEW))
    assert unmanaged_body("sales", {"edit-users"}, MANAGED) is None


GRANTS = st.lists(st.lists(st.sampled_from(PERMISSIONS), min_size=1, max_size=4, unique=True).map(lambda words: grant(*words)), max_size=3)  # fmt: skip
POLICIES = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(
        lambda grants, groups: policy(*grants, groups=tuple(groups)),
        GRANTS,
        st.lists(st.sampled_from(["sales", "support", "it"]), min_size=1, unique=True),
    ),
    max_size=4,
)
HELD = st.fixed_dictionaries({group: st.sets(st.sampled_from(PERMISSIONS), max_size=5) for group in ("sales", "support", "it")})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(POLICIES, HELD)
def test_policies_are_live_as_declared_exactly_when_groups_hold_just_what_they_give(
    known: dict[str, Any], held: dict[str, set[str]]
) -> None:
    """Whatever others give and take: it shows somewhere, is valid, and giving back what was taken heals it."""
    given_by = {group: set() for group in held}
    for body in known.values():
        for group, name in pairs(body, MANAGED):
            given_by[group].add(next(word for word, theirs in MANAGED.items() if theirs == name))
    assert all(found is known[uid[-1]] for uid, found in live(known, **given_by).items())
    told = live(known, **held)
    with_policy = {subject["group"] for body in known.values() for subject in body["spec"]["subjects"]}
    agrees = all(held[group] == given_by[group] for group in with_policy)
    assert all(found is known[uid[-1]] for uid, found in told.items()) is agrees
    for uid, body in told.items():
        assert is_definition("PermissionPolicy", body["spec"], None)
        note = policy_note(known[uid[-1]])
        assert written_body(body, note) == known[uid[-1]]
    assert written_body(1, "no JSON") == 1
