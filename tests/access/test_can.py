"""can and who-can: the answer, and the line that it rests on."""

import json
from typing import Any

import jsonschema
import pytest
from schema_checks import fits
from conftest import Workspace
from gate_world import OWNERS, gated, group, policy

from reconciler.errors import ExitCode
from reconciler.kinds import registry


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    return gated(workspace)


def answers(workspace: Workspace, *line: str) -> list[dict[str, Any]]:
    """The answers as data, which their schema allows."""
    content = json.loads(workspace.run(*line, "-o", "json").stdout)
    fits(content, "access.schema.json")
    found: list[dict[str, Any]] = content["answers"]
    return found


def test_yes_with_the_line(gate: Workspace) -> None:
    """From the person through the groups to the grant, and what it is narrowed to."""
    result = gate.ok("can", "ada", "connectors:edit", "connector/crm-contacts")
    assert result.stdout == (
        "yes: ada has connectors:edit on connector/crm-contacts\n"
        "    because ada is in integrators, which policy team grants it, policies/grants.yaml:7 (category crm)\n"
    )
    super_admin = gate.ok("can", "margaret", "policies:delete", "policy/team").stdout
    assert (
        "because margaret is in owners, which policy owners makes super admins, policies/owners.yaml:6\n" in super_admin
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ada connectors:edit connector/ledger", "it is granted on something else only: ada is in integrators, which policy team grants it, policies/grants.yaml:7 (category crm)"),
        ("ada connectors:edit", "no: ada does not have connectors:edit on all connectors\n    it is granted on something else only"),
        ("ada policies:edit", "no policy grants it"),
        ("Ada connectors:edit", "no policy and no group names 'Ada'; it looks like 'ada', which is another name"),
        ("\u0430da connectors:edit", "names '\u0430da', which holds U+0430; it looks like 'ada'"),
        ("mallory connectors:edit", "no policy and no group names 'mallory'\n"),
    ],
)  # fmt: skip
def test_no_with_the_reason(gate: Workspace, line: str, says: str) -> None:
    """Exit code 4."""
    result = gate.run("can", *line.split(" "))
    assert result.exit_code == ExitCode.NOT_PERMITTED
    assert result.stdout.startswith("no: ") and says in result.stdout


def test_view_may_come_by_another_grant(gate: Workspace) -> None:
    """Both are told; without it the answer is no."""
    gate.write("policies/more.yaml", policy("eve", "{user: eve}", "connectors:delete"))
    refused = gate.run("can", "eve", "connectors:delete", "connector/crm-contacts")
    assert "it needs view as well, which no policy grants: policy eve grants it to eve" in refused.stdout
    gate.write(
        "policies/views.yaml", policy("views", "{user: eve}", "connectors:view", "      on: {labels: {team: sales}}\n")
    )
    shown = gate.ok("can", "eve", "connectors:delete", "connector/crm-contacts").stdout
    assert (
        "and connectors:view because policy views grants it to eve, policies/views.yaml:8 (label team=sales)" in shown
    )


def test_to_the_second(gate: Workspace) -> None:
    """A grant gives nothing from its end on; zones count."""
    gate.write(
        "policies/ends.yaml",
        policy("ends", "{user: eve}", "connectors:view", '      expires: "2030-06-30T22:00:00Z"\n'),
    )
    held = ("can", "eve", "connectors:view", "--at")
    assert gate.run(*held, "2030-07-01T00:59:59+03:00").exit_code == 0
    ended = gate.run(*held, "2030-07-01T01:00:00+03:00")
    assert (
        ended.exit_code == 4
        and "the grant has expired: policy ends grants it until 2030-06-30T22:00:00Z" in ended.stdout
    )
    for moment in ("2030-06-30T22:00:00", "2016-12-31T23:59:60Z", "soon"):
        assert gate.run(*held, moment).exit_code == ExitCode.USAGE


def test_who_can(gate: Workspace) -> None:
    """Those with the same reason together; nobody is said as well."""
    shown = gate.ok("who-can", "connectors:edit", "connector/crm-contacts").stdout
    assert shown == (
        "ada, grace\n    because each of them is in integrators, which policy team grants it, policies/grants.yaml:7 (category crm)\n"
        "margaret\n    because margaret is in owners, which policy owners makes super admins, policies/owners.yaml:6\n"
        "3 people have connectors:edit on connector/crm-contacts\n"
    )
    assert [found["actor"] for found in answers(gate, "who-can", "connectors:edit")] == ["margaret"]
    (gate.root / "policies/owners.yaml").unlink()
    assert gate.ok("who-can", "groups:edit").stdout == "Nobody has groups:edit on all groups.\n"


def test_nesting_and_rings(gate: Workspace) -> None:
    """Through five groups; a ring of them is invalid, and nothing is answered."""
    chain = "".join(group(f"g{step}", groups=f"g{step + 1}") for step in range(5)) + group("g5", users="eve")
    gate.write("policies/chain.yaml", chain + policy("chain", "{group: g0}", "groups:view"))
    shown = gate.ok("can", "eve", "groups:view", "group/g0").stdout
    assert (
        "eve is in g5, which is in g4, which is in g3, which is in g2, which is in g1, which is in g0, which policy"
        in shown
    )
    gate.write("policies/chain.yaml", chain.replace("users: [eve], groups: []", "users: [eve], groups: [g0]"))
    result = gate.run("can", "eve", "groups:view")
    assert result.exit_code == ExitCode.INVALID and "RC305" in result.stderr


def test_of_a_commit_and_of_what_is_live(gate: Workspace) -> None:
    """The working tree, a revision and the store may differ."""
    gate.ok("apply", "--yes")
    gate.edit("policies/groups.yaml", "users: [ada, grace]", "users: [ada, grace, eve]")
    line = ("can", "eve", "connectors:edit", "connector/crm-contacts")
    assert [gate.run(*line, *more).exit_code for more in ((), ("--ref", "main"), ("--live",))] == [0, 4, 4]
    (live,) = answers(gate, "can", "ada", "connectors:edit", "connector/crm-contacts", "--live")
    assert live["allowed"] and live["route"]["file"] is None
    assert gate.run(*line, "--live", "--ref", "main").exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("can ada connectors:edti", "did you mean 'connectors:edit'?"),
        ("who-can connector:edit", "did you mean 'connectors:edit'?"),
        ("can ada connectors:edit connector/crm-contact", "did you mean 'connector/crm-contacts'?"),
        ("can ada connectors:edit category/crm", "it is about connectors"),
        ("can ada connectors:edit crm-contacts", "did you mean connector/crm-contacts?"),
        ("can ada connectors:edit connector/crm-contact --live", "KIND/NAME"),
    ],
)
def test_what_is_misspelt(gate: Workspace, line: str, hint: str) -> None:
    """With a suggestion."""
    result = gate.run(*line.split(" "))
    assert result.exit_code == ExitCode.USAGE and hint in result.stderr


def test_a_misspelt_permission_in_a_policy(gate: Workspace) -> None:
    """Is an error at its place, with a suggestion."""
    gate.write("policies/typo.yaml", policy("typo", "{user: eve}", "connectors:edti"))
    result = gate.run("validate")
    assert result.exit_code == ExitCode.INVALID
    assert "policies/typo.yaml:8:21" in result.stdout and "did you mean 'connectors:edit'?" in result.stdout


def test_connectors_are_not_read_where_they_do_not_matter(gate: Workspace) -> None:
    """A question about policies is answered although a connector is broken."""
    gate.write("connectors/broken.yaml", "kind: [")
    assert gate.run("can", "margaret", "policies:edit").exit_code == 0
    assert gate.run("can", "margaret", "connectors:edit").exit_code == 0
    assert gate.run("can", "margaret", "connectors:edit", "connector/ledger").exit_code == ExitCode.INVALID
    gate.write("policies/owners.yaml", OWNERS.replace("superAdmin: true", "superAdmin: yes"))
    assert gate.run("can", "margaret", "policies:edit").exit_code == ExitCode.INVALID
