"""Diagnostics as GitHub commands, GitLab Code Quality and JUnit XML."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from reconciler.diagnostics import RULES, Diagnostic, Severity, Span
from reconciler.harmless import harmless, own
from reconciler.render.diagnostics import Checked
from reconciler.render.diagnostics.json import fingerprints, is_about_security
from reconciler.render.style import json_text


def render_github(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """One command for each diagnostic."""
    return "".join(f"{_command(found)}\n" for found in diagnostics)


def _command(found: Diagnostic) -> str:
    properties = {"file": found.span.file, **_lines(found.span), "title": found.code}
    message = f"{found.message}; {found.hint}" if found.hint else found.message
    return command(str(found.severity), properties, message)


def command(name: str, properties: Mapping[str, object], message: str) -> str:
    """One workflow command."""
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"{own('::')}{name} {listed}::{_data(message)}"


def _lines(span: Span) -> dict[str, int]:
    """Columns are allowed within one line only."""
    if span.line != span.end_line:
        return {"line": span.line, "endLine": span.end_line}
    return {"line": span.line, "endLine": span.end_line, "col": span.column, "endColumn": span.end_column}


def _data(text: str) -> str:
    """Escaped as the runner's toolkit does."""
    return harmless(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor"}


def render_gitlab(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
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


def render_junit(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """A suite in which a file fails when it has errors; warnings are its output."""
    by_file: dict[str, list[Diagnostic]] = {path: [] for path in checked.paths}
    for found in diagnostics:
        by_file.setdefault(found.span.file, []).append(found)
    failures = sum(any(found.severity is Severity.ERROR for found in group) for group in by_file.values())
    counts = f'tests="{len(by_file)}" failures="{failures}" errors="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="reconciler validate" {counts}>']
    lines.append(f'  <testsuite name="definitions" {counts} skipped="0" time="0">')
    for path, group in sorted(by_file.items()):
        lines += _case(path, group)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>"]) + "\n"


def _case(path: str, group: list[Diagnostic]) -> list[str]:
    opening = f'    <testcase classname="definitions" name={_attribute(path)} time="0"'
    errors = [found for found in group if found.severity is Severity.ERROR]
    warnings = [found for found in group if found.severity is not Severity.ERROR]
    if not group:
        return [f"{opening}/>"]
    lines = [f"{opening}>"]
    if errors:
        title = errors[0].message if len(errors) == 1 else f"{len(errors)} errors"
        kind = errors[0].code if len(errors) == 1 else "errors"
        lines.append(f"      <failure message={_attribute(title)} type={_attribute(kind)}>{_texts(errors)}</failure>")
    if warnings:
        lines.append(f"      <system-out>{_texts(warnings)}</system-out>")
    return [*lines, "    </testcase>"]


def _texts(group: list[Diagnostic]) -> str:
    return "\n".join(_text(found) for found in group)


def _text(found: Diagnostic) -> str:
    text = escape(harmless(f"{found.span}: {found.severity}[{found.code}]: {found.message}"))
    return f"{text}\n  hint: {escape(harmless(found.hint))}" if found.hint else text


def _attribute(text: str) -> str:
    """With the escapes of `harmless` nothing is left that XML forbids: https://www.w3.org/TR/xml/#charsets."""
    return quoteattr(harmless(text))
