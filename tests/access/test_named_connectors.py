"""Grants on connectors by name: ``on: {connectors: [crm-contacts]}``."""

import json

import pytest
from conftest import CONNECTOR, Workspace
from gate_world import authorize, difference, gated, judged, policy

from reconciler.errors import ExitCode

EDITS = "connectors:view, connectors:edit, connectors:call"
ON = "      on: {connectors: [crm-contacts]}\n"
OTHER = CONNECTOR.replace("crm-contacts", "crm-orders").replace("Sales team's contacts", "Orders")


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    """Two connectors in category crm; eve may edit and call one of them."""
    found = gated(workspace)
    found.git("checkout", "-q", "main")
    found.write("connectors/orders.yaml", OTHER)
    found.write("policies/eve.yaml", policy("eve", "{user: eve}", EDITS, ON))
    found.commit("eve")
    found.git("checkout", "-q", "-B", "change")
    return found


def test_it_is_about_that_one_alone(gate: Workspace) -> None:
    """Not about others of its category, and not about all."""
    shown = gate.ok("can", "eve", "connectors:edit", "connector/crm-contacts").stdout
    assert "policy eve grants it to eve, policies/eve.yaml:8 (connector crm-contacts)" in shown
    for more in (["connector/crm-orders"], ["connector/ledger"], []):
        refused = gate.run("can", "eve", "connectors:edit", *more)
        assert refused.exit_code == ExitCode.NOT_PERMITTED
        assert "it is granted on something else only" in refused.stdout
    assert "eve\n" in gate.ok("who-can", "connectors:call", "connector/crm-contacts").stdout
    assert "eve\n" not in gate.ok("who-can", "connectors:call", "connector/crm-orders").stdout


@pytest.mark.parametrize(
    ("on", "allowed"),
    [
        ("{connectors: [crm-orders, crm-contacts]}", True),
        ("{connectors: [crm-contacts], categories: [crm]}", True),
        ("{connectors: [crm-contacts], categories: [finance]}", False),
        ("{connectors: [crm-contacts], labels: {team: sales}}", True),
        ("{connectors: [crm-contacts], labels: {team: hr}}", False),
        ("{connectors: [ledger], categories: [crm]}", False),
    ],
)
def test_all_that_narrows_must_hold(gate: Workspace, on: str, allowed: bool) -> None:
    gate.edit("policies/eve.yaml", ON, f"      on: {on}\n")
    assert (gate.run("can", "eve", "connectors:edit", "connector/crm-contacts").exit_code == 0) is allowed


def test_the_gate_judges_by_it(gate: Workspace) -> None:
    """An edit of that connector passes, one of another does not; approvers are found for each."""
    gate.edit("connectors/crm.yaml", "GET", "PUT")
    assert judged(gate, "eve")["allowed"] is True
    gate.edit("connectors/orders.yaml", "GET", "PUT")
    content = judged(gate, "eve")
    assert [(change["address"], change["allowed"]) for change in content["changes"]] == [
        ("connector/crm-contacts", True),
        ("connector/crm-orders", False),
    ]
    orders = content["changes"][1]
    assert "eve" not in orders["approvers"]["users"] and orders["approvers"]["groups"] == ["integrators", "owners"]
    content = judged(gate, "mallory")
    assert [change["approvers"]["users"] for change in content["changes"]] == [["eve"], []]


def test_a_rename_takes_more_than_the_old_name(gate: Workspace) -> None:
    """What it becomes has another name, which the base's policies do not name; the reference moves along."""
    gate.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-people\n  previously: [crm-contacts]")
    undefined = gate.run("validate")
    assert "error[RC301]: there is no connector 'crm-contacts'" in undefined.stdout
    gate.edit("policies/eve.yaml", "crm-contacts", "crm-people")
    gate.ok("validate")
    content = judged(gate, "eve")
    rename = next(change for change in content["changes"] if change["address"] == "connector/crm-people")
    assert [(one["on"], one["granted"]) for one in rename["wanted"]] == [("was", True), ("becomes", False)]
    gate.git("checkout", "-q", "main")
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.git("merge", "-q", "change")
    gate.ok("apply", "--yes", "--as", "margaret")
    assert gate.ok("can", "eve", "connectors:edit", "connector/crm-people", "--live")


def test_nobody_takes_a_name_that_a_grant_names(gate: Workspace) -> None:
    """Whoever may edit one connector gives it no other's name."""
    gate.edit("connectors/orders.yaml", "name: crm-orders", "name: crm-contacts\n  previously: [crm-orders]")
    gate.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-orders\n  previously: [crm-contacts]")
    assert judged(gate, "eve")["allowed"] is False


def test_a_deleted_connector_is_no_scope(gate: Workspace) -> None:
    gate.write("connectors/crm.yaml", (gate.root / "connectors/crm.yaml").read_text().partition("---\n")[0])
    result = authorize(gate, "margaret")
    assert result.exit_code == ExitCode.INVALID
    assert "policies/eve.yaml:" in result.stderr and "there is no connector 'crm-contacts'" in result.stderr


def test_the_live_store_judges_by_it(gate: Workspace) -> None:
    """An incremental plan too."""
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.edit("connectors/crm.yaml", "GET", "PUT")
    gate.ok("apply", "--yes", "--as", "eve")
    gate.edit("connectors/orders.yaml", "GET", "PUT")
    refused = gate.run("apply", "--yes", "--as", "eve")
    assert refused.exit_code == ExitCode.NOT_PERMITTED
    assert "update connector/crm-orders takes connectors:edit: it is granted on something else only" in refused.stderr


@pytest.mark.parametrize("full", [[], ["--full"]])
def test_what_it_does_to_people(gate: Workspace, full: list[str]) -> None:
    """On one connector; of two names each alone. An incremental plan counts what it did not read, too."""
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.edit("policies/eve.yaml", "[crm-contacts]", "[ledger, crm-orders]")
    shown = gate.ok("plan", "--as", "margaret", *full).stdout
    assert "on 2 more connectors (connector crm-orders, or connector ledger)" in shown
    assert "on 1 connector (connector crm-contacts)" in shown
    widened = difference(gate)["others"]
    assert [(item["shift"], item["scopes"][0]["connectors"], item["targets"]) for item in widened] == [
        ("widen", ["crm-orders"], {"connectors": 2}),
        ("narrow", ["crm-contacts"], {"connectors": 1}),
    ]


def test_a_view_narrowed_otherwise_meets_it(gate: Workspace) -> None:
    """Edit of one by name, and view of its category: effective on that one if it is filed there."""
    grants = "      on: {connectors: [crm-contacts, ledger]}\n    - permissions: [connectors:view]\n      on: {categories: [crm]}\n"
    gate.write("policies/eve.yaml", policy("eve", "{user: eve}", "connectors:edit", grants))
    gate.ok("validate", "--strict")
    assert gate.run("can", "eve", "connectors:edit", "connector/crm-contacts").exit_code == 0
    assert gate.run("can", "eve", "connectors:edit", "connector/ledger").exit_code == ExitCode.NOT_PERMITTED


@pytest.mark.parametrize(
    ("permissions", "on", "says"),
    [
        ("categories:view", "connectors: [ledger]", "'categories:view' has no effect where the grant is narrowed to connectors by name"),
        ("connectors:view, connectors:create", "connectors: [ledger]", "'connectors:create' has no effect"),
        ("groups:view", "categories: [crm]", "'groups:view' has no effect where the grant is narrowed to categories"),
    ],
)  # fmt: skip
def test_permissions_that_nothing_is_left_of(gate: Workspace, permissions: str, on: str, says: str) -> None:
    gate.write("policies/eve.yaml", policy("eve", "{user: eve}", permissions, f"      on: {{{on}}}\n"))
    shown = gate.ok("validate").stdout
    assert "policies/eve.yaml:8:" in shown and "warning[RC309]" in shown
    assert says in shown


def test_an_access_test_sees_it(gate: Workspace) -> None:
    gate.write(
        "policies/test.yaml",
        "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: eve}\nspec:\n  expect:\n"
        "    - {user: eve, can: 'connectors:call', on: connector/crm-contacts}\n"
        "    - {user: eve, cannot: 'connectors:call', on: connector/crm-orders}\n"
        "    - {user: eve, cannot: 'connectors:edit'}\n",
    )
    content = json.loads(gate.run("validate", "-o", "json").stdout)
    assert [found["code"] for found in content["diagnostics"]] == ["RC702"]
    assert "eve has connectors:edit: policy eve grants it to eve" in content["diagnostics"][0]["message"]


def test_the_canonical_form(gate: Workspace) -> None:
    """Before the categories; the order of names is no change."""
    gate.edit("policies/eve.yaml", ON, "      on: {categories: [crm], connectors: [ledger, crm-contacts]}\n")
    gate.ok("fmt")
    assert (
        "on: {connectors: [ledger, crm-contacts], categories: [crm]}" in (gate.root / "policies/eve.yaml").read_text()
    )
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.edit("policies/eve.yaml", "[ledger, crm-contacts]", "[crm-contacts, ledger]")
    assert "Nothing to do" in gate.ok("plan", "--as", "margaret").stdout
