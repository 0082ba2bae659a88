"""Access tests: what they hold policies to, and what they say when it does not hold."""

import json
from typing import Any

import pytest
from conftest import Workspace
from gate_world import gated, group, policy

from reconciler.errors import ExitCode

HEAD = """\
apiVersion: reconciler/v1
kind: AccessTest
metadata: {name: expected}
spec:
  expect:
"""
TESTS = "policies/tests.yaml"


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    """Ada and grace are integrators, who may do all with connectors of crm; margaret is a super admin."""
    return gated(workspace)


def expect(workspace: Workspace, *lines: str) -> None:
    workspace.write(TESTS, HEAD + "".join(f"    - {line}\n" for line in lines))


def found(workspace: Workspace, *options: str) -> list[dict[str, Any]]:
    """What validate says."""
    diagnostics: list[dict[str, Any]] = json.loads(workspace.run("validate", "-o", "json", *options).stdout)[
        "diagnostics"
    ]
    return diagnostics


@pytest.mark.parametrize(
    "line",
    [
        "{user: ada, can: 'connectors:edit', on: connector/crm-contacts}",
        "{group: integrators, can: 'connectors:edit', on: connector/crm-contacts}",
        "{user: margaret, can: 'policies:delete'}",
        "{user: ada, cannot: 'connectors:edit', on: connector/ledger}",
        "{user: ada, cannot: 'connectors:call'}",
        "{user: mallory, cannot: 'connectors:view'}",
        "{group: integrators, cannot: 'categories:view'}",
        "{can: 'policies:edit', atMost: 1}",
        "{can: 'policies:edit', atMost: 0, except: [margaret]}",
        "{can: 'connectors:edit', on: connector/ledger, atMost: 1}",
        "{separationOfDuty: ['policies:edit', 'connectors:edit'], except: [margaret]}",
        "{separationOfDuty: ['connectors:edit', 'connectors:delete'], on: connector/ledger, except: [margaret]}",
    ],
)
def test_what_holds_is_not_mentioned(gate: Workspace, line: str) -> None:
    expect(gate, line)
    assert found(gate) == []
    gate.ok("validate", "--strict")


ADA = "ada is in integrators, which policy team grants it, policies/grants.yaml:7 (category crm)"
MEMBER = "a member of integrators is in integrators, which policy team grants it, policies/grants.yaml:7 (category crm)"
MARGARET = "margaret is in owners, which policy owners makes super admins, policies/owners.yaml:6"


@pytest.mark.parametrize(
    ("line", "code", "message", "at"),
    [
        (
            "{user: ada, can: 'connectors:edit', on: connector/ledger}",
            "RC701",
            f"ada does not have connectors:edit on connector/ledger: it is granted on something else only: {ADA}",
            24,
        ),
        (
            "{user: ada, can: 'connectors:edit'}",
            "RC701",
            f"ada does not have connectors:edit on all connectors: it is granted on something else only: {ADA}",
            24,
        ),
        (
            "{group: integrators, can: 'policies:edit'}",
            "RC701",
            "a member of integrators does not have policies:edit on all policies: no policy grants it",
            33,
        ),
        (
            "{user: ada, cannot: 'connectors:edit', on: connector/crm-contacts}",
            "RC702",
            f"ada has connectors:edit on connector/crm-contacts: {ADA}",
            27,
        ),
        ("{user: ada, cannot: 'connectors:delete'}", "RC702", f"ada has connectors:delete: {ADA}", 27),
        ("{user: margaret, cannot: 'groups:view'}", "RC702", f"margaret has groups:view: {MARGARET}", 32),
        (
            "{group: integrators, cannot: 'connectors:edit'}",
            "RC702",
            f"a member of integrators has connectors:edit: {MEMBER}",
            36,
        ),
        (
            "{can: 'connectors:edit', atMost: 2}",
            "RC703",
            "3 people have connectors:edit, and at most 2 may: ada, grace and margaret",
            40,
        ),
        (
            "{can: 'policies:edit', on: policy/team, atMost: 0}",
            "RC703",
            "1 person has policies:edit on policy/team, and at most 0 may: margaret",
            55,
        ),
        (
            "{separationOfDuty: ['policies:edit', 'connectors:edit']}",
            "RC704",
            f"margaret has connectors:edit and policies:edit: {MARGARET}",
            8,
        ),
    ],
)  # fmt: skip
def test_what_does_not_hold(gate: Workspace, line: str, code: str, message: str, at: int) -> None:
    """Why, with the line of the grant, at the line of the expectation; nothing is applied then."""
    expect(gate, line)
    (fault,) = found(gate)
    assert (fault["code"], fault["message"]) == (code, message)
    assert (fault["file"], fault["range"]["start"]["line"], fault["range"]["start"]["column"]) == (TESTS, 6, at)
    refused = gate.run("apply", "--as", "margaret", "--yes")
    assert refused.exit_code == ExitCode.INVALID and code in refused.stderr


def test_a_group_may_not_have_what_one_of_its_members_has(gate: Workspace) -> None:
    """The group's own grants and each member's count, so an empty group is held to it too."""
    expect(gate, "{group: idle, cannot: 'categories:edit'}", "{group: integrators, cannot: 'categories:edit'}")
    gate.write("policies/more.yaml", group("idle"))
    assert found(gate) == []
    gate.write(
        "policies/extra.yaml",
        policy("extra", "{user: grace}, {group: idle}", "categories:view, categories:edit"),
    )
    first, second = found(gate)
    assert first["message"].startswith(
        "a member of idle has categories:edit: a member of idle is in idle, which policy"
    )
    assert second["message"].startswith(
        "grace has categories:edit: policy extra grants it to grace, policies/extra.yaml:"
    )


def test_time_is_named_by_at(gate: Workspace) -> None:
    """To the second, whatever the clock says now."""
    gate.edit(
        "policies/grants.yaml",
        "on: {categories: [crm]}",
        'on: {categories: [crm]}\n      expires: "2090-01-01T00:00:00+01:00"',
    )
    on = "on: connector/crm-contacts"
    expect(
        gate,
        f"{{user: ada, can: 'connectors:edit', {on}, at: '2089-12-31T22:59:59Z'}}",
        f"{{user: ada, cannot: 'connectors:edit', {on}, at: '2089-12-31T23:00:00Z'}}",
        "{user: ada, cannot: 'connectors:edit', at: '2090-01-01T00:00:00+01:00'}",
    )
    assert found(gate) == []
    expect(gate, f"{{user: ada, can: 'connectors:edit', {on}, at: '2089-12-31T23:00:00Z'}}")
    (fault,) = found(gate)
    assert "the grant has expired: ada is in integrators" in fault["message"]


def test_rights_that_never_meet_count_for_nothing(gate: Workspace) -> None:
    """Edit here and view there: there is nothing that can be edited."""
    gate.write(
        "policies/extra.yaml",
        policy("extra", "{user: hedy}", "connectors:edit", "      on: {labels: {team: sales}}\n")
        + "    - permissions: [connectors:view]\n      on: {labels: {team: finance}}\n",
    )
    expect(gate, "{user: hedy, cannot: 'connectors:edit'}")
    assert [fault["code"] for fault in found(gate)] == ["RC604"]
    gate.edit("policies/extra.yaml", "{team: finance}", "{data: public}")
    assert [fault["code"] for fault in found(gate) if fault["severity"] == "error"] == ["RC702"]


@pytest.mark.parametrize("name", ["margret", "MARGARET", "gracee"])
def test_a_name_that_is_much_alike(gate: Workspace, name: str) -> None:
    """An expectation that somebody cannot do something always holds for a name that is misspelt."""
    expect(
        gate, f"{{user: {name}, cannot: 'connectors:call'}}", f"{{can: 'policies:edit', atMost: 1, except: [{name}]}}"
    )
    faults = found(gate)
    assert [(fault["code"], fault["severity"]) for fault in faults] == [("RC705", "warning")] * 2
    assert "did you mean '" in faults[0]["hint"]
    expect(gate, f"{{user: {name}, can: 'connectors:edit'}}")
    assert [fault["code"] for fault in found(gate)] == ["RC701"] and "did you mean '" in found(gate)[0]["hint"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{user: ada, can: 'connectors:edit', cannot: 'connectors:delete'}", "RC707"),
        ("{user: ada}", "RC707"),
        ("{can: 'connectors:edit'}", "RC707"),
        ("{user: ada, group: owners, can: 'connectors:edit'}", "RC707"),
        ("{user: ada, can: 'connectors:edit', except: [grace]}", "RC707"),
        ("{separationOfDuty: ['connectors:edit', 'policies:edit'], atMost: 1}", "RC707"),
        ("{user: ada, can: 'connectors:edit', on: category/crm}", "RC707"),
        ("{separationOfDuty: ['policies:edit', 'connectors:edit'], on: connector/ledger}", "RC707"),
        ("{user: ada, can: 'connectors:edit', at: '2027-02-30T00:00:00Z'}", "RC211"),
        ("{user: ada, can: 'connectors:edit', at: '2027-02-28T00:00:00'}", "RC205"),
        ("{user: ada, can: 'connector:edit'}", "RC204"),
        ("{group: nobody, can: 'connectors:edit'}", "RC301"),
        ("{user: ada, can: 'connectors:edit', on: connector/crm-contact}", "RC301"),
    ],
)
def test_what_is_no_expectation(gate: Workspace, line: str, code: str) -> None:
    expect(gate, line)
    faults = found(gate)
    assert faults and {fault["code"] for fault in faults} == {code}
    assert all(fault["range"]["start"]["line"] == 6 for fault in faults)


def test_many_who_hold_two_are_summed_up(gate: Workspace) -> None:
    """Five by name and reason, the rest in one line."""
    users = ", ".join(f"user-{number}" for number in range(9))
    gate.write("policies/more.yaml", group("crowd", users=users))
    gate.write("policies/extra.yaml", policy("extra", "{group: crowd}", "categories:view, categories:edit"))
    expect(gate, "{separationOfDuty: ['categories:view', 'categories:edit'], except: [margaret]}")
    faults = found(gate)
    assert [fault["code"] for fault in faults] == ["RC704"] * 6
    assert "4 more hold two of these permissions: user-5, user-6, user-7 and user-8" in [
        fault["message"] for fault in faults
    ]
    expect(gate, "{can: 'categories:edit', atMost: 3}")
    assert found(gate)[0]["message"].endswith("at most 3 may: margaret, user-0, user-1, user-2 and 6 more")


def test_coverage_names_what_no_test_explains(gate: Workspace) -> None:
    """Per grant: none of it, or the permissions that are left; a view that another permission needs is explained by it."""
    expect(
        gate, "{user: ada, can: 'connectors:edit', on: connector/crm-contacts}", "{user: ada, cannot: 'policies:edit'}"
    )
    assert found(gate) == []
    result = gate.run("validate", "--coverage")
    assert result.exit_code == ExitCode.OK
    assert (
        "policies/grants.yaml:7:7: warning[RC706]: no access test explains connectors:create, connectors:delete"
        in result.stdout
    )
    assert "policies/owners.yaml:6:15: warning[RC706]: no access test explains these super admins" in result.stdout
    assert result.stderr.endswith("Access tests explain 0 of 2 grants.\n")
    assert gate.run("validate", "--coverage", "--strict").exit_code == ExitCode.INVALID
    on = "on: connector/crm-contacts"
    expect(
        gate,
        *(f"{{group: integrators, can: 'connectors:{verb}', {on}}}" for verb in ("edit", "create", "delete")),
        "{user: margaret, can: 'groups:edit'}",
    )
    assert gate.ok("validate", "--coverage", "--strict").stderr.endswith("Access tests explain 2 of 2 grants.\n")


def test_coverage_without_tests_and_of_what_is_not_valid(gate: Workspace) -> None:
    assert [fault["code"] for fault in found(gate, "--coverage")] == ["RC706", "RC706"]
    expect(gate, "{user: ada}")
    assert "Coverage is counted once the definitions are valid." in gate.run("validate", "--coverage").stderr


def test_access_tests_are_resources(gate: Workspace) -> None:
    """Reconciled, listed and exempt from nothing: to change one takes rights on policies."""
    expect(gate, "{user: ada, cannot: 'policies:edit'}")
    gate.commit("tests")
    gate.ok("apply", "--as", "margaret", "--yes")
    shown = gate.ok("get", "access-tests").stdout
    assert "expected" in shown and "EXPECTATIONS" in shown
    assert gate.ok("plan").stdout.startswith("Nothing to do")
    expect(gate, "{user: ada, cannot: 'groups:edit'}")
    refused = gate.run("apply", "--as", "ada", "--yes")
    assert refused.exit_code == ExitCode.NOT_PERMITTED and "policies:edit" in refused.stderr + refused.stdout


def test_the_gate_asks_for_rights_on_policies(gate: Workspace) -> None:
    """A test that is in the way cannot be taken out by whom it holds back."""
    expect(gate, "{user: ada, cannot: 'policies:edit'}")
    gate.commit("tests")
    gate.git("branch", "-f", "main")
    (gate.root / TESTS).unlink()
    gate.commit("without")
    refused = gate.run("authorize", "--base", "main", "--head", "change", "--actor", "ada")
    assert refused.exit_code == ExitCode.NOT_PERMITTED and "policies:delete" in refused.stdout
