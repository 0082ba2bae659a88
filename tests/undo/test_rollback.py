"""An ordinary plan back to what the records were after a run: same guards, same review, same judgement."""

import json

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import actions, drift, live_spec, plan_of, file_bytes, sql
from undo_world import ADDRESS, BOTH, FILE, UndoBench, answer, delete, records

pytestmark = pytest.mark.both_stores

SALES = CATEGORY.replace("crm", "sales").replace("Customer data", "Sales")
OTHER = CONNECTOR.replace("crm-contacts", "other").replace("Sales team's contacts", "Others")
CANARY = "Bcanary9d2k6v1m4"


def test_what_was_created_changed_renamed_and_deleted_since_is_undone(workspace: Workspace) -> None:
    """In one plan that says where it comes from; then a plan back to the same run is empty."""
    workspace.write(FILE, BOTH + "---\n" + OTHER)
    workspace.commit()
    workspace.ok("apply", "--yes", "-q")
    before = records(workspace.store)
    changed = CONNECTOR.replace("name: crm-contacts", "name: people\n  previously: [crm-contacts]")
    workspace.write(FILE, CATEGORY.replace("Customer data", "Customers") + "---\n" + changed + "---\n" + SALES)
    commit = workspace.commit("more")
    workspace.ok("apply", "--yes", "-q")
    shown = answer(workspace, "rollback", "1", "--dry-run")
    assert actions(shown) == [
        ("update", "category/crm"),
        ("rename", ADDRESS),
        ("restore", "connector/other"),
        ("delete", "category/sales"),
    ]
    assert shown["source"]["past"] == "run 1" and {change.get("file") for change in shown["changes"]} == {"run 1", None}
    done = workspace.ok("rollback", "1", "--yes")
    assert "Plan for local, from run 1:\n" in done.stdout
    assert "» connector/crm-contacts (was connector/people)  run 1\n" in done.stdout
    assert "note: run 1 (apply) was made by ada at 20" in done.stdout
    otherwise = (
        "git says otherwise of 5 records, and the next apply goes by git: take git back too, such as with: git revert"
    )
    assert otherwise in done.stdout and otherwise in done.stderr
    assert records(workspace.store) == before
    assert "Nothing to do: local is what run 1 says (5 records" in workspace.ok("rollback", "1", "--yes").stdout
    run, last = answer(workspace, "history", schema="history")["runs"][:2]
    assert run["counts"] == {"delete": 1, "rename": 1, "restore": 1, "update": 1}
    assert last["commit"] == commit != run["commit"]
    assert answer(workspace, "store", "check", schema="history")["fine"]
    versions = answer(workspace, "history", ADDRESS, schema="history")["versions"]
    assert [version["action"] for version in versions] == ["rename", "rename", "create"]
    workspace.write(FILE, BOTH + "---\n" + OTHER)
    assert "git declares just this" in workspace.ok("rollback", "1", "--dry-run").stdout
    assert plan_of(workspace)["changes"] == []


def test_names_that_were_swapped_are_swapped_back(workspace: Workspace) -> None:
    """By identity: the bodies alone would look right as they are."""
    workspace.write(FILE, BOTH + "---\n" + OTHER)
    workspace.ok("apply", "--yes", "-q")
    before = records(workspace.store)
    sql(workspace.store, "UPDATE records SET name = '~' WHERE name = 'other'")
    sql(workspace.store, "UPDATE records SET name = 'other' WHERE name = 'crm-contacts'")
    sql(workspace.store, "UPDATE records SET name = 'crm-contacts' WHERE name = '~'")
    shown = answer(workspace, "rollback", "1", "--dry-run")
    assert actions(shown) == [("rename", ADDRESS), ("rename", "connector/other")]
    workspace.ok("rollback", "1", "--yes", "-q")
    assert records(workspace.store) == before


def test_a_name_that_another_record_bears_now(workspace: Workspace) -> None:
    """One of ours, created since, goes as the old one comes back under it."""
    workspace.ok("apply", "--yes", "-q")
    before = records(workspace.store)
    delete(workspace)
    workspace.ok("store", "purge", "--older-than", "0", "--yes", "-q")
    workspace.write(FILE, BOTH.replace("method: GET", "method: PUT"))
    workspace.ok("apply", "--yes", "-q")
    assert records(workspace.store)["Connector", "crm-contacts"][0] != before["Connector", "crm-contacts"][0]
    shown = answer(workspace, "rollback", "1", "--dry-run")
    assert actions(shown) == [("restore", ADDRESS), ("delete", ADDRESS)]
    workspace.ok("rollback", "1", "--yes", "-q")
    assert records(workspace.store) == before, "also what was purged: under its identity, with its secrets resolved"


def test_by_time(workspace: Workspace) -> None:
    """It is the last run that had ended by then."""
    workspace.ok("apply", "--yes", "-q")
    time = answer(workspace, "history", schema="history")["runs"][0]["finished"]
    workspace.edit(FILE, "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q")
    workspace.ok("rollback", time, "--yes", "-q")
    assert live_spec(workspace, ADDRESS)["endpoints"]["list"]["method"] == "GET"


def test_guards_hold(workspace: Workspace) -> None:
    """Too many deletes, a record that is protected, and an override for the very plan."""
    workspace.ok("apply", "--yes", "-q")
    many = "---\n".join(SALES.replace("sales", f"s{number}").replace("Sales", f"S {number}") for number in range(8))
    workspace.write("connectors/more.yaml", many)
    workspace.ok("apply", "--yes", "-q")
    stopped = workspace.run("rollback", "1", "--yes")
    assert stopped.exit_code == 5 and "8 of 12 records would be deleted" in stopped.stderr
    override = stopped.stderr.partition("--override ")[2].split()[0]
    assert workspace.run("rollback", "1", "--dry-run", "--max-deletes", "7").exit_code == 5
    workspace.edit("connectors/more.yaml", "displayName: S 3", "displayName: S 3, lifecycle: {protect: true}")
    workspace.ok("apply", "--yes", "-q")
    protected = workspace.run("rollback", "1", "--yes", "--max-deletes", "9")
    assert protected.exit_code == 5 and "a protected record would be deleted" in protected.stderr
    workspace.edit("connectors/more.yaml", "S 3, lifecycle: {protect: true}", "S three, lifecycle: {protect: false}")
    workspace.ok("apply", "--yes", "-q")
    assert workspace.run("rollback", "1", "--yes", "--override", override).exit_code == 5, "it was for another plan"
    override = workspace.run("rollback", "1", "--yes").stderr.partition("--override ")[2].split()[0]
    workspace.ok("rollback", "1", "--yes", "-q", "--override", override)
    assert len(records(workspace.store)) == 4


def test_it_is_judged_by_the_policies_that_are_live_now(workspace: Workspace) -> None:
    """Not by those of the time that it goes back to, which let everybody."""
    workspace.ok("apply", "--yes", "-q")
    workspace.edit(FILE, "method: GET", "method: PUT")
    owners = (
        "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\n"
        "spec: {subjects: [{user: margaret}], superAdmin: true}\n"
    )
    workspace.write("policies/owners.yaml", owners)
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    refused = workspace.run("rollback", "1", "--yes", "--as", "ada")
    assert refused.exit_code == 4 and "delete policy/owners takes super admin" in refused.stderr
    assert "update connector/crm-contacts" not in refused.stderr, "that is granted"
    nobody = workspace.run("rollback", "1", "--yes")
    assert nobody.exit_code in (4, 5)
    last = workspace.run("rollback", "1", "--yes", "--as", "margaret")
    assert last.exit_code == 5 and "nobody would be a super admin any more" in last.stderr
    workspace.edit(FILE, "method: PUT", "method: POST")
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    workspace.ok("rollback", "2", "--yes", "-q", "--as", "ada")
    assert live_spec(workspace, ADDRESS)["endpoints"]["list"]["method"] == "PUT"


def test_records_of_others_stay_as_they_are(workspace: Workspace) -> None:
    """Those that were taken over in either direction are named; what others deleted is a conflict."""
    workspace.write(FILE, BOTH + "---\n" + OTHER)
    workspace.ok("apply", "--yes", "-q")
    body = '{"spec":{"displayName":"Theirs","categories":["crm"]}}'
    sql(workspace.store, "INSERT INTO records (uid, kind, name, owner) VALUES ('u', 'Connector', 'theirs', 'acme')")
    sql(workspace.store, "INSERT INTO documents VALUES ('u', ?)", body)
    workspace.edit(FILE, "displayName: Others", "displayName: Others now")
    workspace.ok("apply", "--yes", "-q")
    theirs = "---\n" + OTHER.replace("other", "theirs").replace("Others", "Theirs")
    workspace.write("connectors/theirs.yaml", theirs)
    workspace.ok("apply", "--yes", "-q", "--adopt")
    sql(workspace.store, "UPDATE records SET owner = 'acme' WHERE name = 'other'")
    shown = answer(workspace, "rollback", "2", "--dry-run")
    assert shown["changes"] == []
    assert "connector/other belongs to acme now; it stays as it is" in shown["notices"]
    assert "connector/theirs was taken over since, from nobody; it stays as it is" in shown["notices"]


def test_drift_of_that_time_does_not_come_back(workspace: Workspace) -> None:
    """A record goes back to what a run had written of it, and that is said; so no secret in the clear is written."""
    workspace.ok("apply", "--yes", "-q")
    before = records(workspace.store)["Connector", "crm-contacts"]
    workspace.edit(FILE, "Customer data", "Customers")
    workspace.ok("plan", "--out", "plan.json", "-q")
    drift(workspace, "crm-contacts", "$.spec.authorization.password", f'"{CANARY}"')
    workspace.ok("apply", "plan.json", "--yes", "-q")  # run 2, which does not touch the connector
    workspace.edit(FILE, "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q")
    drifted = "connector/crm-contacts had drifted by then; it goes back to what run 1 had written"
    assert drifted not in answer(workspace, "rollback", "1", "--dry-run")["notices"], "that came after run 1"
    done = workspace.ok("rollback", "2", "--yes")
    assert f"note: {drifted}\n" in done.stdout and CANARY not in done.output
    assert records(workspace.store)["Connector", "crm-contacts"] == before
    assert answer(workspace, "store", "check", schema="history")["fine"]


def test_what_is_left_to_the_live_side_is_left_to_it(workspace: Workspace) -> None:
    """Ignored fields, members that others add, and protection that nobody lifted, as in a plan; a deleted record is as it was."""
    group = (workspace.root / "policies/team.yaml").read_text("utf-8").replace("mode: authoritative", "mode: additive")
    workspace.write("policies/team.yaml", group)
    workspace.write(FILE, BOTH.replace("  endpoints:", "  lifecycle: {ignore: [description]}\n  endpoints:"))
    workspace.ok("apply", "--yes", "-q")
    drift(workspace, "integrators", "$.spec.members.users[#]", '"mallory"')
    drift(workspace, "crm-contacts", "$.spec.description", '"theirs"')
    workspace.edit("policies/team.yaml", "users: [ada, grace]", "users: [ada, grace, bob]")
    workspace.edit(FILE, "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q")
    workspace.edit(FILE, "method: PUT", "method: POST")
    workspace.edit("policies/team.yaml", "[ada, grace, bob]", "[ada]")
    workspace.ok("apply", "--yes", "-q")
    workspace.ok("rollback", "2", "--yes", "-q")
    assert live_spec(workspace, "group/integrators")["members"]["users"] == ["ada", "bob", "grace", "mallory"]
    workspace.edit("policies/team.yaml", "[ada]", "[ada, grace, bob]")
    workspace.edit(FILE, "method: POST", "method: PUT")
    assert plan_of(workspace)["changes"] == [], "mallory is not taken for one of ours"
    workspace.ok("rollback", "1", "--yes", "-q")
    assert live_spec(workspace, "group/integrators")["members"]["users"] == ["ada", "grace", "mallory"]
    spec = live_spec(workspace, ADDRESS)
    assert (spec["description"], spec["endpoints"]["list"]["method"]) == ("theirs", "GET")
    workspace.edit("policies/team.yaml", "users: [ada, grace, bob]", "users: [ada, grace]")
    workspace.edit(FILE, "method: PUT", "method: GET")
    assert plan_of(workspace)["changes"] == [], "mallory is not taken for one of ours"


def test_a_saved_rollback_is_carried_out_by_apply(workspace: Workspace) -> None:
    """With restores, their sealed secrets and all; stale when they are gone meanwhile."""
    workspace.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": CANARY})
    before = records(workspace.store)
    workspace.write("policies/more.yaml", "# nothing\n")
    delete(workspace)
    workspace.env.pop("CRM_PASSWORD")
    workspace.ok("rollback", "1", "--out", "back.json")
    saved = (workspace.root / "back.json").read_text("utf-8")
    assert json.loads(saved)["verb"] == "rollback" and CANARY not in saved
    done = workspace.ok("apply", "back.json", "--yes")
    assert "1 restored" in done.stdout and "resolved" not in done.stdout
    assert records(workspace.store) == before
    assert workspace.run("apply", "back.json", "--yes").exit_code == 6
    delete(workspace)
    workspace.ok("restore", ADDRESS, "--out", "restore.json")
    workspace.ok("store", "purge", "--older-than", "0", "--yes", "-q")
    stale = workspace.run("apply", "restore.json", "--yes")
    assert stale.exit_code == 6 and "connector/crm-contacts was restored or purged" in stale.stderr
    assert CANARY.encode() not in file_bytes(workspace.store)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rollback", "rollback needs to know where to"),
        ("rollback 0", "there is no run 0"),
        ("rollback 99", "there is no run 99"),
        ("rollback 99999999999999999999999", "there is no run 99999999999999999999999"),
        ("rollback -1", "no such option"),
        ("rollback ²", "'²' is neither a run nor a time"),
        ("rollback yesterday", "'yesterday' is neither a run nor a time"),
        ("rollback 2026-13-01", "RUN|TIME 2026-13-01 is no time"),
        ("rollback 2999-01-01", "2999-01-01 is in the future"),
        ("rollback 2020-01-01", "no run had ended by 2020-01-01T00:00:00.000Z"),
        ("rollback 1", "rollback asks before it changes something"),
        ("rollback 1 --sign key.pem", "--sign signs a saved plan"),
    ],
)
def test_wrong_usage(workspace: Workspace, line: str, message: str) -> None:
    """Says what to do instead, and changes nothing."""
    workspace.ok("apply", "--yes", "-q")
    workspace.edit(FILE, "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q")
    before = records(workspace.store)
    result = workspace.run(*line.split())
    assert result.exit_code == 64, result.output
    assert message in result.stderr and records(workspace.store) == before


def test_an_empty_state_is_no_state_to_go_back_to(workspace: Workspace) -> None:
    """To a run of another owner, before this one had anything: the guard of an empty source holds."""
    workspace.ok("apply", "--yes", "-q")
    sql(workspace.store, "UPDATE records SET owner = 'acme'")
    with_owner = "apiVersion: reconciler/v1\nkind: Project\nowner: acme\n"
    workspace.write("reconciler.yaml", with_owner)
    result = workspace.run("rollback", "1", "--yes")
    assert result.exit_code in (0, 5) and len(records(workspace.store)) == 4
    bench = UndoBench(workspace.root, workspace.env)
    assert not [change for change in bench.plan_rollback(1).changes if change.body is None]
