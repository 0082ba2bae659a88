"""Access gained and lost, as JSON; schemas/access-diff.schema.json describes it."""

from typing import Any

from reconciler.core.access_diff import GROWTH, AccessChange, AccessDiff
from reconciler.core.reasons import Where
from reconciler.render.json_text import json_text
from reconciler.render.routes import route_json

VERSION = 1


def access_diff_json(
    found: AccessDiff, before: Where, after: Where, *, base: str, head: str, merged: bool, at: str
) -> str:
    """The difference between two revisions, versioned."""
    content = {
        "version": VERSION,
        "base": base,
        "head": head or None,
        "merged": merged,
        "at": at,
        **access_json(found, before, after),
    }
    return json_text(content)


def access_json(found: AccessDiff, before: Where | None = None, after: Where | None = None) -> dict[str, Any]:
    """The difference as data."""

    def listed(changes: tuple[AccessChange, ...]) -> list[dict[str, Any]]:
        return [_change(change, after if change.shift in GROWTH else before) for change in changes]

    return {
        "actor": found.actor or None,
        "policies": list(found.policies),
        "groups": list(found.groups),
        "superAdmins": listed(found.admins),
        "own": listed(found.own),
        "others": listed(found.others),
    }


def _change(change: AccessChange, where: Where | None) -> dict[str, Any]:
    return {
        "shift": change.shift.value,
        "permissions": list(change.permissions),
        "users": list(change.users),
        "emptyGroups": list(change.groups),
        "scopes": [
            {"categories": sorted(scope.categories), "labels": dict(sorted(scope.labels))} for scope in change.scopes
        ],
        "expires": change.expires.isoformat() if change.expires else None,
        "insteadOf": change.expired.isoformat() if change.expired else None,
        "targets": dict(change.targets),
        "route": route_json(change.route, where),
    }
