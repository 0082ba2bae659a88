"""What shifts between two states of one person's access."""

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

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
from reconciler.services.covering import Covering


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


def _scope_order(scope: Scope) -> tuple[list[str], list[tuple[str, str]]]:
    return sorted(scope.categories), sorted(scope.labels)
