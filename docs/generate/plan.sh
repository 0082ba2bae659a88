{
  mkdir -p crm/connectors && cd crm
  cat >connectors/crm.yaml <<'YAML'
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
---
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts
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
  cp connectors/crm.yaml before.yaml
  git init -q -b main
  CRM_TOKEN=made-up reconciler apply --yes
  sed -i 's|crm.example.com/contacts|api.crm.example.com/v2/contacts|' connectors/crm.yaml
} >/dev/null 2>&1
reconciler plan --color always
