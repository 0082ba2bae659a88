"""The verdict on a pull request as JSON; schemas/authorize.schema.json describes it."""

from typing import Any

from reconciler.core.access import Where
from reconciler.core.permit import Wanted
from reconciler.core.verdicts import Judged, Verdict
from reconciler.kinds.registry import address
from reconciler.render.json_text import json_text
from reconciler.render.routes import route_json

VERSION = 1


def verdict_json(verdict: Verdict, where: Where) -> str:
    """The answer, versioned."""
    content = {
        "version": VERSION,
        "allowed": verdict.allowed,
        "actor": verdict.actor,
        "approvals": list(verdict.approvals),
        "known": verdict.known,
        "alike": verdict.alike or None,
        "bootstrap": verdict.bootstrap,
        "base": verdict.base,
        "head": verdict.head or None,
        "merged": verdict.merged,
        "at": verdict.moment,
        "changes": [_change(verdict, change, where) for change in verdict.changes],
    }
    return json_text(content)


def _change(verdict: Verdict, change: Judged, where: Where) -> dict[str, Any]:
    return {
        "action": change.step.value,
        "address": address(*change.key) if change.key else None,
        "was": address(*change.was) if change.was else None,
        "file": change.file,
        "fields": [[str(step) for step in path] for path in change.fields],
        "why": change.why or None,
        "allowed": verdict.bootstrap or change.permit.allowed,
        "approvedBy": change.permit.approved_by or None,
        "wanted": [_wanted(wanted, where) for wanted in change.permit.wanted],
        "approvers": {"groups": list(change.approvers.groups), "users": list(change.approvers.users)},
    }


def _wanted(wanted: Wanted, where: Where) -> dict[str, Any]:
    return {
        "permission": wanted.permission,
        "on": wanted.on,
        "category": wanted.category or None,
        "granted": not wanted.refusal,
        "refusal": wanted.refusal or None,
        "route": route_json(wanted.route, where),
        "viewRoute": route_json(wanted.view, where),
    }
