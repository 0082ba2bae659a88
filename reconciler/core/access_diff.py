"""What a change of policies and groups does to effective access: who gains and who loses what, why, and where."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field

from reconciler.core.access import Route

SUPER_ADMIN = "super admin"
"""Stands for the permission to do everything."""


class Scope(NamedTuple):
    """What a permission is narrowed to; empty for everything. All of it must hold.

    Attributes:
        categories: that the target is filed under, every one of them.
        labels: (key, value) that it carries.
    """

    categories: frozenset[str] = frozenset()
    labels: frozenset[tuple[str, str]] = frozenset()

    def holds(self, other: "Scope") -> bool:
        """Whether whatever `other` covers is covered by this too."""
        return self.categories <= other.categories and self.labels <= other.labels


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
