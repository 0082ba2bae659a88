"""The access diff on random policies: nothing that somebody can do or cannot do any more is overlooked."""

import json
from datetime import datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from random_worlds import MOMENTS, USERS, Document, worlds
from reconciler.core.access import PERMISSIONS, Access, decide
from reconciler.core.access_diff import GROWTH, SUPER_ADMIN, AccessDiff
from reconciler.core.model import Key
from reconciler.kinds.access import make_access, target_of
from reconciler.services.access_diff import access_diff
from reconciler.services.shifts import Covering
from reconciler.services.access_diff import Concern
from reconciler.services.shifts import Covering
from reconciler.services.shifts import compare

Worlds = tuple[dict[Key, Document], dict[Key, Document]]


@st.composite
def pairs(draw: st.DrawFn) -> Worlds:
    """A world, and one in which some of its definitions are others or gone, and some are new."""
    before, other = draw(worlds()), draw(worlds())
    if draw(st.integers(0, 4)):  # whoever passes every check shows nothing else
        for item in (*before, *other):
            item["spec"].pop("superAdmin", None)
    kept = {name_of(item): item for item in before}
    after = dict(kept)
    for item in other:
        if item["kind"] in ("Group", "PermissionPolicy") and draw(st.integers(0, 3)) == 0:
            after[name_of(item)] = item
    for key in [key for key in kept if key.kind == "PermissionPolicy"]:
        chosen = draw(st.integers(0, 5))
        if chosen == 0:
            after.pop(key, None)
        elif chosen < 4:
            after[key] = draw(edited(after[key]))
    return kept, after


@st.composite
def edited(draw: st.DrawFn, item: Document) -> Document:
    """The policy with one of its grants a little different."""
    copy: Document = json.loads(json.dumps(item))
    grants = copy["spec"]["grants"]
    if not grants:
        return copy
    grant = draw(st.sampled_from(grants))
    what = draw(st.sampled_from(["permissions", "on", "expires"]))
    if what != "permissions":
        grant.pop(what, None)
    elif draw(st.booleans()):
        grant["permissions"] = sorted({*grant["permissions"], draw(st.sampled_from(PERMISSIONS))})
    else:
        grant["permissions"] = grant["permissions"][1:]
    return copy


def name_of(item: Document) -> Key:
    return Key(item["kind"], item["metadata"]["name"])


def access_in(world: dict[Key, Document]) -> Access:
    return make_access(world.items())


def touched(found: AccessDiff, user: str, *, up: bool) -> set[str]:
    """The permissions that the diff says a user gets more of, or less."""
    changes = (*found.admins, *found.own, *found.others)
    return {
        name
        for change in changes
        if user in change.users and (change.shift in GROWTH) is up
        for name in change.permissions
    }


@settings(max_examples=30, deadline=None, phases=set(Phase) - {Phase.explain}, suppress_health_check=list(HealthCheck))
@given(pairs(), MOMENTS)
def test_nothing_is_overlooked(found: Worlds, now: datetime) -> None:
    """Whoever can do more or less than before is named, by the decisions themselves; policies aside change nothing."""
    before, after = found
    was, will = access_in(before), access_in(after)
    targets = [target_of(key, item) for key, item in after.items()]
    said = access_diff(was, will, Covering(targets), actor="ada", now=now)
    for user in USERS:
        for target in targets:
            for name in PERMISSIONS:
                if not name.startswith(f"{target.area}:"):
                    continue
                could = decide(was, user, name, target, now).allowed
                can = decide(will, user, name, target, now).allowed
                if could != can:
                    assert {name, SUPER_ADMIN} & touched(said, user, up=can), (user, name, target, could, can)
    changed = {name for name in was.policies.keys() | will.policies.keys() if was.policies.get(name) != will.policies.get(name)}  # fmt: skip
    concern, covering = Concern(was, will, changed), Covering(targets)
    for user in USERS:
        held = was.policies_of(user), will.policies_of(user)
        assert list(compare(*concern.narrowed(*held), changed, now, covering)) == list(compare(*held, changed, now, covering))  # fmt: skip
