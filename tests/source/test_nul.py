"""No store takes the character U+0000, or half a character: a definition with one is refused at its line."""

import json

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from live_state import sql

from reconciler.source.documents import DocumentReader
from reconciler.yaml.writer import text_of

PLACES = {
    "displayName: Sales team's contacts": 'displayName: "Sales\\0"',
    "description: Contacts of the CRM.": 'description: "a\\x00b"',
    "labels: {team: sales}": 'labels: {team: "sales\\u0000"}',
    "    list:": '    "li\\0st":',
    'value: "1"': 'value: "\\0"',
    "name: page": 'name: "pa\\0ge"',
    "username: svc": 'username: "\\0svc"',
}


@pytest.mark.parametrize("old", PLACES)
def test_wherever_a_text_can_stand(workspace: Workspace, old: str) -> None:
    """Values and keys; the place is told, and nothing is planned."""
    workspace.edit("connectors/crm.yaml", old, PLACES[old])
    lines = (workspace.root / "connectors/crm.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if PLACES[old] in text)
    said = json.loads(workspace.run("validate", "-o", "json").stdout)["diagnostics"]
    assert [(item["code"], item["range"]["start"]["line"]) for item in said] == [("RC213", line)]
    assert workspace.run("plan").exit_code == 3
    assert workspace.run("plan").exit_code == 3  # nor from what was read before


def test_what_is_almost_the_fault(workspace: Workspace) -> None:
    """A text about the escape, and characters beside it."""
    for text in ("a\\\\u0000b", "\\\\0", "\\x01", "\\xff", "\\uffff"):
        workspace.write("connectors/crm.yaml", CATEGORY.replace("Customer data", f'"{text}"') + "---\n" + CONNECTOR)
        found = workspace.run("validate", "-o", "json")
        assert "RC213" not in found.stdout, found.stdout
    workspace.write("connectors/crm.yaml", CATEGORY.replace("Customer data", '"a\\\\u0000b"') + "---\n" + CONNECTOR)
    workspace.ok("apply", "-y", "-q")
    assert workspace.run("plan").stdout.startswith("Nothing to do")


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "\\ud83d\\ude00", "\\U0000d800"])
def test_half_a_character(workspace: Workspace, escape: str) -> None:
    """YAML has no way to write one, and pairs of them are none of its escapes."""
    workspace.edit("connectors/crm.yaml", "Customer data", f'"a{escape}"')
    said = json.loads(workspace.run("validate", "-o", "json").stdout)["diagnostics"]
    assert [(item["code"], item["range"]["start"]["line"]) for item in said] == [("RC104", 4)]


@pytest.mark.parametrize(("escape", "code"), [("\\u0000", "RC213"), ("\\ud800", "RC202")])
def test_what_others_wrote_live(workspace: Workspace, escape: str, code: str) -> None:
    """Is drift like any other, is neither adopted nor exported, and goes by an apply."""
    workspace.ok("apply", "-y", "-q")
    body = '{"spec":{"displayName":"a' + escape + '"}}'
    sql(workspace.store, "UPDATE documents SET live = ? WHERE uid = (SELECT uid FROM records WHERE name = 'crm')", body)
    assert workspace.run("drift", "--detailed-exitcode").exit_code == 2
    adopted = workspace.run("adopt")
    assert adopted.exit_code == 6 and "cannot be adopted" in adopted.stderr
    exported = workspace.run("export", "category/crm")
    assert exported.exit_code == 3 and f"[{code}]" in exported.stderr, exported.output
    workspace.ok("apply", "-y", "-q")
    assert workspace.run("drift", "--detailed-exitcode").exit_code == 0


def test_what_an_import_brings(workspace: Workspace) -> None:
    """Is left out of what it writes."""
    document = {
        "openapi": "3.0.0",
        "info": {"title": "Pe\0ts", "version": "1", "description": "a\0b"},
        "servers": [{"url": "https://pets.example.com"}],
        "paths": {"/p": {"get": {"operationId": "li\0st", "description": "x\0", "parameters": [{"name": "a", "in": "query", "required": True, "schema": {"type": "string"}, "example": "x\0y"}], "responses": {"200": {"description": "ok"}}}}},
    }  # fmt: skip
    workspace.write("pets.json", json.dumps(document))
    workspace.ok("import", "openapi", "pets.json")
    workspace.ok("validate", "-q")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=6), st.text(max_size=6).filter(str.strip))
def test_a_text_is_refused_just_when_it_holds_one(key: str, text: str) -> None:
    """As a value or as a key, however YAML writes it."""
    document = {
        "apiVersion": "reconciler/v1", "kind": "Category", "metadata": {"name": "x", "labels": {"k": key}},
        "spec": {"displayName": f"x{text}", "description": key},
    }  # fmt: skip
    read = DocumentReader().read("connectors/x.yaml", text_of(document).encode())
    assert any(found.code == "RC213" for found in read.diagnostics) == ("\0" in key + text)
