"""Times as people say them; JSON has them exactly."""

from reconciler.core.token import moment

_UNITS = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))
_JUST_NOW = 5.0


def duration(seconds: float) -> str:
    """A length of time in its largest unit, and in the next one too where that tells a good part more: ``1 h 50 min``."""
    rest = max(0, round(seconds))
    for place, (size, unit) in enumerate(_UNITS):
        count = rest // size
        if count or size == 1:
            said = _counted(count, unit)
            small, name = _UNITS[place + 1] if size > 1 else (1, "")
            more = rest % size // small
            return f"{said} {_counted(more, name)}" if count == 1 and more else said
    raise AssertionError


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


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'s' if unit == 'day' and count != 1 else ''}"
