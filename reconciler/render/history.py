"""Runs, and versions of a record; schemas/history.schema.json describes the JSON."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reconciler.core.access import Decision
from reconciler.core.calls import moment
from reconciler.core.care import Audit, Repair
from reconciler.core.diff import FieldChange
from reconciler.core.history import DRIFT, LOST, REPAIR, Futile, RunEntry, Version, ago
from reconciler.core.model import Key
from reconciler.core.secret import masked
from reconciler.core.verdicts import Answer, PastState, Setting
from reconciler.harmless import harmless
from reconciler.kinds.defaults import with_default
from reconciler.kinds.registry import address
from reconciler.render.contents import content_lines
from reconciler.render.lock import outcome_text
from reconciler.render.plan import field_lines
from reconciler.render.plan_formats import field_json
from reconciler.render.style import BOLD, DIM, GREEN, RED, json_text, paint, plural, route_json, table

DONE = {
    "create": "created", "update": "updated", "rename": "renamed", "adopt": "adopted", "delete": "deleted",
    "restore": "restored", "purge": "purged", REPAIR: "noted as it was", DRIFT: "drifted",
}  # fmt: skip


def runs_table(listed: Sequence[RunEntry | Futile], now: str, *, more: bool, color: bool, columns: int = 0) -> str:
    """One line a run, the latest first.

    Args:
        now: from which times are told; they are there exactly too, as other commands take them.
        more: whether there are older ones.
    """
    if not listed:
        return "The history holds no run.\n"
    rows = [_row(run, now) for run in listed]
    marked = [RED if isinstance(run, Futile) else "" for run in listed]
    header = ["RUN", "WHEN", "TIME", "TOOK", "ACTOR", "COMMAND", "COMMIT", "TARGET", "OUTCOME"]
    lines = table(header, rows, color=color, columns=columns, marked=marked)
    older = "; older ones with --limit" if more else ""
    return "\n".join([*lines, paint(f"{plural(len(listed), 'run')}{older}", DIM, color=color)]) + "\n"


def _row(run: RunEntry | Futile, now: str) -> list[str]:
    number, said = (str(run.id), _outcome(run)) if isinstance(run, RunEntry) else ("-", outcome_text(run.outcome))
    seconds = seconds_of(run)
    took = f"{seconds:,.1f} s" if seconds is not None else ""
    time = run.finished or run.started
    return [number, ago(time, now), time, took, run.actor, run.verb, commit(run), run.target, said]


def seconds_of(run: RunEntry | Futile) -> float | None:
    """How long it took; None while it runs, and where the clock was set back meanwhile."""
    if run.finished is None:
        return None
    seconds = (moment(run.finished) - moment(run.started)).total_seconds()
    return seconds if seconds >= 0 else None


def commit(run: RunEntry | Futile) -> str:
    """The commit, short."""
    identity, dash, rest = run.commit.partition("-")
    return f"{identity[:12]}{dash}{rest}"


_WITHOUT_RECORDS = {"rotate-key": "the key changed"}
"""What those runs did that change no record, by verb; the others fetched tokens alone."""


def _outcome(run: RunEntry) -> str:
    """What it changed, whether that was all, the guards that were overridden, and who approved it."""
    if run.verb == REPAIR:
        mended = [said for said in run.overrides if not said.startswith(("seal=", "broken="))]
        return f"mended {', '.join(mended)}"
    if run.verb == LOST:
        return "removed outside of a run; not known"
    counts = [f"{count:,} {DONE.get(action, action)}" for action, count in sorted(run.counts.items())]
    partly = ["partly"] if run.outcome == "partly" else []
    overridden = [f"override {override}" for override in run.overrides]
    approved = [f"approved by {name}" for name in run.approvals]
    return ", ".join([*(counts or [_WITHOUT_RECORDS.get(run.verb, "tokens")]), *partly, *overridden, *approved])


def versions_text(key: Key, versions: Sequence[Version], now: str, *, more: bool, color: bool) -> str:
    """Each version with who, when, from which commit and what changed; the latest first.

    Args:
        now: from which times are told; they are there exactly too, as other commands take them.
        more: whether there are others that are not shown.
    """
    lines = []
    for version in versions:
        lines += [*_version(version, now, asked=key, color=color), ""]
    older = "; others with --limit or without --since" if more else ""
    lines.append(paint(f"{plural(len(versions), 'version')}{older}", DIM, color=color))
    return "\n".join(lines) + "\n"


def _version(version: Version, now: str, *, asked: Key, color: bool) -> Iterator[str]:
    number = paint(str(version.number), BOLD, color=color)
    who = f" by {by(version.run)}" if version.run else ""
    time = f"{version.time} ({ago(version.time, now)})" if version.time else "at an unknown time"
    yield f"{number}  {harmless(f'{time}  {_done(version, asked)}{who}')}"
    if not version.known:
        yield "    (what it held is not known: it had drifted before the store kept such bodies)"
    elif version.action in ("create", DRIFT) and version.body is not None and not version.fields:
        yield from _content(version, color=color)
    for field in version.fields:
        yield from field_lines(with_default(version.key.kind, field), color=color)


def by(run: RunEntry) -> str:
    """Who made a run, and from what."""
    where = f" from commit {commit(run)}" if run.commit else ""
    approved = f", approved by {', '.join(run.approvals)}," if run.approvals else ""
    return f"{run.actor}{approved}{where} (run {run.id})"


def _done(version: Version, asked: Key) -> str:
    gone = version.action == DRIFT and version.body is None
    done = "deleted outside of a run" if gone else DONE.get(version.action, version.action)
    named = f" as {address(*version.key)}" if version.key != asked else ""
    was = f", was {address(version.key.kind, version.was)}" if version.was else ""
    return f"{done}{named}{was}"


def _content(version: Version, *, color: bool) -> Iterator[str]:
    try:
        found = list(content_lines(masked(version.body)))
    except (AttributeError, KeyError, TypeError, IndexError):  # others have written what is no body
        found = ["(unreadable)"]
    yield from (f"    {paint('+', GREEN, color=color)} {line}" for line in found)


def difference_text(key: Key, before: Version, after: Version, fields: Sequence[FieldChange], *, color: bool) -> str:
    """What differs between two versions."""
    title = f"{harmless(address(*key))}: from version {before.number} to version {after.number}"
    if not fields:
        return f"{title}: nothing differs\n"
    lines = [paint(title, BOLD, color=color)]
    for field in fields:
        lines += field_lines(with_default(key.kind, field), color=color)
    return "\n".join(lines) + "\n"


VERSION = 1
Place = Callable[[Answer], tuple[str, int] | None]
"""File and line of what an answer rests on, in the commit that it was applied from."""


def runs_json(listed: Sequence[RunEntry | Futile], *, every: bool, more: bool) -> str:
    """Runs, versioned.

    Args:
        every: whether those are listed that changed nothing.
    """
    runs = [_run(run) for run in listed if isinstance(run, RunEntry)]
    futile = [_futile(run) for run in listed if isinstance(run, Futile)]
    return _dump("runs", {"runs": runs, **({"futile": futile} if every else {}), "more": more})


def _futile(run: Futile) -> dict[str, Any]:
    return {
        "started": run.started,
        "finished": run.finished,
        "seconds": seconds_of(run),
        "actor": run.actor,
        "host": run.host,
        "owner": run.owner,
        "target": run.target,
        "commit": run.commit or None,
        "verb": run.verb,
        "outcome": run.outcome,
    }


def _run(run: RunEntry) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": run.started,
        "finished": run.finished,
        "actor": run.actor,
        "owner": run.owner,
        "target": run.target,
        "commit": run.commit or None,
        "counts": dict(sorted(run.counts.items())),
        "head": run.head or None,
        "seconds": seconds_of(run),
        "verb": run.verb,
        "outcome": run.outcome,
        "plan": run.plan or None,
        "overrides": list(run.overrides),
        "approvals": list(run.approvals),
    }


def versions_json(key: Key, versions: Sequence[Version], *, more: bool) -> str:
    """Versions of a record, versioned."""
    listed = [_version_values(version) for version in versions]
    return _dump("versions", {"address": address(*key), "versions": listed, "more": more})


def _version_values(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "address": address(*version.key),
        "was": address(version.key.kind, version.was) if version.was else None,
        "uid": version.uid,
        "action": version.action,
        "time": version.time or None,
        "run": _run(version.run) if version.run else None,
        "known": version.known,
        "body": masked(version.body),
        "fields": [field_json(with_default(version.key.kind, field)) for field in version.fields],
    }


def difference_json(key: Key, before: Version, after: Version, fields: Sequence[FieldChange]) -> str:
    """What differs between two versions, versioned."""
    found = {"address": address(*key), "before": before.number, "after": after.number}
    return _dump("difference", {**found, "fields": [field_json(with_default(key.kind, field)) for field in fields]})


def past_json(state: PastState, answers: Sequence[Answer], place: Place) -> str:
    """Who could do what, versioned."""
    content = {
        "time": state.time,
        "run": _run(state.run) if state.run else None,
        "permission": state.permission,
        "address": address(*state.key) if state.key else None,
        "enforced": state.enforced,
        "answers": [_answer(answer, place) for answer in answers],
    }
    return _dump("access", content)


def _answer(answer: Answer, place: Place) -> dict[str, Any]:
    decision = answer.decision
    return {
        "actor": answer.actor,
        "allowed": decision.allowed,
        "reason": _refusal(decision),
        "route": _route(answer, place),
        "setBy": [_setting(setting) for setting in answer.settings],
    }


def _refusal(decision: Decision) -> str | None:
    return decision.refusal.value if decision.refusal else None


def _route(answer: Answer, place: Place) -> dict[str, Any] | None:
    found = place(answer)
    return route_json(answer.decision.route, (lambda _: found) if found else None)


def _setting(setting: Setting) -> dict[str, Any]:
    return {"address": address(*setting.key), "run": _run(setting.run) if setting.run else None}


def audit_json(audit: Audit, repair: Repair | None = None) -> str:
    """What looking a store over finds, and what was mended before, versioned."""
    faults = [{"check": fault.check, "message": fault.message, "hint": fault.hint} for fault in audit.faults]
    found: dict[str, Any] = {"fine": not audit.faults, "head": audit.head or None, "counts": dict(audit.counts)}
    found |= {"faults": faults, "notes": list(audit.notes)}
    if audit.live:
        found["live"] = [{"what": one.what, "found": one.found, "hint": one.hint or None} for one in audit.live]
    if repair is not None:
        mended = [{"what": one.what, "count": one.count, "message": one.message} for one in repair.mended]
        found["repair"] = {"run": repair.run, "mended": mended}
    return _dump("check", found)


def _dump(kind: str, content: dict[str, Any]) -> str:
    return json_text({"version": VERSION, "type": kind, **content})
