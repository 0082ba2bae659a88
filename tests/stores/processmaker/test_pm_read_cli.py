"""How an instance is read, through the command line: what a plan knows again, what it tells, and how often it asks."""

import json
from collections.abc import Iterator

import pytest
from conftest import Workspace
from pm_stores import ENDPOINTS, asked
from servers.processmaker import Instance, instance

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: {name}}}\nspec: {{displayName: {title}}}\n"
CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: c-{number}, labels: {{team: sales}}}}
spec:
  displayName: Connector {number}
  categories: [crm]
  authorization: {{method: basic, username: svc, password: {{env: CRM_PASSWORD}}}}
  endpoints: {{list: {{method: GET, url: "https://crm.example.com/{number}"}}}}
"""


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance."""
    with instance() as server:
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """A repository of a category and twelve connectors, whose pages have five rows."""
    empty.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": "canary-of-the-crm"}
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n    processmaker: {{pageSize: 5}}\n",
    )
    documents = [CATEGORY.format(name="crm", title="Customer data")]
    documents += [CONNECTOR.format(number=number) for number in range(1, 13)]
    empty.write("connectors/crm.yaml", "---\n".join(documents))
    return empty


def connectors(server: Instance, since: int) -> list[str]:
    """The pages of connectors that were asked for; * marks an unchanged one."""
    return sorted(page for page in asked(server, since) if page.startswith("/data_sources#"))


def test_after_an_apply_there_is_nothing_to_do_and_nothing_is_sent_again(repository: Workspace, server: Instance) -> None:  # fmt: skip
    """A plan asks for pages alone; and once it has seen them, what is unchanged is not sent."""
    repository.ok("apply", "--yes")
    since = len(server.requests)
    assert "Nothing to do" in repository.ok("plan").stdout
    first = [f"/data_sources#{number}" for number in (1, 2, 3)]
    assert connectors(server, since) == first
    since = len(server.requests)
    assert "Nothing to do" in repository.ok("plan").stdout
    assert connectors(server, since) == [f"{page}*" for page in first]
    assert not [path for path in asked(server, since) if path.count("/") > 1]
    row = {"name": server.store.connectors.rows[6]["name"], "authtype": "BASIC", "data_source_category_id": "1"}
    server.call("PUT", "/data_sources/6", {**row, "description": "by hand"})
    since = len(server.requests)
    said = repository.ok("plan").stdout
    assert 'description: "by hand"' in said and "1 to update" in said
    assert connectors(server, since) == [first[0] + "*", first[1], first[2] + "*"]


def test_a_state_that_is_gone_makes_no_second_records(repository: Workspace, server: Instance) -> None:
    """What is declared is found by its display name, in whatever case, and not created."""
    repository.ok("apply", "--yes")
    (repository.root / ".reconciler").rename(repository.root / "away")
    server.store.connectors.rows[3]["name"] = server.store.connectors.rows[3]["name"].upper()
    said = repository.run("plan").stdout
    assert "13 to adopt" in said and "to create" not in said
    repository.ok("apply", "--adopt", "--yes")
    assert len(server.store.connectors.rows) == 12
    assert "Nothing to do" in repository.ok("plan").stdout


def test_duplicates_stop_a_run_and_are_named(repository: Workspace, server: Instance) -> None:
    """With their numbers and what they are called."""
    repository.ok("apply", "--yes")
    (uid,) = [f"connector:{row['id']}" for row in server.store.connectors.rows.values() if row["name"] == "Connector 7"]
    server.store.add_connector("connector  7", [1], authtype="NONE")
    for command in (["plan"], ["apply", "--yes"], ["drift"]):
        done = repository.run(*command)
        assert done.exit_code == 6
        assert f"the instance holds connector 'Connector 7' more than once: {uid} and connector:13" in done.stderr
        assert "connector:13 is called 'connector  7'" in done.stderr


def test_a_plan_tells_what_is_left_alone(repository: Workspace, server: Instance) -> None:
    """In text and in JSON; what nobody declares is shown as nobody's, and no secret of it is."""
    server.store.add_category("By hand")
    server.store.add_connector("Odd", [1], authtype="OAUTH1")
    server.store.add_connector("Theirs", [1], {"username": "a", "password": "canary-theirs"}, dict(ENDPOINTS), authtype="BASIC")  # fmt: skip
    said = "connectors of the instance that are left alone: 1 with an authorization that we do not know"
    assert said in repository.ok("plan").stdout
    assert said in " ".join(json.loads(repository.ok("plan", "-o", "json").stdout)["notices"])
    shown = repository.ok("get", "-o", "json").stdout
    assert "theirs" in shown and "canary" not in shown and "eyJ" not in shown
