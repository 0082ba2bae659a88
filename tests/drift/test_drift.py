"""`drift`, and origins in plans: who moved what, since when, and by whom."""

import json
import re
from typing import Any

import pytest
from conftest import Workspace, timeless
from live_state import InProcess, drift, sql
from schema_checks import fits


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def bench(workspace: Workspace) -> InProcess:
    """The small repository, applied."""
    bench = InProcess(workspace.root, workspace.env)
    bench.apply()
    return bench


def told(workspace: Workspace, *arguments: str, code: int = 0) -> str:
    """What `drift` prints, without times."""
    result = workspace.run("drift", *arguments)
    assert result.exit_code == code, result.output
    return timeless(TIME.sub("TIME", result.stdout))


def data(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The same as data, held against its schema."""
    content: dict[str, Any] = json.loads(workspace.ok("drift", "-o", "json", *arguments).stdout)
    fits(content, "drift.schema.json")
    return content


def as_writer(bench: InProcess, *statements: str) -> None:
    """Write outside of a run as a program that says who it is."""
    sql(bench.path, "INSERT INTO meta VALUES ('writer', 'crm-admin')")
    for statement in statements:
        sql(bench.path, statement)
    sql(bench.path, "DELETE FROM meta WHERE key = 'writer'")


@pytest.mark.usefixtures("bench")
def test_without_drift_there_is_little_to_say(workspace: Workspace) -> None:
    """Also of a store that is not there; and definitions, git and the store's key are not needed."""
    assert told(workspace, "--detailed-exitcode") == "No drift: the records of local in local are as last applied.\n"
    assert told(workspace, "--all") == "No drift: all records in local are as last applied.\n"
    assert told(workspace, "-q") == ""
    workspace.write("connectors/broken.yaml", "a: [")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    assert workspace.run("drift", "--detailed-exitcode", env={"RECONCILER_STORE_KEY": "", "PATH": ""}).exit_code == 0
    assert told(workspace, "--store", "sqlite:nowhere.db", "-o", "markdown") == "### No drift: the records of local in custom are as last applied.\n"  # fmt: skip


def test_what_was_changed_made_and_removed(bench: InProcess, workspace: Workspace) -> None:
    """From what was last applied to what is live; in every format."""
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    drift(workspace, "crm-contacts", "$.spec.authorization.password", '"LITERAL"')
    as_writer(bench, "DELETE FROM records WHERE name = 'integration-team'")
    body = """json('{"spec":{"displayName":"New"}}')"""
    for uid, name, owner in (("u1", "new", "local"), ("u2", "theirs", "")):
        sql(
            bench.path,
            f"INSERT INTO records (uid, kind, name, owner) VALUES ('{uid}', 'Category', '{name}', '{owner}')",
        )
        sql(bench.path, f"INSERT INTO documents VALUES ('{uid}', {body})")
    assert told(workspace, "--detailed-exitcode", code=2) == """\
Drift in local: last applied -> live

+ category/new  created AGO, belongs to local
    + displayName: "New"

~ connector/crm-contacts  changed AGO
    ~ authorization.password: {env: CRM_PASSWORD} -> (a text)
    ~ description: "Contacts of the CRM." -> "by hand"

- policy/integration-team  deleted AGO, by crm-admin

1 changed, 1 created, 1 deleted; 1 record of others too, see --all.
"""  # fmt: skip
    assert told(workspace, "policy/integration-team", "category/theirs").endswith("\n\n1 created, 1 deleted.\n")
    assert "category/theirs  created AGO, belongs to nobody" in told(workspace, "--all")
    content = data(workspace)
    assert content["summary"] == {"changed": 1, "created": 1, "deleted": 1, "replaced": 0, "others": 1}
    new, changed, gone = content["records"]
    assert (new["fate"], new["content"], gone["by"]) == ("created", {"spec": {"displayName": "New"}}, "crm-admin")
    assert changed["fields"] == [
        {"path": ["spec", "authorization", "password"], "secret": True, "applied": {"env": "CRM_PASSWORD"}, "live": None},
        {"path": ["spec", "description"], "secret": False, "applied": "Contacts of the CRM.", "live": "by hand"},
    ]  # fmt: skip
    markdown = told(workspace, "-o", "markdown")
    assert markdown.startswith(
        "### Drift in local: 1 changed, 1 created, 1 deleted; 1 record of others too, see --all\n"
    )
    assert '- description: "Contacts of the CRM."\n+ description: "by hand"\n' in markdown
    assert "LITERAL" not in told(workspace, "-o", "json") + markdown
    assert "4 records have drifted; see: reconciler drift --all" in workspace.ok("store", "check").stdout


@pytest.mark.usefixtures("bench")
def test_an_address_that_nobody_knows(workspace: Workspace) -> None:
    """It is a mistake; one that is as it was is not."""
    assert told(workspace, "connector/crm-contacts").startswith("No drift")
    result = workspace.run("drift", "connector/nowhere")
    assert result.exit_code == 64 and "the store does not know connector/nowhere" in result.stderr


def test_what_is_left_to_the_live_side_is_no_drift(bench: InProcess, workspace: Workspace) -> None:
    """Ignored fields, members that others add; but a member that others took away is."""
    workspace.edit("policies/team.yaml", "authoritative", "additive")
    workspace.edit("connectors/crm.yaml", "  categories:", "  lifecycle: {ignore: [description]}\n  categories:")
    bench.apply()
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    drift(workspace, "integrators", "$.spec.members.users", '["ada","grace","hedy"]')
    assert told(workspace).startswith("No drift")
    assert '"drifted": true' not in workspace.ok("get", "-o", "json").stdout
    drift(workspace, "integrators", "$.spec.members.users", '["ada","hedy"]')
    assert "    ~ members.users: -grace\n" in told(workspace)
    assert workspace.ok("get", "-o", "json").stdout.count('"drifted": true') == 1


def test_after_an_apply_nothing_is_left_to_tell(bench: InProcess, workspace: Workspace) -> None:
    """Of a record that was removed neither, whether git still defines it or not."""
    sql(bench.path, "DELETE FROM records WHERE name IN ('integration-team', 'integrators')")
    workspace.edit("policies/team.yaml", workspace.root.joinpath("policies/team.yaml").read_text().split("---")[1], "")
    assert told(workspace).endswith("\n2 deleted.\n")
    bench.apply()
    assert told(workspace).startswith("No drift")
    assert "deleted outside of a run" in workspace.ok("history", "policy/integration-team").stdout, (
        "the history still knows"
    )


def test_another_owners_run_is_known_by_name(bench: InProcess, workspace: Workspace, make_workspace: Any) -> None:
    """Who took over what we have applied, by which run; the plan tells what they changed from what we did."""
    other = make_workspace("other")
    other.write(
        "reconciler.yaml",
        f"apiVersion: reconciler/v1\nkind: Project\nowner: acme/two\ntargets: {{shared: {{store: 'sqlite:{bench.path}'}}}}\n",
    )
    other.write("connectors/crm.yaml", (workspace.root / "connectors/crm.yaml").read_text().replace("of the CRM", "of theirs"))  # fmt: skip
    InProcess(other.root, other.env).apply(adopt=True)
    shown = told(workspace)
    assert "~ connector/crm-contacts  taken over by run 2 of acme/two (ada) AGO\n" in shown
    assert (
        '    ~ owner: "local" -> "acme/two"\n    ~ description: "Contacts of the CRM." -> "Contacts of theirs."\n'
        in shown
    )
    assert data(workspace)["records"][1]["run"] == 2
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    change = next(item for item in bench.plan_json()["changes"] if item["kind"] == "Connector")
    assert (change["action"], change["drift"]["run"], change["drift"]["by"]) == ("adopt", 2, "acme/two (ada)")
    assert {".".join(field["path"][1:]): field["origin"] for field in change["fields"]} == {
        "owner": "drift", "description": "drift", "endpoints.list.method": "git"
    }  # fmt: skip


def test_plans_tell_pending_from_drift(bench: InProcess, workspace: Workspace) -> None:
    """By exit code, and by the origins in the summary; a conflict stands out."""
    assert workspace.run("plan", "--detailed-exitcode").exit_code == 0
    drift(workspace, "integrators", "$.spec.displayName", '"By hand"')
    result = workspace.run("plan", "--detailed-exitcode")
    assert result.exit_code == 11 and result.stdout.endswith("\n1 to update (1 with drift).\n")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Contacts.")
    result = workspace.run("plan", "--detailed-exitcode")
    assert result.exit_code == 2 and result.stdout.endswith("\n2 to update (1 with drift).\n")
    drift(workspace, "crm-contacts", "$.spec.description", '"by hand"')
    result = workspace.run("plan", "--detailed-exitcode")
    assert result.exit_code == 2 and result.stdout.endswith("\n2 to update (2 with drift, 1 conflict).\n")
    assert """\
    ! description: conflict, git and live were changed
        last applied: "Contacts of the CRM."
        live:         "by hand"
        git:          "Contacts."
""" in result.stdout  # fmt: skip
    plan = bench.plan_json()
    assert plan["summary"]["origins"] == {"git": 0, "drift": 1, "both": 1, "secret": 0, "token": 0}
    assert plan["summary"]["conflicts"] == 1
    connector, group = plan["changes"]
    assert connector["fields"][0]["applied"] == "Contacts of the CRM." and group["drift"]["fate"] == "changed"


@pytest.mark.parametrize(("defined", "origin"), [(True, "drift"), (False, "both")])
def test_a_record_that_was_removed_or_changed_where_git_removes_it(
    bench: InProcess, workspace: Workspace, defined: bool, origin: str
) -> None:
    """To make a record again takes back drift; to remove one that others have changed is a conflict."""
    if defined:
        sql(bench.path, "DELETE FROM records WHERE name = 'integration-team'")
    else:
        drift(workspace, "integration-team", "$.spec.description", '"by hand"')
        text = (workspace.root / "policies/team.yaml").read_text()
        workspace.write("policies/team.yaml", text.split("---")[0])
    (change,) = bench.plan_json()["changes"]
    assert (change["action"], change["origin"]) == ("create" if defined else "delete", origin)
    assert bench.plan().conflicts == (0 if defined else 1)
