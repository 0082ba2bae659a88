"""A ProcessMaker instance is given the access tokens that it cannot fetch, and is told when they were renewed."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Workspace, clean_environment
from schema_checks import fits
from servers.faults import Answer
from servers.oauth import OAuthServer
from servers.processmaker import Instance, instance
from test_grants import CATEGORY

CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: The {name}
  categories: [crm]
  authorization:
    method: oauth2-client-credentials
    tokenUrl: {server.token_url}
    clientId: {server.machine_id}
    clientSecret: {{env: SECRET}}
    scopes: [{server.scope}]
  tls: {{verify: false, reason: its authority is of this test}}
  endpoints:
    get: {{method: GET, url: "https://crm.example.com/contacts"}}
"""


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance."""
    with instance() as server:
        yield server


@pytest.fixture
def place(empty: Workspace, server: Instance, django_oauth: OAuthServer) -> Workspace:
    """A repository with a category and a connector for that instance."""
    empty.env |= {"PM_TOKEN": server.token(), "SECRET": django_oauth.machine_secret}
    target(empty, server)
    empty.write("connectors/category.yaml", CATEGORY)
    declare(empty, django_oauth, "one")
    return empty


def target(workspace: Workspace, server: Instance, more: str = "") -> None:
    """Set the target, which says that something renews its tokens."""
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n    processmaker: {{tokenRenewal: scheduled, timeoutSeconds: 3}}\n{more}",
    )


def declare(workspace: Workspace, oauth: OAuthServer, *names: str, status: str = "active") -> None:
    """Declare connectors."""
    for name in names:
        text = CONNECTOR.format(name=name, server=oauth)
        workspace.write(f"connectors/{name}.yaml", f"{text}  status: {status}\n")


def connectors(server: Instance) -> dict[str, dict[str, Any]]:
    """The rows of the instance, by display name."""
    return {row["name"]: row for row in server.call("GET", "/data_sources?per_page=1000")["data"]}


def held(server: Instance, name: str = "one") -> dict[str, Any]:
    """What the instance has as credentials; nothing for none."""
    row = connectors(server)[f"The {name}"]
    return server.plaintext(row["id"]) if row["credentials"] else {}


def changed(workspace: Workspace) -> list[tuple[Any, Any]]:
    """Before and after of all that a plan is about."""
    changes = json.loads(workspace.ok("plan", "-o", "json").stdout)["changes"]
    return [(field.get("before"), field.get("after")) for change in changes for field in change["fields"]]


def state(workspace: Workspace) -> Path:
    """The database beside the instance."""
    (found,) = workspace.root.glob(".reconciler/*.db")
    return found


def let_expire(workspace: Workspace) -> None:
    """Move the times of what is kept, and of what was given, two hours back."""
    back = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, '-2 hours')"
    with closing(sqlite3.connect(state(workspace))) as connection, connection:
        connection.execute("INSERT INTO meta VALUES ('writing', '') ON CONFLICT DO NOTHING")
        connection.execute(
            f"UPDATE tokens SET obtained = {back.format('obtained')}, expires = {back.format('expires')}"
        )
        connection.execute(f"UPDATE held_tokens SET obtained = {back.format('obtained')}")
        connection.execute("DELETE FROM meta WHERE key = 'writing'")


def answer(number: int) -> Answer:
    """A token, and what renews it, which the server of these tests does not give for client credentials."""
    found = {"access_token": f"canary-access-{number}", "refresh_token": f"canary-refresh-{number}", "expires_in": 3600}
    return Answer("200 OK", json.dumps({**found, "token_type": "Bearer"}).encode())


def test_a_token_is_fetched_given_and_renewed(place: Workspace, server: Instance, django_oauth: OAuthServer) -> None:
    """Bearer there, client credentials here; nothing to do until it is due; then one PUT, under the name of what it is."""
    assert "1 access token fetched" in place.ok("apply", "--yes").stdout
    before = held(server)
    assert before.keys() == {"token", "verify_certificate"} and before["verify_certificate"] is False
    row = connectors(server)["The one"]
    assert row["authtype"] == "OAUTH2_BEARER" and changed(place) == []
    let_expire(place)
    assert [after for _, after in changed(place)] == ["renewed"]
    assert json.loads(place.ok("plan", "-o", "json").stdout)["forecast"]["requests"] > 0
    sent = len(server.writes)
    done = place.ok("token", "renew")
    assert done.stdout == "Fetched 1 access token: one.\nGave the live store 1 access token: one.\n"
    assert server.writes[sent:] == [("PUT", f"/data_sources/{row['id']}")]
    assert held(server)["token"] not in ("", before["token"])
    assert changed(place) == [] and place.ok("drift", "--detailed-exitcode").exit_code == 0
    runs = json.loads(place.ok("history", "-o", "json").stdout)["runs"]
    assert [run["verb"] for run in runs] == ["token renew", "apply"] and len(django_oauth.token_requests) == 2
    kept = state(place).read_bytes() + done.output.encode()
    for value in (before["token"], held(server)["token"], django_oauth.machine_secret):
        assert value.encode() not in kept


@pytest.mark.parametrize(
    "action",
    [
        "lose_reply",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("fail_before", "error_after", "truncate")),
    ],
)
def test_a_fault_while_it_is_given_costs_no_token(
    place: Workspace, server: Instance, django_oauth: OAuthServer, action: str
) -> None:
    """Whatever became of the request, the next run sees to it that the instance has the token, and fetches none."""
    place.ok("apply", "--yes")
    let_expire(place)
    server.faults.add(action=action, method="PUT", path="/data_sources/*", nth=1)
    place.run("token", "renew")
    server.faults.replace([])
    place.ok("apply", "--yes")
    assert changed(place) == [] and held(server)["token"]
    assert len(connectors(server)) == 1 and len(django_oauth.token_requests) == 2
    (status,) = json.loads(place.ok("token", "status", "--check", "-o", "json").stdout)["tokens"]
    assert status["given"] is True


def test_a_run_that_is_killed_while_it_gives_one_away_costs_no_token(
    place: Workspace, server: Instance, django_oauth: OAuthServer
) -> None:
    """What renews the next one was kept before the request was sent; whether that arrived is found out, or it is sent again."""
    django_oauth.front.play(answer(1), answer(2), answer(3))
    place.ok("apply", "--yes")
    let_expire(place)
    server.faults.add(action="delay", seconds=1.5, method="PUT", path="/data_sources/*", nth=1)
    sent = len(server.writes)
    command = [sys.executable, "-m", "reconciler", "token", "renew"]
    with subprocess.Popen(command, cwd=place.root, env=clean_environment(place.env), stderr=subprocess.PIPE) as renewal:
        for _ in range(200):
            if len(server.writes) > sent or renewal.poll() is not None:
                break
            time.sleep(0.05)
        renewal.kill()
    again = place.ok("token", "renew", "--lock-timeout", "30")
    assert "Fetched" not in again.output and changed(place) == []
    assert held(server)["token"] == "canary-access-2" and len(connectors(server)) == 1
    place.ok("token", "renew", "one")
    assert held(server)["token"] == "canary-access-3"
    sent_tokens = [request.body.decode() for request in django_oauth.token_requests]
    assert ["refresh-1" in sent_tokens[1], "refresh-2" in sent_tokens[2], len(sent_tokens)] == [True, True, 3]
    assert b"canary" not in state(place).read_bytes()


def test_what_was_not_given_is_known(place: Workspace, server: Instance, django_oauth: OAuthServer) -> None:
    """Of two one is refused: partly done, and the next renewal does the other without fetching it again."""
    declare(place, django_oauth, "two")
    place.ok("apply", "--yes")
    let_expire(place)
    before = {name: held(server, name)["token"] for name in ("one", "two")}
    number = connectors(server)["The one"]["id"]
    server.faults.add(action="fail_before", method="PUT", path=f"/data_sources/{number}", times=20)
    partly = place.run("token", "renew", "-o", "json")
    found = json.loads(partly.stdout)
    fits(found, "tokens.schema.json")
    assert (found["fetched"], found["given"], found["notGiven"][0]["connector"]) == (["one", "two"], ["two"], "one")
    assert partly.exit_code == 7 and "connector/one: the live store was not given its access token" in partly.stderr
    assert held(server, "one")["token"] == before["one"] and held(server, "two")["token"] != before["two"]
    none = place.run("token", "renew")
    assert none.exit_code == 10 and "the live store was not given the access tokens, which are kept" in none.stderr
    status = place.run("token", "status", "--check")
    assert status.exit_code == 10 and [line.split()[-1] for line in status.stdout.splitlines()[:3]] == [
        "GIVEN",
        "no",
        "yes",
    ]
    assert changed(place) == [("an older one", "written")]
    server.faults.replace([])
    assert place.ok("token", "renew").stdout == "Gave the live store 1 access token: one.\n"
    assert held(server, "one")["token"] != before["one"] and changed(place) == []
    assert len(django_oauth.token_requests) == 4


def test_a_token_that_is_not_to_be_had_leaves_the_instance_alone(
    place: Workspace, server: Instance, django_oauth: OAuthServer
) -> None:
    """It is told as elsewhere, and no run is noted; the next one gets it. A schedule gets what ends before its next run."""
    place.ok("apply", "--yes")
    idle = place.ok("token", "renew", "--within", "30m")
    assert idle.stderr == "no access token is about to expire\n" and len(django_oauth.token_requests) == 1
    sent = len(server.writes)
    django_oauth.front.play(Answer("401 Unauthorized", b"{}"))
    failed = place.run("token", "renew", "--within", "2h")
    assert failed.exit_code == 10 and "401" in failed.stderr and len(server.writes) == sent
    assert len(json.loads(place.ok("history", "-o", "json").stdout)["runs"]) == 1
    assert "Gave the live store 1" in place.ok("token", "renew", "--within", "2h").stdout
    assert place.run("token", "renew", "--within", "soon").exit_code == 64


def test_a_token_that_somebody_overwrote_is_drift(
    place: Workspace, server: Instance, django_oauth: OAuthServer
) -> None:
    """It is seen by the ciphertext. A schedule leaves it to people; an apply gives the one that is kept again."""
    place.ok("apply", "--yes")
    before = held(server)
    row = connectors(server)["The one"]
    body = {key: row[key] for key in ("name", "authtype", "status", "data_source_category_id")}
    server.call("PUT", f"/data_sources/{row['id']}", body | {"credentials": {"token": "of somebody else"}})
    assert "authorization.clientSecret" in place.ok("drift").stdout
    renewal = place.run("token", "renew", "--within", "2h")
    assert renewal.exit_code == 10 and "reconciler apply --secrets check" in renewal.stderr
    assert held(server)["token"] == "of somebody else"
    assert changed(place) != []
    place.ok("apply", "--yes")
    assert held(server) == before and changed(place) == [] and len(django_oauth.token_requests) == 1


def test_an_inactive_connector_waits_for_its_token(
    place: Workspace, server: Instance, django_oauth: OAuthServer
) -> None:
    """Nobody calls it; once it is active it gets one. A target that fetches on demand gives it all the same."""
    target(place, server, "    tokens: demand\n")
    declare(place, django_oauth, "one", status="inactive")
    place.ok("apply", "--yes")
    assert not held(server) and changed(place) == [] and not django_oauth.token_requests
    declare(place, django_oauth, "one")
    place.ok("apply", "--yes")
    assert held(server)["token"] and changed(place) == []


def test_other_fields_change_without_the_credentials(place: Workspace, server: Instance) -> None:
    """The ciphertext stays byte for byte; where what travels with them changes, the token that is there goes along."""
    place.ok("apply", "--yes")
    before, token = connectors(server)["The one"]["credentials"], held(server)["token"]
    path = place.root / "connectors/one.yaml"
    path.write_text(path.read_text().replace("contacts", "people"))
    place.ok("apply", "--yes")
    assert connectors(server)["The one"]["credentials"] == before and changed(place) == []
    path.write_text(path.read_text().replace("tls: {verify: false, reason: its authority is of this test}", ""))
    place.ok("apply", "--yes")
    assert held(server) == {"token": token, "verify_certificate": True} and changed(place) == []


def test_a_plan_with_tokens_reads_each_list_once(place: Workspace, server: Instance) -> None:
    """What is given of tokens is asked of what was read, and not before."""
    place.ok("apply", "--yes")
    before = len(server.simulator.requests)
    place.ok("plan")
    asked = [one["path"] for one in server.simulator.requests[before:]]
    assert asked.count("/data_sources") == asked.count("/data_source_categories") == 1, asked


def test_a_token_that_the_instance_fetches_itself_is_not_missed(place: Workspace, server: Instance) -> None:
    """OAuth 2.0 password credentials are its own affair: nothing is fetched here, and no monitor is alarmed."""
    path = place.root / "connectors/one.yaml"
    grant = "method: oauth2-password\n    clientAuthentication: body\n    username: svc\n    password: {env: SECRET}"
    text = path.read_text().replace("method: oauth2-client-credentials", grant)
    path.write_text("".join(line for line in text.splitlines(True) if "scopes" not in line))
    assert "fetched" not in place.ok("apply", "--yes").stdout
    assert "password" in held(server)
    told = place.ok("token", "status", "--check", "-o", "json").stdout
    assert [one["condition"] for one in json.loads(told)["tokens"]] == ["elsewhere"]


def test_values_that_it_would_not_keep_are_told_before_anything_is_sent(place: Workspace, server: Instance) -> None:
    """All of them in one go, and none of their values."""
    blocks = {
        "three": "{method: basic, username: svc, password: {env: BLANK}}",
        "four": "{method: bearer, token: {env: LONG}}",
    }
    for name, block in blocks.items():
        text = f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}}}\nspec:\n  displayName: {name}\n"
        place.write(
            f"connectors/{name}.yaml",
            f"{text}  categories: [crm]\n  authorization: {block}\n  endpoints:\n    get: {{method: GET, url: 'https://x.example.com/'}}\n",
        )
    place.env |= {"BLANK": "canary-of-blanks ", "LONG": "canary" * 6_000}
    refused = place.run("apply", "--yes")
    assert refused.exit_code == 10 and server.writes == [] and "canary" not in refused.output
    assert (
        "connector/three authorization.password: the value of {env: BLANK} begins or ends with blanks" in refused.stderr
    )
    assert "connector/four authorization.token: the value of {env: LONG} is longer than" in refused.stderr
    partly = place.run("apply", "--yes", "--on-error", "continue")
    assert partly.exit_code == 7 and list(connectors(server)) == ["The one"]


@pytest.mark.parametrize("how", ["stop", "continue"])
def test_what_fails_at_the_instance_stops_the_rest_or_not(
    place: Workspace, server: Instance, django_oauth: OAuthServer, how: str
) -> None:
    """With all that depends on it: a category that cannot be made takes its connectors along, and no others."""
    place.ok("apply", "--yes")
    place.write("connectors/sales.yaml", CATEGORY.replace("name: crm", "name: sales").replace("Customer data", "Sales"))
    declare(place, django_oauth, "two", "three")
    path = place.root / "connectors/two.yaml"
    path.write_text(path.read_text().replace("[crm]", "[sales]"))
    server.faults.add(action="fail_before", method="POST", path="/data_source_categories", times=5)
    partly = place.run("apply", "--yes", "--on-error", how)
    assert partly.exit_code == (7 if how == "continue" else 10), partly.output
    assert "category/sales" in partly.stderr and "connector/two" in partly.stderr
    assert ("The three" in connectors(server)) == (how == "continue")
    server.faults.replace([])
    place.ok("apply", "--yes")
    assert set(connectors(server)) == {"The one", "The two", "The three"} and changed(place) == []
