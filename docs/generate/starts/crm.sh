{
  export CRM_TOKEN=made-up-token
  mkdir -p crm/connectors crm/policies && cd crm && git init -q -b main
  printf '.reconciler/\n' >.gitignore
  cat >reconciler.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Project
owner: acme/crm
YAML
  cat >connectors/categories.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
YAML
  cat >connectors/crm.yaml <<'YAML'
# Asked for by the sales team.
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts
  labels: {team: sales}
spec:
  displayName: Sales team's contacts
  description: Contacts of the CRM.
  categories: [crm]
  authorization:
    method: bearer
    token: {env: CRM_TOKEN}
  endpoints:
    list:
      method: GET
      url: https://crm.example.com/contacts/{{account}}
YAML
  cat >policies/team.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Group
metadata: {name: integrators}
spec:
  displayName: Integration team
  members: {mode: authoritative, users: [ada, grace]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: integration-team}
spec:
  subjects: [{group: integrators}]
  grants:
    - permissions: [connectors:view, connectors:edit, connectors:call]
      on: {categories: [crm]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec: {subjects: [{user: margaret}], superAdmin: true}
YAML
  git add -A && git commit -q -m "The CRM"
  reconciler apply --yes
  export RECONCILER_AS=margaret
  in_store() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(".reconciler/store.db"); c.execute(sys.argv[1]); c.commit()' "$1"; }
} >/dev/null 2>&1
