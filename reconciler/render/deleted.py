"""Deleted records, as text and as JSON; schemas/history.schema.json describes the JSON."""

from collections.abc import Sequence
from typing import Any

from reconciler.core.calls import later
from reconciler.core.history import ago
from reconciler.core.quarantine import Deleted
from reconciler.kinds.registry import address
from reconciler.render.json_text import json_text
from reconciler.render.style import DIM, paint, plural
from reconciler.render.table import table

VERSION = 1


def deleted_table(deleted: Sequence[Deleted], days: int, now: str, *, color: bool) -> str:
    """One line a record, in the order of their deletion.

    Args:
        days: how long they are kept at least.
        now: from which times are told.
    """
    if not deleted:
        return "There is no deleted record.\n"
    rows = [
        [address(*item.key), ago(item.deleted_at, now), str(item.run), str(item.secrets), _when(item, days, now)]
        for item in deleted
    ]
    lines = table(["ADDRESS", "DELETED", "RUN", "SECRETS", "MAY BE PURGED"], rows, color=color)
    return "\n".join([*lines, paint(plural(len(deleted), "deleted record"), DIM, color=color)]) + "\n"


def deleted_json(deleted: Sequence[Deleted], days: int) -> str:
    """The same, versioned."""
    return _dump("deleted", {"records": [_record(item, days) for item in deleted]})


def purge_json(purged: Sequence[Deleted], days: int, *, head: str) -> str:
    """What was purged, versioned; without `head` what would be."""
    return _dump("purge", {"records": [_record(item, days) for item in purged], "head": head or None})


def _record(item: Deleted, days: int) -> dict[str, Any]:
    return {
        "address": address(*item.key),
        "uid": item.uid,
        "deletedAt": item.deleted_at,
        "run": item.run,
        "secrets": item.secrets,
        "keptUntil": _until(item, days),
    }


def _when(item: Deleted, days: int, now: str) -> str:
    until = _until(item, days)
    return "now" if until <= now else ago(until, now)


def _until(item: Deleted, days: int) -> str:
    return later(item.deleted_at, days * 86_400.0)


def _dump(kind: str, content: dict[str, Any]) -> str:
    return json_text({"version": VERSION, "type": kind, **content})
