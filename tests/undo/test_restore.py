"""Deleted records come back: identity, owner, body and sealed secrets, by a plan that is judged as any other."""

import json

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import actions, drift, live_spec, plan_of, sql
from undo_world import ADDRESS, BOTH, FILE, KEY, UndoBench, answer, ciphertexts, delete, records

from reconciler.errors import RecordConflict

CANARY = "Rcanary5t8n3q7z1"


def test_a_deleted_record_comes_back_as_it_was(workspace: Workspace) -> None:
    """Nothing is resolved, and the ciphertexts are the same; `get`, the next plan and the history agree."""
    workspace.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": CANARY})
    before, sealed = records(workspace.store), ciphertexts(workspace.store)
    delete(workspace)
    assert ("Connector", "crm-contacts") not in records(workspace.store) and not ciphertexts(workspace.store)
    workspace.env.pop("CRM_PASSWORD")
    done = workspace.ok("restore", ADDRESS, "--yes")
    assert "« connector/crm-contacts  quarantine\n" in done.stdout
    assert "by run 2; comes back under the identity that it had, and with 1 sealed secret" in done.stdout
    assert done.stdout.endswith("Applied to local: 1 restored.\n"), "nothing was resolved"
    assert records(workspace.store) == before and ciphertexts(workspace.store) == sealed
    versions = answer(workspace, "history", ADDRESS, schema="history")["versions"]
    assert [version["action"] for version in versions] == ["restore", "delete", "create"]
    assert len({version["uid"] for version in versions}) == 1
    assert versions[0]["body"] == versions[2]["body"] and versions[0]["fields"] == []
    assert answer(workspace, "store", "check", schema="history")["fine"]
    assert answer(workspace, "history", schema="history")["runs"][0]["counts"] == {"restore": 1}


def test_it_says_what_git_makes_of_it(workspace: Workspace) -> None:
    """Beforehand, in a dry run, and afterwards: the next apply would delete it, keep it, or change it."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    undeclared = "git does not declare connector/crm-contacts: the next apply deletes it again"
    shown = workspace.ok("restore", ADDRESS, "--dry-run")
    assert f"note: {undeclared}" in shown.stdout and actions(plan_of(workspace)) == []
    assert any(undeclared in text for text in answer(workspace, "restore", ADDRESS, "--dry-run")["notices"])
    workspace.write(FILE, BOTH)
    declared = workspace.ok("restore", ADDRESS, "--dry-run").stdout
    assert "note: git declares connector/crm-contacts as it comes back, in connectors/crm.yaml" in declared
    workspace.write(FILE, BOTH.replace("method: GET", "method: PUT"))
    otherwise = workspace.ok("restore", ADDRESS, "--dry-run").stdout
    assert (
        "git declares connector/crm-contacts otherwise: the next apply makes it what connectors/crm.yaml" in otherwise
    )
    workspace.write(FILE, "kind: nonsense\n")
    assert "the definitions are not valid, so it is not known" in workspace.ok("restore", ADDRESS, "--dry-run").stdout
    workspace.write(FILE, CATEGORY)
    done = workspace.ok("restore", ADDRESS, "--yes")
    assert undeclared in done.stderr
    assert actions(plan_of(workspace)) == [("delete", ADDRESS)]


def test_what_is_defined_again_is_the_record_that_was_deleted(workspace: Workspace) -> None:
    """Not another one with its name: references by identity hold. The definition counts, and secrets are resolved."""
    workspace.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": "the old one"})
    before = records(workspace.store)["Connector", "crm-contacts"]
    delete(workspace)
    workspace.write(FILE, BOTH.replace("method: GET", "method: PUT"))
    planned = plan_of(workspace)
    (change,) = planned["changes"]
    assert (change["action"], planned["summary"]["restore"]) == ("restore", 1)
    assert change["restores"]["uid"] == before[0] and change["restores"]["secrets"] == []
    assert [(field["path"][-1], field["before"], field["after"]) for field in change["fields"]] == [
        ("method", "GET", "PUT")
    ]
    assert "`«` restore `connector/crm-contacts`" in workspace.ok("plan", "-o", "markdown").stdout
    done = workspace.ok("apply", "--yes", env={"CRM_PASSWORD": "the new one"})
    assert "1 restored; 1 secret resolved" in done.stdout
    after = records(workspace.store)["Connector", "crm-contacts"]
    assert after[0] == before[0] and after[-1][0][:3] == before[-1][0][:3] and after[-1] != before[-1]
    assert plan_of(workspace)["changes"] == [] and not sql(workspace.store, "SELECT * FROM quarantine")


def test_drift_comes_back_with_it_and_additive_members_too(workspace: Workspace) -> None:
    """What others had made of it, and what was last applied: the next plan sees just what it would have seen."""
    group = (workspace.root / "policies/team.yaml").read_text("utf-8").replace("mode: authoritative", "mode: additive")
    workspace.write("policies/team.yaml", group)
    workspace.ok("apply", "--yes", "-q")
    drift(workspace, "crm-contacts", "$.spec.description", '"theirs"')
    drift(workspace, "integrators", "$.spec.members.users[#]", '"mallory"')
    seen = plan_of(workspace)["changes"]
    (workspace.root / "policies/team.yaml").unlink()
    delete(workspace)
    workspace.ok("restore", ADDRESS, "group/integrators", "policy/integration-team", "--yes", "-q")
    assert live_spec(workspace, ADDRESS)["description"] == "theirs"
    assert live_spec(workspace, "group/integrators")["members"]["users"] == ["ada", "grace", "mallory"]
    workspace.write(FILE, BOTH)
    workspace.write("policies/team.yaml", group)
    again = plan_of(workspace)["changes"]
    assert [(change["address"], change["fields"]) for change in again] == [
        (change["address"], change["fields"]) for change in seen
    ]
    assert answer(workspace, "store", "check", schema="history")["fine"]


def test_a_secret_that_others_wrote_in_the_clear_does_not_come_back(workspace: Workspace) -> None:
    """The record comes back as it was last applied, and that is said."""
    workspace.ok("apply", "--yes", "-q")
    drift(workspace, "crm-contacts", "$.spec.authorization.password", f'"{CANARY}"')
    delete(workspace)
    done = workspace.ok("restore", ADDRESS, "--yes")
    assert "it comes back as it was last applied" in done.stdout and CANARY not in done.output
    assert live_spec(workspace, ADDRESS)["authorization"]["password"] == {"env": "CRM_PASSWORD"}


def test_of_several_deleted_records_of_a_name_the_latest_or_the_one_of_a_run(workspace: Workspace) -> None:
    """A name that two records bore in turn."""
    other = CONNECTOR.replace("Sales team's contacts", "Another").replace("name: crm-contacts", "name: second")
    workspace.write(FILE, BOTH + "---\n" + other)
    workspace.ok("apply", "--yes", "-q")
    uids = dict(sql(workspace.store, "SELECT name, uid FROM records WHERE kind = 'Connector'"))
    workspace.write(FILE, CATEGORY + "---\n" + other)
    workspace.ok("apply", "--yes", "-q")
    renamed = other.replace("name: second", "name: crm-contacts\n  previously: [second]")
    workspace.write(FILE, CATEGORY + "---\n" + renamed)
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    listed = answer(workspace, "restore", schema="history")["records"]
    assert [(item["address"], item["run"], item["uid"]) for item in listed] == [
        (ADDRESS, 2, uids["crm-contacts"]),
        (ADDRESS, 4, uids["second"]),
    ]
    latest = answer(workspace, "restore", ADDRESS, "--dry-run")["changes"][0]
    assert latest["restores"]["uid"] == uids["second"]
    result = workspace.run("restore", ADDRESS, "--run", "3", "--dry-run")
    assert result.exit_code == 64 and "it was deleted by run 2, 4" in result.stderr
    workspace.ok("restore", ADDRESS, "--run", "2", "--yes", "-q")
    assert records(workspace.store)["Connector", "crm-contacts"][0] == uids["crm-contacts"]


def test_clashes_are_conflicts_that_say_what_to_do(workspace: Workspace) -> None:
    """A name or a display name that somebody else bears now, and a category that is gone."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    sql(
        workspace.store,
        "INSERT INTO records (uid, kind, name, owner) VALUES ('u', 'Connector', 'crm-contacts', 'acme')",
    )
    taken = workspace.run("restore", ADDRESS, "--dry-run")
    assert taken.exit_code == 6 and "connector/crm-contacts is live, and belongs to acme" in taken.stdout
    assert "hint: rename or delete the live record first" in taken.stdout
    sql(workspace.store, "UPDATE records SET name = 'x', display = 'sales team''s contacts' WHERE uid = 'u'")
    display = workspace.run("restore", ADDRESS, "--yes")
    assert display.exit_code == 6
    assert "connector/crm-contacts has the display name of connector/x, which belongs to acme" in display.stderr
    sql(workspace.store, "DELETE FROM records WHERE uid = 'u'")
    workspace.write("policies/more.yaml", "# nothing\n")
    (workspace.root / FILE).unlink()
    workspace.ok("apply", "--yes", "-q")
    gone = workspace.run("restore", ADDRESS, "--yes")
    assert gone.exit_code == 6 and "connector/crm-contacts refers to category/crm" in gone.stderr
    assert "hint: bring it back first, such as with: reconciler restore category/crm" in gone.stderr
    workspace.ok("restore", "category/crm", ADDRESS, "--yes", "-q")
    assert ("Connector", "crm-contacts") in records(workspace.store)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("restore crm-contacts", 64, "is not an address"),
        ("restore connector/nowhere --dry-run", 64, "there is no deleted connector/nowhere"),
        ("restore category/crm --dry-run", 64, "category/crm is live, and no deleted record bore that name"),
        ("restore --run 2", 64, "--run says which deleted record of an address is meant"),
        ("restore connector/crm-contacts", 64, "restore asks before it changes something"),
        ("restore connector/crm-contacts -o yaml", 64, "'yaml' is not one of text, json"),
    ],
)
def test_wrong_usage(workspace: Workspace, line: str, code: int, message: str) -> None:
    """Says what to do instead, and changes nothing."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    before = records(workspace.store)
    result = workspace.run(*line.split())
    assert (result.exit_code, message in result.stderr) == (code, True), result.output
    assert "hint: " in result.stderr and records(workspace.store) == before


def test_what_another_repository_deleted_is_not_ours_to_restore(workspace: Workspace) -> None:
    """Nor is it taken over by a definition of the same name."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    sql(workspace.store, "UPDATE quarantine SET owner = 'acme/other'")
    result = workspace.run("restore", ADDRESS, "--yes")
    assert result.exit_code == 5 and "connector/crm-contacts belonged to acme/other" in result.stderr
    workspace.write(FILE, BOTH)
    assert actions(plan_of(workspace)) == [("create", ADDRESS)]


def test_it_takes_the_permission_to_create(workspace: Workspace) -> None:
    """Judged by the policies that are live now; nothing is brought back for who has none."""
    policy = (
        "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\n"
        "spec: {subjects: [{user: margaret}], superAdmin: true}\n"
    )
    workspace.write("policies/owners.yaml", policy)
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    workspace.write(FILE, CATEGORY)
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    refused = workspace.run("restore", ADDRESS, "--yes", "--as", "ada")
    assert refused.exit_code == 4
    assert "restore connector/crm-contacts takes connectors:create" in refused.stderr, refused.stderr
    assert workspace.run("restore", ADDRESS, "--yes").exit_code == 4
    workspace.ok("restore", ADDRESS, "--yes", "-q", "--as", "margaret")
    assert answer(workspace, "history", schema="history")["runs"][0]["actor"] == "margaret"


def test_a_record_that_was_restored_or_purged_meanwhile(workspace: Workspace) -> None:
    """Makes the plan stale; nothing is done by halves."""
    bench = UndoBench(workspace.root, workspace.env)
    bench.apply()
    workspace.write(FILE, CATEGORY)
    bench.apply()
    workspace.write(FILE, BOTH)
    kept = bench.path.read_bytes()
    for meanwhile in ("DELETE FROM quarantine", "UPDATE quarantine SET run = 1"):
        store = bench.store()
        plan = bench.plan(store)
        store.close()
        sql(bench.path, meanwhile)
        with pytest.raises(RecordConflict, match="the plan is stale: deleted records moved"):
            bench.carry_out(plan, store, verb="apply")
        assert ("Connector", "crm-contacts") not in records(bench.path)
        bench.path.write_bytes(kept)
    bench.restore(KEY)
    with pytest.raises(RecordConflict) as caught:
        bench.carry_out(plan, bench.store(), verb="apply")
    assert caught.value.details == ("connector/crm-contacts is live again",)


def test_sealed_secrets_that_are_gone_make_the_plan_stale(workspace: Workspace) -> None:
    """They are not resolved in the place of those that were promised."""
    bench = UndoBench(workspace.root, workspace.env)
    bench.apply()
    workspace.write(FILE, CATEGORY)
    bench.apply()
    plan = bench.plan_restore(KEY)
    sql(bench.path, "DELETE FROM quarantined_secrets")
    with pytest.raises(RecordConflict, match="the plan is stale: deleted records moved"):
        bench.carry_out(plan, bench.store(), verb="restore")


def test_past_access_is_right_across_delete_and_restore(workspace: Workspace) -> None:
    """Nobody could while the policy was deleted; before and after it, those whom it names."""
    workspace.ok("apply", "--yes", "-q")
    text = (workspace.root / "policies/team.yaml").read_text("utf-8")
    workspace.write("policies/team.yaml", text.partition("---\n")[0])
    workspace.ok("apply", "--yes", "-q")
    workspace.ok("restore", "policy/integration-team", "--yes", "-q")
    times = [run["finished"] for run in reversed(answer(workspace, "history", schema="history")["runs"])]
    could = [workspace.run("history", "--at", time, "--can", "ada", "connectors:edit", "-o", "json") for time in times]
    assert [json.loads(item.stdout)["answers"][0]["allowed"] for item in could] == [True, False, True]
