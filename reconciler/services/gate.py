"""The pull request gate: may this person make this change, judged by the policies at the base and nothing of the head."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from reconciler.core.access import Access, alike
from reconciler.core.model import Key
from reconciler.core.permit import Ruling
from reconciler.core.verdicts import Comparison, Judged, Verdict
from reconciler.services.approving import Approving
from reconciler.services.git_changes import Found, access_of, changes_of


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
    ruling = Ruling(access, access_of(comparison.after.policies))
    changes = list(changes_of(comparison, ruling))
    if bootstrap:
        judged = [change for change, _ in changes]
    else:
        judged = _judged(changes, ruling, Approving(access, datetime.fromisoformat(moment)), actor, approvals)
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
    changes: Sequence[Found], ruling: Ruling, approving: Approving, actor: str, approvals: Sequence[str]
) -> list[Judged]:
    judged = []
    for change, needs in changes:
        permit = ruling.judge(actor, approvals, needs, approving.now)
        found = replace(change, permit=permit)
        judged.append(found if permit.granted else replace(found, approvers=approving.of(needs)))
    return judged
