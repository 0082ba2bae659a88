"""plan and apply, through the command line, against real stores."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace

from reconciler.kinds import registry


def plan_of(workspace: Workspace, *arguments: str) -> dict:
    """The plan as JSON, held against its schema."""
    result = workspace.run("plan", "-o", "json", *arguments)
    content = json.loads(result.stdout)
    fits(content, "plan.schema.json")
    return content


def actions(plan: dict) -> list[tuple[str, str]]:
    """Action and address of each change."""
    return [(change["action"], change["address"]) for change in plan["changes"]]


def sql(workspace: Workspace, statement: str, *values: object) -> list[tuple]:
    """Run a statement straight on the store."""
    with sqlite3.connect(workspace.store) as connection:
        found = connection.execute(statement, values).fetchall()
    connection.close()
    return found


def drift(workspace: Workspace, name: str, path: str, value: str) -> None:
    """Change a live body outside of a run."""
    sql(
        workspace,
        "UPDATE documents SET live = json_set(live, ?, json(?)) WHERE uid = (SELECT uid FROM records WHERE name = ?)",
        path,
        value,
        name,
    )


def test_a_first_apply_creates_in_the_order_of_references(workspace: Workspace) -> None:
    """What is referred to comes first."""
    plan = plan_of(workspace)
    assert actions(plan) == [
        ("create", "category/crm"), ("create", "connector/crm-contacts"), ("create", "group/integrators"), ("create", "policy/integration-team"),
    ]  # fmt: skip
    assert not workspace.store.exists(), "a plan writes nothing"
    assert "4 created" in workspace.ok("apply", "--yes").stdout


def test_applying_twice_changes_and_writes_nothing(workspace: Workspace) -> None:
    """Not a byte of the store, and no run in its history."""
    workspace.ok("apply", "--yes")
    before = workspace.store.read_bytes()
    result = workspace.ok("apply", "--yes")
    assert result.stdout.startswith("Nothing to do: ")
    assert result.stdout.count("\n") == 1
    assert workspace.store.read_bytes() == before
    wal = workspace.store.with_name("store.db-wal")
    assert not wal.exists() or wal.stat().st_size == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("categories: [crm]", "categories:\n  - crm   # as a block"),
        ("description: Contacts of the CRM.", 'description: "Contacts of the CRM."'),
        ("spec:\n  displayName: Sales team's contacts", "spec:\n  tls: {verify: true}\n  status: active\n  displayName: Sales team's contacts"),
        ('params: [{name: page, value: "1"}]', 'params: [{value: "1", name: page, required: false}]\n      body: ""\n      headers: []\n      timeoutSeconds: 30.0'),
        ("metadata:\n  name: crm-contacts\n  labels: {team: sales}", "metadata: {labels: {team: sales}, name: crm-contacts}"),
    ],
)  # fmt: skip
def test_another_spelling_of_the_same_is_no_change(workspace: Workspace, old: str, new: str) -> None:
    """Style, order of keys and written-out defaults are not differences."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", old, new)
    assert actions(plan_of(workspace)) == []


def test_each_field_says_who_moved_it(workspace: Workspace) -> None:
    """Git, the live side, or both."""
    workspace.ok("apply", "--yes")
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    drift(workspace, "crm-contacts", "$.spec.displayName", '"By hand"')
    workspace.edit("connectors/crm.yaml", "Sales team's contacts", "Contacts of sales")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    (change,) = plan_of(workspace)["changes"]
    origins = {field["path"][-1]: field["origin"] for field in change["fields"]}
    assert origins == {"description": "drift", "displayName": "both", "method": "git"}
    text = workspace.ok("plan").stdout
    assert '~ description: "by hand" -> "Contacts of the CRM."  (drift)' in text
    conflict = """\
    ! displayName: conflict, git and live were changed
        last applied: "Sales team's contacts"
        live:         "By hand"
        git:          "Contacts of sales"
"""
    assert conflict in text
    workspace.ok("apply", "--yes")
    assert actions(plan_of(workspace)) == []


def test_sets_and_named_lists_compare_as_such(workspace: Workspace) -> None:
    """Categories by member, parameters by name, their order apart."""
    workspace.write("connectors/more.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales"))
    workspace.edit("connectors/crm.yaml", "categories: [crm]", "categories: [sales, crm]")
    workspace.edit(
        "connectors/crm.yaml",
        'params: [{name: page, value: "1"}]',
        "params: [{name: a}, {name: b}]\n      headers: [{name: X-A}, {name: X-B}]",
    )
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "[sales, crm]", "[crm, sales]")
    workspace.edit("connectors/crm.yaml", "[{name: X-A}, {name: X-B}]", "[{name: X-B}, {name: X-A}]")
    assert actions(plan_of(workspace)) == []
    workspace.edit("connectors/crm.yaml", "[{name: a}, {name: b}]", "[{name: b}, {name: a}]")
    assert "endpoints.list.params.(order): +" not in workspace.ok("plan").stdout
    assert "endpoints.list.params.(order): [a, b] -> [b, a]" in workspace.ok("plan").stdout
    workspace.edit("connectors/crm.yaml", "[{name: b}, {name: a}]", '[{name: b, value: "2"}, {name: a}]')
    workspace.edit("connectors/crm.yaml", "categories: [crm, sales]", "categories: [crm]")
    text = workspace.ok("plan").stdout
    assert "~ categories: -sales" in text
    assert '~ endpoints.list.params.b.value: (none) -> "2"' in text


def test_a_new_name_with_the_old_one_listed_is_a_rename(workspace: Workspace) -> None:
    """The record keeps its identity, whatever else changes with it."""
    workspace.ok("apply", "--yes")
    (before,) = sql(workspace, "SELECT uid FROM records WHERE name = 'crm-contacts'")
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-people\n  previously: [crm-contacts]")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    assert actions(plan_of(workspace)) == [("rename", "connector/crm-people")]
    assert "1 renamed" in workspace.ok("apply", "--yes").stdout
    assert sql(workspace, "SELECT uid, name FROM records WHERE kind = 'Connector'") == [(before[0], "crm-people")]
    assert actions(plan_of(workspace)) == []


def test_display_names_can_be_swapped(workspace: Workspace) -> None:
    """Two records that exchange a unique name need no third one in between."""
    second = CONNECTOR.replace("crm-contacts", "crm-leads").replace("Sales team's contacts", "Leads")
    workspace.write("connectors/leads.yaml", second)
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/leads.yaml", "displayName: Leads", "displayName: Sales team's contacts")
    workspace.edit("connectors/crm.yaml", "displayName: Sales team's contacts", "displayName: Leads")
    assert len(plan_of(workspace)["changes"]) == 2
    workspace.ok("apply", "--yes")
    assert actions(plan_of(workspace)) == []


def test_a_name_that_another_record_takes_over_is_given_up_first(workspace: Workspace) -> None:
    """In two steps, unless the records trade their names."""
    workspace.write(
        "connectors/leads.yaml",
        CONNECTOR.replace("crm-contacts", "crm-leads").replace("Sales team's contacts", "Leads"),
    )
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-other\n  previously: [crm-contacts]")
    workspace.edit("connectors/leads.yaml", "name: crm-leads", "name: crm-contacts\n  previously: [crm-leads]")
    result = workspace.run("plan")
    assert result.exit_code == 3, "an earlier name that is defined again is a contradiction"
    assert "RC304" in result.stderr


def test_an_additive_list_leaves_what_others_added(workspace: Workspace) -> None:
    """Only members that were listed before and are not now are removed."""
    workspace.edit("policies/team.yaml", "mode: authoritative", "mode: additive")
    workspace.ok("apply", "--yes")
    drift(workspace, "integrators", "$.spec.members.users", '["ada", "grace", "hedy"]')
    assert actions(plan_of(workspace)) == []
    workspace.edit("policies/team.yaml", "users: [ada, grace]", "users: [ada, margaret]")
    assert "~ members.users: +margaret -grace" in workspace.ok("plan").stdout
    workspace.ok("apply", "--yes")
    found = json.loads(workspace.ok("get", "group/integrators", "-o", "json").stdout)["records"][0]
    assert found["document"]["spec"]["members"]["users"] == ["ada", "hedy", "margaret"]
    assert actions(plan_of(workspace)) == []


def test_an_authoritative_list_takes_back_what_others_added(workspace: Workspace) -> None:
    """And says that the live side moved."""
    workspace.ok("apply", "--yes")
    drift(workspace, "integrators", "$.spec.members.users", '["ada", "grace", "mallory"]')
    assert "~ members.users: -mallory  (drift)" in workspace.ok("plan").stdout


def test_ignored_fields_belong_to_the_live_side(workspace: Workspace) -> None:
    """Once the record exists, also deep inside."""
    workspace.edit(
        "connectors/crm.yaml",
        "  endpoints:\n",
        "  lifecycle: {ignore: [description, endpoints.list.timeoutSeconds]}\n  endpoints:\n",
    )
    workspace.ok("apply", "--yes")
    drift(workspace, "crm-contacts", "$.spec.description", '"tuned"')
    drift(workspace, "crm-contacts", "$.spec.endpoints.list.timeoutSeconds", "7")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Another text.")
    assert actions(plan_of(workspace)) == []
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    workspace.ok("apply", "--yes")
    live = json.loads(workspace.ok("get", "connector/crm-contacts", "-o", "json").stdout)["records"][0]["document"][
        "spec"
    ]
    assert (live["description"], live["endpoints"]["list"]["timeoutSeconds"]) == ("tuned", 7)
    assert actions(plan_of(workspace)) == []


def test_a_protected_record_outlives_the_block_that_protected_it(workspace: Workspace) -> None:
    """Lifting the protection is a change of its own."""
    workspace.edit("connectors/crm.yaml", "  endpoints:\n", "  lifecycle: {protect: true}\n  endpoints:\n")
    workspace.ok("apply", "--yes")
    protected = (workspace.root / "connectors/crm.yaml").read_text()
    workspace.write("connectors/crm.yaml", CATEGORY)
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 5
    assert "connector/crm-contacts" in result.stderr
    assert workspace.run("plan").exit_code == 5
    workspace.write("connectors/crm.yaml", protected.replace("protect: true", "protect: false"))
    workspace.ok("apply", "--yes")
    workspace.write("connectors/crm.yaml", CATEGORY)
    workspace.ok("apply", "--yes")


def test_an_empty_source_never_deletes(workspace: Workspace) -> None:
    """Not even with --max-deletes."""
    workspace.ok("apply", "--yes")
    for path in ("connectors/crm.yaml", "policies/team.yaml"):
        (workspace.root / path).unlink()
    result = workspace.run("apply", "--yes", "--max-deletes", "100%")
    assert result.exit_code == 5
    assert "the source defines nothing" in result.stderr
    assert "4 records" in workspace.ok("get").stdout


def test_the_limit_on_deletes(workspace: Workspace) -> None:
    """A number or a share; the default lets a few pass and no more."""
    many = "---\n".join(CATEGORY.replace("crm", f"c{n}").replace("Customer data", f"C{n}") for n in range(20))
    workspace.write("connectors/many.yaml", many)
    workspace.ok("apply", "--yes")
    (workspace.root / "connectors/many.yaml").unlink()
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 5
    assert "20 of 24 records would be deleted; the limit is 7 (30%)" in result.stderr
    assert re.search("if this is meant: --override [0-9a-f]{12}:deletes=20\n", result.stderr)
    assert workspace.run("apply", "--yes", "--max-deletes", "80%").exit_code == 5
    assert "20 deleted" in workspace.ok("apply", "--yes", "--max-deletes", "20").stdout


def test_without_pruning_nothing_is_deleted(workspace: Workspace) -> None:
    """And the plan says what is kept."""
    workspace.ok("apply", "--yes")
    (workspace.root / "policies/team.yaml").unlink()
    assert "2 records no longer defined, kept" in workspace.ok("plan", "--no-prune").stdout
    plan = plan_of(workspace)
    assert actions(plan) == [("delete", "policy/integration-team"), ("delete", "group/integrators")], "in reverse"


def test_repositories_in_one_store_leave_each_other_alone(
    workspace: Workspace, make_workspace: Callable[[str], Workspace], tmp_path: Path
) -> None:
    """Pruning, names and display names mind the owner."""
    store = f"sqlite:{tmp_path / 'shared' / 'store.db'}"
    other = make_workspace("other")
    other.write("connectors/own.yaml", CATEGORY.replace("crm", "own").replace("Customer data", "Own"))
    refused = other.run("--store", store, "plan")
    assert refused.exit_code == 64 and "owner:" in refused.stderr
    for space, owner in ((workspace, "acme/crm"), (other, "acme/own")):
        space.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: {owner}\n")
        space.ok("--store", store, "apply", "--yes")
        assert actions(plan_of(space, "--store", store)) == []
    other.write("connectors/clash.yaml", CATEGORY.replace("Customer data", "Mine now"))
    clash = other.run("--store", store, "apply", "--yes")
    assert clash.exit_code == 5 and "category/crm belongs to acme/crm" in clash.stderr
    other.write("connectors/clash.yaml", CATEGORY.replace("name: crm", "name: mine"))
    clash = other.run("--store", store, "apply", "--yes")
    assert clash.exit_code == 6 and "category/mine has the display name of category/crm" in clash.stderr
    other.write("connectors/clash.yaml", CATEGORY)
    assert "1 adopted" in other.ok("--store", store, "apply", "--yes", "--adopt").stdout
    stolen = workspace.run("--store", store, "plan")
    assert stolen.exit_code == 5 and "belongs to acme/own" in stolen.stdout


def test_a_category_in_use_by_another_owner_is_not_deleted(
    workspace: Workspace, make_workspace: Callable[[str], Workspace], tmp_path: Path
) -> None:
    """Also when it is used outside of a run."""
    workspace.ok("apply", "--yes")
    uid = "f" * 32
    sql(workspace, "INSERT INTO records (uid, kind, name, owner) VALUES (?, 'Connector', 'foreign', 'somebody')", uid)
    sql(workspace, 'INSERT INTO documents VALUES (?, \'{"spec":{"displayName":"F","categories":["crm"]}}\')', uid)
    sql(workspace, "INSERT INTO refs VALUES (?, 'Category', 'crm')", uid)
    workspace.write("connectors/crm.yaml", CATEGORY.replace("crm", "other").replace("Customer data", "Other"))
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 6
    assert "connector/foreign refers to category/crm" in result.stderr


def test_a_commit_is_planned_without_being_checked_out(workspace: Workspace) -> None:
    """The working tree may be in any state."""
    first = workspace.commit("first")
    workspace.ok("apply", "--yes", "--ref", "main")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    second = workspace.commit("second")
    workspace.write("connectors/crm.yaml", "not: [valid")
    assert actions(plan_of(workspace, "--ref", first)) == []
    plan = plan_of(workspace, "--ref", second[:10])
    assert actions(plan) == [("update", "connector/crm-contacts")]
    assert plan["source"] == {"commit": second, "ref": second[:10], "dirty": False}
    assert workspace.run("plan").exit_code == 3
    assert sql(workspace, "SELECT git_commit, actor, changes FROM runs") == [(first, "ada", 4)]


def test_detailed_exit_codes(workspace: Workspace) -> None:
    """0 without changes, 2 with some; without the option always 0."""
    assert workspace.run("plan", "--detailed-exitcode").exit_code == 2
    assert workspace.run("plan").exit_code == 0
    workspace.ok("apply", "--yes")
    assert workspace.run("plan", "--detailed-exitcode").exit_code == 0


def test_get_lists_searches_and_views(workspace: Workspace) -> None:
    """By kind, name, text, category, label and status."""
    workspace.ok("apply", "--yes")
    assert "No record matches." in workspace.ok("get", "--search", "nothing like it").stdout
    for query in (
        ["connectors"],
        ["Connector"],
        ["connector", "--search", "SALES contacts"],
        ["-s", "crm.example.com"],
        ["--category", "crm"],
        ["-l", "team=sales"],
    ):
        assert "crm-contacts" in workspace.ok("get", *query).stdout, query
    assert "crm-contacts" not in workspace.ok("get", "-l", "team=none").stdout
    assert "crm-contacts" not in workspace.ok("get", "--status", "inactive").stdout
    content = json.loads(workspace.ok("get", "-o", "json").stdout)
    fits(content, "records.schema.json")
    assert [record["address"] for record in content["records"]] == [
        "category/crm",
        "connector/crm-contacts",
        "group/integrators",
        "policy/integration-team",
    ]
    shown = workspace.ok("get", "connector/crm-contacts").stdout
    assert shown.startswith("# connector/crm-contacts, owned by local")
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + shown)
    assert actions(plan_of(workspace)) == [], "what get shows is a definition that plans empty"


def test_the_order_of_files_and_documents_does_not_matter(
    workspace: Workspace, make_workspace: Callable[[str], Workspace]
) -> None:
    """The same definitions laid out in another way give the same plan."""
    other = make_workspace("other")
    other.write("policies/z.yaml", "---\n".join(reversed(POLICY.split("---\n"))))
    other.write("connectors/a.yaml", CONNECTOR)
    other.write("connectors/z.yaml", CATEGORY)
    one, two = plan_of(workspace), plan_of(other)
    for change in one["changes"] + two["changes"]:
        del change["file"]
    assert one["changes"] == two["changes"]


def test_a_very_large_plan_names_new_records_only(workspace: Workspace) -> None:
    """Nobody reads ten thousand of them field by field; what changes is still shown."""
    workspace.ok("apply", "--yes")
    many = "---\n".join(CATEGORY.replace("crm", f"c{n}").replace("Customer data", f"C{n}") for n in range(300))
    workspace.write("connectors/many.yaml", many)
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    lines = workspace.ok("plan").stdout.splitlines()
    assert sum(line.startswith("+ category/c") for line in lines) == 300
    assert not any("displayName" in line for line in lines)
    assert '    ~ endpoints.list.method: "GET" -> "PUT"' in lines
    assert lines[-1] == "300 to create, 1 to update."
