"""Attempts to bring records into one's scope, or out of somebody else's: in the gate, and in an apply of the same."""

import json
from collections.abc import Callable

import pytest
from conftest import Workspace
from gate_checks import refused
from gates import POLICIES, authorize, begin, category, connector, fill, verdict


@pytest.fixture
def gate(empty: Workspace) -> Workspace:
    """The base is live."""
    fill(empty)
    empty.ok("apply", "--yes")
    return begin(empty)


def outcome(gate: Workspace, actor: str, *approvals: str) -> list[tuple[str, str]]:
    """What the gate refuses; the apply of the same change refuses too, or passes too."""
    given = [word for name in approvals for word in ("--approved-by", name)]
    content = verdict(gate, actor, *given)
    applied = gate.run("apply", "--yes", "--as", actor, *given, *overrides(gate, actor))
    assert applied.exit_code == (0 if content["allowed"] else 4), applied.output
    return [found for found in refused(content) if not content["allowed"]]


def overrides(gate: Workspace, actor: str) -> list[str]:
    """What lets guards pass that are no permissions."""
    plan = json.loads(gate.run("plan", "-o", "json", "--as", actor).stdout)
    guards = [problem for problem in plan["problems"] if problem["guard"]]
    return [f"--override={plan['fingerprint'][:12]}:{problem['guard']}={problem['count']}" for problem in guards]


def write(name: str, categories: str, labels: str = "") -> Callable[[Workspace], object]:
    return lambda gate: gate.write(f"connectors/{name}.yaml", connector(name, categories, labels))


def remove(name: str) -> Callable[[Workspace], object]:
    return lambda gate: (gate.root / f"connectors/{name}.yaml").unlink()


EDIT, CREATE, DELETE = "connectors:edit", "connectors:create", "connectors:delete"
CHANGES = {
    "files it under a foreign category too": (write("crm-a", "crm, hr", "team: sales"), "ada", [("crm-a", EDIT)]),
    "files it under a foreign category, not hers any more": (write("crm-a", "hr", "team: sales"), "ada", [("crm-a", EDIT)]),
    "takes it out of a foreign category": (write("shared", "crm"), "ada", [("shared", EDIT)]),
    "takes it out of a foreign category, the other way": (write("shared", "hr"), "hedy", [("shared", EDIT)]),
    "takes it out of her own": (write("shared", "hr"), "ada", [("shared", EDIT)]),
    "creates it in a foreign category too": (write("new", "crm, hr"), "ada", [("new", CREATE)]),
    "deletes it out of a foreign category too": (remove("shared"), "ada", [("shared", DELETE)]),
    "labels a foreign record into her scope": (write("hr-a", "hr", "team: sales"), "lea", [("hr-a", EDIT)]),
    "labels a record out of somebody's scope": (write("crm-a", "crm"), "lea", [("crm-a", EDIT)]),
    "labels and files at once": (write("hr-a", "crm, hr", "team: sales"), "ada", [("hr-a", EDIT)]),
    "edits it in her category": (lambda gate: gate.edit("connectors/shared.yaml", "GET", "PUT"), "ada", []),
    "labels it in her category": (write("shared", "crm, hr", "team: sales"), "ada", []),
    "files it with a label that lets her everywhere": (write("crm-a", "crm, hr", "team: sales"), "lea", []),
    "moves between both of hers": (write("crm-a", "hr"), "joan", []),
    "creates in both of hers": (write("new", "crm, hr"), "joan", []),
    "deletes out of both of hers": (remove("shared"), "joan", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_categories_and_labels(gate: Workspace, name: str) -> None:
    """Each category that comes or goes takes the permission there, and labels count as they were and as they become."""
    change, actor, expected = CHANGES[name]
    change(gate)
    assert outcome(gate, actor) == [(f"connector/{found}", permission) for found, permission in expected]


def test_refusal_names_the_category_and_who_could_approve(gate: Workspace) -> None:
    """Those who hold all of it."""
    write("crm-a", "crm, hr", "team: sales")(gate)
    result = authorize(gate, "ada")
    assert "wants connectors:edit in hr, which it comes into: it is granted on something else only" in result.stdout
    assert "could approve: users joan, lea, margaret" in result.stdout
    applied = gate.run("apply", "--yes", "--as", "ada")
    assert "takes connectors:edit in hr of what it becomes: it is granted on something else only; who may: joan, lea, margaret" in applied.stderr  # fmt: skip


@pytest.mark.parametrize(
    ("permission", "allowed"), [("edit", True), ("view", True), ("create", False), ("delete", False)]
)
def test_can_says_what_the_gate_says(gate: Workspace, permission: str, allowed: bool) -> None:
    """Of a connector in two categories."""
    result = gate.run("can", "ada", f"connectors:{permission}", "connector/shared")
    assert result.exit_code == (0 if allowed else 4)
    assert ("ada" in gate.ok("who-can", f"connectors:{permission}", "connector/shared").stdout) is allowed
    assert "joan" in gate.ok("who-can", f"connectors:{permission}", "connector/shared").stdout


def test_names_that_are_swapped(gate: Workspace) -> None:
    """Under each name is another one now: edit of both takes both."""
    write("crm-a", "hr")(gate)
    write("hr-a", "crm", "team: sales")(gate)
    assert {address for address, _ in outcome(gate, "ada")} == {"connector/crm-a", "connector/hr-a"}
    assert outcome(gate, "joan") == []


def test_rename_of_a_foreign_record_into_her_category(gate: Workspace) -> None:
    """It is no creation of her own."""
    remove("hr-a")(gate)
    gate.write(
        "connectors/mine.yaml", connector("mine", "crm").replace("name: mine,", "name: mine, previously: [hr-a],")
    )
    assert {address for address, _ in outcome(gate, "ada")} == {"connector/mine"}


def test_protection_that_is_taken_away(gate: Workspace) -> None:
    """Takes edit, and a deletion after it delete."""
    gate.edit("connectors/hr-a.yaml", "spec:\n", "spec:\n  lifecycle: {protect: true}\n")
    gate.ok("apply", "--yes", "--as", "margaret")
    gate.commit()
    gate.git("branch", "-f", "main", "change")
    gate.edit("connectors/hr-a.yaml", "protect: true", "protect: false")
    assert outcome(gate, "ada") == [("connector/hr-a", EDIT)]
    remove("hr-a")(gate)
    assert refused(verdict(gate, "ada")) == [("connector/hr-a", DELETE)]


def test_connector_that_becomes_a_category_of_the_name(gate: Workspace) -> None:
    """Takes delete of the one and create of the other."""
    remove("hr-a")(gate)
    gate.write("connectors/new.yaml", category("hr-a"))
    assert sorted(outcome(gate, "ada")) == [("category/hr-a", "categories:create"), ("connector/hr-a", DELETE)]


GROUPS = """\
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: group-keepers}
spec:
  subjects: [{user: rosa}]
  grants:
    - permissions: [groups:view, groups:edit, groups:create, groups:delete, policies:view, policies:edit, policies:create, policies:delete]
---
apiVersion: reconciler/v1
kind: Group
metadata: {name: owners}
spec: {displayName: Owners, members: {mode: authoritative, users: [margaret], groups: [deputies]}}
---
apiVersion: reconciler/v1
kind: Group
metadata: {name: deputies}
spec: {displayName: Deputies, members: {mode: authoritative, users: [grace], groups: [seconds]}}
---
apiVersion: reconciler/v1
kind: Group
metadata: {name: seconds}
spec: {displayName: Seconds, members: {mode: authoritative, users: [], groups: []}}
"""
MAKER = "---\napiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: NAME}\nspec: {subjects: [{user: rosa}], superAdmin: true}\n"


@pytest.fixture
def keepers(empty: Workspace) -> Workspace:
    """Rosa may change all groups and policies; super admins are those of nested groups."""
    fill(empty)
    empty.write("policies/p.yaml", POLICIES.replace("{user: margaret}", "{group: owners}") + GROUPS)
    empty.ok("apply", "--yes")
    return begin(empty)


def edit(old: str, new: str) -> Callable[[Workspace], object]:
    return lambda gate: gate.edit("policies/p.yaml", old, new)


MAKING = {
    "joins the group": edit("users: [margaret]", "users: [margaret, rosa]"),
    "joins a group in the group": edit("users: [grace]", "users: [grace, rosa]"),
    "joins an empty group deep in the group": edit("{displayName: Seconds, members: {mode: authoritative, users: []", "{displayName: Seconds, members: {mode: authoritative, users: [rosa]"),
    "puts a group into the group": edit("groups: [deputies]", "groups: [deputies, integrators]"),
    "takes a super admin out": edit("users: [grace]", "users: []"),
    "takes a nested group out": edit("groups: [deputies]", "groups: []"),
    "is a subject": edit("[{group: owners}], superAdmin", "[{group: owners}, {user: rosa}], superAdmin"),
    "makes a policy": lambda gate: gate.write("policies/q.yaml", MAKER.replace("NAME", "mine")),
    "makes an ordinary policy one": edit("spec:\n  subjects: [{user: lea}]\n  grants:\n    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]\n      on: {labels: {team: sales}}\n", "spec: {subjects: [{user: lea}], superAdmin: true, grants: []}\n"),
    "unmakes it": edit("{subjects: [{group: owners}], superAdmin: true}", "{subjects: [{group: owners}], superAdmin: false}"),
    "renames it": edit("metadata: {name: owners}\nspec: {subjects", "metadata: {name: lords, previously: [owners]}\nspec: {subjects"),
    "renames another group to one that it names": lambda gate: (
        gate.write("policies/p.yaml", (gate.root / "policies/p.yaml").read_text().replace("{name: seconds}", "{name: thirds, previously: [seconds]}").replace("[seconds]}}", "[thirds]}}")),
    ),
    "describes the group": edit("{displayName: Deputies,", "{displayName: Deputy owners,"),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKING)
def test_who_is_a_super_admin_is_for_super_admins(keepers: Workspace, name: str) -> None:
    """Every permission of groups and policies is not enough; the approval of a super admin is."""
    MAKING[name](keepers)
    found = outcome(keepers, "rosa")
    assert found and {permission for _, permission in found} == {"super admin"}
    assert "only super admins change who is one" in authorize(keepers, "rosa").stdout
    assert outcome(keepers, "rosa", "margaret") == []


@pytest.mark.parametrize(
    "change", [edit("users: [ada]", "users: [ada, rosa]"), edit("[{user: hedy}]", "[{user: hedy}, {user: rosa}]")]
)
def test_other_groups_and_policies_are_for_who_may_edit_them(
    keepers: Workspace, change: Callable[[Workspace], object]
) -> None:
    """That is as much as all that they grant: docs say so."""
    change(keepers)
    assert outcome(keepers, "rosa") == []
