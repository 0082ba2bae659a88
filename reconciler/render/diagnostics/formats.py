"""Diagnostics for other tools: JSON, SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), GitHub commands, GitLab Code Quality, JUnit XML."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from reconciler.diagnostics import RULES, Diagnostic, Fix, Severity, Span
from reconciler.harmless import harmless, own
from reconciler.render.diagnostics import Checked
from reconciler.render.style import json_text

VERSION = 1


def render_json(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
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
        "diagnostics": [diagnostic_json(found) for found in diagnostics],
    }
    return json_text(content)


def diagnostic_json(found: Diagnostic) -> dict[str, Any]:
    """One of them as plain values."""
    span = found.span
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint or None,
        "file": span.file,
        "range": _range(span),
        "snippet": found.snippet or None,
        **({"fix": _fix(found.fix)} if found.fix else {}),
    }


def _range(span: Span) -> dict[str, Any]:
    return {
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {"title": fix.title, "edits": [{"range": _range(edit.span), "text": edit.text} for edit in fix.edits]}


_TRANSPORT = frozenset({"RC601", "RC602", "RC605", "RC609", "RC610", "RC908", "RC914"})


def is_about_security(code: str) -> bool:
    """Whether the rule guards secrets or connections."""
    return code == "RC210" or code.startswith("RC4") or code in _TRANSPORT


_LINE_NUMBER = re.compile(r"\b(lines?) \d[\d,]*")


def fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """A digest for each diagnostic: the same when lines move, different for each.

    Equal faults of one file are numbered in their order.
    """
    seen: Counter[str] = Counter()
    return [_fingerprint(found, seen) for found in diagnostics]


def _fingerprint(found: Diagnostic, seen: Counter[str]) -> str:
    message = _LINE_NUMBER.sub(r"\1", found.message)
    subject = f"{found.code}\0{found.span.file}\0{message}\0{found.snippet.strip()}"
    seen[subject] += 1
    return sha256(f"{subject}\0{seen[subject]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"


def render_sarif(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """One run, with the rules that it uses."""
    codes = sorted({found.code for found in diagnostics})
    run = {
        "tool": {"driver": _driver(codes, checked.version)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "Root of the configuration repository."}}},
        "results": [
            _result(found, codes.index(found.code), digest)
            for found, digest in zip(diagnostics, fingerprints(diagnostics), strict=True)
        ],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver(codes: list[str], version: str) -> dict[str, Any]:
    known = {"version": version} if version else {}
    return {"name": "reconciler", **known, "rules": [_rule(code) for code in codes]}


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.summary.replace("-", " ").split()),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": rule.explanation},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "problem.severity": rule.severity.value,
            "tags": ["security"] if is_about_security(code) else ["correctness"],
        },
    }


def _result(found: Diagnostic, rule_index: int, digest: str) -> dict[str, Any]:
    span = found.span
    return {
        "ruleId": found.code,
        "ruleIndex": rule_index,
        "level": found.severity.value,
        "message": {"text": _message(found)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": _artifact(span), "region": _region(span)},
            }
        ],
        # primaryLocationLineHash is left to GitHub's upload action: it reads the file, and warns of another value
        "partialFingerprints": {"reconciler/v1": digest},
        **({"fixes": [_sarif_fix(found.fix, span)]} if found.fix else {}),
    }


def _sarif_fix(fix: Fix, span: Span) -> dict[str, Any]:
    """One change of the one file (section 3.55); a region without characters is where the text is inserted (3.57.4)."""
    replacements = [
        {"deletedRegion": _region(edit.span), **({"insertedContent": {"text": edit.text}} if edit.text else {})}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(span), "replacements": replacements}
    return {"description": {"text": f"{fix.title[:1].upper()}{fix.title[1:]}."}, "artifactChanges": [change]}


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(_bytes(span.file)), "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _message(found: Diagnostic) -> str:
    """Sentences in which nothing is a link: viewers turn `[text](target)` into one (section 3.11.6)."""
    sentences = [found.message, f"{found.hint[:1].upper()}{found.hint[1:]}"] if found.hint else [found.message]
    text = " ".join(text if text.endswith((".", "?", "!")) else f"{text}." for text in sentences)
    return text.replace("](", "] (")


def _bytes(path: str) -> bytes:
    """The bytes of a path as they are on disk; what cannot be on a disk stays recognisable."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


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


RENDERERS = {
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "gitlab": render_gitlab,
    "junit": render_junit,
}
"""Format to what renders it."""
