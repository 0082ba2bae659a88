"""What went wrong as JSON, for a program that asked for JSON; schemas/failure.schema.json describes it."""

from reconciler.diagnostics import FaultyDefinitions
from reconciler.errors import ReconcilerError
from reconciler.render.style import json_text

VERSION = 1


def failure_json(failure: ReconcilerError) -> str:
    """The failure, versioned, with the diagnostics that it is about."""
    from reconciler.render.diagnostics.formats import diagnostic_json

    cause = failure.__cause__
    found = cause.diagnostics if isinstance(cause, FaultyDefinitions) else ()
    return json_text(
        {
            "version": VERSION,
            "type": "failure",
            "exitCode": int(failure.exit_code),
            "message": failure.message,
            "hint": failure.hint or None,
            "details": list(failure.details),
            "diagnostics": [diagnostic_json(item) for item in found],
        }
    )
