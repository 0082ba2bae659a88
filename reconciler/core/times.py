"""Times as people say them; JSON has them exactly."""

from reconciler.core.token import moment

_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))
_JUST_NOW = 5.0


def duration(seconds: float) -> str:
    """A length of time, in the largest unit of which there are two at least: ``75 min``, ``30 days``."""
    size, unit = next((found for found in _UNITS if seconds >= 2 * found[0]), (1, "s"))
    return f"{max(0, round(seconds / size)):,} {unit}"


def ago(time: str, now: str) -> str:
    """When something was or will be: ``just now``, ``3 min ago``, ``in 2 days``.

    Args:
        time, now: RFC 3339. What is no time, as somebody may have written it into a store, is said as it is.
    """
    try:
        seconds = (moment(now) - moment(time)).total_seconds()
    except (ValueError, TypeError):
        return time
    if seconds < 0:
        return f"in {duration(-seconds)}"
    return "just now" if seconds < _JUST_NOW else f"{duration(seconds)} ago"
