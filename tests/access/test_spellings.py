"""Names of people, bots and pipelines as platforms spell them, wherever a name may stand."""

import json

import pytest
from conftest import Workspace
from gate_world import authorize, gated, judged

from reconciler.errors import ExitCode

NAMES = (
    "renovate[bot]",
    "github-actions[bot]",
    "project_42_bot_1a2b",
    "o'neil@example.com",
    "ada+ci@example.com",
    "a{b}&c/d?e%f@example.com",
    "ACME\\ada",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "repo:acme/crm:ref:refs/heads/main",
    "repo:acme@123/crm@456:environment:live",
    "project_path:acme/crm:ref_type:branch:ref:main",
    "system:serviceaccount:ci:applier",
    "spiffe://example.com/ns/ci/sa/applier",
    "##vso[task.setvariable]",
    "![x]:https://evil.example",
)
REFUSED = ("ada lovelace", " ada", "ada\t", "a\u200bda", "\u0430da", "ada,grace", "ada;grace", "<b>ada", 'a"da', "")


def quoted(name: str) -> str:
    return json.dumps(name)  # YAML reads JSON's texts as they are


def named(workspace: Workspace, name: str) -> None:
    """The name is a member of the team, a subject and somebody an access test is about."""
    workspace.edit("policies/groups.yaml", "users: [ada, grace]", f"users: [grace, {quoted(name)}]")
    workspace.write(
        "policies/own.yaml",
        "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: own}\nspec:\n"
        f"  subjects: [{{user: {quoted(name)}}}]\n  grants: [{{permissions: [categories:view]}}]\n---\n"
        "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: own}\nspec:\n"
        f"  expect: [{{user: {quoted(name)}, can: categories:view}}, {{can: policies:edit, atMost: 1, except: [{quoted(name)}]}}]\n",
    )


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    return gated(workspace)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_everywhere(gate: Workspace, name: str) -> None:
    """In groups, policies and access tests, the questions, the gate, an apply and what all of them write."""
    gate.git("checkout", "-q", "main")
    named(gate, name)
    gate.ok("fmt")
    gate.ok("validate", "--strict")
    gate.commit("named")
    assert json.loads(gate.ok("can", name, "categories:view", "-o", "json").stdout)["answers"][0]["actor"] == name
    everybody = json.loads(gate.ok("who-can", "connectors:edit", "connector/crm-contacts", "-o", "json").stdout)
    assert name in [found["actor"] for found in everybody["answers"]]
    gate.git("checkout", "-q", "-B", "change")
    gate.edit("connectors/crm.yaml", "GET", "PUT")
    assert judged(gate, name)["allowed"] is True
    assert authorize(gate, "mallory", "change", "--approved-by", name).exit_code == 0
    for form in ("text", "markdown", "github"):
        assert "##vso[" not in authorize(gate, name, "change", "-o", form).stdout
    assert "[" not in authorize(gate, name, "change", "-o", "markdown").stdout.replace("\\[", "")
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.edit("connectors/crm.yaml", "PUT", "PATCH")
    gate.ok("apply", "--yes", "--as", name)
    gate.edit("connectors/crm.yaml", "PATCH", "PUT")
    gate.ok("apply", "--yes", "--as", "mallory", env={"RECONCILER_APPROVED_BY": f"grace {name}"})
    runs = json.loads(gate.ok("history", "-o", "json").stdout)["runs"]
    assert runs[1]["actor"] == name
    assert "Nothing to do" in gate.ok("plan", "--as", name).stdout
    assert name.replace("##", r"#\x23") in gate.ok("get", "group", "integrators").stdout


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_name(gate: Workspace, name: str) -> None:
    """Blanks separate names in RECONCILER_APPROVED_BY, and commas where we list them; what is alike is refused."""
    named(gate, name)
    result = gate.run("validate")
    assert result.exit_code == ExitCode.INVALID
    assert result.stdout.count("error[RC2") == 4, result.stdout


def test_the_message_says_which_characters(gate: Workspace) -> None:
    named(gate, "Ada Lovelace")
    said = gate.run("validate").stdout
    assert "without blanks" in said, said


def test_names_differ_by_case(gate: Workspace) -> None:
    """GitHub hands a login out as its owner spells it; it is compared so."""
    named(gate, "Renovate[bot]")
    refused = gate.run("can", "renovate[bot]", "categories:view")
    assert refused.exit_code == ExitCode.NOT_PERMITTED
    assert "it looks like 'Renovate[bot]', which is another name" in refused.stdout
