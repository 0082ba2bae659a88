"""The pull request gate: may this person make this change, judged by the policies at the base and nothing of the head."""

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.access import Access, decide, is_super_admin
from reconciler.core.comparison import Comparison
from reconciler.core.gate import Judged, Verdict, Wanted
from reconciler.core.lookalike import alike
from reconciler.core.model import Key
from reconciler.services.approving import Approving
from reconciler.services.git_changes import Need, access_of, changes_of
from reconciler.value_class import replace


def has_super_admin(access: Access) -> bool:
    """Whether a policy makes super admins.

    A policy for an empty group counts: emptying it must not open the gate to everybody.
    """
    return any(policy.super_admin for policy in access.policies.values())


def judge(comparison: Comparison, actor: str, approvals: Sequence[str], moment: str) -> Verdict:
    """May `actor` take the base to the head?

    Args:
        comparison: without faults.
        approvals: who else stands for the change: what is refused to the actor passes when one of these holds
            all that it takes.
        moment: when, RFC 3339.
    """
    access = access_of(comparison.before.policies)
    bootstrap = not has_super_admin(access)
    changes = list(changes_of(comparison))
    if bootstrap:
        judged = [change for change, _ in changes]
    else:
        judged = _judged(changes, access, actor, approvals, datetime.fromisoformat(moment))
    known = actor in access.users()
    return Verdict(
        actor=actor,
        base=comparison.base,
        head=comparison.head,
        merged=comparison.merged,
        bootstrap=bootstrap,
        known=known,
        alike="" if known else alike(actor, access.users()),
        moment=moment,
        changes=tuple(sorted(judged, key=_order)),
        approvals=tuple(approvals),
    )


def _order(change: Judged) -> tuple[bool, Key, str]:
    return change.key is not None, change.key or Key("", ""), change.file


def _judged(
    changes: Sequence[tuple[Judged, Sequence[Need]]],
    access: Access,
    actor: str,
    approvals: Sequence[str],
    now: datetime,
) -> list[Judged]:
    approving = Approving(access, now)
    judged = []
    for change, needs in changes:

        def holds(somebody: str, needs: Sequence[Need] = needs) -> bool:
            return not any(_wanted(access, somebody, need, now).refusal for need in needs)

        found = replace(change, wanted=tuple(_wanted(access, actor, need, now) for need in needs))
        if not found.granted:
            able = approving.of(tuple((need.permission, need.target) for need in needs))
            found = replace(found, approvers=able, approved_by=next(filter(holds, approvals), ""))
        judged.append(found)
    return judged


def _wanted(access: Access, actor: str, need: Need, now: datetime) -> Wanted:
    if need.target is None:
        refusal = "" if is_super_admin(access, actor) else "it takes a super admin"
        return Wanted(need.permission, need.on, None, None, refusal)
    decision = decide(access, actor, need.permission, need.target, now)
    return Wanted(need.permission, need.on, decision.route, decision.view, str(decision.refusal or ""))
