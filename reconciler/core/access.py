"""Who may do what: decisions from policies and groups. Pure; the time is an argument.

Policies only add: there is no deny. Groups nest. A super admin passes every check. Every permission but view
needs view of the same target too. A grant may be narrowed to categories and labels, and may expire.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

AREAS = ("connectors", "categories", "groups", "policies")
"""What permissions are about, as they begin."""
VERBS = ("view", "create", "edit", "delete")
PERMISSIONS = (*(f"{area}:{verb}" for area in AREAS for verb in VERBS), "connectors:call")


class Grant(Struct, frozen=True):
    """Permissions that a policy gives.

    Attributes:
        index: position in the policy.
        categories: what it is narrowed to; None for no narrowing.
        labels: what the target has to carry, all of them.
        expires: from when on it gives nothing; None for never.
    """

    index: int
    permissions: frozenset[str]
    categories: frozenset[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    expires: datetime | None = None


class Policy(Struct, frozen=True):
    """Who is granted what."""

    name: str
    users: frozenset[str]
    groups: frozenset[str]
    super_admin: bool
    grants: tuple[Grant, ...]


class Membership(Struct, frozen=True):
    """A group with its direct members."""

    name: str
    users: frozenset[str]
    groups: frozenset[str]


class Target(Struct, frozen=True):
    """What somebody wants to do something with.

    Attributes:
        area: one of `AREAS`.
        name: "" for something of the area that is not named.
        categories: that a connector is filed under; of a category its own name.
    """

    area: str
    name: str = ""
    categories: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)


class Route(Struct, frozen=True):
    """How somebody comes to a grant.

    Attributes:
        groups: from the one the actor belongs to up to the one the policy names; empty when it names the actor.
        grant: None for a super admin.
    """

    groups: tuple[str, ...]
    policy: str
    grant: Grant | None


class Refusal(StrEnum):
    """Why an answer is no; of several the one that comes nearest to a yes."""

    NO_GRANT = "no policy grants it"
    ELSEWHERE = "it is granted on something else only"
    EXPIRED = "the grant has expired"
    NO_VIEW = "it needs view as well, which no policy grants"


class Decision(Struct, frozen=True):
    """An answer with its reason.

    Attributes:
        route: what grants it; of a refusal what comes nearest, or None.
        view: what grants the view that it needs; None when it is view itself, or for a super admin.
        refusal: None when it is allowed.
    """

    route: Route | None
    view: Route | None = None
    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        """Whether the answer is yes."""
        return self.refusal is None


class Access:
    """Policies and groups, indexed for decisions."""

    def __init__(self, policies: Iterable[Policy], groups: Iterable[Membership]) -> None:
        """Index them. Groups may contain one another in a circle, which adds nothing."""
        self.policies = {policy.name: policy for policy in policies}
        self.groups = {group.name: group for group in groups}
        self._of_user: dict[str, list[str]] = {}
        self._parents: dict[str, list[str]] = {}
        self._by_user: dict[str, list[Policy]] = {}
        self._by_group: dict[str, list[Policy]] = {}
        for name in sorted(self.groups):
            for user in self.groups[name].users:
                self._of_user.setdefault(user, []).append(name)
            for below in self.groups[name].groups:
                self._parents.setdefault(below, []).append(name)
        for name in sorted(self.policies):
            policy = self.policies[name]
            for user in policy.users:
                self._by_user.setdefault(user, []).append(policy)
            for group in policy.groups:
                self._by_group.setdefault(group, []).append(policy)
        self._routes: dict[str, tuple[tuple[tuple[str, ...], Policy], ...]] = {}

    def users(self) -> frozenset[str]:
        """Everybody who is named anywhere."""
        return frozenset(self._of_user) | frozenset(self._by_user)

    def policies_of(self, user: str) -> tuple[tuple[tuple[str, ...], Policy], ...]:
        """The policies that are for a user, each with the shortest chain of groups to it."""
        known = self._routes.get(user)
        if known is None:
            known = self._routes[user] = tuple(self._find_policies(user))
        return known

    def groups_of(self, user: str) -> dict[str, tuple[str, ...]]:
        """The groups that a user belongs to, directly or through others, each with the shortest chain to it."""
        chains: dict[str, tuple[str, ...]] = {name: (name,) for name in self._of_user.get(user, ())}
        waiting = list(chains)
        for name in waiting:  # it grows meanwhile: breadth first
            for parent in self._parents.get(name, ()):
                if parent not in chains:
                    chains[parent] = (*chains[name], parent)
                    waiting.append(parent)
        return chains

    def _find_policies(self, user: str) -> Iterator[tuple[tuple[str, ...], Policy]]:
        seen: set[str] = set()
        for policy in self._by_user.get(user, ()):
            seen.add(policy.name)
            yield (), policy
        for name, chain in self.groups_of(user).items():
            for policy in self._by_group.get(name, ()):
                if policy.name not in seen:
                    seen.add(policy.name)
                    yield chain, policy


def decide(access: Access, actor: str, permission: str, target: Target, now: datetime) -> Decision:
    """Whether `actor` may do what `permission` says with `target` at the time `now`, and why.

    To create or delete something filed under several categories takes the permission in each of them: they come or
    go with it. For all else one of them is enough.

    Args:
        permission: one of `PERMISSIONS`.
    """
    for chain, policy in access.policies_of(actor):
        if policy.super_admin:
            return Decision(Route(chain, policy.name, None))
    decisions = (_decide(access, actor, permission, part, now) for part in apart(permission, target))
    first = next(decisions)
    return first if not first.allowed else next((other for other in decisions if not other.allowed), first)


def apart(permission: str, target: Target) -> Iterator[Target]:
    """What a permission has to be held on: each category of what comes or goes, else the target."""
    if len(target.categories) < 2 or not permission.endswith((":create", ":delete")):
        yield target
        return
    for category in sorted(target.categories):
        yield replace(target, categories=frozenset((category,)))


def _decide(access: Access, actor: str, permission: str, target: Target, now: datetime) -> Decision:
    found = _best(access, actor, permission, target, now)
    view = f"{target.area}:view"
    if not found.allowed or permission == view:
        return found
    seen = _best(access, actor, view, target, now)
    if not seen.allowed:
        return Decision(found.route, refusal=Refusal.NO_VIEW)
    return Decision(found.route, seen.route)


def is_super_admin(access: Access, user: str) -> bool:
    """Whether a user passes every check."""
    return any(policy.super_admin for _, policy in access.policies_of(user))


def _best(access: Access, actor: str, permission: str, target: Target, now: datetime) -> Decision:
    """The first grant that holds, else what comes nearest."""
    nearest = Decision(None, refusal=Refusal.NO_GRANT)
    for chain, policy in access.policies_of(actor):
        for grant in policy.grants:
            if permission not in grant.permissions:
                continue
            route = Route(chain, policy.name, grant)
            if not covers(grant, target):
                if nearest.refusal is Refusal.NO_GRANT:
                    nearest = Decision(route, refusal=Refusal.ELSEWHERE)
            elif grant.expires is not None and now >= grant.expires:
                nearest = Decision(route, refusal=Refusal.EXPIRED)
            else:
                return Decision(route)
    return nearest


def covers(grant: Grant, target: Target) -> bool:
    """Whether a grant is about a target: one of its categories, and all of the labels."""
    if grant.categories is not None and not grant.categories & target.categories:
        return False
    return all(target.labels.get(key) == value for key, value in grant.labels.items())
