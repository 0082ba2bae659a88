"""How somebody comes to a permission, in words."""

from collections.abc import Callable

from reconciler.core.access import Grant, Route

Where = Callable[[Route], tuple[str, int]]
"""File and line of what a route ends at."""


def reason(actor: str, route: Route, where: Where | None) -> str:
    """Such as ``ada is in integrators, which policy integration-team grants it, policies/team.yaml:12``."""
    place = "{}:{}".format(*where(route)) if where else ""
    given = "makes super admins" if route.grant is None else f"grants it{until(route.grant)}"
    if route.groups:
        chain = ", which is in ".join(route.groups)
        text = f"{actor} is in {chain}, which policy {route.policy} {given}"
    else:
        text = f"policy {route.policy} {'makes a super admin of' if route.grant is None else given + ' to'} {actor}"
    return f"{text}, {place}" if place else text


def until(grant: Grant | None) -> str:
    """`` until TIME`` of a grant that expires, or ""."""
    return f" until {grant.expires.isoformat().replace('+00:00', 'Z')}" if grant and grant.expires else ""


def scope(grant: Grant | None) -> str:
    """``category crm or hr, label team=sales`` of a grant that is narrowed, or ""."""
    if grant is None:
        return ""
    parts = []
    if grant.categories is not None:
        parts.append(f"category {' or '.join(sorted(grant.categories))}" if grant.categories else "no category")
    parts += [f"label {key}={value}" for key, value in sorted(grant.labels.items())]
    return ", ".join(parts)
