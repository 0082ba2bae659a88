"""A plan, and the report of an apply, as JSON; schemas/plan.schema.json describes both."""

from collections.abc import Sequence
from typing import Any

from reconciler.core.calls import Verdict
from reconciler.core.diff import MISSING, FieldChange
from reconciler.core.history import Report
from reconciler.core.plan import Change, Plan, Revision, fingerprint_of
from reconciler.core.secret import masked, masked_field
from reconciler.kinds.registry import address
from reconciler.render.json_text import json_text
from reconciler.render.moves import moved_json, told_move
from reconciler.render.plan_notes import notes_json
from reconciler.render.preflight import preflight_json

VERSION = 1


def plan_json(plan: Plan, verdicts: Sequence[Verdict] | None = None) -> str:
    """The plan, versioned; with the verdicts of a preflight when there was one."""
    content = plan_content(plan)
    if verdicts is not None:
        content["preflight"] = preflight_json(verdicts)
    return _dump(content)


def report_json(report: Report) -> str:
    """What an apply did, versioned."""
    run = {
        "actor": report.actor,
        "started": report.started,
        "finished": report.finished,
        "secrets": report.secrets,
        "tokens": report.tokens,
        "leftOut": [
            {"address": address(*change.key), "reason": failure.message} for change, failure in report.left_out
        ],
        "head": report.head or None,
    }
    return _dump({**plan_content(report.plan, "report"), "run": run})


def _dump(content: dict[str, Any]) -> str:
    return json_text(content)


def plan_content(plan: Plan, kind: str = "plan") -> dict[str, Any]:
    """The plan as plain values."""
    found = _content(plan, kind)
    if plan.access is not None:
        from reconciler.render.access_diff_json import access_json

        found["access"] = access_json(plan.access)
    return found | notes_json(plan)


def _content(plan: Plan, kind: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "type": kind,
        "target": plan.target,
        "owner": plan.owner,
        "fingerprint": fingerprint_of(plan),
        "source": _source(plan.revision),
        "summary": {**{action.value: count for action, count in plan.counts.items()}, "kept": plan.kept, "owned": plan.owned,
                    "origins": {origin.value: count for origin, count in plan.origins.items()}, "conflicts": plan.conflicts},
        "changes": [_change(change) for change in plan.changes],
        "problems": [
            {
                "exitCode": int(problem.exit_code), "message": problem.message, "hint": problem.hint,
                "details": list(problem.details), "guard": problem.guard or None, "count": problem.count if problem.guard else None,
            }
            for problem in plan.problems
        ],
        "overridden": list(plan.overridden),
    }  # fmt: skip


def _source(revision: Revision) -> dict[str, Any]:
    found = {"commit": revision.commit or None, "ref": revision.ref or None, "dirty": revision.dirty}
    return {**found, "past": revision.past} if revision.past else found


def _change(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": change.action.value,
        "address": address(*change.key),
        "kind": change.key.kind,
        "name": change.key.name,
        "origin": change.origin.value,
        "notes": list(change.notes),
        "fields": [field_json(field) for field in change.fields],
    }
    if moved := told_move(change):
        found["drift"] = moved_json(moved)
    if change.record is not None:
        found["record"] = {
            "address": address(*change.record.key),
            "owner": change.record.owner or None,
            "version": int(version) if (version := change.record.version).isdecimal() else version,
            "fingerprint": change.record.fingerprint,
        }
    if change.revival is not None:
        found["restores"] = {
            "uid": change.revival.uid,
            "deletedAt": change.revival.deleted_at or None,
            "run": change.revival.run or None,
            "secrets": list(change.revival.secrets),
        }
    if change.resource is not None:
        found["file"] = change.resource.file
        found["fingerprint"] = change.resource.fingerprint
    if change.record is None and change.resource is not None:
        found["after"] = masked(change.after)
    if change.resource is None:
        found["before"] = masked(change.before)
    return found


def field_json(unmasked: FieldChange) -> dict[str, Any]:
    """What became of one field, with secrets masked."""
    field = masked_field(unmasked)
    found: dict[str, Any] = {
        "path": [str(step) for step in field.path],
        "origin": field.origin.value,
        "secret": field.secret,
    }
    sides = {"before": field.before, "after": field.after, "applied": field.applied}
    return found | {name: value_json(field, value) for name, value in sides.items() if value is not MISSING}


def value_json(field: FieldChange, value: Any) -> Any:
    """A value of a masked field; of a secret it is shown only where it is a reference, a fingerprint or a word."""
    shows = not field.secret or isinstance(value, dict) or field.printed or field.origin in ("secret", "token")
    return value if shows else None
