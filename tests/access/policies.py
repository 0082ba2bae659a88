"""A store with a super admin, and people with some permissions: what the tests of permissions share."""

from conftest import Workspace

CATEGORIES = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
---
apiVersion: reconciler/v1
kind: Category
metadata: {name: finance}
spec: {displayName: Finance}
"""

CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: NAME}
spec:
  displayName: NAME
  categories: [CATEGORY]
  endpoints:
    list: {method: GET, url: "https://data.example.com/NAME"}
"""

OWNERS = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: owners}
spec: {displayName: Owners, members: {mode: authoritative, users: [margaret]}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec: {subjects: [{group: owners}], superAdmin: true}
"""

TEAM = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: finance-team}
spec: {displayName: Finance team, members: {mode: authoritative, users: [katherine]}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: finance-team}
spec:
  subjects: [{group: finance-team}]
  grants:
    - permissions: [connectors:view, connectors:create, connectors:edit, connectors:delete, connectors:call]
      on: {categories: [finance]}
"""

CRM, INVOICES = "connectors/crm-contacts.yaml", "connectors/invoices.yaml"


def connector(name: str, category: str) -> str:
    """A connector that needs no secret."""
    return CONNECTOR.replace("NAME", name).replace("CATEGORY", category)


def fill(workspace: Workspace) -> None:
    """Definitions of two connectors, a super admin, and a team for one of the categories."""
    workspace.write("connectors/categories.yaml", CATEGORIES)
    workspace.write(CRM, connector("crm-contacts", "crm"))
    workspace.write(INVOICES, connector("invoices", "finance"))
    workspace.write("policies/owners.yaml", OWNERS)
    workspace.write("policies/team.yaml", TEAM)
