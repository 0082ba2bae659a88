"""Who may write to the store now, as text and as JSON (schemas/lock.schema.json)."""

from reconciler.core.lease import Attempt, Found, Holder, LeaseInfo, Standing
from reconciler.harmless import harmless
from reconciler.render.json_text import json_text
from reconciler.render.style import BOLD, RED, YELLOW, paint

VERSION = 1
_WORDS = {
    Standing.HELD: "",
    Standing.EXPIRED: "It stands still, or has died on another host: the next run takes the lease.",
    Standing.DEAD: "Its process has ended: the next run takes the lease.",
}
_QUIET = ("applied", "partly", "running")


def lock_text(found: Found | None, last: Attempt | None, expires: str, target: str, *, color: bool) -> str:
    """Who holds the lease, since when, and whether it looks dead; what became of the last run.

    Args:
        expires: when the lease ends.
    """
    if found is None:
        lines = [f"{target} is not locked."]
        if last is not None and last.outcome not in _QUIET:
            lines.append(f"The last run: {last.verb} by {last.actor} ({_process(last.holder)}), begun at {last.started}, {_ended(last)}.")  # fmt: skip
        return "".join(f"{harmless(line)}\n" for line in lines)
    lease, standing = found
    lines = [
        paint(harmless(f"{target} is locked: {lease.verb} by {lease.actor} ({_process(lease.holder)})"), BOLD, color=color),
        harmless(f"  since          {lease.since}"),
        harmless(f"  last heard of  {lease.seen}"),
        f"  ends           {expires}" + (", unless it is heard of before" if standing is Standing.HELD else ""),
        f"  fence          {lease.fence}",
    ]  # fmt: skip
    if _WORDS[standing]:
        lines.append(paint(_WORDS[standing], RED if standing is Standing.DEAD else YELLOW, color=color))
    return "\n".join(lines) + "\n"


def released_text(found: Found | None, target: str) -> str:
    """From whom the lease was taken."""
    if found is None:
        return f"{target} is not locked.\n"
    lease, standing = found
    also = "; it will write nothing" if standing is Standing.HELD else ""
    return harmless(f"Released the lease of {lease.actor} ({_process(lease.holder)}), held since {lease.since}{also}.") + "\n"  # fmt: skip


def lock_json(found: Found | None, last: Attempt | None, expires: str, target: str) -> str:
    """The lease and the last run, versioned."""
    lease = _lease(*found, expires) if found else None
    return _dump("lock", target, {"lease": lease, "last": _attempt(last) if last else None})


def released_json(found: Found | None, expires: str, target: str) -> str:
    """The lease that was ended, versioned."""
    return _dump("released", target, {"lease": _lease(*found, expires) if found else None})


def _dump(what: str, target: str, content: dict[str, object]) -> str:
    return json_text({"version": VERSION, "type": what, "target": target, **content})  # fmt: skip


def _lease(lease: LeaseInfo, standing: Standing, expires: str) -> dict[str, object]:
    return {
        "standing": standing.value,
        "verb": lease.verb,
        "actor": lease.actor,
        "holder": _holder(lease.holder),
        "since": lease.since,
        "seen": lease.seen,
        "expires": expires,
        "fence": lease.fence,
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "verb": attempt.verb,
        "actor": attempt.actor,
        "holder": _holder(attempt.holder),
        "commit": attempt.commit or None,
        "started": attempt.started,
        "finished": attempt.finished,
        "outcome": attempt.outcome,
        "run": attempt.run,
    }


def _holder(holder: Holder) -> dict[str, object]:
    return {"host": holder.host, "pid": holder.pid}


def _process(holder: Holder) -> str:
    return f"process {holder.pid} on {holder.host}"


def _ended(attempt: Attempt) -> str:
    at = f", {attempt.finished}" if attempt.finished else ""
    return {"died": f"died; last heard of{at}", "released": f"lost its lease: somebody released it{at}"}.get(attempt.outcome, f"{attempt.outcome}{at}")  # fmt: skip
