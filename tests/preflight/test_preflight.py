"""plan --preflight and apply --preflight against real servers."""

import json
from pathlib import Path

import jsonschema
import pytest
from schema_checks import fits
from conftest import Workspace
from reconciler.kinds import registry
from servers.oauth import OAuthServer

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Customer data}\n"


def connector(name: str, url: str, more: str = "") -> str:
    """A connector with one GET and one DELETE endpoint."""
    return f"""\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: The {name}
  categories: [crm]
{more}  endpoints:
    get: {{method: GET, url: "{url}/get"}}
    delete: {{method: DELETE, url: "{url}/delete"}}
    platform: {{method: GET, url: /api/users}}
    elsewhere: {{method: GET, url: "https://{{{{host}}}}/get"}}
"""


@pytest.fixture
def place(empty: Workspace) -> Workspace:
    """A repository with a category."""
    empty.write("connectors/category.yaml", CATEGORY)
    return empty


def test_all_goes_well(place: Workspace, front_tls, authority, django_oauth: OAuthServer) -> None:
    """A verdict for each connector; no endpoint is called, and no credentials go to one; nothing is written."""
    grant = f"""\
  authorization:
    method: oauth2-password
    tokenUrl: {django_oauth.token_url}
    clientId: {django_oauth.client_id}
    clientSecret: {{env: SECRET}}
    username: {django_oauth.user}
    password: {{env: PASSWORD}}
  tls: {{ca: {{file: {authority.ca}}}}}
"""
    place.env |= {"SECRET": django_oauth.client_secret, "PASSWORD": django_oauth.password}
    place.write("connectors/one.yaml", connector("one", front_tls.url, grant))
    place.write("connectors/two.yaml", connector("two", front_tls.url, f"  tls: {{ca: {{file: {authority.ca}}}}}\n"))
    planned = place.ok("plan", "--preflight")
    host = front_tls.url.removeprefix("https://")
    assert planned.stdout.endswith(f"""
Preflight:
  connector/one: ok
      secrets: 3 secrets resolved
      token: fetched, good for 3600 s
      server: {host} answered 200, certificate verified by tls.ca
  connector/two: ok
      secrets: 1 secret resolved
      server: {host} answered 200, certificate verified by tls.ca

2 of 2 passed.
"""), planned.stdout
    assert {(request.method, request.path) for request in front_tls.requests} == {("HEAD", "/")}
    assert not any(request.header("authorization") for request in front_tls.requests)
    assert not place.store.exists() and not place.store.parent.exists()
    content = json.loads(place.ok("plan", "--preflight", "-o", "json").stdout)
    fits(content, "plan.schema.json")
    assert [verdict["passed"] for verdict in content["preflight"]] == [True, True]
    assert "| `connector/one` | passed |" in place.ok("plan", "--preflight", "-o", "markdown").stdout
    applied = place.ok("apply", "--yes", "--preflight")
    assert "2 of 2 passed." in applied.stderr and "1 access token fetched" in applied.stdout
    assert place.ok("plan", "--preflight").stdout.endswith("Preflight: no connector changes.\n")


def test_every_failure_is_named(place: Workspace, front_tls, httpbin_bad_tls, authority, closed_port: int) -> None:
    """What is wrong, for which connector, and what to do; apply refuses and changes nothing."""
    ca = f"  tls: {{ca: {{file: {authority.ca}}}}}\n"
    place.env["WRONG_TOKEN"] = "a-canary-of-a-token"
    for name, url, more in [
        ("closed", f"http://127.0.0.1:{closed_port}", ""),
        ("expired", httpbin_bad_tls.expired.url, ca),
        ("fine", front_tls.url, ca),
        ("missing", front_tls.url, "  authorization: {method: bearer, token: {env: NOT_SET}}\n"),
        ("stranger", front_tls.url, ""),
        ("unverified", front_tls.url, "  tls: {verify: false, reason: a test}\n"),
    ]:
        place.write(f"connectors/{name}.yaml", connector(name, url, more))
    result = place.run("plan", "--preflight")
    assert result.exit_code == 10
    text = result.stdout.partition("Preflight:")[2]
    for expected in (
        "connector/closed: failed\n",
        "! server: 127.0.0.1:" + f"{closed_port}: the connection was refused",
        "its certificate has expired",
        "connector/fine: ok",
        "! secret: authorization.token: {env: NOT_SET}: NOT_SET is not set",
        "its certificate is not from a trusted authority",
        "hint: name a private authority with  tls: {ca: {file: PATH}}",
        "certificate NOT verified",
        "2 of 6 passed.",
    ):
        assert expected in text, (expected, text)
    applied = place.run("apply", "--yes", "--preflight")
    assert applied.exit_code == 10
    assert "error: 4 of 6 connectors failed the preflight; nothing was changed" in applied.stderr
    assert not place.store.exists()
    assert "a-canary-of-a-token" not in result.output + applied.output


def test_a_token_that_is_refused(
    place: Workspace, django_oauth: OAuthServer, authority: object, tmp_path: Path
) -> None:
    """The server's status and code, and the server itself is still tried."""
    grant = f"""\
  authorization:
    method: oauth2-client-credentials
    tokenUrl: {django_oauth.token_url}
    clientId: {django_oauth.machine_id}
    clientSecret: {{env: SECRET}}
  tls: {{ca: {{file: {django_oauth.ca}}}}}
"""
    place.env |= {"SECRET": "wrong-canary"}
    place.write("connectors/one.yaml", connector("one", django_oauth.front.url, grant))
    result = place.run("plan", "--preflight")
    assert result.exit_code == 10
    assert "! token: " in result.stdout and "answered 401 invalid_client: credentials refused" in result.stdout
    assert "server: " in result.stdout and "wrong-canary" not in result.output


def test_a_stored_token_counts_only_for_the_same_secrets(place: Workspace, django_oauth: OAuthServer) -> None:
    """apply would fetch another one when the secret in the environment is another."""
    grant = f"""\
  authorization:
    method: oauth2-client-credentials
    tokenUrl: {django_oauth.token_url}
    clientId: {django_oauth.machine_id}
    clientSecret: {{env: SECRET}}
  tls: {{ca: {{file: {django_oauth.ca}}}}}
"""
    place.env |= {"SECRET": django_oauth.machine_secret}
    place.write("connectors/one.yaml", connector("one", django_oauth.front.url, grant))
    place.ok("apply", "--yes")
    place.edit("connectors/one.yaml", "displayName: The one", "displayName: The first")
    assert "token: the stored one is good" in place.ok("plan", "--preflight").stdout
    assert len(django_oauth.token_requests) == 1
    refused = place.run("plan", "--preflight", env={"SECRET": "wrong"})
    assert refused.exit_code == 10 and "credentials refused" in refused.stdout
