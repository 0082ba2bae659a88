"""Who could do what at some time, by which line; judged by what was live then."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from history_world import answer
from live_state import drift
from schema_checks import fits

VIEW = "categories:view, connectors:view, connectors:edit"


def moment() -> str:
    """Now."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def could(
    workspace: Workspace, time: str, actor: str = "ada", permission: str = "connectors:edit", *more: str
) -> dict[str, Any]:
    """The only answer, which the exit code gives too."""
    asked = ("history", "--at", time, "--can", actor, permission, *(more or ("connector/crm-contacts",)), "-o", "json")
    result = workspace.run(*asked)
    found = json.loads(result.stdout)
    fits(found, "history.schema.json")
    (only,) = found["answers"]
    assert result.exit_code == (0 if only["allowed"] else 4)
    return only


def test_who_could_edit_this_by_which_line(workspace: Workspace) -> None:
    """The answer names the route, the line in the commit that was applied, and the runs that had set it."""
    commit = workspace.commit()
    workspace.ok("apply", "--yes", "-q", "--as", "grace")
    then = moment()
    workspace.write("policies/team.yaml", POLICY.replace("[ada, grace]", "[grace]"))
    later = workspace.commit()
    workspace.ok("apply", "--yes", "-q", "--as", "root")
    yes, no = could(workspace, then), could(workspace, moment())
    assert yes["allowed"] and not no["allowed"] and no["reason"] == "no policy grants it"
    assert yes["route"]["groups"] == ["integrators"] and yes["route"]["policy"] == "integration-team"
    assert (yes["route"]["file"], yes["route"]["line"]) == ("policies/team.yaml", 14)
    assert [(item["address"], item["run"]["actor"], item["run"]["commit"]) for item in yes["setBy"]] == [
        ("policy/integration-team", "grace", commit), ("group/integrators", "grace", commit)
    ]  # fmt: skip
    shown = workspace.ok("history", "--at", then, "--can", "ada", "connectors:edit", "connector/crm-contacts").stdout
    assert shown.splitlines()[:2] == [
        f"yes: ada had connectors:edit on connector/crm-contacts at {then}",
        "    ada is in integrators, which policy integration-team grants it, policies/team.yaml:14",
    ]
    assert f"policy/integration-team was as grace from commit {commit[:12]} (run 1) had set it at 20" in shown
    assert "there was no super admin then" in shown
    graces = could(workspace, moment(), "grace")
    assert [item["run"]["commit"] for item in graces["setBy"]] == [commit, later]


def test_who_could(workspace: Workspace) -> None:
    """Everybody, each with the reason."""
    workspace.ok("apply", "--yes", "-q")
    then = moment()
    workspace.write("policies/team.yaml", POLICY.replace("[ada, grace]", "[]"))
    workspace.ok("apply", "--yes", "-q")
    found = answer(workspace, "history", "--at", then, "--who-can", "connectors:edit", "connector/crm-contacts")
    assert [item["actor"] for item in found["answers"]] == ["ada", "grace"]
    assert (
        "2 people had connectors:edit" in workspace.ok("history", "--at", then, "--who-can", "connectors:edit").stdout
    )
    assert workspace.ok("history", "--at", moment(), "--who-can", "connectors:edit").stdout.startswith("Nobody had")


def test_a_grant_that_had_not_ended_yet(workspace: Workspace) -> None:
    """The time that is asked about is the one that expiry is judged by."""
    ends = "2999-01-01T00:00:00Z"
    workspace.write("policies/team.yaml", POLICY + f'      expires: "{ends}"\n')
    workspace.ok("apply", "--yes", "-q")
    then = moment()
    assert could(workspace, then)["route"]["expires"].startswith("2999-01-01")


def test_scopes_are_judged_by_the_record_as_it_was(workspace: Workspace) -> None:
    """Labels and categories at that time, and its name at that time."""
    workspace.write("policies/team.yaml", POLICY + "      on: {labels: {team: sales}}\n")
    workspace.ok("apply", "--yes", "-q")
    then = moment()
    moved = CONNECTOR.replace("team: sales", "team: ops").replace(
        "name: crm-contacts", "name: people\n  previously: [crm-contacts]"
    )
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + moved)
    workspace.ok("apply", "--yes", "-q")
    assert could(workspace, then)["allowed"]
    assert could(workspace, moment(), "ada", "connectors:edit", "connector/people")["reason"].startswith(
        "it is granted on something else"
    )
    for time, name in ((then, "people"), (moment(), "crm-contacts")):
        result = workspace.run("history", "--at", time, "--can", "ada", "connectors:edit", f"connector/{name}")
        assert result.exit_code == 64 and f"connector/{name} was not there at" in result.stderr


def test_a_super_admin_then(workspace: Workspace) -> None:
    """By the policy that made one; then the store enforced permissions."""
    workspace.write(
        "policies/root.yaml",
        "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: admins}\nspec:\n  subjects: [{user: root}]\n  superAdmin: true\n",
    )
    workspace.commit()
    workspace.ok("apply", "--yes", "-q", "--as", "root")
    found = answer(workspace, "history", "--at", moment(), "--can", "root", "policies:delete")
    assert found["enforced"] and found["answers"][0]["allowed"]
    assert (found["answers"][0]["route"]["file"], found["answers"][0]["route"]["line"]) == ("policies/root.yaml", 6)


def test_what_others_gave_themselves_around_the_tool(workspace: Workspace) -> None:
    """From the moment on at which they wrote it, until the apply that took it back."""
    workspace.commit()
    workspace.ok("apply", "--yes", "-q")
    before = moment()
    drift(workspace, "integrators", "$.spec.members.users", '["mallory"]')
    during = moment()
    live = could(workspace, moment(), "mallory")
    workspace.ok("apply", "--yes", "-q")
    after = moment()
    assert [could(workspace, time, "mallory")["allowed"] for time in (before, during, after)] == [False, True, False]
    assert [could(workspace, time, "ada")["allowed"] for time in (before, during, after)] == [True, False, True]
    assert live["allowed"]
    (policy, group) = could(workspace, during, "mallory")["setBy"]
    assert policy["run"]["id"] == 1 and group["run"] is None
    shown = workspace.ok("history", "--at", during, "--can", "mallory", "connectors:edit").stdout
    assert "group/integrators was as somebody had written it outside of a run" in shown


def test_before_the_history_began(workspace: Workspace) -> None:
    """Nobody could do anything, and it is said why."""
    workspace.ok("apply", "--yes", "-q")
    result = workspace.run("history", "--at", "2020-01-01", "--can", "ada", "connectors:edit")
    shown = result.stdout
    assert result.exit_code == 4
    assert shown.startswith(
        "no: ada did not have connectors:edit at 2020-01-01T00:00:00.000Z\n    no policy grants it\n"
    )
    assert "the history begins later" in shown


@pytest.mark.parametrize("prepare", ["no git", "dirty", "another repository"])
def test_without_the_commit_there_is_no_line_but_an_answer(workspace: Workspace, tmp_path: Path, prepare: str) -> None:
    """Which names the run all the same."""
    if prepare != "no git":
        workspace.commit()
    if prepare == "dirty":
        workspace.edit("policies/team.yaml", "Integration team", "The team")
    workspace.ok("apply", "--yes", "-q")
    if prepare == "another repository":
        (workspace.root / ".git").rename(tmp_path / "gone")
        workspace.git("init", "-q")
    found = could(workspace, moment())
    assert found["allowed"] and found["route"]["file"] is None and found["setBy"][0]["run"]["id"] == 1
