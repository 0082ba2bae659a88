"""Diagnostics as JSON; schemas/diagnostics.schema.json describes it."""

from collections.abc import Sequence
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.diagnostics import Checked
from reconciler.render.json_text import json_text

VERSION = 1


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """The diagnostics, versioned."""
    errors = sum(found.severity is Severity.ERROR for found in diagnostics)
    content = {
        "version": VERSION,
        "summary": {
            "files": checked.files,
            "documents": checked.documents,
            "errors": errors,
            "warnings": len(diagnostics) - errors,
        },
        "diagnostics": [_diagnostic(found) for found in diagnostics],
    }
    return json_text(content)


def _diagnostic(found: Diagnostic) -> dict[str, Any]:
    span = found.span
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint or None,
        "file": span.file,
        "range": {
            "start": {"line": span.line, "column": span.column},
            "end": {"line": span.end_line, "column": span.end_column},
        },
        "snippet": found.snippet or None,
    }
