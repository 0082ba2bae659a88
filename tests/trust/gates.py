"""A repository with a gate: margaret is super admin, ada looks after crm, hedy after hr, lea after what is labelled."""

import json
import subprocess
from pathlib import Path
from typing import Any

from conftest import Result, Workspace, clean_environment

from schema_checks import fits

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
    result = authorize(workspace, actor, "-o", "json", *more)
    assert result.exit_code in (0, 4), result.output
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, "authorize.schema.json")
    assert content["allowed"] is (result.exit_code == 0)
    return content


def refused(content: dict[str, Any]) -> list[tuple[str, str]]:
    """(address or file, permission) of all that is refused."""
    return [
        (change["address"] or change["file"], wanted["permission"])
        for change in content["changes"]
        for wanted in change["wanted"]
        if not wanted["granted"]
    ]


def git(folder: Path, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
    """What git says."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=clean_environment(), input=stdin, capture_output=True, check=True
    ).stdout
