"""A plan as the content of a file that can be applied later; schemas/saved-plan.schema.json describes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Bodies, Key, Record, Resource
from reconciler.core.plan import Action, Change, Plan
from reconciler.kinds.canonical import readable
from reconciler.kinds.leaves import leaves
from reconciler.kinds.outcome import refs_after
from reconciler.kinds.registry import API_VERSION
from reconciler.render.plan_json import plan_content

VERSION = 1


@dataclass(frozen=True, slots=True)
class About:
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
        "steps": [_step(change, bodies) for change in plan.changes],
        "refers": list(_refers(plan, live)),
    }


def _step(change: Change, bodies: Mapping[str, Bodies]) -> dict[str, Any]:
    record, resource = change.record, change.resource
    return {
        "action": change.action.value,
        "kind": change.key.kind,
        "name": change.key.name,
        "declared": _document(resource) if resource else None,
        "file": resource.file if resource else None,
        "document": resource.document if resource else None,
        "record": {
            "kind": record.key.kind,
            "name": record.key.name,
            "uid": record.uid,
            "fingerprint": record.fingerprint,
            "applied": record.applied,
            "owner": record.owner,
            "leaves": leaves(readable(record.key.kind, bodies[record.uid].live)[0]) if record.uid in bodies else {},
        } if record else None,
        "unwritten": [_unwritten(field) for field in change.fields if field.origin in (Origin.SECRET, Origin.TOKEN)],
        "notes": list(change.notes),
    }  # fmt: skip


def _document(resource: Resource) -> dict[str, Any]:
    body = resource.content()
    metadata = {"name": resource.key.name, **body.get("metadata", {})}
    if resource.unprotects:
        body["spec"].setdefault("lifecycle", {})["protect"] = False
    return {"apiVersion": API_VERSION, "kind": resource.key.kind, "metadata": metadata, "spec": body["spec"]}


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
