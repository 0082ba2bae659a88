"""Diagnostics as JUnit XML, one test case for each file, in the form that Jenkins' xunit plug-in defines."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.harmless import harmless
from reconciler.render.diagnostics import Checked


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
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
