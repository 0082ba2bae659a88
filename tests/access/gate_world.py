"""A repository with policies, and pull requests to it."""

import json
from typing import Any

import jsonschema
from gate_checks import verdict_in
from schema_checks import fits
from conftest import CATEGORY, CONNECTOR, Result, Workspace, copy_of

from reconciler.kinds import registry

FINANCE = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: finance}
spec: {displayName: Finance}
"""
LEDGER = (
    CONNECTOR.replace("crm-contacts", "ledger")
    .replace("Sales team's contacts", "Ledger")
    .replace("categories: [crm]", "categories: [finance]")
)
GROUPS = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: integrators}
spec:
  displayName: Integration team
  members: {mode: authoritative, users: [ada, grace]}
---
apiVersion: reconciler/v1
kind: Group
metadata: {name: owners}
spec:
  displayName: Platform owners
  members: {mode: authoritative, users: [margaret]}
"""
OWNERS = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec:
  subjects: [{group: owners}]
  superAdmin: true
"""
TEAM = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: team}
spec:
  subjects: [{group: integrators}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]
      on: {categories: [crm]}
"""


def group(name: str, *, users: str = "", groups: str = "") -> str:
    """A group's document."""
    return (
        f"---\napiVersion: reconciler/v1\nkind: Group\nmetadata: {{name: {name}}}\n"
        f"spec: {{displayName: {name}, members: {{mode: authoritative, users: [{users}], groups: [{groups}]}}}}\n"
    )


def policy(name: str, subjects: str, permissions: str, extra: str = "") -> str:
    """A policy's document."""
    return (
        f"---\napiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {{name: {name}}}\n"
        f"spec:\n  subjects: [{subjects}]\n  grants:\n    - permissions: [{permissions}]\n{extra}"
    )


def gated(workspace: Workspace) -> Workspace:
    """Two connectors in two categories; ada and grace look after crm, margaret is super admin; a branch for changes."""
    return copy_of(workspace, "gated", _gated)


def _gated(workspace: Workspace) -> None:
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    workspace.write("connectors/finance.yaml", FINANCE + "---\n" + LEDGER)
    workspace.write("policies/groups.yaml", GROUPS)
    workspace.write("policies/owners.yaml", OWNERS)
    workspace.write("policies/grants.yaml", TEAM)
    workspace.commit("base")
    workspace.git("checkout", "-q", "-b", "change")


def authorize(workspace: Workspace, actor: str = "ada", head: str = "change", *more: str) -> Result:
    """Commit what is there, and judge it."""
    if workspace.git("branch", "--show-current") == "change":
        workspace.commit()
    return workspace.run("authorize", "--base", "main", "--head", head, "--actor", actor, *more)


def judged(workspace: Workspace, actor: str = "ada", head: str = "change") -> dict[str, Any]:
    """The verdict as data, which its schema allows."""
    return verdict_in(authorize(workspace, actor, head, "-o", "json"))


def difference(workspace: Workspace, *more: str) -> dict[str, Any]:
    """The access diff as data, which its schema allows."""
    workspace.commit()
    result = workspace.ok("access-diff", "--base", "main", "--head", "change", "-o", "json", *more)
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, "access-diff.schema.json")
    return content
