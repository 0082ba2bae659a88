"""Diagnostics as a GitLab Code Quality report.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from collections.abc import Sequence
from typing import Any

from reconciler.diagnostics import RULES, Diagnostic, Severity
from reconciler.render.diagnostics import Checked
from reconciler.render.diagnostics.fingerprint import fingerprints
from reconciler.render.diagnostics.topics import is_about_security
from reconciler.render.json_text import json_text

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor"}


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """A list of issues."""
    digests = fingerprints(diagnostics)
    return json_text([_issue(found, digest) for found, digest in zip(diagnostics, digests, strict=True)])


def _issue(found: Diagnostic, digest: str) -> dict[str, Any]:
    hint = f" ({found.hint})" if found.hint else ""
    return {
        "type": "issue",
        "check_name": found.code,
        "description": f"{found.message}{hint}",
        "content": {"body": RULES[found.code].explanation},
        "categories": ["Security" if is_about_security(found.code) else "Bug Risk"],
        "fingerprint": digest,
        "severity": _SEVERITIES[found.severity],
        "location": {
            "path": found.span.file,
            "lines": {"begin": found.span.line, "end": found.span.end_line},
        },
    }
