"""What somebody may effectively do, and how a change of policies and groups shifts it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple, TypeVar

from msgspec import Struct, field

from reconciler.core.access import Grant, Policy, Route

SUPER_ADMIN = "super admin"
"""Stands for the permission to do everything."""


class Scope(NamedTuple):
    """What a permission is narrowed to; empty for everything. All of it must hold.

    Attributes:
        categories: that the target is filed under, every one of them.
        labels: (key, value) that it carries.
        connectors: whose name it has; of two nothing is covered.
    """

    categories: frozenset[str] = frozenset()
    labels: frozenset[tuple[str, str]] = frozenset()
    connectors: frozenset[str] = frozenset()

    def holds(self, other: "Scope") -> bool:
        """Whether whatever `other` covers is covered by this too."""
        return (
            self.categories <= other.categories and self.labels <= other.labels and self.connectors <= other.connectors
        )


class Shift(StrEnum):
    """What happens to a permission of somebody."""

    GAIN = "gain"
    WIDEN = "widen"
    PROLONG = "prolong"
    SHORTEN = "shorten"
    NARROW = "narrow"
    LOSE = "lose"


GROWTH = frozenset((Shift.GAIN, Shift.WIDEN, Shift.PROLONG))


class AccessChange(Struct, frozen=True):
    """What several people have in common: the same permissions shift in the same way by the same route.

    Attributes:
        permissions: sorted; `SUPER_ADMIN` alone for that.
        scopes: where they are gained or lost.
        expires: until when those hold that are gained, or held that are lost; None for no end.
        expired: when they would have ended before, where that is what changes.
        route: of one of the people: what grants it, or what granted it.
        users: sorted.
        groups: groups that nobody belongs to; whoever joins them would.
        targets: how many resources of each area they are gained or lost on.
    """

    shift: Shift
    permissions: tuple[str, ...]
    scopes: tuple[Scope, ...]
    expires: datetime | None
    expired: datetime | None
    route: Route
    users: tuple[str, ...]
    groups: tuple[str, ...] = ()
    targets: Mapping[str, int] = field(default_factory=dict)


class AccessDiff(Struct, frozen=True):
    """All of it.

    Attributes:
        actor: whose change it is, or "".
        admins: who becomes a super admin.
        own: growth of the actor's access.
        others: the rest.
        policies, groups: names of those that changed.
    """

    actor: str
    admins: tuple[AccessChange, ...]
    own: tuple[AccessChange, ...]
    others: tuple[AccessChange, ...]
    policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody's access changes."""
        return not (self.admins or self.own or self.others)


T = TypeVar("T")

Held = Sequence[tuple[tuple[str, ...], Policy]]
"""The policies that are for somebody, each with the chain of groups to it."""


class Entitlement(NamedTuple):
    """A permission within a scope, until a time. A tuple, because there are very many of them."""

    scope: Scope
    expires: datetime | None
    route: Route

    def outlasts(self, other: "Entitlement") -> bool:
        """Whether it ends no earlier than another one."""
        return self.expires is None or (other.expires is not None and self.expires >= other.expires)

    def covers(self, other: "Entitlement") -> bool:
        """Whether it gives whatever another one gives."""
        return self.scope.holds(other.scope) and self.outlasts(other)


Entitlements = Mapping[str, tuple[Entitlement, ...]]
"""By permission; none of a permission's is covered by another."""


Given = Mapping[str, Sequence[Entitlement]]
"""By permission."""


def entitlements(held: Held, now: datetime) -> Entitlements:
    """What the policies give together at the time `now`. A super admin has `SUPER_ADMIN` and nothing else."""
    return {permission: largest(found) for permission, found in given(held, now).items()}


def given(held: Held, now: datetime) -> Given:
    """As `entitlements`, but with what is covered by something else."""
    raw: dict[str, list[Entitlement]] = {}
    seen: dict[str, list[Entitlement]] = {}  # with view of all that it covers
    for chain, policy in held:
        if policy.super_admin:
            return {SUPER_ADMIN: [Entitlement(Scope(), None, Route(chain, policy.name, None))]}
        for grant in policy.grants:
            if grant.expires is not None and now >= grant.expires:
                continue
            route = Route(chain, policy.name, grant)
            scopes = _scopes(grant.categories, tuple(grant.labels.items()), grant.connectors)
            found = [Entitlement(scope, grant.expires, route) for scope in scopes]
            for permission in grant.permissions:
                known = seen if views_itself(permission, grant) else raw
                known.setdefault(permission, []).extend(found)
    together = {}
    for permission in (*seen, *(name for name in raw if name not in seen)):
        found, area = seen.get(permission, []), permission.partition(":")[0]
        if permission in raw:
            views = largest(_possible(area, seen.get(_view_of(permission), [])))
            found = [*found, *_seen(raw[permission], views)]
        found = _possible(area, found)
        if found:
            together[permission] = found
    return together


def views_itself(permission: str, grant: Grant) -> bool:
    """Whether a grant gives along with a permission the view that it needs, so that it needs no other one's."""
    return _view_of(permission) in grant.permissions


@lru_cache(maxsize=4096)
def _view_of(permission: str) -> str:
    """The permission that it needs as well."""
    return f"{permission.partition(':')[0]}:view"


@lru_cache(maxsize=4096)
def _scopes(
    categories: frozenset[str] | None, labels: tuple[tuple[str, str], ...], connectors: frozenset[str] | None
) -> tuple[Scope, ...]:
    """What a grant is narrowed to: one of its categories and one of its connectors each."""
    return tuple(
        Scope(category, frozenset(labels), connector)
        for category in _each(categories)
        for connector in _each(connectors)
    )


def _each(names: frozenset[str] | None) -> list[frozenset[str]]:
    """Each of the names alone; of None, which narrows nothing, no name."""
    return [frozenset()] if names is None else [frozenset((name,)) for name in sorted(names)]


def _seen(wanted: Iterable[Entitlement], views: Sequence[Entitlement]) -> Iterator[Entitlement]:
    """As much of `wanted` as can be viewed too."""
    for one in wanted:
        for view in views:
            labels = one.scope.labels | view.scope.labels
            if len(dict(labels)) == len(labels):
                expires = one.expires if view.outlasts(one) else view.expires
                categories = one.scope.categories | view.scope.categories
                connectors = one.scope.connectors | view.scope.connectors
                yield Entitlement(Scope(categories, labels, connectors), expires, one.route)


def _possible(area: str, found: list[Entitlement]) -> list[Entitlement]:
    """Those within whose scope anything can be: groups and policies have no category, a category its own alone."""
    if area == "connectors":
        return [one for one in found if len(one.scope.connectors) <= 1]
    most = 1 if area == "categories" else 0
    return [one for one in found if len(one.scope.categories) <= most and not one.scope.connectors]


def largest(found: Iterable[Entitlement]) -> tuple[Entitlement, ...]:
    """Those that no other one covers; of equal ones the first."""
    longest: dict[Scope, Entitlement] = {}
    for one in found:
        other = longest.get(one.scope)
        if other is None or not other.outlasts(one):
            longest[one.scope] = one
    return tuple(one for one in longest.values() if not _covered(one, longest))


def _covered(one: Entitlement, others: Mapping[Scope, Entitlement]) -> bool:
    """Whether another one, by scope, covers it."""
    wider = _wider(one.scope)
    if wider is not None and len(wider) < len(others):
        return any(scope in others and others[scope].outlasts(one) for scope in wider)
    return any(other is not one and other.covers(one) for other in others.values())


_FEW = 4


@lru_cache(maxsize=4096)
def _wider(scope: Scope) -> tuple[Scope, ...] | None:
    """The scopes that hold this one and more, those with a part of its conditions; None when they are many."""
    categories, labels, connectors = sorted(scope.categories), sorted(scope.labels), sorted(scope.connectors)
    if len(categories) + len(labels) + len(connectors) > _FEW:
        return None
    parts = [
        Scope(frozenset(some), frozenset(more), frozenset(named))
        for some in _subsets(categories)
        for more in _subsets(labels)
        for named in _subsets(connectors)
    ]
    return tuple(part for part in parts if part != scope)


def _subsets(items: Sequence[T]) -> list[tuple[T, ...]]:
    return [found for size in range(len(items) + 1) for found in combinations(items, size)]
