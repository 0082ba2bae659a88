"""That there is nothing to do; nothing here takes time to load."""

from reconciler.render.style import plural


def nothing_text(target: str, revision: str, owned: int, beside: str = "") -> str:
    """The line that says so.

    Args:
        beside: what is told with the number of records.
    """
    return f"Nothing to do: {target} is what {revision} says ({plural(owned, 'record')}{beside})."
