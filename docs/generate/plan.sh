{
  mkdir -p crm/connectors && cd crm && git init -q -b main
  cat >connectors/categories.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
YAML
  cat >connectors/crm.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts
spec:
  displayName: Sales team's contacts
  categories: [crm]
  authorization:
    method: bearer
    token: {env: CRM_TOKEN}
  endpoints:
    list:
      method: GET
      url: https://crm.example.com/contacts
---
apiVersion: reconciler/v1
kind: Connector
metadata: {name: faxes}
spec:
  displayName: Faxes
  categories: [crm]
YAML
  git add -A && git commit -qm "The CRM"
  CRM_TOKEN=made-up reconciler apply --yes
  sed -i '/^---/,$d; s|crm.example.com|api.crm.example.com|; s/Sales team.s contacts/Contacts of sales/' connectors/crm.yaml
  cat >>connectors/crm.yaml <<'YAML'
---
apiVersion: reconciler/v1
kind: Connector
metadata: {name: invoices}
spec:
  displayName: Invoices
  categories: [crm]
  authorization: {method: basic, username: svc, password: {file: /run/secrets/invoices}}
  endpoints:
    open:
      method: GET
      url: https://erp.example.com/invoices?open=1
YAML
  git commit -qam "Invoices"
} >/dev/null 2>&1
reconciler plan --color always
