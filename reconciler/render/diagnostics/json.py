"""Diagnostics as JSON, and as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from reconciler.diagnostics import RULES, Diagnostic, Severity
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


_TRANSPORT = frozenset({"RC601", "RC602", "RC605"})


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
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(_bytes(span.file)), "uriBaseId": _ROOT},
                    "region": {
                        "startLine": span.line,
                        "startColumn": span.column,
                        "endLine": span.end_line,
                        "endColumn": span.end_column,
                    },
                }
            }
        ],
        # primaryLocationLineHash is left to GitHub's upload action: it reads the file, and warns of another value
        "partialFingerprints": {"reconciler/v1": digest},
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
