"""What records are called, and which policies groups' permissions are told as."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pm_stores import by_id, opened, remembered, visited
from servers.processmaker import Instance
from simulator.profiles import GROUP_TYPE, USER_TYPE

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Known, Recollection
from reconciler.errors import RecordConflict
from reconciler.kinds.canonical import fold
from reconciler.stores.processmaker.views.keys import Titled, keys

TITLES = st.one_of(
    st.sampled_from(("Crm", "CRM", "crm-2", "Crm 2", "漢字", "-", "x" * 70)), st.text(min_size=1, max_size=8)
)
NAMES = st.sampled_from(("crm", "crm-1", "crm-2", "category", "a"))
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@given(titles=st.lists(TITLES, max_size=8), data=st.data())
def test_each_record_has_a_name_of_its_own(titles: list[str], data: st.DataObject) -> None:
    """Whatever is known and declared; an owner's stays, and records without a claim never take one from another."""
    found = [Titled(f"category:{number}", "Category", title) for number, title in enumerate(titles, 1)]
    taken = data.draw(st.permutations(["crm", "crm-1", "crm-2", "category", "a", "b", "c", "d"]))
    known = {
        one.id: Known(Key("Category", name), None, "", "", data.draw(st.booleans()))
        for one, name in zip(found, taken, strict=False)
        if data.draw(st.booleans())
    }
    names = {("Category", fold(title)): data.draw(NAMES) for title in titles if data.draw(st.booleans())}
    try:
        named = keys(found, Recollection(known, names))
    except RecordConflict:
        folded = [fold(title) for title in titles]
        assert len(set(folded)) < len(folded)
        return
    assert named.keys() == {one.id for one in found}
    assert len(set(named.values())) == len(found)
    assert all(_NAME.fullmatch(key.name) for key in named.values())
    assert all(named[uid] == one.key for uid, one in known.items() if one.is_owned)
    again = keys(found, Recollection({uid: Known(key, None, "", "", False) for uid, key in named.items()}))
    assert again == named


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance with two groups, of which the first may view and edit connectors, and something else."""
    with visited() as started:
        started.store.add_group("One")
        started.store.add_group("Two")
        started.store.grant(GROUP_TYPE, 1, ["view-data-sources", "edit-data-sources", "edit-users"])
        yield started


def policy(*grants: str, groups: tuple[str, ...] = ("one",)) -> dict[str, object]:
    """A policy for groups."""
    return {"spec": {"subjects": [{"group": group} for group in groups], "grants": [{"permissions": list(grants)}]}}


def state(**bodies: object) -> Recollection:
    """A state that owns policies."""
    known = {
        f"policy:{name}": Known(Key("PermissionPolicy", name), body, "", "", True) for name, body in bodies.items()
    }
    return Recollection(known)


def test_what_a_group_may_do_is_a_policy_that_nobody_has_written(server: Instance) -> None:
    """Of managed names alone, called as the group; a group that may do nothing of the sort has none."""
    store = opened(server)
    found = by_id(store.read())
    record = found["group:1:permissions"]
    assert record.key == Key("PermissionPolicy", "one")
    assert record.body == policy("connectors:edit", "connectors:view")
    assert "group:2:permissions" not in found
    store.recall(remembered(found.values(), owned=["group:1:permissions"]))
    again = by_id(store.read())
    assert again["group:1:permissions"] == record


def test_policies_are_live_as_far_as_groups_hold_their_names(server: Instance) -> None:
    """What is missing is left out, what is too much is a further grant; the version moves with it, and back again."""
    body = policy("connectors:edit", "connectors:view")
    store = opened(server)
    store.recall(state(editors=body))
    found = by_id(store.read())
    assert found["policy:editors"].body == body
    assert "group:1:permissions" not in found
    for names, live in (
        (["view-data-sources"], policy("connectors:view")),
        (["view-data-sources", "edit-data-sources", "view-groups"], {"spec": {"subjects": [{"group": "one"}], "grants": [{"permissions": ["connectors:edit", "connectors:view"]}, {"permissions": ["groups:view"]}]}}),
    ):  # fmt: skip
        server.call("PUT", "/permissions", {"group_id": 1, "permission_names": names})
        record = by_id(store.read())["policy:editors"]
        assert record.body == live
        assert record.version != found["policy:editors"].version
    server.call("PUT", "/permissions", {"group_id": 1, "permission_names": ["edit-data-sources", "view-data-sources"]})
    assert by_id(store.read())["policy:editors"] == found["policy:editors"]


def test_what_a_grant_gave_that_has_ended_is_too_much(server: Instance) -> None:
    """The grant stays as it was written; once the groups hold its names no more, all is as it was."""
    ended = {"permissions": ["connectors:edit"], "expires": "2020-01-01T00:00:00Z"}
    body = {"spec": {"subjects": [{"group": "one"}], "grants": [{"permissions": ["connectors:view"]}, ended]}}
    store = opened(server)
    store.recall(state(editors=body))
    grants = by_id(store.read())["policy:editors"].body["spec"]["grants"]
    assert grants == [*body["spec"]["grants"], {"permissions": ["connectors:edit"]}]  # type: ignore[index]
    server.call("PUT", "/permissions", {"group_id": 1, "permission_names": ["view-data-sources"]})
    assert by_id(store.read())["policy:editors"].body == body


def test_super_admins_are_compared(server: Instance) -> None:
    """With who is one there, through groups in groups too; such a policy is what the state knows of it."""
    ada, grace = (row["id"] for row in server.store.users.rows.values() if row["username"] in ("ada", "grace"))
    for group, kind, number in ((1, GROUP_TYPE, 2), (2, USER_TYPE, ada), (2, GROUP_TYPE, 1)):
        server.call("POST", "/group_members", {"group_id": group, "member_type": kind, "member_id": number})
    body = {"spec": {"subjects": [{"group": "one"}, {"user": "admin"}], "superAdmin": True}}
    store = opened(server)
    store.recall(state(admins=body))
    assert by_id(store.read())["policy:admins"].body == body
    assert [line for line in store.notes() if "super admin" in line] == [
        "at the instance ada are to be super admins, and are none; it is set there by hand alone"
    ]
    for number in (ada, grace):
        server.store.users.rows[number]["is_administrator"] = 1
    store.read()
    assert [line for line in store.notes() if "super admin" in line] == [
        "at the instance grace are super admins, and no policy makes them that; it is set there by hand alone"
    ]
