"""Diagnostics as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from reconciler.diagnostics import RULES, Diagnostic
from reconciler.render.diagnostics import Checked
from reconciler.render.style import well_formed

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """One run, with the rules that it uses."""
    codes = sorted({found.code for found in diagnostics})
    seen: Counter[str] = Counter()
    content = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "reconciler",
                        "version": checked.version,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "root of the configuration repository"}}},
                "results": [_result(found, codes, seen) for found in diagnostics],
            }
        ],
    }
    return well_formed(json.dumps(content, indent=2, ensure_ascii=False)) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.summary.replace("-", " ").split()),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": rule.explanation},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(found: Diagnostic, codes: list[str], seen: Counter[str]) -> dict[str, Any]:
    span = found.span
    text = f"{found.message}. {found.hint[:1].upper()}{found.hint[1:]}." if found.hint else found.message
    return {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": found.severity.value,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(_bytes(span.file)), "uriBaseId": "SRCROOT"},
                    "region": {
                        "startLine": span.line,
                        "startColumn": span.column,
                        "endLine": span.end_line,
                        "endColumn": span.end_column,
                    },
                }
            }
        ],
        "partialFingerprints": {"reconciler/v1": fingerprint(found, seen)},
    }


def _bytes(path: str) -> bytes:
    """The bytes of a path as they are on disk; what cannot be on a disk stays recognisable."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def fingerprint(found: Diagnostic, seen: Counter[str]) -> str:
    """A digest that stays the same when lines move; repeats in one file are numbered through `seen`."""
    subject = f"{found.code}\0{found.span.file}\0{found.message}\0{found.snippet.strip()}"
    seen[subject] += 1
    return sha256(f"{subject}\0{seen[subject]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
