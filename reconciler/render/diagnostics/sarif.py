"""Diagnostics as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/.

What GitHub asks for beyond it:
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.diagnostics import RULES, Diagnostic
from reconciler.render.diagnostics import Checked
from reconciler.render.diagnostics.fingerprint import fingerprints
from reconciler.render.diagnostics.topics import is_about_security
from reconciler.render.json_text import json_text

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
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
