"""With --on-error continue what cannot be done is left out with all that depends on it, and nothing else is."""

import json

import pytest
from conftest import Workspace

CATEGORY = """\
apiVersion: reconciler/v1
kind: Category
metadata: {{name: {0}}}
spec: {{displayName: The {0}}}
"""
CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {0}}}
spec:
  displayName: The {0}
  categories: [{1}]
  authorization: {{method: basic, username: svc, password: {{env: {2}}}}}
  endpoints:
    get: {{method: GET, url: "https://crm.example.com/"}}
"""
POLICY = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {{name: {0}}}
spec:
  subjects: [{{user: {0}}}]
  grants: [{{permissions: [connectors:view], on: {{{1}}}}}]
"""


@pytest.fixture
def place(empty: Workspace) -> Workspace:
    """A repository with a category and a connector, which are live."""
    empty.write("connectors/crm.yaml", CATEGORY.format("crm"))
    empty.write("connectors/one.yaml", CONNECTOR.format("one", "crm", "CRM_PASSWORD"))
    empty.ok("apply", "--yes")
    return empty


def applied(workspace: Workspace) -> tuple[list[str], dict[str, str]]:
    """What was done, and why the rest was not."""
    result = workspace.run("apply", "--yes", "--on-error", "continue", "-o", "json")
    assert result.exit_code == 7, result.output
    report = json.loads(result.stdout)
    done = [f"{change['action']} {change['address']}" for change in report["changes"]]
    return done, {left["address"]: left["reason"] for left in report["run"]["leftOut"]}


def test_without_a_secret_a_connector_is_left_out_with_what_refers_to_it(place: Workspace) -> None:
    """Without the option nothing is done. Access was judged as a whole, and changes as a whole or not at all."""
    place.write("connectors/two.yaml", CONNECTOR.format("two", "crm", "NOWHERE"))
    place.write("connectors/three.yaml", CONNECTOR.format("three", "crm", "CRM_PASSWORD"))
    place.write("policies/of-two.yaml", POLICY.format("ada", "connectors: [two]"))
    place.write("policies/of-one.yaml", POLICY.format("grace", "connectors: [one]"))
    stopped = place.run("apply", "--yes")
    assert stopped.exit_code == 10 and "nothing was changed" in stopped.stderr
    done, left = applied(place)
    assert done == ["create connector/three"]
    assert left["connector/two"].startswith("authorization.password: ")
    assert left["policy/ada"] == "it depends on connector/two, which was left out"
    assert left["policy/grace"] == "it depends on policy/ada, which was left out"
    place.env["NOWHERE"] = "found"
    place.ok("apply", "--yes")
    assert "Nothing to do" in place.ok("plan").stdout


def test_what_a_record_that_is_left_out_still_refers_to_stays(place: Workspace) -> None:
    """The category that its change would have left is not deleted, and its new one is there for the next run."""
    place.write("connectors/crm.yaml", CATEGORY.format("sales"))
    place.write("connectors/one.yaml", CONNECTOR.format("one", "sales", "NOWHERE"))
    done, left = applied(place)
    assert done == ["create category/sales"] and list(left) == ["connector/one", "category/crm"]
    assert left["category/crm"] == "it depends on connector/one, which was left out"


def test_a_name_that_a_record_keeps_is_not_given_to_another(place: Workspace) -> None:
    """Here the display name that it would have left."""
    renamed = CONNECTOR.format("first", "crm", "NOWHERE").replace("{name: first}", "{name: first, previously: [one]}")
    place.write("connectors/one.yaml", renamed)
    place.write(
        "connectors/third.yaml", CONNECTOR.format("third", "crm", "CRM_PASSWORD").replace("The third", "The one")
    )
    place.write("connectors/fourth.yaml", CONNECTOR.format("fourth", "crm", "CRM_PASSWORD"))
    done, left = applied(place)
    assert done == ["create connector/fourth"]
    assert sorted(left) == ["connector/first", "connector/third"]


def test_where_nothing_remains_nothing_is_done(place: Workspace) -> None:
    """Then it is an error like any other."""
    place.write("connectors/two.yaml", CONNECTOR.format("two", "crm", "NOWHERE"))
    place.write("policies/of-two.yaml", POLICY.format("ada", "connectors: [two]"))
    refused = place.run("apply", "--yes", "--on-error", "continue")
    assert refused.exit_code == 10 and "nothing was changed" in refused.stderr
    assert "policy/ada: it depends on connector/two, which was left out" in refused.stderr


def test_a_reference_that_nobody_may_follow_stops_everything(place: Workspace) -> None:
    """That is no mishap."""
    place.write("connectors/two.yaml", CONNECTOR.format("two", "crm", "CRM_PASSWORD"))
    place.write("connectors/three.yaml", CONNECTOR.format("three", "crm", "X").replace("env: X", "file: /etc/passwd"))
    refused = place.run("apply", "--yes", "--on-error", "continue", "--secrets-allowed", "env:CRM_PASSWORD")
    assert refused.exit_code == 4 and "three" in refused.stderr and "left out" not in refused.stderr
