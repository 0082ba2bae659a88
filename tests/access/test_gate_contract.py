"""A change of a contract alone: judged by the gate, and noticed by plans of what moved."""

import pytest
from gate_checks import refused
from gate_world import authorize, gated, judged
from conftest import Workspace

DOCUMENT = """\
openapi: 3.0.3
info: {title: CRM, version: "1"}
servers: [{url: "https://crm.example.com"}]
security: [{basic: []}]
components: {securitySchemes: {basic: {type: http, scheme: basic}}}
paths:
  /contacts/{account}:
    get:
      parameters:
        - {name: account, in: path, required: true, schema: {type: string}}
        - {name: page, in: query, schema: {type: string}}
      responses: {"200": {description: ok}}
"""
OTHER = DOCUMENT.replace('version: "1"', 'version: "2"')
WARNED = DOCUMENT.replace("name: page", "name: size")
BROKEN = DOCUMENT.replace("name: page, in: query,", "name: X-Org, in: header, required: true,")
PATH = "openapi/crm.yaml"


def leaning(workspace: Workspace) -> Workspace:
    """Every connector names the document."""
    workspace.write(PATH, DOCUMENT)
    for file in (workspace.root / "connectors").iterdir():
        text = file.read_text()
        workspace.write(
            f"connectors/{file.name}", text.replace("  endpoints:\n", f"  contract: {PATH}\n  endpoints:\n")
        )
    workspace.commit("contract")
    return workspace


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    gated(workspace)
    workspace.git("checkout", "-q", "main")
    leaning(workspace)
    workspace.git("checkout", "-q", "-B", "change")
    return workspace


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    leaning(workspace)
    workspace.ok("apply", "--yes")
    return workspace


def test_a_changed_contract_is_an_update_of_all_that_name_it(gate: Workspace) -> None:
    """It takes edit on each, and the verdict says why."""
    gate.write(PATH, OTHER)
    found = judged(gate)
    assert [(change["action"], change["address"]) for change in found["changes"]] == [
        ("update", "connector/crm-contacts"),
        ("update", "connector/ledger"),
    ]
    assert refused(found) == [("connector/ledger", "connectors:edit")]
    assert refused(judged(gate, "margaret")) == []
    assert {address for address, _ in refused(judged(gate, "nobody"))} == {"connector/crm-contacts", "connector/ledger"}
    assert f"its contract is {PATH}" in authorize(gate).stdout


def test_a_contract_that_the_connectors_break_is_refused(gate: Workspace) -> None:
    """Whoever asks: the head is not valid."""
    gate.write(PATH, BROKEN)
    done = authorize(gate, "margaret")
    assert done.exit_code == 3 and done.stdout == ""
    assert "RC804" in done.stderr and "connectors/crm.yaml" in done.stderr and "nothing is allowed" in done.stderr


@pytest.mark.parametrize("how", ["gone", "link", "no document"])
def test_a_contract_that_cannot_be_read_is_refused(gate: Workspace, how: str) -> None:
    """Also one that a link takes the place of: it is not followed."""
    target = gate.root / PATH
    target.unlink()
    if how == "link":
        gate.write("elsewhere.yaml", DOCUMENT)
        target.symlink_to("../elsewhere.yaml")
    elif how == "no document":
        target.write_text("a: 1\n")
    done = authorize(gate, "margaret")
    assert done.exit_code == 3 and "RC801" in done.stderr, done.output


def test_a_document_that_nobody_names_is_no_change(gate: Workspace) -> None:
    """It lies there as any other file does."""
    gate.write("openapi/other.yaml", BROKEN)
    assert judged(gate, "nobody")["changes"] == []


def test_the_next_plan_notices_a_changed_contract(applied: Workspace) -> None:
    """Back and forth, each commit as a plan of everything sees it."""
    for text, code in ((BROKEN, 3), (DOCUMENT, 0), (WARNED, 0), (DOCUMENT, 0)):
        applied.write(PATH, text)
        applied.commit()
        part, whole = applied.run("plan"), applied.run("plan", "--full")
        assert part.exit_code == whole.exit_code == code, part.output
        assert (part.stdout, part.stderr) == (whole.stdout, whole.stderr)
        assert ("RC805" in part.output) is (text in (BROKEN, WARNED)), part.output


def test_an_apply_remembers_the_contract_that_it_was_judged_by(applied: Workspace) -> None:
    """After an apply with the newer one, the change back is noticed too."""
    applied.write(PATH, WARNED)
    applied.commit()
    applied.ok("apply", "--yes")
    assert "RC805" in applied.ok("plan").output
    applied.write(PATH, DOCUMENT)
    applied.commit()
    assert "RC805" not in applied.ok("plan").output
    applied.write(PATH, BROKEN)
    assert applied.run("plan").exit_code == 3
    assert applied.run("plan", "--ref", "HEAD").exit_code == 0


def test_a_connector_that_names_no_contract_any_more_is_not_checked(applied: Workspace) -> None:
    """By plans of what moved, and after the apply too."""
    applied.edit("connectors/crm.yaml", f"  contract: {PATH}\n", "")
    applied.write(PATH, BROKEN)
    applied.commit()
    applied.ok("plan")
    applied.ok("apply", "--yes")
    (applied.root / PATH).unlink()
    applied.commit()
    assert "RC80" not in applied.ok("plan").output
    applied.ok("validate", "--changed-since", "HEAD~1")


def test_changed_since_notices_a_changed_contract(applied: Workspace) -> None:
    """And a change back."""
    applied.write(PATH, BROKEN)
    applied.commit()
    done = applied.run("validate", "--changed-since", "HEAD~1")
    assert done.exit_code == 3 and "RC804" in done.output
    applied.write(PATH, DOCUMENT)
    applied.commit()
    applied.ok("validate", "--changed-since", "HEAD~1")
    applied.ok("validate", "--changed-since", "HEAD~2")
