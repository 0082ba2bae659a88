"""That there is nothing to do, and nothing to tell; nothing here takes time to load."""

from reconciler.render.style import harmless, plural


def nothing_text(target: str, revision: str, owned: int, beside: str = "") -> str:
    """The line that says so.

    Args:
        beside: what is told with the number of records.
    """
    return f"Nothing to do: {target} is what {revision} says ({plural(owned, 'record')}{beside})."


def no_drift_text(target: str, owner: str, beside: str = "") -> str:
    """The line that says that nothing was changed around the tool.

    Args:
        owner: whose records were looked at; "" for everybody's.
        beside: what is told of others.
    """
    whose = f"the records of {harmless(owner)}" if owner else "all records"
    return f"No drift: {whose} in {harmless(target)} are as last applied{beside}."
