"""A plan as the content of a file that can be applied later; schemas/saved-plan.schema.json describes it."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Bodies, Key, Record
from reconciler.core.plan import Action, Change, Plan
from reconciler.kinds.canonical import leaves, readable, refs_after
from reconciler.kinds.registry import API_VERSION
from reconciler.render.plan_formats import plan_content

VERSION = 1


class About(Struct, frozen=True):
    """What a saved plan says of itself.

    Attributes:
        tool: version of the program.
        created, expires: RFC 3339 in UTC.
        verb: the command that made it.
        store: identity of the store, "" when there is none yet.
        adopt: whether records of other owners may be taken over.
    """

    tool: str
    created: str
    expires: str
    verb: str
    store: str
    adopt: bool


def saved_plan(plan: Plan, live: Mapping[Key, Record], bodies: Mapping[str, Bodies], about: About) -> dict[str, Any]:
    """The content without its digest and signature.

    Args:
        live: all records that the plan was made from.
        bodies: of those that it touches, by uid.
    """
    content = plan_content(plan)
    for change in content["changes"]:
        change.pop("after", None)  # the step declares it
    return {
        "version": VERSION,
        "type": "saved-plan",
        "tool": about.tool,
        "created": about.created,
        "expires": about.expires,
        "verb": about.verb,
        "store": about.store or None,
        "adopt": about.adopt,
        "plan": content,
        "differing": plan.revision.differing,
        "steps": [_step(change, bodies) | _restores(change, plan) for change in plan.changes],
        "refers": list(_refers(plan, live)),
    }


def _step(change: Change, bodies: Mapping[str, Bodies]) -> dict[str, Any]:
    record, resource = change.record, change.resource
    return {
        "action": change.action.value,
        "kind": change.key.kind,
        "name": change.key.name,
        "declared": _document(change.key, resource.content.value, unprotects=resource.unprotects) if resource else None,
        "file": resource.file if resource else None,
        "document": resource.document if resource else None,
        "record": {
            "kind": record.key.kind,
            "name": record.key.name,
            "uid": record.uid,
            "fingerprint": record.fingerprint,
            "applied": record.applied,
            "owner": record.owner,
            "leaves": leaves(readable(record.key.kind, bodies[record.uid].live)[0].value) if record.uid in bodies else {},
        } if record else None,
        "unwritten": [_unwritten(field) for field in change.fields if field.origin in (Origin.SECRET, Origin.TOKEN)],
        "notes": list(change.notes),
    }  # fmt: skip


def _restores(change: Change, plan: Plan) -> dict[str, Any]:
    """The deleted record that comes back, and as what, where it comes from an earlier state."""
    revival = change.revival
    if revival is None:
        return {}
    found: dict[str, Any] = {
        "restores": {
            "uid": revival.uid,
            "deletedAt": revival.deleted_at,
            "run": revival.run,
            "quarantined": revival.quarantined,
            "secrets": list(revival.secrets),
        }
    }
    if plan.revision.past and (after := change.after) is not None:
        found["written"] = _document(change.key, after)
    return found


def _document(key: Key, body: dict[str, Any], *, unprotects: bool = False) -> dict[str, Any]:
    metadata = {"name": key.name, **body.get("metadata", {})}
    spec = body["spec"]
    if unprotects:
        spec = {**spec, "lifecycle": {**spec.get("lifecycle", {}), "protect": False}}
    return {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata, "spec": spec}


def _unwritten(field: FieldChange) -> dict[str, Any]:
    found: dict[str, Any] = {"path": list(field.path), "origin": field.origin.value, "after": field.after}
    return found if field.before is MISSING else {**found, "before": field.before}


def _refers(plan: Plan, live: Mapping[Key, Record]) -> Iterable[dict[str, str]]:
    """The live records that changes refer to and that the plan does not touch."""
    touched = {change.record.key for change in plan.changes if change.record}
    keys = {ref for change in plan.changes if change.action is not Action.DELETE for ref in refs_after(change)}
    for key in sorted(keys - touched):
        if key in live:
            record = live[key]
            yield {"kind": key.kind, "name": key.name, "uid": record.uid, "fingerprint": record.fingerprint}
