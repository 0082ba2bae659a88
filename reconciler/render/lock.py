"""Who may write to the store now, as text and as JSON (schemas/lock.schema.json)."""

from msgspec import Struct

from reconciler.core.history import ago
from reconciler.core.lease import Attempt, Found, Holder, LeaseInfo, Standing
from reconciler.errors import ExitCode
from reconciler.harmless import harmless
from reconciler.render.style import BOLD, RED, YELLOW, json_text, paint

VERSION = 1
_WORDS = {
    Standing.HELD: "",
    Standing.EXPIRED: "It stands still, or has died on another host: the next run takes the lease.",
    Standing.DEAD: "Its process has ended: the next run takes the lease.",
}
_QUIET = ("applied", "partly", "running")


class Seen(Struct, frozen=True):
    """What there is to say of who may write to a store.

    Attributes:
        last: what became of the last run.
        expires: when the lease ends.
        now: from which times are told.
    """

    found: Found | None
    last: Attempt | None
    expires: str
    target: str
    now: str


def lock_text(seen: Seen, *, color: bool) -> str:
    """Who holds the lease, since when, and whether it looks dead; what became of the last run."""
    found, last, target, now = seen.found, seen.last, seen.target, seen.now
    if found is None:
        lines = [f"{target} is not locked."]
        if last is not None and last.outcome not in _QUIET:
            lines.append(f"The last run: {last.verb} by {last.actor} ({_process(last.holder)}), begun {ago(last.started, now)}, {_ended(last, now)}.")  # fmt: skip
        return "".join(f"{harmless(line)}\n" for line in lines)
    lease, standing = found
    lines = [
        paint(harmless(f"{target} is locked: {lease.verb} by {lease.actor} ({_process(lease.holder)})"), BOLD, color=color),
        harmless(f"  since          {lease.since} ({ago(lease.since, now)})"),
        harmless(f"  last heard of  {ago(lease.seen, now)}"),
        f"  ends           {ago(seen.expires, now)}" + (", unless it is heard of before" if standing is Standing.HELD else ""),
        f"  fence          {lease.fence}",
    ]  # fmt: skip
    if _WORDS[standing]:
        lines.append(paint(_WORDS[standing], RED if standing is Standing.DEAD else YELLOW, color=color))
    return "\n".join(lines) + "\n"


def released_text(seen: Seen) -> str:
    """From whom the lease was taken."""
    found, target = seen.found, seen.target
    if found is None:
        return f"{target} is not locked.\n"
    lease, standing = found
    also = "; it will write nothing" if standing is Standing.HELD else ""
    return harmless(f"Released the lease of {lease.actor} ({_process(lease.holder)}), held since {lease.since} ({ago(lease.since, seen.now)}){also}.") + "\n"  # fmt: skip


def lock_json(seen: Seen) -> str:
    """The lease and the last run, versioned."""
    lease = _lease(*seen.found, seen.expires) if seen.found else None
    return _dump("lock", seen.target, {"lease": lease, "last": _attempt(seen.last) if seen.last else None})


def released_json(seen: Seen) -> str:
    """The lease that was ended, versioned."""
    return _dump("released", seen.target, {"lease": _lease(*seen.found, seen.expires) if seen.found else None})


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


def _ended(attempt: Attempt, now: str) -> str:
    when = ago(attempt.finished, now) if attempt.finished else ""
    match attempt.outcome:
        case "died":
            return f"died; last heard of {when}"
        case "released":
            return f"lost its lease: somebody released it {when}"
        case outcome:
            said = outcome_text(outcome)
            return f"{said} {when}" if when else said


def outcome_text(outcome: str) -> str:
    """What is stored as the name of an exit code, as people know it."""
    name = outcome.removeprefix("failed: ").upper()
    return f"failed with exit code {ExitCode[name].value}" if name in ExitCode.__members__ else outcome
