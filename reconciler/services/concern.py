"""Which of somebody's policies a change can concern: most of what people have stays as it is, and is left aside.

So the many who hold the same of what is left are compared once, and what they hold beside it is not looked at.
"""

from collections.abc import Iterable

from msgspec import Struct

from reconciler.core.access import Access, Policy
from reconciler.core.access_diff import Held, views_itself


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
            given = (grant.categories, labels, grant.expires, views_itself(name, grant))
            found.setdefault(name, set()).add(given)
    return found
