"""What shifts between two states of one person's access."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.access_diff import GROWTH, SUPER_ADMIN, AccessChange, Scope, Shift
from reconciler.core.entitlements import Entitlement, Entitlements
from reconciler.services.covering import Covering


@dataclass(frozen=True, slots=True)
class _Part:
    shift: Shift
    permission: str
    found: tuple[Entitlement, ...]
    expired: datetime | None = None


def compare(was: Entitlements, will: Entitlements, covering: Covering) -> Iterator[AccessChange]:
    """What shifts between two states of one person, permissions with the same reason together."""
    together: dict[object, AccessChange] = {}
    for part in _parts(was, will):
        for key, change in _changes(part, was, will, covering):
            other = together.get(key)
            if other is None:
                together[key] = change
            else:
                permissions = tuple(sorted({*other.permissions, *change.permissions}))
                together[key] = replace(other, permissions=permissions, targets={**other.targets, **change.targets})
    yield from together.values()


def _parts(was: Entitlements, will: Entitlements) -> Iterator[_Part]:
    if (SUPER_ADMIN in was) != (SUPER_ADMIN in will):
        shift, side = (Shift.GAIN, will) if SUPER_ADMIN in will else (Shift.LOSE, was)
        yield _Part(shift, SUPER_ADMIN, side[SUPER_ADMIN])
        return
    for permission in sorted(was.keys() | will.keys()):
        old, new = was.get(permission, ()), will.get(permission, ())
        wider, later = _beyond(new, old)
        smaller, sooner = _beyond(old, new)
        yield _Part(Shift.WIDEN if old else Shift.GAIN, permission, wider)
        yield _Part(Shift.NARROW if new else Shift.LOSE, permission, smaller)
        for one in later:
            yield _Part(Shift.PROLONG, permission, (one,), _end_of(one, old))
        for one in sooner:
            yield _Part(Shift.SHORTEN, permission, (one,), _end_of(one, new))


def _beyond(one: Sequence[Entitlement], other: Sequence[Entitlement]) -> tuple[tuple[Entitlement, ...], ...]:
    """Of `one` what the scopes of `other` do not hold, and what they hold for less long."""
    outside = tuple(item for item in one if not any(held.scope.holds(item.scope) for held in other))
    inside = tuple(item for item in one if item not in outside and not any(held.covers(item) for held in other))
    return outside, inside


def _end_of(item: Entitlement, others: Sequence[Entitlement]) -> datetime | None:
    ends = [other.expires for other in others if other.scope.holds(item.scope) and other.expires is not None]
    return max(ends) if ends else None


def _changes(
    part: _Part, was: Entitlements, will: Entitlements, covering: Covering
) -> Iterator[tuple[object, AccessChange]]:
    """By route; the key says which permissions may be told together."""
    by_route: dict[object, list[Entitlement]] = {}
    for item in part.found:
        by_route.setdefault((item.route.policy, item.route.groups[-1:], _index(item), item.expires), []).append(item)
    area = part.permission.partition(":")[0]
    for route, items in by_route.items():
        scopes = tuple(sorted((item.scope for item in items), key=_scope_order))
        other = (was if part.shift in GROWTH else will).get(part.permission, ())
        without = () if part.expired else tuple(item.scope for item in other)
        targets = covering.counted(part.permission, scopes, without)
        key = (part.shift, route, scopes, area, part.expired)
        yield key, AccessChange(part.shift, (part.permission,), scopes, items[0].expires, part.expired, items[0].route, (), (), targets)  # fmt: skip


def _index(item: Entitlement) -> int:
    return item.route.grant.index if item.route.grant else -1


def _scope_order(scope: Scope) -> tuple[list[str], list[tuple[str, str]]]:
    return sorted(scope.categories), sorted(scope.labels)
