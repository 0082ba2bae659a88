"""What the history holds, and what looking a store over finds, as JSON; schemas/history.schema.json describes it."""

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.core.access import Decision
from reconciler.core.care import Audit, Repair
from reconciler.core.diff import FieldChange
from reconciler.core.history import Futile, RunEntry, Version
from reconciler.core.model import Key
from reconciler.core.secret import masked
from reconciler.core.verdicts import Answer, Past, Setting
from reconciler.kinds.registry import address
from reconciler.render.history import seconds_of
from reconciler.render.json_text import json_text
from reconciler.render.plan_json import field_json
from reconciler.render.routes import route_json

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
    listed = [_version(version) for version in versions]
    return _dump("versions", {"address": address(*key), "versions": listed, "more": more})


def _version(version: Version) -> dict[str, Any]:
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
        "fields": [field_json(field) for field in version.fields],
    }


def difference_json(key: Key, before: Version, after: Version, fields: Sequence[FieldChange]) -> str:
    """What differs between two versions, versioned."""
    found = {"address": address(*key), "before": before.number, "after": after.number}
    return _dump("difference", {**found, "fields": [field_json(field) for field in fields]})


def past_json(state: Past, answers: Sequence[Answer], place: Place) -> str:
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
    if repair is not None:
        mended = [{"what": one.what, "count": one.count, "message": one.message} for one in repair.mended]
        found["repair"] = {"run": repair.run, "mended": mended}
    return _dump("check", found)


def _dump(kind: str, content: dict[str, Any]) -> str:
    return json_text({"version": VERSION, "type": kind, **content})
