"""Limits on the access that one apply may take away."""

from reconciler.core.access_diff import SUPER_ADMIN, AccessChange, AccessDiff, Shift
from reconciler.core.plan import Problem
from reconciler.errors import ExitCode

FREE_LOSSES = 5  # a share alone would stop every change in a small team
DEFAULT_MAX_ACCESS_LOSS = "30%"
_LOSSES = frozenset((Shift.LOSE, Shift.NARROW))
_SHOWN = 20


def losers(diff: AccessDiff) -> dict[str, frozenset[str]]:
    """Who loses something, and which permissions; a super admin who is one no more loses `SUPER_ADMIN`."""
    found: dict[str, set[str]] = {}
    for change in _changes(diff):
        if change.shift in _LOSSES:
            for user in change.users:
                found.setdefault(user, set()).update(change.permissions)
    return {user: frozenset(permissions) for user, permissions in sorted(found.items())}


def _changes(diff: AccessDiff) -> tuple[AccessChange, ...]:
    return (*diff.admins, *diff.own, *diff.others)


def too_many_lose(diff: AccessDiff, people: int, limit: str | None) -> Problem | None:
    """More people lose access than `limit` lets.

    Args:
        people: how many have any access before.
        limit: a number, or a share of them such as 30%; None for the default, which always lets a few pass.
    """
    lost = losers(diff)
    most = _most(people, limit)
    if len(lost) <= most:
        return None
    given = limit or DEFAULT_MAX_ACCESS_LOSS
    share = f" ({given})" if given.endswith("%") and most == people * int(given[:-1]) // 100 else ""
    message = f"{len(lost)} of {people} people would lose access; the limit is {most}{share}"
    return Problem(ExitCode.GUARDED, message, "", _named(lost), guard="access-loss", count=len(lost))


def _most(people: int, limit: str | None) -> int:
    if limit is None:
        return max(_most(people, DEFAULT_MAX_ACCESS_LOSS), FREE_LOSSES)
    return people * int(limit[:-1]) // 100 if limit.endswith("%") else int(limit)


def own_loss(diff: AccessDiff, actor: str) -> Problem | None:
    """The actor would lose something that the actor has now."""
    lost = losers(diff).get(actor, frozenset()) if actor else frozenset()
    if not lost:
        return None
    message = f"you, '{actor}', would lose access of your own: {', '.join(sorted(lost))}"
    return Problem(ExitCode.GUARDED, message, guard="own-loss", count=len(lost))


def last_super_admin(diff: AccessDiff, before: frozenset[str], *, remains: bool) -> Problem | None:
    """Nobody would be a super admin any more, or nobody would be one although a policy makes some.

    Args:
        before: the super admins before.
        remains: whether a policy that makes super admins is left.
    """
    gained = {user for change in diff.admins for user in change.users}
    gone = {user for user, permissions in losers(diff).items() if SUPER_ADMIN in permissions}
    if (before - gone) | gained or not (before or remains):
        return None
    if not before:
        message = "a policy makes super admins, but nobody would be one"
    elif remains:
        message = "nobody would be a super admin any more, and the store would stay closed to whoever has no grant"
    else:
        message = "nobody would be a super admin any more: apply, token and call would be open to everybody"
    names = tuple(sorted(before))[:_SHOWN]
    return Problem(ExitCode.GUARDED, message, "", names, guard="no-super-admin", count=len(before))


def _named(lost: dict[str, frozenset[str]]) -> tuple[str, ...]:
    shown = [f"{user}: {', '.join(sorted(permissions))}" for user, permissions in list(lost.items())[:_SHOWN]]
    return (*shown, *([f"and {len(lost) - _SHOWN:,} more"] if len(lost) > _SHOWN else []))
