"""Limits that stop a plan from being applied, and what overrides them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.access_diff import SUPER_ADMIN, AccessChange, AccessDiff, Shift
from reconciler.core.diff import at
from reconciler.core.model import Key
from reconciler.core.plan import Action, Change, Problem, Revision
from reconciler.core.witness import GUARD as GONE_BACK
from reconciler.errors import ExitCode

FREE_DELETES = 5  # a share alone would stop every delete in a small repository
DEFAULT_MAX_DELETES = "30%"


def empty_source(documents: int, owned: int) -> Problem | None:
    """An empty source never deletes anything: it is far more often a mistake than a wish."""
    if documents or not owned:
        return None
    hint = "check -C, --ref and the checkout; to remove everything, remove all but one definition first"
    return Problem(
        ExitCode.GUARDED, f"the source defines nothing, but {owned} live {_records(owned)} belong to it", hint
    )


def defined_elsewhere(lost: Mapping[Key, str], words: Mapping[str, str]) -> Problem | None:
    """Records that would be deleted, while a file that is not read defines them."""
    if not lost:
        return None
    names = tuple(f"{words[key.kind]}/{key.name} is defined in {path}" for key, path in sorted(lost.items()))
    count = "a record" if len(lost) == 1 else f"{len(lost)} records"
    hint = (
        "move the file below connectors/ or policies/, under a name that ends with .yaml, or take apiVersion out of it"
    )
    return Problem(ExitCode.GUARDED, f"{count} would be deleted, but a file defines it that is not read", hint, names)


LOST_STORE = (
    "there was a store, and it is gone: nothing is known of its records, their protection, permissions or history"
)
BRING_BACK = "bring it back: mount its volume, or restore a backup (docs/how-to/backups.md)"


def lost_store(remains: tuple[str, ...]) -> Problem | None:
    """There is no store, and something speaks of one that was there.

    Args:
        remains: what does.
    """
    if not remains:
        return None
    return Problem(ExitCode.GUARDED, LOST_STORE, BRING_BACK, remains, guard="lost-store", count=len(remains))


def too_many_deletes(
    changes: Sequence[Change], owned: Mapping[str, int], limit: str | None, words: Mapping[str, str]
) -> Problem | None:
    """More deletes than `limit` allows: a number, or a share of the records owned such as 30%.

    A share is looked at of all records, and of each kind, where a few may go in any case.

    Args:
        owned: how many records of each kind there are.
        limit: None stands for the default, which always lets a few deletes pass.
        words: what the kinds are called.
    """
    deletes = Counter(change.key.kind for change in changes if change.action is Action.DELETE)
    total = deletes.total()
    stopped = [_stopped(total, sum(owned.values()), allowed_deletes(sum(owned.values()), limit), limit, "record")]
    if limit is None or limit.endswith("%"):
        stopped += [
            _stopped(count, owned[kind], max(allowed_deletes(owned[kind], limit), FREE_DELETES), limit, words[kind])
            for kind, count in sorted(deletes.items())
        ]
    messages = [message for message in stopped if message]
    if not messages:
        return None
    return Problem(ExitCode.GUARDED, messages[0], "", tuple(messages[1:]), guard="deletes", count=total)


def _stopped(deletes: int, owned: int, allowed: int, limit: str | None, noun: str) -> str:
    """What to say when more would be deleted than is allowed, else ""."""
    if deletes <= allowed:
        return ""
    given = limit or DEFAULT_MAX_DELETES
    share = f" ({given})" if given.endswith("%") and allowed == owned * int(given[:-1]) // 100 else ""
    of = noun if owned == 1 else _plural(noun)
    return f"{deletes} of {owned} {of} would be deleted; the limit is {allowed}{share}"


def no_commit(revision: Revision) -> Problem | None:
    """The definitions are not those of a commit."""
    if revision.commit and not revision.dirty:
        return None
    if not revision.commit:
        return Problem(ExitCode.GUARDED, "this target takes definitions of a commit only, and there is none", "commit them to git first")  # fmt: skip
    files = "1 file differs" if revision.differing == 1 else f"{revision.differing} files differ"
    message = f"this target takes definitions of a commit only, and {files} from commit {revision.commit[:12]}"
    return Problem(ExitCode.GUARDED, message, "commit or stash what differs", guard="dirty", count=revision.differing)


def allowed_deletes(owned: int, limit: str | None) -> int:
    """How many records one apply may delete."""
    if limit is None:
        return max(allowed_deletes(owned, DEFAULT_MAX_DELETES), FREE_DELETES)
    return owned * int(limit[:-1]) // 100 if limit.endswith("%") else int(limit)


def protected(changes: Sequence[Change], words: dict[str, str]) -> Problem | None:
    """Deletes of records that are protected in the store, whatever git says now."""
    names = tuple(
        f"{words[change.key.kind]}/{change.key.name}"
        for change in changes
        if change.action is Action.DELETE and is_protected(change)
    )
    if not names:
        return None
    hint = "apply `lifecycle: {protect: false}` first, in a change of its own"
    count = f"a protected {_records(1)}" if len(names) == 1 else f"{len(names)} protected records"
    return Problem(ExitCode.GUARDED, f"{count} would be deleted", hint, names)


def is_protected(change: Change) -> bool:
    """Whether the live record says that it must not be deleted, or said so before somebody wrote outside of a run."""
    last = change.moved.before.body if change.moved and change.moved.before else None
    return any(at(body, ("spec", "lifecycle", "protect")) is True for body in (change.before, last))


def not_owned(changes: Sequence[Change], words: dict[str, str]) -> Problem | None:
    """Records that belong to somebody else, and no permission to adopt them."""
    names = tuple(
        f"{words[change.key.kind]}/{change.record.key.name} belongs to {change.record.owner or 'nobody'}"
        for change in changes
        if change.action is Action.ADOPT and change.record
    )
    if not names:
        return None
    hint = "rename the resource, or take the record over with --adopt"
    noun = "1 live record does" if len(names) == 1 else f"{len(names)} live records do"
    return Problem(ExitCode.GUARDED, f"{noun} not belong to this repository", hint, names)


def _records(count: int) -> str:
    return "record" if count == 1 else "records"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


GUARDS = ("deletes", "access-loss", "own-loss", "no-super-admin", "dirty", "lost-store", GONE_BACK)
"""The guards that can be overridden; what stops the others is mended."""
SHOWN = 12
"""So many digits of a plan's fingerprint are shown."""
FORM = re.compile(r"([0-9a-f]{8,64}):([a-z-]+)=([0-9]{1,9})")


class Override(Struct, frozen=True):
    """One of them.

    Attributes:
        plan: the beginning of the plan's fingerprint.
        guard: one of `GUARDS`.
        count: what the guard counts.
    """

    plan: str
    guard: str
    count: int

    def __str__(self) -> str:
        return f"{self.guard}={self.count}"


def settle(
    problems: Sequence[Problem], overrides: Sequence[Override], fingerprint: str
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """The problems that are left, each saying how it could be overridden, and the overrides that were needed.

    Args:
        fingerprint: of the plan.
    """
    fitting = {(found.guard, found.count): found for found in overrides if fingerprint.startswith(found.plan)}
    left: list[Problem] = []
    used: list[str] = []
    for problem in problems:
        override = fitting.get((problem.guard, problem.count))
        if override is not None:
            used.append(str(override))
        elif problem.guard in GUARDS:
            left.append(replace(problem, hint=_hint(problem, overrides, fingerprint)))
        else:
            left.append(problem)
    return (*left, *_of_others(overrides, fingerprint)), tuple(used)


def _hint(problem: Problem, overrides: Sequence[Override], fingerprint: str) -> str:
    meant = f"if this is meant: --override {fingerprint[:SHOWN]}:{problem.guard}={problem.count}"
    wrong = [found.count for found in overrides if found.guard == problem.guard and fingerprint.startswith(found.plan)]
    said = f"the override says {wrong[0]}, and it is {problem.count}: look again at what changed; " if wrong else ""
    return f"{said}{problem.hint}; {meant}" if problem.hint else said + meant


def _of_others(overrides: Sequence[Override], fingerprint: str) -> list[Problem]:
    others = sorted({found.plan for found in overrides if not fingerprint.startswith(found.plan)})
    if not others:
        return []
    message = f"an override is for the plan {', '.join(others)}, and this is {fingerprint[:SHOWN]}"
    return [Problem(ExitCode.GUARDED, message, "look at this plan; it is not the one that somebody looked at")]


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
