"""What a plan says beside its changes: notices, and grants that end soon."""

from typing import Any

from reconciler.core.conditions import Expiring
from reconciler.core.plan import Plan
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.style import plural

EXPIRING = "Ends within 14 days:"
_MOST = 50


def expiring_lines(plan: Plan) -> list[str]:
    """A line for each grant that ends soon."""
    lines = [
        f"{address('PermissionPolicy', item.policy)} {_words(item)}  {harmless(item.file)}" for item in plan.expiring
    ]
    return [*lines[:_MOST], *([f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else [])]


def _words(item: Expiring) -> str:
    left = f"in {plural(item.days, 'day')}" if item.days else "within a day"
    return f"grants[{item.index}]: {', '.join(item.permissions)}, {left} ({item.expires})"


def notes_text(plan: Plan) -> list[str]:
    """Both as lines of text, each part with an empty line behind it."""
    lines = [line for notice in plan.notices for line in (f"note: {harmless(notice)}", "")]
    return lines + ([EXPIRING, *(f"  {line}" for line in expiring_lines(plan)), ""] if plan.expiring else [])


def notes_json(plan: Plan) -> dict[str, Any]:
    """Both as JSON, where there are any."""
    found: dict[str, Any] = {}
    if plan.notices:
        found["notices"] = list(plan.notices)
    if plan.expiring:
        found["expiring"] = [
            {
                "address": address("PermissionPolicy", item.policy),
                "file": item.file,
                "grant": item.index,
                "permissions": list(item.permissions),
                "expires": item.expires,
                "days": item.days,
            }
            for item in plan.expiring
        ]
    return found
