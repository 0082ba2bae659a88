"""What was done for a store, what it holds of deleted records, and what looking it over found."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciler.core.calls import later
from reconciler.core.care import CHECKS, LIVE, WITNESS, Audit, KeyMove, Repair, Rotation
from reconciler.core.history import ago
from reconciler.core.quarantine import Deleted
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.style import DIM, GREEN, RED, json_text, paint, plural, table

VERSION = 1
_LEFT = (
    "Bytes that were sealed with the old key may still be in its files, as another process reads the store, or on a"
    " server the role does not own the tables; run it again, as the owner there, to overwrite them."
)


def rotation_text(rotation: Rotation, target: str) -> str:
    """What was sealed anew, and what is left to do."""
    if rotation.move is None:
        return f"Nothing is sealed in {target}, so there is no key to change.\n"
    lines = [f"{target} was under the new key already."]
    if rotation.done:
        counted = f"{plural(rotation.done.secrets, 'secret')} and {plural(rotation.done.tokens, 'access token')}"
        lines = [f"Changed the key of {target}: {counted} sealed anew."]
    lines += _advice(rotation.move)
    lines += [] if rotation.scrubbed else [_LEFT]
    return "".join(f"{harmless(line)}\n" for line in lines)


def _advice(move: KeyMove) -> Iterator[str]:
    if not move.in_file:
        yield f"From now on {move.place} has to hold the new key: change it wherever it is set."
        yield "Keep the old key as long as you keep backups from before: they need it."
        return
    if move.problem:
        yield f"The new key is in {move.place}, and is found there; the key file cannot be replaced: {move.problem}."
    else:
        yield f"The new key is in {move.place}; if you keep a copy of it, renew that."
    if move.old:
        yield f"The old one is kept in {move.old}, as backups from before need it; delete it when there are none."


def rotation_json(rotation: Rotation, target: str) -> str:
    """What was sealed anew, and where the keys are."""
    move, done = rotation.move, rotation.done
    key = {"place": move.place, "old": move.old or None, "problem": move.problem or None} if move else None
    return _dump(
        "rotation",
        {
            "target": target,
            "changed": done is not None,
            "secrets": done.secrets if done else 0,
            "tokens": done.tokens if done else 0,
            "key": key,
            "scrubbed": rotation.scrubbed,
            "head": done.head if done else "",
        },
    )


def backup_text(to: Path, key: tuple[str, str] | None, target: str) -> str:
    """Where the copy is, and where the key that it needs.

    Args:
        key: where the key is, and where the copy would look for it; None when nothing is sealed.
    """
    lines = [f"Copied {target} to {to}."]
    if key:
        lines.append(
            f"The key to its secrets is not in it: that is in {key[0]}. Keep a copy of the key somewhere else."
        )
    if key and key[1]:
        lines.append(f"Used as a store where it is, it looks for the key in {key[1]}.")
    return "".join(f"{harmless(line)}\n" for line in lines)


def backup_json(to: Path, key: tuple[str, str] | None, target: str) -> str:
    """Where the copy is, and where the key that it needs."""
    return _dump("backup", {"target": target, "file": str(to), "key": key[0] if key else None})


def deleted_table(deleted: Sequence[Deleted], days: int, now: str, *, color: bool, columns: int = 0) -> str:
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
    lines = table(["ADDRESS", "DELETED", "RUN", "SECRETS", "MAY BE PURGED"], rows, color=color, columns=columns)
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


_ABOUT = {
    "file": "the database is whole",
    "values": "values are of the types of their columns",
    "notes": "the store notes its revision, its identity and its key",
    "keys": "secrets, tokens and bodies have a record",
    "triggers": "the store's triggers are there",
    "bodies": "bodies are JSON, and those that were written",
    "references": "references lead somewhere",
    "history": "records are what their last change left",
    "quarantine": "deleted records are what was deleted",
    "chain": "the history is unbroken",
    WITNESS: "the history has what was noted elsewhere",
    LIVE: "the live store answers",
}


def audit_text(audit: Audit, *, color: bool) -> str:
    """One line a check, with what is wrong and what to do; the head last, to be noted elsewhere."""
    lines = []
    for check in (*CHECKS, WITNESS, LIVE):
        faults = [fault for fault in audit.faults if fault.check == check]
        if not faults and (check == WITNESS or (check == LIVE and not audit.live)):
            continue
        if not faults:
            lines.append(f"{paint('ok', GREEN, color=color)}      {_ABOUT[check]}")
            continue
        lines.append(f"{paint('BROKEN', RED, color=color)}  not so: {_ABOUT[check]}")
        lines += [f"        {harmless(fault.message)}" for fault in faults]
        lines += [f"        hint: {hint}" for hint in dict.fromkeys(fault.hint for fault in faults)]
    width = max((len(one.what) for one in audit.live), default=0)
    for one in audit.live:
        lines.append(f"{harmless(one.what):<{width}}  {harmless(one.found)}")
        lines += [f"        hint: {harmless(one.hint)}"] if one.hint else []
    lines += [harmless(note) for note in audit.notes]
    if audit.counts:
        lines.append(
            paint(
                ", ".join(plural(count, noun.removesuffix("s")) for noun, count in audit.counts.items()),
                DIM,
                color=color,
            )
        )
    if audit.head:
        lines.append(f"history head {audit.head}")
    return "\n".join(lines) + "\n"


def repair_text(repair: Repair) -> str:
    """What was mended, a line for each; what the store is now is said behind it."""
    if repair.run is None:
        return "Nothing was mended.\n"
    lines = [f"mended  {harmless(one.message)}" for one in repair.mended]
    return "\n".join([*lines, f"Noted in the history as run {repair.run}. The store now:"]) + "\n"
