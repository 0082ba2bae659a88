"""How an instance is written, through the command line: what is told before and after, and what a killed apply leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import Workspace, clean_environment
from pm_apply import doubles, held
from servers.processmaker import Instance, instance

HEAD = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
CATEGORY = HEAD + "  displayName: {name}\n"
CONNECTOR = HEAD + (
    "  displayName: {name}\n  categories: [crm]\n"
    "  authorization: {{method: basic, username: svc, password: {{env: CRM_PASSWORD}}}}\n"
    '  endpoints: {{list: {{method: GET, url: "https://crm.example.com/{name}"}}}}\n'
)
GROUP = HEAD + "  displayName: {name}\n  members: {{mode: authoritative, users: [ada, grace]}}\n"
POLICY = HEAD + "  subjects: [{{group: team}}]\n  grants: [{{permissions: [connectors:view, groups:view]}}]\n"
PASSWORD = "canary-of-the-crm"


@pytest.fixture
def server() -> Iterator[Instance]:
    with instance(contract=False) as server:  # a process that is killed sends half a request
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """A category, five connectors, a group and a policy."""
    empty.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": PASSWORD}
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n    processmaker: {{timeoutSeconds: 1, inFlight: 2}}\n",
    )
    documents = [CATEGORY.format(kind="Category", name="crm")]
    documents += [CONNECTOR.format(kind="Connector", name=f"c-{number}") for number in range(5)]
    empty.write("connectors/all.yaml", "---\n".join(documents))
    documents = [GROUP.format(kind="Group", name="team"), POLICY.format(kind="PermissionPolicy", name="team-sees")]
    empty.write("policies/all.yaml", "---\n".join(documents))
    return empty


def is_whole(repository: Workspace, server: Instance) -> None:
    """Whether all is there, once, with its secrets, and a plan is empty."""
    assert "Nothing to do" in repository.ok("plan").stdout
    assert doubles(server) == []
    found = held(server)
    assert [name for name, *_ in found["connectors"]] == [f"c-{number}" for number in range(5)]
    assert all(server.plaintext(number)["password"] == PASSWORD for number in server.store.connectors.rows)
    assert found["members"] == [("team", "ada"), ("team", "grace")]
    assert found["rights"] == [("team", "view-data-sources"), ("team", "view-groups")]


def killed_at(repository: Workspace, server: Instance, place: int) -> bool:
    """An apply whose process is killed when so many requests that change something have come; gives whether it was."""
    command = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    environment = clean_environment(repository.env)
    process = subprocess.Popen(command, cwd=repository.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    seen: list[None] = []

    def act(request: object) -> None:
        if request.method != "GET":
            seen.append(None)
            if len(seen) == place:
                os.kill(process.pid, signal.SIGKILL)

    server.simulator.on_request.append(act)
    try:
        return process.wait(60) == -signal.SIGKILL
    finally:
        server.simulator.on_request.remove(act)


@pytest.mark.parametrize("place", [3, 9])
def test_a_killed_apply_is_finished_by_the_next(repository: Workspace, server: Instance, place: int) -> None:
    """Which finds out first what became of what was sent."""
    assert killed_at(repository, server, place)
    repository.ok("apply", "--yes")
    is_whole(repository, server)


@pytest.mark.long
def test_killed_again_and_again(repository: Workspace, server: Instance) -> None:
    """At each request, from one apply to the next, until there is nothing left to do."""
    applies = 0
    while killed_at(repository, server, 1) and applies < 40:
        applies += 1
        assert doubles(server) == []
    assert 5 < applies < 40
    repository.ok("apply", "--yes")
    is_whole(repository, server)


def test_what_fails_is_named_and_done_by_the_next(repository: Workspace, server: Instance) -> None:
    """With what needs it; exit 7 as some is done."""
    server.faults.add(action="fail_before", method="POST", path="/groups")
    result = repository.run("apply", "--yes")
    assert result.exit_code == 7, result.output
    assert "group/team" in result.output
    assert "the instance failed 2 times to make it" in result.output
    assert PASSWORD not in result.output
    server.faults.replace([])
    repository.ok("apply", "--yes")
    is_whole(repository, server)


def test_lost_answers_make_no_second_records(repository: Workspace, server: Instance) -> None:
    """Each of the first requests is done and not answered: the apply finds that out by itself."""
    server.faults.add(action="lose_reply", method="POST", nth=[1, 2, 3, 5, 7, 8])
    repository.ok("apply", "--yes")
    is_whole(repository, server)


def test_a_plan_tells_what_it_takes(repository: Workspace, server: Instance) -> None:
    """How many requests, and that an instance has no transactions."""
    said = repository.ok("plan").stdout
    assert " requests" in said
    assert "an instance has no transactions" in said
    assert "the secrets of 5 connectors are written" in said
    assert PASSWORD not in said
