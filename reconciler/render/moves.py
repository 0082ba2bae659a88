"""Since when a record is not what was last applied, and by whom."""

from typing import Any

from reconciler.core.diff import Origin
from reconciler.core.drift import Drifted, Moved
from reconciler.core.history import ago
from reconciler.core.plan import Change
from reconciler.harmless import harmless


def told_move(change: Change) -> Moved | None:
    """What others did to a record, where the change has to do with it."""
    return change.moved if change.origin in (Origin.DRIFT, Origin.BOTH) else None


def move_text(moved: Moved, now: str | None) -> str:
    """In words; see `when_text`."""
    verb = "taken over" if moved.run is not None else f"drift: {moved.fate.value}"
    return verb + when_text(moved, now)


def when_text(moved: Moved | Drifted, now: str | None) -> str:
    """The time and by whom, each as far as the store knows.

    Args:
        now: None for the exact time, in what is read later.
    """
    since = harmless(moved.since)
    when = f" {ago(since, now)}" if now else f" at {since}"
    if moved.run is not None:
        return f" by run {moved.run} of {harmless(moved.by)}{when}"
    return (when if since else "") + (f", by {harmless(moved.by)}" if moved.by else "")


def moved_json(moved: Moved) -> dict[str, Any]:
    """As data."""
    return {"fate": moved.fate.value, "since": moved.since or None, "by": moved.by or None, "run": moved.run}
