"""Limits that stop a plan from being applied."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.core.diff import at
from reconciler.core.model import Key
from reconciler.core.plan import Action, Change, Problem, Revision
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
