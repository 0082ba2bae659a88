"""What looking a store over finds, as text."""

from reconciler.core.care import CHECKS, Audit, Repair
from reconciler.harmless import harmless
from reconciler.render.style import DIM, GREEN, RED, paint, plural

_ABOUT = {
    "file": "SQLite finds the file whole",
    "values": "values are of the types of their columns",
    "notes": "the store notes its revision, its identity and its key",
    "keys": "secrets, tokens and bodies have a record",
    "triggers": "the store's triggers are there",
    "bodies": "bodies are JSON, and those that were written",
    "references": "references lead somewhere",
    "history": "records are what their last change left",
    "quarantine": "deleted records are what was deleted",
    "chain": "the history is unbroken",
}


def audit_text(audit: Audit, *, color: bool) -> str:
    """One line a check, with what is wrong and what to do; the head last, to be noted elsewhere."""
    lines = []
    for check in CHECKS:
        faults = [fault for fault in audit.faults if fault.check == check]
        if not faults:
            lines.append(f"{paint('ok', GREEN, color=color)}      {_ABOUT[check]}")
            continue
        lines.append(f"{paint('BROKEN', RED, color=color)}  not so: {_ABOUT[check]}")
        lines += [f"        {harmless(fault.message)}" for fault in faults]
        lines += [f"        hint: {hint}" for hint in dict.fromkeys(fault.hint for fault in faults)]
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
