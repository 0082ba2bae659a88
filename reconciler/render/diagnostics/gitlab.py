"""Diagnostics as a GitLab Code Quality report."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler.diagnostics import RULES, Diagnostic, Severity
from reconciler.render.diagnostics import Checked
from reconciler.render.diagnostics.sarif import fingerprint
from reconciler.render.style import well_formed

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor"}


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """A list of issues."""
    seen: Counter[str] = Counter()
    return well_formed(json.dumps([_issue(found, seen) for found in diagnostics], indent=2, ensure_ascii=False)) + "\n"


def _issue(found: Diagnostic, seen: Counter[str]) -> dict[str, Any]:
    hint = f" ({found.hint})" if found.hint else ""
    return {
        "type": "issue",
        "check_name": found.code,
        "description": f"{found.message}{hint}",
        "content": {"body": RULES[found.code].explanation},
        "categories": ["Security" if found.code[2] == "4" or found.code == "RC210" else "Bug Risk"],
        "fingerprint": fingerprint(found, seen),
        "severity": _SEVERITIES[found.severity],
        "location": {
            "path": found.span.file,
            "lines": {"begin": found.span.line, "end": found.span.end_line},
        },
    }
