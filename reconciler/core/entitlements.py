"""What somebody may effectively do: the permissions of all their policies, with scope and end, as far as view goes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.access import Grant, Policy, Route
from reconciler.core.access_diff import SUPER_ADMIN, Scope

Held = Sequence[tuple[tuple[str, ...], Policy]]
"""The policies that are for somebody, each with the chain of groups to it."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A permission within a scope, until a time."""

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


def entitlements(held: Held, now: datetime) -> Entitlements:
    """What the policies give together at the time `now`. A super admin has `SUPER_ADMIN` and nothing else."""
    raw: dict[str, list[Entitlement]] = {}
    for chain, policy in held:
        if policy.super_admin:
            return {SUPER_ADMIN: (Entitlement(Scope(), None, Route(chain, policy.name, None)),)}
        for grant in policy.grants:
            if grant.expires is not None and now >= grant.expires:
                continue
            route = Route(chain, policy.name, grant)
            for permission in grant.permissions:
                raw.setdefault(permission, []).extend(
                    Entitlement(scope, grant.expires, route) for scope in _scopes(grant)
                )
    found = {}
    for permission, wanted in raw.items():
        area = permission.partition(":")[0]
        kept = _largest(_seen(area, wanted, _largest(raw.get(f"{area}:view", ()))))
        if kept:
            found[permission] = kept
    return found


def _scopes(grant: Grant) -> Iterator[Scope]:
    labels = frozenset(grant.labels.items())
    if grant.categories is None:
        yield Scope(frozenset(), labels)
    else:
        for category in sorted(grant.categories):
            yield Scope(frozenset((category,)), labels)


def _seen(area: str, wanted: Iterable[Entitlement], views: Sequence[Entitlement]) -> Iterator[Entitlement]:
    """As much of `wanted` as can be viewed too."""
    for one in wanted:
        for view in views:
            labels = one.scope.labels | view.scope.labels
            scope = Scope(one.scope.categories | view.scope.categories, labels)
            if len(dict(labels)) == len(labels) and _possible(area, scope):
                expires = one.expires if view.outlasts(one) else view.expires
                yield Entitlement(scope, expires, one.route)


def _possible(area: str, scope: Scope) -> bool:
    """Whether anything can be within the scope: groups and policies have no category, a category its own alone."""
    return area == "connectors" or len(scope.categories) <= (1 if area == "categories" else 0)


def _largest(found: Iterable[Entitlement]) -> tuple[Entitlement, ...]:
    """Those that no other one covers; of equal ones the first."""
    kept: list[Entitlement] = []
    for one in found:
        if not any(other.covers(one) for other in kept):
            kept = [other for other in kept if not one.covers(other)]
            kept.append(one)
    return tuple(kept)
