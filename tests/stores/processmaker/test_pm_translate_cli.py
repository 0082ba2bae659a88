"""What people do in the web form, as plan, drift and export tell it, and as an apply takes it back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Workspace
from servers.processmaker import Instance, instance

from reconciler.stores.processmaker.forms.rows import USER

CONNECTORS = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
---
apiVersion: reconciler/v1
kind: Connector
metadata: {name: contacts, labels: {team: sales}}
spec:
  displayName: Contacts
  description: Whoever bought something.
  categories: [crm]
  authorization: {method: basic, username: svc, password: {env: CRM_PASSWORD}}
  lifecycle: {protect: true}
  endpoints:
    list:
      method: GET
      url: "https://crm.example.com/contacts/{{account}}"
      params: [{name: page, value: "1"}]
      headers: [{name: X-Api-Key, value: {env: API_KEY}}, {name: Accept-Language, value: en}]
      sample: {account: 42.0}
    create:
      method: POST
      url: https://crm.example.com/contacts
      bodyType: raw
      headers: [{name: Content-Type, value: application/xml, required: true}]
      body: "<contact name='{{name}}'><![CDATA[{{note}}]]></contact>"
"""
POLICIES = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: sales}
spec: {displayName: Sales, members: {mode: authoritative, users: [ada]}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: sales}
spec:
  subjects: [{group: sales}]
  grants: [{permissions: ["connectors:view", "connectors:edit"]}]
"""
CANARY = "canary-4f1b9c"


@pytest.fixture(
    params=[("2020", {}), ("4.14", {"reorder_keys": True, "category_order": "given"})], ids=["2020", "4.14 on MySQL"]
)
def server(request: pytest.FixtureRequest) -> Iterator[Instance]:
    """An instance of either version."""
    profile, switches = request.param
    with instance(profile, **switches) as server:
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """Applied to that instance."""
    empty.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": f"{CANARY}-1", "API_KEY": f"{CANARY}-2"}
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n"
        "    processmaker: {allowPlainHttp: a test, allowSecretsInEndpoints: true}\n",
    )
    empty.write("connectors/crm.yaml", CONNECTORS)
    empty.write("policies/sales.yaml", POLICIES)
    empty.ok("apply", "--yes")
    return empty


def edit(server: Instance) -> None:
    """What somebody does by hand; some of it means nothing."""
    (row,) = server.call("GET", "/data_sources")["data"]
    endpoints = row["endpoints"]
    endpoints["list"] |= {"view": True, "id": 5, "timeout": 0, "colour": "of a later version"}
    endpoints["create"]["url"] = "https://crm.example.com/v2/contacts"
    kept = {key: row[key] for key in ("name", "authtype", "data_source_category_id")}
    server.call("PUT", f"/data_sources/{row['id']}", {**kept, "endpoints": endpoints, "description": " By hand "})
    (group,) = [one for one in server.call("GET", "/groups")["data"] if one["name"] == "Sales"]
    names = ["view-data-sources", "view-groups", "edit-users"]
    server.call("PUT", "/permissions", {"group_id": group["id"], "permission_names": names})
    member = {"group_id": group["id"], "member_type": USER, "member_id": server.tokens["grace"]["id"]}
    server.call("POST", "/group_members", member)


def planned(repository: Workspace, *more: str) -> dict[str, Any]:
    """By address what a plan changes: fields and what they are to be."""
    changes = json.loads(repository.ok("plan", "-o", "json", *more).stdout)["changes"]
    return {change["address"]: change for change in changes}


def test_edits_by_hand_are_told_field_by_field_and_taken_back(repository: Workspace, server: Instance) -> None:
    """And nothing else: labels, sample numbers, markup and order of keys are as they were declared."""
    assert planned(repository) == {}
    edit(server)
    told = repository.ok("drift").stdout
    assert '~ description: "Whoever bought something." -> "By hand"' in told
    assert '~ endpoints.create.url: "https://crm.example.com/contacts" -> "https://crm.example.com/v2/contacts"' in told
    assert "~ members.users: +grace" in told
    assert "+ permissions: [groups:view]" in told
    assert "list" not in told and "X-Api-Key" not in told
    assert sorted(planned(repository)) == ["connector/contacts", "group/sales", "policy/sales"]
    repository.ok("apply", "--yes")
    assert planned(repository) == {}
    (row,) = server.call("GET", "/data_sources")["data"]
    assert row["endpoints"]["list"]["colour"] == "of a later version"
    assert row["endpoints"]["list"]["timeout"] == 0
    groups = server.call("GET", "/groups?include=permissions")["data"]
    (held,) = [{one["name"] for one in group["permissions"]} for group in groups if group["name"] == "Sales"]
    assert held == {"view-data-sources", "edit-data-sources", "edit-users"}


def test_what_was_made_by_hand_becomes_definitions_without_a_secret(repository: Workspace, server: Instance) -> None:
    """Whatever stands in its headers; once they are applied, a plan is empty."""
    category = server.call("GET", "/data_source_categories")["data"][0]["id"]
    endpoint = {
        "purpose": "get",
        "method": "GET",
        "url": "https://erp.example.com/{{a}}",
        "headers": [{"key": "X-Api-Key", "value": CANARY}],
    }
    made = {"name": "Müller's ERP", "authtype": "BASIC", "data_source_category_id": str(category)}
    server.call("POST", "/data_sources", {**made, "credentials": {"username": "u", "password": CANARY}, "endpoints": {"get": endpoint}})  # fmt: skip
    group = server.call("POST", "/groups", {"name": "Support"})
    server.call("PUT", "/permissions", {"group_id": group["id"], "permission_names": ["view-data-sources"]})
    done = repository.ok("export", "--unmanaged", "--out", ".")
    written = "".join(path.read_text() for path in repository.root.rglob("*.yaml"))
    assert CANARY not in written + done.stdout + done.stderr
    assert "env: MULLERS_ERP_GET_X_API_KEY" in written
    repository.ok("validate", "--strict")
    repository.env |= {f"MULLERS_ERP_{name}": "new" for name in ("USERNAME", "PASSWORD", "GET_X_API_KEY")}
    assert all(not change.get("fields") for change in planned(repository, "--adopt").values())
    repository.ok("apply", "--yes", "--adopt")
    assert planned(repository) == {}
