"""Limits that stop a plan from being applied."""

from collections.abc import Sequence

from reconciler.core.diff import at
from reconciler.core.plan import Action, Change, Problem
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


def too_many_deletes(changes: Sequence[Change], owned: int, limit: str | None) -> Problem | None:
    """More deletes than `limit` allows: a number, or a share of the records owned such as 30%.

    Args:
        limit: None stands for the default, which always lets a few deletes pass.
    """
    deletes = sum(change.action is Action.DELETE for change in changes)
    allowed = allowed_deletes(owned, limit)
    if deletes <= allowed:
        return None
    given = limit or DEFAULT_MAX_DELETES
    share = f" ({given})" if given.endswith("%") and allowed == owned * int(given[:-1]) // 100 else ""
    message = f"{deletes} of {owned} {_records(owned)} would be deleted; the limit is {allowed}{share}"
    return Problem(ExitCode.GUARDED, message, f"if this is meant: --max-deletes {deletes}")


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
    """Whether the live record says that it must not be deleted."""
    return at(change.before, ("spec", "lifecycle", "protect")) is True


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
