"""Compare effective access before and after a change, for those whom it can touch."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.access import Access, Membership, Policy
from reconciler.core.access_diff import GROWTH, SUPER_ADMIN, AccessChange, AccessDiff, Held, Shift, views_itself
from reconciler.services.shifts import Covering, compare


class Concern:
    """Finds the policies that a change can concern."""

    def __init__(self, before: Access, after: Access, changed: Iterable[str]) -> None:
        """`changed` names the policies that differ."""
        self._before, self._after = _Given.by(before), _Given.by(after)
        self._moved = {
            name: _moved(before.policies[name], after.policies[name])
            for name in changed
            if name in before.policies and name in after.policies
        }

    def narrowed(self, was: Held, will: Held) -> tuple[Held, Held]:
        """The policies of both sides that tell what shifts; none where nothing can."""
        before, after = {policy.name for _, policy in was}, {policy.name for _, policy in will}
        if not (self._before.admins.isdisjoint(before) and self._after.admins.isdisjoint(after)):
            return was, will
        needed = self._shifting(before, after)
        if not needed:
            return (), ()
        leaning = self._before.leaning_of(before) | self._after.leaning_of(after)
        if leaning:
            viewed = {_area(name) for name in needed if name.endswith(":view")}
            needed |= {name for name in leaning if _area(name) in viewed}
            needed |= {f"{_area(name)}:view" for name in needed & leaning}
        kept = self._before.giving(before, needed) | self._after.giving(after, needed)
        return _named(was, kept), _named(will, kept)

    def _shifting(self, before: set[str], after: set[str]) -> set[str]:
        """The permissions of policies that come, go or differ."""
        found: set[str] = set()
        for name in before - after:
            found |= self._before.permissions[name]
        for name in after - before:
            found |= self._after.permissions[name]
        for name in self._moved.keys() & before & after:
            found |= self._moved[name]
        return found


class _Given(Struct, frozen=True):
    """What policies give, by their names.

    Attributes:
        leaning: permissions that need the view which another grant gives; of the policies that have such.
        admins: the policies that make super admins.
    """

    permissions: dict[str, frozenset[str]]
    leaning: dict[str, frozenset[str]]
    admins: frozenset[str]

    @classmethod
    def by(cls, access: Access) -> "_Given":
        leaning = {name: _leaning(policy) for name, policy in access.policies.items()}
        return cls(
            {name: _permissions(policy) for name, policy in access.policies.items()},
            {name: found for name, found in leaning.items() if found},
            frozenset(name for name, policy in access.policies.items() if policy.super_admin),
        )

    def leaning_of(self, names: set[str]) -> frozenset[str]:
        return frozenset[str]().union(*(self.leaning[name] for name in self.leaning.keys() & names))

    def giving(self, names: set[str], needed: set[str]) -> set[str]:
        return {name for name in names if not needed.isdisjoint(self.permissions[name])}


def _named(held: Held, names: set[str]) -> Held:
    return [found for found in held if found[1].name in names]


def _area(permission: str) -> str:
    return permission.partition(":")[0]


def _permissions(policy: Policy) -> frozenset[str]:
    return frozenset[str]().union(*(grant.permissions for grant in policy.grants))


def _leaning(policy: Policy) -> frozenset[str]:
    return frozenset(name for grant in policy.grants for name in grant.permissions if not views_itself(name, grant))


def _moved(before: Policy, after: Policy) -> set[str]:
    """The permissions that one of the two gives and the other does not, or elsewhere, or for another time."""
    was, will = _by_permission(before), _by_permission(after)
    return {name for name in was.keys() | will.keys() if was.get(name) != will.get(name)}


def _by_permission(policy: Policy) -> dict[str, set[object]]:
    found: dict[str, set[object]] = {}
    for grant in policy.grants:
        labels = frozenset(grant.labels.items())
        for name in grant.permissions:
            given = (grant.connectors, grant.categories, labels, grant.expires, views_itself(name, grant))
            found.setdefault(name, set()).add(given)
    return found


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
