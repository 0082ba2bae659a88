"""What shifts between two states of one person's access, and how many resources it covers."""

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.access import AREAS, AccessTarget
from reconciler.core.access_diff import (
    GROWTH,
    SUPER_ADMIN,
    AccessChange,
    Entitlement,
    Given,
    Held,
    Scope,
    Shift,
    given,
    largest,
    views_itself,
)


class Beyond(Protocol):
    """Further resources, which were not read; the store knows what they are filed under and labelled with."""

    def count(self, area: str) -> int:
        """How many there are."""
        ...

    def named(self, area: str) -> set[str]:
        """The names of all."""
        ...

    def filed(self, area: str, category: str) -> set[str]:
        """The names of those in a category."""
        ...

    def labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        """The names of those with a label."""
        ...


class Covering:
    """Resources, indexed by area, category and label."""

    def __init__(self, targets: Iterable[AccessTarget], beyond: Beyond | None = None) -> None:
        """Index them.

        Args:
            beyond: those that are not among `targets`.
        """
        self._beyond = beyond
        self._all: dict[str, set[str]] = {}
        self._by_category: dict[tuple[str, str], set[str]] = {}
        self._by_label: dict[tuple[str, tuple[str, str]], set[str]] = {}
        self._counts: dict[object, int] = {}
        self._known: dict[tuple[str, Scope], frozenset[str]] = {}
        for target in targets:
            self._all.setdefault(target.area, set()).add(target.name)
            for category in target.categories:
                self._by_category.setdefault((target.area, category), set()).add(target.name)
            for label in target.labels.items():
                self._by_label.setdefault((target.area, label), set()).add(target.name)

    def counted(self, permission: str, scopes: Sequence[Scope], without: Sequence[Scope]) -> dict[str, int]:
        """How many resources of the permission's area `scopes` cover and `without` do not."""
        if permission == SUPER_ADMIN:
            return {area: self._count(area) for area in AREAS}
        area = permission.partition(":")[0]
        key = (area, tuple(scopes), frozenset(without))
        if key not in self._counts:
            self._counts[key] = self._counted(area, scopes, without)
        return {area: self._counts[key]}

    def _counted(self, area: str, scopes: Sequence[Scope], without: Sequence[Scope]) -> int:
        if not without and Scope() in scopes:
            return self._count(area)
        covered = frozenset().union(*(self._covered(area, scope) for scope in scopes))
        for scope in without:
            covered -= self._covered(area, scope)
        return len(covered)

    def _count(self, area: str) -> int:
        return len(self._all.get(area, ())) + (self._beyond.count(area) if self._beyond else 0)

    def _covered(self, area: str, scope: Scope) -> frozenset[str]:
        known = self._known.get((area, scope))
        if known is None:
            parts = [self._filed(area, name) for name in scope.categories]
            parts += [self._labelled(area, label) for label in scope.labels]
            parts += [self._named(area) & {name} for name in scope.connectors]
            found = set.intersection(*parts) if parts else self._named(area)
            known = self._known[area, scope] = frozenset(found)
        return known

    def _named(self, area: str) -> set[str]:
        read = self._all.get(area, set())
        return read | self._beyond.named(area) if self._beyond else read

    def _filed(self, area: str, category: str) -> set[str]:
        read = self._by_category.get((area, category), set())
        return read | self._beyond.filed(area, category) if self._beyond else read

    def _labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        read = self._by_label.get((area, label), set())
        return read | self._beyond.labelled(area, label) if self._beyond else read


class _Part(Struct, frozen=True):
    shift: Shift
    permission: str
    found: Sequence[Entitlement]
    expired: datetime | None = None


def compare(
    was: Held, will: Held, changed: Container[str], now: datetime, covering: Covering
) -> Iterator[AccessChange]:
    """What shifts between the policies that were for one person and those that will be, the same reasons together.

    Args:
        changed: names of the policies that differ.
    """
    together: dict[object, AccessChange] = {}
    old, new = given(was, now), given(will, now)
    for part in _parts(old, new, _Moved(was, will, changed)):
        for key, change in _changes(part, old, new, covering):
            other = together.get(key)
            if other is None:
                together[key] = change
            else:
                permissions = tuple(sorted({*other.permissions, *change.permissions}))
                together[key] = replace(other, permissions=permissions, targets={**other.targets, **change.targets})
    yield from together.values()


class _Moved:
    """Tells what may differ: of all that somebody has the most comes from policies that stay as they are."""

    def __init__(self, was: Held, will: Held, changed: Container[str]) -> None:
        before, after = ({policy.name for _, policy in held} for held in (was, will))
        self._same = {name for name in before & after if name not in changed}
        self._permissions: set[str] = set()  # that may differ
        for _, policy in (*was, *will):
            for grant in policy.grants:
                if policy.name not in self._same:
                    self._permissions |= grant.permissions
                else:
                    self._permissions.update(name for name in grant.permissions if not views_itself(name, grant))

    def of(self, permission: str, found: Iterable[Entitlement]) -> Sequence[Entitlement]:
        """What comes from a policy that is another one, or rests on a view that another policy may give."""
        if permission not in self._permissions:
            return ()
        moved = [
            item
            for item in found
            if item.route.policy not in self._same
            or (item.route.grant is not None and not views_itself(permission, item.route.grant))
        ]
        return largest(moved) if moved else ()


def _parts(old: Given, new: Given, moved: _Moved) -> Iterator[_Part]:
    if (SUPER_ADMIN in old) != (SUPER_ADMIN in new):
        shift, side = (Shift.GAIN, new) if SUPER_ADMIN in new else (Shift.LOSE, old)
        yield _Part(shift, SUPER_ADMIN, side[SUPER_ADMIN])
        return
    for permission in sorted(old.keys() | new.keys()):
        was, will = old.get(permission, ()), new.get(permission, ())
        wider, later = _beyond(moved.of(permission, will), was)
        smaller, sooner = _beyond(moved.of(permission, was), will)
        if wider:
            yield _Part(Shift.WIDEN if was else Shift.GAIN, permission, wider)
        if smaller:
            yield _Part(Shift.NARROW if will else Shift.LOSE, permission, smaller)
        for one in later:
            yield _Part(Shift.PROLONG, permission, (one,), _end_of(one, was))
        for one in sooner:
            yield _Part(Shift.SHORTEN, permission, (one,), _end_of(one, will))


def _beyond(one: Sequence[Entitlement], other: Sequence[Entitlement]) -> tuple[list[Entitlement], list[Entitlement]]:
    """Of `one` what the scopes of `other` do not hold, and what they hold for less long."""
    outside, inside = [], []
    for item in one:
        holding = [held for held in other if held.scope.holds(item.scope)]
        if not holding:
            outside.append(item)
        elif not any(held.outlasts(item) for held in holding):
            inside.append(item)
    return outside, inside


def _end_of(item: Entitlement, others: Sequence[Entitlement]) -> datetime | None:
    ends = [other.expires for other in others if other.scope.holds(item.scope) and other.expires is not None]
    return max(ends) if ends else None


def _changes(part: _Part, old: Given, new: Given, covering: Covering) -> Iterator[tuple[object, AccessChange]]:
    """By route; the key says which permissions may be told together."""
    by_route: dict[object, list[Entitlement]] = {}
    for item in part.found:
        by_route.setdefault((item.route.policy, item.route.groups[-1:], _index(item), item.expires), []).append(item)
    area = part.permission.partition(":")[0]
    for route, items in by_route.items():
        scopes = tuple(sorted((item.scope for item in items), key=_scope_order))
        other = (old if part.shift in GROWTH else new).get(part.permission, ())
        without = () if part.expired else tuple(dict.fromkeys(item.scope for item in other))
        targets = covering.counted(part.permission, scopes, without)
        key = (part.shift, route, scopes, area, part.expired)
        yield key, AccessChange(part.shift, (part.permission,), scopes, items[0].expires, part.expired, items[0].route, (), (), targets)  # fmt: skip


def _index(item: Entitlement) -> int:
    return item.route.grant.index if item.route.grant else -1


def _scope_order(scope: Scope) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    return sorted(scope.connectors), sorted(scope.categories), sorted(scope.labels)
