"""Diagnostics as a GitLab Code Quality report, held against its documentation and against what Ruff writes."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
from hostile import HOSTILE, checked_for
from hypothesis import given, settings
from ruff import find_ruff_bin

from reconciler.diagnostics import RULES, Diagnostic, Span
from reconciler.render.diagnostics import Checked, render

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, and for the keys beyond it
# https://github.com/codeclimate/platform/blob/master/spec/analyzers/SPEC.md#issues
LINE = {"type": "integer", "minimum": 1}
DOCUMENTED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "issue"},
            "description": {"type": "string"},
            "check_name": {"type": "string", "minLength": 1},
            "content": {"type": "object", "required": ["body"], "properties": {"body": {"type": "string"}}},
            "categories": {"type": "array", "minItems": 1, "items": {"enum": ["Bug Risk", "Security"]}},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/]"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": LINE, "end": LINE}},
                },
            },
        },
    },
}


def report(*found: Diagnostic) -> list[dict[str, object]]:
    """The issues, which are as documented."""
    issues = json.loads(render("gitlab", found, checked=Checked(1, 1)).encode("utf-8"))
    jsonschema.validate(issues, DOCUMENTED)
    return issues


def test_an_issue_says_where_what_and_why() -> None:
    """A secret belongs to another category than a fault of the form, and a warning weighs less."""
    secret, lint = report(
        Diagnostic("RC210", "token takes a reference", Span("connectors/é.yaml", 4, 3, 4, 9), "x", "write {env: A}"),
        Diagnostic("RC603", "category 'old' is inactive", Span("connectors/a.yaml", 9)),
    )
    assert re.fullmatch("[0-9a-f]{32}", str(secret.pop("fingerprint")))
    assert secret == {
        "type": "issue",
        "check_name": "RC210",
        "description": "token takes a reference (write {env: A})",
        "content": {"body": RULES["RC210"].explanation},
        "categories": ["Security"],
        "severity": "critical",
        "location": {"path": "connectors/é.yaml", "lines": {"begin": 4, "end": 4}},
    }
    assert (lint["severity"], lint["categories"]) == ("minor", ["Bug Risk"])
    assert report() == []


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_issues_are_as_documented(found: list[Diagnostic]) -> None:
    """And each has a fingerprint of its own, also where a fault repeats."""
    twice = [*found, *found]
    issues = json.loads(render("gitlab", twice, checked=checked_for(twice)).encode("utf-8"))
    jsonschema.validate(issues, DOCUMENTED)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(twice)


def test_fingerprints_stay_when_lines_move() -> None:
    """Else every merge request would fix and bring the same issues."""
    here, there = (Diagnostic("RC201", "unknown key", Span("a.yaml", line, 3, line, 6), "  foo: 1") for line in (4, 90))
    assert report(here)[0]["fingerprint"] == report(there)[0]["fingerprint"]


def test_it_has_the_keys_that_ruff_gives(tmp_path: Path) -> None:
    """With values of the same types; the place is told by lines, the other form that is documented."""
    (tmp_path / "a.py").write_text("import os\n")
    arguments = ["check", "--isolated", "--no-cache", "--select", "F", "--output-format", "gitlab", "a.py"]
    said = subprocess.run([find_ruff_bin(), *arguments], cwd=tmp_path, capture_output=True, text=True).stdout
    (theirs,) = json.loads(said)
    (ours,) = report(Diagnostic("RC104", "wrong", Span("a.py")))
    assert theirs.keys() <= ours.keys()
    assert {key: type(ours[key]) for key in theirs} == {key: type(value) for key, value in theirs.items()}
    assert theirs["location"]["path"] == "a.py"
