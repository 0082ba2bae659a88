"""How somebody comes to a permission, safe for a terminal and as data."""

from typing import Any

from reconciler.core import access
from reconciler.core.access import Route, Where
from reconciler.harmless import harmless


def reason(actor: str, route: Route, where: Where | None) -> str:
    """`reasons.reason` without what would steer a terminal."""
    return harmless(access.reason(actor, route, where))


def route_json(route: Route | None, where: Where | None) -> dict[str, Any] | None:
    """A route as data."""
    if route is None:
        return None
    file, line = where(route) if where else (None, None)
    return {
        "groups": list(route.groups),
        "policy": route.policy,
        "grant": route.grant.index if route.grant else None,
        "superAdmin": route.grant is None,
        "expires": route.grant.expires.isoformat() if route.grant and route.grant.expires else None,
        "file": file,
        "line": line,
    }
