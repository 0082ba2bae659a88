"""Diagnostics as JSON, held against the schema that we publish."""

import json
from typing import Any

import jsonschema
from hostile import HOSTILE, checked_for
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from reconciler.diagnostics import Diagnostic, Edit, Fix, Span
from reconciler.kinds import registry
from reconciler.render.diagnostics import Checked, render

SCHEMA = registry.load("diagnostics.schema.json")


def test_a_diagnostic_is_told_in_full() -> None:
    """What is not there is null."""
    found = [
        Diagnostic(
            "RC203",
            "not a text",
            span := Span("connectors/é.yaml", 14, 9, 14, 11),
            "  name: 42",
            "quote it",
            Fix("put it in quotes", (Edit(span, '"'),)),
        ),
        Diagnostic("RC603", "inactive", Span("connectors/é.yaml", 20)),
    ]
    content = json.loads(render("json", found, checked=Checked(12, 15)))
    jsonschema.validate(content, SCHEMA)
    assert content["version"] == 1
    assert content["summary"] == {"files": 12, "documents": 15, "errors": 1, "warnings": 1}
    assert content["diagnostics"][0] == {
        "code": "RC203",
        "severity": "error",
        "message": "not a text",
        "hint": "quote it",
        "file": "connectors/é.yaml",
        "range": {"start": {"line": 14, "column": 9}, "end": {"line": 14, "column": 11}},
        "snippet": "  name: 42",
        "fix": {
            "title": "put it in quotes",
            "edits": [{"range": {"start": {"line": 14, "column": 9}, "end": {"line": 14, "column": 11}}, "text": '"'}],
        },
    }
    assert content["diagnostics"][1]["hint"] is None is content["diagnostics"][1]["snippet"]
    assert "fix" not in content["diagnostics"][1]


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_texts_come_back_as_they_were(found: list[Diagnostic]) -> None:
    """And agree with the schema; only what cannot be written as UTF-8 is shown as an escape."""
    content = json.loads(render("json", found, checked=checked_for(found)).encode("utf-8"))
    jsonschema.validate(content, SCHEMA)
    for said, item in zip(content["diagnostics"], found, strict=True):
        for key, text in (
            ("message", item.message),
            ("hint", item.hint),
            ("file", item.span.file),
            ("snippet", item.snippet),
        ):
            assert (said[key] or "") == text.encode("utf-8", "backslashreplace").decode("utf-8")


def test_the_schema_explains_itself() -> None:
    """It is sound, and each key has a title and a description."""
    Draft202012Validator.check_schema(SCHEMA)
    for schema in properties(SCHEMA):
        assert schema["title"] and schema["description"].endswith((".", "--strict."))


def properties(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema and those within it."""
    below = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    return [schema, *(inner for part in below for inner in properties(part))]
