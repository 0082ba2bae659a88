"""What a change takes, and whether somebody may make it: the one rule of the pull request gate and of every apply.

To create something takes create in each of its categories, to delete it delete in each of them. To change it takes
edit of it as it was and as it becomes, and edit in each category that comes or goes: who may edit it in one category
neither files it under another one nor takes it out of there. Policies that make super admins, and the groups by which
they do, are for super admins alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.access import Access, AccessTarget, Route, apart, decide, is_super_admin

SETTINGS = "project settings"
"""What a change of the project file takes: to be a super admin. No policy grants it."""
MAKING = "super admin"
"""What a change takes of who is a super admin: to be one. No policy grants it."""


class Need(Struct, frozen=True):
    """A permission that a change takes.

    Attributes:
        permission: one of `access.PERMISSIONS`, `SETTINGS` or `MAKING`.
        on: whether it is about the resource as it "was" or as it "becomes".
        target: None for what takes a super admin.
        category: that comes or goes, in which it is wanted; "" for the resource as a whole.
    """

    permission: str
    on: str
    target: AccessTarget | None
    category: str = ""


Needs = tuple[Need, ...]


class Wanted(Struct, frozen=True):
    """A permission that a change takes, and whether somebody holds it.

    Attributes:
        permission, on, category: as `Need` has them.
        route: what grants it, or what comes nearest.
        view: what grants the view that it needs.
        refusal: why not; "" when it is granted.
    """

    permission: str
    on: str
    route: Route | None
    view: Route | None
    refusal: str
    category: str = ""


class Permit(Struct, frozen=True):
    """Whether a change may be made.

    Attributes:
        wanted: what it takes of the actor.
        approved_by: somebody who approved it, and holds all that it takes; "" for nobody, or where nobody has to.
    """

    wanted: tuple[Wanted, ...]
    approved_by: str = ""

    @property
    def granted(self) -> bool:
        """Whether the actor holds all that it takes."""
        return not any(wanted.refusal for wanted in self.wanted)

    @property
    def allowed(self) -> bool:
        """Whether the actor does, or somebody who approved it."""
        return self.granted or bool(self.approved_by)


class Ruling:
    """What changes take that lead from one state of access to another, and who may make them by the first."""

    def __init__(self, before: Access, after: Access, makers: Iterable[tuple[str, str]] = ()) -> None:
        """Look for what makes super admins.

        Args:
            makers: (area, name) of policies that make some beside those of `before`.
        """
        self.access = before
        self._makers = frozenset(makers) | makers_of(before) | makers_of(after)

    def needs(self, before: AccessTarget | None, after: AccessTarget | None) -> Needs:
        """What it takes to make something of something; None for nothing."""
        if any(side is not None and (side.area, side.name) in self._makers for side in (before, after)):
            return (Need(MAKING, "was" if after is None else "becomes", None),)
        return tuple(_needs(before, after))

    def judge(self, actor: str, approvals: Sequence[str], needs: Needs, now: datetime) -> Permit:
        """May `actor` make a change that takes `needs`, or somebody who approved it?"""
        wanted = tuple(_wanted(self.access, actor, need, now) for need in needs)
        if not any(one.refusal for one in wanted):
            return Permit(wanted)
        return Permit(wanted, next((name for name in approvals if holds(self.access, name, needs, now)), ""))


def holds(access: Access, somebody: str, needs: Needs, now: datetime) -> bool:
    """Whether one person holds all that a change takes."""
    return not any(_wanted(access, somebody, need, now).refusal for need in needs)


def makers_of(access: Access) -> frozenset[tuple[str, str]]:
    """(area, name) of the policies that make super admins, and of the groups by which they do."""
    policies = [policy for policy in access.policies.values() if policy.super_admin]
    groups = sorted({name for policy in policies for name in policy.groups})
    seen = set(groups)
    for name in groups:  # it grows meanwhile
        below = (access.groups[name].groups if name in access.groups else frozenset()) - seen
        groups += sorted(below)
        seen |= below
    return frozenset(("policies", policy.name) for policy in policies) | {("groups", name) for name in groups}


def _needs(before: AccessTarget | None, after: AccessTarget | None) -> Iterator[Need]:
    if before is None or after is None:
        verb, on, target = ("create", "becomes", after) if before is None else ("delete", "was", before)
        if target is not None:
            permission = f"{target.area}:{verb}"
            parts = list(apart(permission, target))
            for part in parts:
                yield Need(permission, on, part, _only(part) if len(parts) > 1 else "")
        return
    edit = f"{after.area}:edit"
    if before != after:
        yield Need(edit, "was", before)
    yield Need(edit, "becomes", after)
    for on, one, other in (("was", before, after), ("becomes", after, before)):
        if len(one.categories) > 1:
            for category in sorted(one.categories - other.categories):
                yield Need(edit, on, replace(one, categories=frozenset((category,))), category)


_REFUSED = {SETTINGS: "it takes a super admin", MAKING: "only super admins change who is one"}


def _only(target: AccessTarget) -> str:
    return next(iter(target.categories), "")


def _wanted(access: Access, actor: str, need: Need, now: datetime) -> Wanted:
    if need.target is None:
        refusal = "" if is_super_admin(access, actor) else _REFUSED[need.permission]
        return Wanted(need.permission, need.on, None, None, refusal)
    decision = decide(access, actor, need.permission, need.target, now)
    refusal = str(decision.refusal or "")
    return Wanted(need.permission, need.on, decision.route, decision.view, refusal, need.category)
