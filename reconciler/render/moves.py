"""Since when a record is not what was last applied, and by whom."""

from typing import Any

from reconciler.core.diff import Origin
from reconciler.core.drift import Moved
from reconciler.core.plan import Change
from reconciler.harmless import harmless


def told_move(change: Change) -> Moved | None:
    """What others did to a record, where the change has to do with it."""
    return change.moved if change.origin in (Origin.DRIFT, Origin.BOTH) else None


def move_text(moved: Moved) -> str:
    """In words."""
    verb = "taken over" if moved.run is not None else f"live: {moved.fate.value} around the tool"
    return verb + when_text(moved.since, moved.by, moved.run)


def when_text(since: str, by: str, run: int | None) -> str:
    """The time and by whom, each as far as the store knows."""
    if run is not None:
        return f" by run {run} of {harmless(by)} at {since}"
    return (f" since {since}" if since else "") + (f", by {harmless(by)}" if by else "")


def moved_json(moved: Moved) -> dict[str, Any]:
    """As data."""
    return {"fate": moved.fate.value, "since": moved.since or None, "by": moved.by or None, "run": moved.run}
