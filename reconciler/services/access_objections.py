"""What permissions, and the limits on losing access, have to say about a plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.core import guards
from reconciler.core.access import is_super_admin
from reconciler.core.access_diff import AccessDiff
from reconciler.core.conditions import Basis
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change, Plan, Problem
from reconciler.core.ports.store import Store
from reconciler.errors import NotPermitted
from reconciler.kinds.access import makes_super_admins
from reconciler.services.enforcement import (
    NAME_YOURSELF,
    POLICY,
    AccessStanding,
    basis_of,
    moment_of,
    refused_changes,
    standing,
)

if TYPE_CHECKING:
    from reconciler.services.shifts import Covering


class AccessLimits(Struct, frozen=True):
    """Whose permissions are looked at, and how much access may be lost.

    Attributes:
        actor: whom somebody named; "" for nobody.
        approvals: who else is said to stand for the changes, by whoever runs this and never by what is applied.
        max_loss: a number or a share of people, or None for the default; see `access_guards.too_many_lose`.
    """

    actor: str = ""
    max_loss: str | None = None
    approvals: tuple[str, ...] = ()


class Judgement(Struct, frozen=True):
    """What comes of it.

    Attributes:
        basis: what it rests on; None where there is nothing to judge.
    """

    basis: Basis | None = None
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()


def judge(
    changes: Sequence[Change],
    live: Mapping[Key, Record],
    store: Store,
    limits: AccessLimits,
    diff: AccessDiff | None,
    now: str,
) -> Judgement:
    """May the actor make the changes, and is it well that they take this much access?

    Args:
        diff: what they do to effective access; None when they do nothing to it.
    """
    if not changes:
        return Judgement()
    moment = moment_of(now)
    found = standing(live, store, groups=diff is not None)
    basis = basis_of(found, limits.actor, moment, limits.approvals)
    people = (limits.actor, limits.approvals)
    refused = refused_changes(changes, found, store, people, moment) if limits.actor else None
    guarded = _guards(changes, found, limits, diff) if diff is not None else ()
    problems = tuple(problem for problem in (refused, *guarded) if problem)
    return Judgement(basis, problems, _notices(found, limits.actor, diff))


def _guards(
    changes: Sequence[Change], found: AccessStanding, limits: AccessLimits, diff: AccessDiff
) -> Iterator[Problem | None]:
    users = found.access.users()
    people = sum(bool(found.access.policies_of(user)) for user in users)
    admins = frozenset(user for user in users if is_super_admin(found.access, user))
    yield guards.last_super_admin(diff, admins, remains=bool(_makers_after(changes, found)))
    yield guards.own_loss(diff, limits.actor)
    yield guards.too_many_lose(diff, people, limits.max_loss)


def _makers_after(changes: Sequence[Change], found: AccessStanding) -> set[Key]:
    """The policies that make super admins after the changes."""
    touched = {change.record.key for change in changes if change.record}
    made = {
        change.key
        for change in changes
        if change.key.kind == POLICY and (after := change.after) is not None and makes_super_admins(after)
    }
    return {key for key in found.makers if key not in touched} | made


def _notices(found: AccessStanding, actor: str, diff: AccessDiff | None) -> tuple[str, ...]:
    """That the store gets its first super admin."""
    if found.enforced or diff is None or not diff.admins:
        return ()
    who = sorted({user for change in diff.admins for user in change.users})
    first = (
        "the store has no super admin yet, so nobody's permission is looked at; this gives it"
        f" {', '.join(who) or 'a policy that makes some'}, and from then on apply, token and call want an actor"
    )
    if actor and actor not in who:
        return first, f"you, '{actor}', will not be a super admin"
    return (first,)


def refuse_unjudged(plan: Plan, actor: str) -> None:
    """Stop before a plan is applied for somebody else than for whom it was judged.

    Args:
        actor: whom somebody named; "" for nobody.

    Raises:
        NotPermitted: it is, in a store that has a super admin.
    """
    if not plan.changes or plan.basis is None or not plan.basis.enforced:
        return
    if not plan.basis.actor:
        raise NotPermitted("this store has a super admin, so who makes a change has to be known", hint=NAME_YOURSELF)
    if plan.basis.actor != actor:
        raise NotPermitted(f"the plan was judged for '{plan.basis.actor}' and not for '{actor}'", hint=NAME_YOURSELF)


_KINDS = ("Group", "PermissionPolicy")


def access_changes(
    changes: Sequence[Change],
    live: Mapping[Key, Record],
    store: Store,
    covering: "Callable[[], Covering]",
    actor: str,
    now: str,
) -> AccessDiff | None:
    """Who gains and loses what; None when no policy and no group changes."""
    touching = [change for change in changes if change.key.kind in _KINDS]
    if not touching:
        return None
    from reconciler.kinds.access import make_access
    from reconciler.services.access_diff import access_diff

    records = [record for key, record in live.items() if key.kind in _KINDS]
    bodies = store.bodies(record.uid for record in records)
    before = {record.key: bodies[record.uid].live for record in records if record.uid in bodies}
    after: dict[Key, Mapping[str, Any]] = dict(before)
    for change in touching:
        if change.record is not None:
            after.pop(change.record.key, None)
    for change in touching:
        if (left := change.after) is not None:
            after[change.key] = left
    return access_diff(
        make_access(before.items()),
        make_access(after.items()),
        covering(),
        actor=actor,
        now=datetime.fromisoformat(now),
    )
