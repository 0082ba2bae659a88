"""Compare effective access before and after a change of policies and groups, for those whom the change touches."""

from datetime import datetime

from msgspec.structs import replace

from reconciler.core.access import Access, Membership, Policy
from reconciler.core.access_diff import GROWTH, SUPER_ADMIN, AccessChange, AccessDiff, Held, Shift
from reconciler.services.concern import Concern
from reconciler.services.covering import Covering
from reconciler.services.shifts import compare


def access_diff(before: Access, after: Access, covering: Covering, *, actor: str, now: datetime) -> AccessDiff:
    """Who gains and loses what.

    Args:
        covering: what there is after the change, to count what is gained and lost on.
        actor: whose change it is, or "".
    """
    policies = _changed(before.policies, after.policies)
    groups = _changed(before.groups, after.groups)
    before, after, joining = _with_joining(before, after, policies, groups)
    concern = Concern(before, after, policies)
    known: dict[object, tuple[AccessChange, ...]] = {}
    found: dict[object, tuple[AccessChange, set[str]]] = {}
    for user in sorted(_touched(before, after, policies, groups) | joining):
        was, will = concern.narrowed(before.policies_of(user), after.policies_of(user))
        signature = (_signature(was), _signature(will))
        if signature not in known:
            known[signature] = tuple(compare(was, will, policies, now, covering))
        for change in known[signature]:
            own = user == actor and change.shift in GROWTH and change.permissions != _SUPER_ADMIN
            found.setdefault((own, _alike(change)), (change, set()))[1].add(user)
    changes = [_with_people(change, people) for change, people in found.values()]
    return _sorted_apart(changes, actor, tuple(sorted(policies)), tuple(sorted(groups)))


def _changed(before: "dict[str, Policy] | dict[str, Membership]", after: "dict[str, Policy] | dict[str, Membership]") -> set[str]:  # fmt: skip
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


_SUPER_ADMIN = (SUPER_ADMIN,)
_JOINING = "\0"
"""Begins the name of somebody who joins a group that has no members; no user's name can hold it."""


def _with_joining(
    before: Access, after: Access, policies: set[str], groups: set[str]
) -> tuple[Access, Access, set[str]]:
    """Give every empty group that is granted something new a member, so that the grant is not overlooked."""
    named = {name for policy in policies & after.policies.keys() for name in after.policies[policy].groups}
    empty = {name for name in named | groups if name in after.groups and not _members(after, name)}
    if not empty:
        return before, after, set()
    joined = [
        Access(
            access.policies.values(),
            [
                replace(group, users=group.users | {_JOINING + group.name}) if group.name in empty else group
                for group in access.groups.values()
            ],
        )
        for access in (before, after)
    ]
    return joined[0], joined[1], {_JOINING + name for name in empty}


def _members(access: Access, name: str) -> bool:
    """Whether anybody belongs to a group, directly or through others."""
    waiting, seen = [name], {name}
    for step in waiting:  # it grows meanwhile
        group = access.groups.get(step)
        if group is not None:
            if group.users:
                return True
            waiting += group.groups - seen
            seen |= group.groups
    return False


def _touched(before: Access, after: Access, policies: set[str], groups: set[str]) -> set[str]:
    """Users who may have other policies, or other grants, than before; and empty groups that do."""
    named = set(groups)
    users: set[str] = set()
    for access in (before, after):
        for name in policies & access.policies.keys():
            users |= access.policies[name].users
            named |= access.policies[name].groups
    for access in (before, after):
        waiting, seen = list(named), set(named)
        for name in waiting:  # it grows meanwhile
            group = access.groups.get(name)
            if group is not None:
                users |= group.users
                waiting += group.groups - seen
                seen |= group.groups
    return users


def _signature(held: Held) -> tuple[object, ...]:
    """What two people have in common for whom the same comes out."""
    return tuple((policy.name, chain[-1] if chain else "") for chain, policy in held)


def _alike(change: AccessChange) -> tuple[object, ...]:
    """What changes have in common that are told as one."""
    route, index = change.route, change.route.grant.index if change.route.grant else -1
    return change.shift, change.permissions, change.scopes, change.expires, change.expired, route.policy, index, route.groups[-1:]  # fmt: skip


def _with_people(change: AccessChange, people: set[str]) -> AccessChange:
    users = tuple(sorted(name for name in people if not name.startswith(_JOINING)))
    groups = tuple(sorted(name.removeprefix(_JOINING) for name in people if name.startswith(_JOINING)))
    return replace(change, users=users, groups=groups)


def _sorted_apart(
    changes: list[AccessChange], actor: str, policies: tuple[str, ...], groups: tuple[str, ...]
) -> AccessDiff:
    order = list(Shift)
    changes.sort(
        key=lambda item: (order.index(item.shift), item.permissions, item.users, item.groups, item.route.policy)
    )
    admins = [item for item in changes if item.shift is Shift.GAIN and item.permissions == _SUPER_ADMIN]
    own = [item for item in changes if item.shift in GROWTH and item.users == (actor,) and item not in admins]
    others = [item for item in changes if item not in admins and item not in own]
    return AccessDiff(actor, tuple(admins), tuple(own), tuple(others), policies, groups)
