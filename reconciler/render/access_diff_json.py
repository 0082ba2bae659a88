"""Access gained and lost, as JSON; schemas/access-diff.schema.json describes it."""

from typing import Any

from msgspec import Struct

from reconciler.core.access import Where
from reconciler.core.access_diff import GROWTH, AccessChange, AccessDiff
from reconciler.render.json_text import json_text
from reconciler.render.routes import route_json

VERSION = 1


class Compared(Struct, frozen=True):
    """What was compared, and when.

    Attributes:
        base, head: ids of commits; head is "" for the working tree.
        merged: whether head is what merging it into the base would give.
        at: RFC 3339.
    """

    base: str
    head: str
    merged: bool
    at: str


def access_diff_json(found: AccessDiff, before: Where, after: Where, compared: Compared) -> str:
    """The difference between two revisions, versioned."""
    content = {
        "version": VERSION,
        "base": compared.base,
        "head": compared.head or None,
        "merged": compared.merged,
        "at": compared.at,
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
