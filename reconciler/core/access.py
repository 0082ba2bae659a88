"""Who may do what, and why: decisions from policies and groups. Pure; the time is an argument."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
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
        connectors: the same by their names.
        labels: what the target has to carry, all of them.
        expires: from when on it gives nothing; None for never.
    """

    index: int
    permissions: frozenset[str]
    categories: frozenset[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    expires: datetime | None = None
    connectors: frozenset[str] | None = None


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


class AccessTarget(Struct, frozen=True):
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


def decide(access: Access, actor: str, permission: str, target: AccessTarget, now: datetime) -> Decision:
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


def apart(permission: str, target: AccessTarget) -> Iterator[AccessTarget]:
    """What a permission has to be held on: each category of what comes or goes, else the target."""
    if len(target.categories) < 2 or not permission.endswith((":create", ":delete")):
        yield target
        return
    for category in sorted(target.categories):
        yield replace(target, categories=frozenset((category,)))


def _decide(access: Access, actor: str, permission: str, target: AccessTarget, now: datetime) -> Decision:
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


def _best(access: Access, actor: str, permission: str, target: AccessTarget, now: datetime) -> Decision:
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


def covers(grant: Grant, target: AccessTarget) -> bool:
    """Whether a grant is about a target: one of its connectors, one of its categories, and all of the labels."""
    if grant.connectors is not None and (target.area != "connectors" or target.name not in grant.connectors):
        return False
    if grant.categories is not None and not grant.categories & target.categories:
        return False
    return all(target.labels.get(key) == value for key, value in grant.labels.items())


Where = Callable[[Route], tuple[str, int]]
"""File and line of what a route ends at."""


def reason(actor: str, route: Route, where: Where | None) -> str:
    """Such as ``ada is in integrators, which policy integration-team grants it, policies/team.yaml:12``."""
    place = "{}:{}".format(*where(route)) if where else ""
    given = "makes super admins" if route.grant is None else f"grants it{until(route.grant)}"
    if route.groups:
        chain = ", which is in ".join(route.groups)
        text = f"{actor} is in {chain}, which policy {route.policy} {given}"
    else:
        text = f"policy {route.policy} {'makes a super admin of' if route.grant is None else given + ' to'} {actor}"
    return f"{text}, {place}" if place else text


def until(grant: Grant | None) -> str:
    """`` until TIME`` of a grant that expires, or ""."""
    return f" until {grant.expires.isoformat().replace('+00:00', 'Z')}" if grant and grant.expires else ""


def scope(grant: Grant | None) -> str:
    """``connector psp, category crm or hr, label team=sales`` of a grant that is narrowed, or ""."""
    if grant is None:
        return ""
    parts = []
    if grant.connectors is not None:
        parts.append(f"connector {' or '.join(sorted(grant.connectors))}" if grant.connectors else "no connector")
    if grant.categories is not None:
        parts.append(f"category {' or '.join(sorted(grant.categories))}" if grant.categories else "no category")
    parts += [f"label {key}={value}" for key, value in sorted(grant.labels.items())]
    return ", ".join(parts)


_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0432\u043c\u043d\u0442\u043a"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0251\u0261\u0131",
    "aeopcyxijshdqwbmhtkaikvoptuxagi",
)
"""Small letters of Cyrillic, Greek and others that look Latin; a few of those that Unicode TR 39 lists."""


def skeleton(name: str) -> str:
    """What remains of a name for the eye: without case, accents, width, invisible signs and foreign look-alikes."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf", "Cc", "Zs"))
    return seen.translate(_LATIN)


def alike(name: str, names: Iterable[str]) -> str:
    """The first of `names` that looks like `name` and is another, or ""."""
    wanted = skeleton(name)
    return next((other for other in sorted(names) if other != name and skeleton(other) == wanted), "")


def odd_characters(name: str) -> str:
    """The characters of a name that are not ASCII, by their code points, or ""."""
    odd = sorted({char for char in name if not char.isascii() or not char.isprintable()})
    return ", ".join(f"U+{ord(char):04X}" for char in odd)
