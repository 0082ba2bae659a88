"""A repository with a gate: margaret is super admin, ada looks after crm, hedy after hr, lea after what is labelled."""

import subprocess
from pathlib import Path
from typing import Any

from conftest import Result, Workspace, clean_environment

from gate_checks import verdict_in

POLICIES = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: integrators}
spec: {displayName: Integrators, members: {mode: authoritative, users: [ada], groups: []}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: integration-team}
spec:
  subjects: [{group: integrators}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]
      on: {categories: [crm]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: human-resources}
spec:
  subjects: [{user: hedy}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]
      on: {categories: [hr]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: both}
spec:
  subjects: [{user: joan}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]
      on: {categories: [crm, hr]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: by-label}
spec:
  subjects: [{user: lea}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:create, connectors:delete]
      on: {labels: {team: sales}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec: {subjects: [{user: margaret}], superAdmin: true}
"""


def category(name: str) -> str:
    return f"apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: {name}}}\nspec: {{displayName: {name}}}\n"


def connector(name: str, categories: str, labels: str = "", password: str = "") -> str:
    """A connector; with a password, a reference as YAML writes it, it takes one."""
    secret = f"  authorization: {{method: basic, username: svc, password: {password}}}\n" if password else ""
    return (
        f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
        f"spec:\n  displayName: {name}\n  categories: [{categories}]\n{secret}"
        f"  endpoints: {{list: {{method: GET, url: 'https://{name}.example.com'}}}}\n"
    )


def fill(workspace: Workspace) -> None:
    """Two connectors in two categories, and one in both."""
    for name in ("crm", "hr"):
        workspace.write(f"connectors/{name}.yaml", category(name))
    workspace.write("connectors/crm-a.yaml", connector("crm-a", "crm", "team: sales"))
    workspace.write("connectors/hr-a.yaml", connector("hr-a", "hr"))
    workspace.write("connectors/shared.yaml", connector("shared", "crm, hr"))
    workspace.write("policies/p.yaml", POLICIES)


def begin(workspace: Workspace) -> Workspace:
    """What is written becomes the base; a branch for changes begins."""
    workspace.commit("base")
    workspace.git("checkout", "-q", "-B", "change")
    return workspace


def authorize(workspace: Workspace, actor: str, *more: str) -> Result:
    """Commit what is there, and judge it."""
    workspace.commit()
    return workspace.run("authorize", "--base", "main", "--head", "change", "--actor", actor, *more)


def verdict(workspace: Workspace, actor: str, *more: str) -> dict[str, Any]:
    """The verdict as data, which its schema allows."""
    return verdict_in(authorize(workspace, actor, "-o", "json", *more))


def git(folder: Path, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
    """What git says."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=clean_environment(), input=stdin, capture_output=True, check=True
    ).stdout
