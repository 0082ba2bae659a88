"""What an instance cannot hold, through the command line: nothing is sent, and what it takes is told before it is."""

import json
from collections.abc import Iterator

import pytest
import reconciler
from conftest import Workspace
from schema_checks import fits
from servers.processmaker import Instance, instance

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Customer data}\n"
CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: contacts}
spec:
  displayName: Contacts
  categories: [crm]
  authorization: {method: basic, username: svc, password: {env: CRM_PASSWORD}}
  endpoints: {list: {method: GET, url: "https://crm.example.com/contacts"}}
"""
GROUP = "apiVersion: reconciler/v1\nkind: Group\nmetadata: {name: team}\nspec: {displayName: Team}\n"
POLICY = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: team}
spec:
  subjects: [{group: team}]
  grants:
    - permissions: ["connectors:view", "categories:view"]
"""


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance without permissions for categories, as an old package has it."""
    with instance() as server:
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """A repository for that instance."""
    empty.env["PM_TOKEN"] = server.token()
    target(empty, server, "")
    empty.write("connectors/crm.yaml", f"{CATEGORY}---\n{CONNECTOR}")
    return empty


def target(repository: Workspace, server: Instance, options: str) -> None:
    """Say what the target allows."""
    repository.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n    processmaker: {{{options}}}\n",
    )


def test_a_plan_says_what_cannot_be_held_and_an_apply_sends_nothing(repository: Workspace, server: Instance) -> None:
    """With the exit code of invalid definitions, and the command that shows where."""
    repository.write("connectors/crm.yaml", f"{CATEGORY}---\n{CONNECTOR.replace('Contacts', 'R&D')}")
    repository.ok("validate")
    for command in (["plan"], ["apply", "--yes"]):
        done = repository.run(*command)
        assert done.exit_code == 3
        told = done.stdout + done.stderr
        assert "something is declared that the live store cannot hold" in told
        assert "connector/contacts displayName: the display name holds &" in told
        assert "reconciler validate --target live" in told
    assert server.writes == []
    (problem,) = json.loads(repository.run("plan", "-o", "json").stdout)["problems"]
    assert problem["exitCode"] == 3 and "forecast" not in json.loads(repository.run("plan", "-o", "json").stdout)


def test_a_plan_tells_what_carrying_it_out_takes(repository: Workspace) -> None:
    """In each format; a plan with nothing to do has nothing to tell."""
    text = repository.ok("plan").stdout
    content = json.loads(repository.ok("plan", "-o", "json").stdout)
    fits(content, "plan.schema.json")
    assert content["forecast"]["requests"] > 2
    line = f"It takes {content['forecast']['requests']} requests, about "
    assert line in text and line in repository.ok("plan", "-o", "markdown").stdout
    assert line in repository.ok("plan", "--summary").stdout
    repository.ok("apply", "--yes")
    assert "forecast" not in json.loads(repository.ok("plan", "-o", "json").stdout)


def test_a_program_is_told_the_same(repository: Workspace) -> None:
    """By the Python API, which asks no instance either."""
    repository.write("connectors/crm.yaml", f"{CATEGORY}---\n{CONNECTOR.replace('Contacts', 'R&D')}")
    found = reconciler.Repository(repository.root)
    result = found.validate(target="live")
    said = json.loads(repository.run("validate", "--target", "live", "-o", "json").stdout)
    assert result.model_dump(by_alias=True, mode="json", exclude_unset=True) == said
    assert [(item.code, item.line) for item in result.diagnostics] == [("RC901", 10)] and found.validate().ok


def test_values_that_would_not_be_kept_stop_an_apply(repository: Workspace, server: Instance) -> None:
    """Before anything is sent, and without the value."""
    repository.env["CRM_PASSWORD"] = " s3cret-canary"
    done = repository.run("apply", "--yes")
    assert done.exit_code == 10 and server.writes == []
    assert "begins or ends with blanks, which ProcessMaker takes off" in done.stderr
    assert "s3cret-canary" not in done.stdout + done.stderr


def test_what_the_instance_lacks_is_told_once_it_was_asked(repository: Workspace, server: Instance) -> None:
    """By `store check`; validate itself asks nothing."""
    repository.write("policies/team.yaml", f"{GROUP}---\n{POLICY}")
    for name in [name for name in _names(server) if name.endswith("-data-source-categories")]:
        server.store.permissions.rows = {
            number: row for number, row in server.store.permissions.rows.items() if row["name"] != name
        }
    before = repository.run("validate", "--target", "live")
    assert before.exit_code == 0 and "nobody has asked the instance yet" in before.stderr
    assert server.requests == []
    repository.run("store", "check")
    asked = len(server.requests)
    after = repository.run("validate", "--target", "live")
    assert after.exit_code == 3 and "policies/team.yaml:12:40: error[RC913]" in after.stdout
    assert "nobody has asked" not in after.stderr and len(server.requests) == asked
    server.stop()
    assert repository.run("validate", "--target", "live").stdout == after.stdout


def _names(server: Instance) -> list[str]:
    return [row["name"] for row in server.store.permissions.rows.values()]


def test_answers_by_live_policies_say_what_they_do_not_see(repository: Workspace) -> None:
    """To people and in JSON."""
    repository.write("policies/team.yaml", f"{GROUP}---\n{POLICY}")
    repository.ok("apply", "--yes")
    done = repository.run("can", "ada", "connectors:view", "--live")
    assert "note: ProcessMaker gives rights that no policy shows" in done.stdout
    assert "note: ProcessMaker gives" in repository.ok("who-can", "connectors:view", "--live").stdout
    content = json.loads(repository.run("can", "ada", "connectors:view", "--live", "-o", "json").stdout)
    fits(content, "access.schema.json")
    assert content["note"].startswith("ProcessMaker gives rights")
    assert "note" not in json.loads(repository.run("can", "ada", "connectors:view", "-o", "json").stdout)


def test_a_grant_ends_by_an_apply_alone(repository: Workspace, server: Instance) -> None:
    """Where the target says so: until then the names stay; the plan says it, and what has ended goes with the next one."""
    ends = POLICY + "      expires: '2099-01-01T00:00:00Z'\n"
    repository.write("policies/team.yaml", f"{GROUP}---\n{ends}")
    assert repository.run("plan").exit_code == 3
    target(repository, server, "expiry: byApply")
    assert "note: a grant ends by an apply alone, on 2099-01-01T00:00:00Z" in repository.ok("plan").stdout
    repository.ok("apply", "--yes")
    assert "Nothing to do" in repository.ok("plan").stdout
    assert len(_held(server)) == 2
    repository.write("policies/team.yaml", f"{GROUP}---\n{ends.replace('2099', '2020')}")
    repository.ok("apply", "--yes")
    assert _held(server) == []


def _held(server: Instance) -> list[str]:
    groups = server.call("GET", "/groups?include=permissions&per_page=100")["data"]
    return next([item["name"] for item in group["permissions"]] for group in groups if group["name"] == "Team")
