"""Every method against real OAuth 2.0 servers that disagree with one another."""

import json

import pytest
from conftest import Workspace
from servers.oauth import OAuthServer


def connector(name: str, server: OAuthServer, authorization: str, extra: str = "") -> str:
    """A connector of the server's resource."""
    return f"""\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: The {name}
  categories: [crm]
  authorization:
{authorization}
  tls: {{ca: {{file: {server.ca}}}}}
  endpoints:
    get: {{method: GET, url: "{server.resource_url}"}}
{extra}"""


def password_grant(server: OAuthServer, client: str = "client_id", more: str = "") -> str:
    """The authorization block of the password grant."""
    return f"""\
    method: oauth2-password
    tokenUrl: {server.token_url}
    clientId: {getattr(server, client)}
    clientSecret: {{env: SECRET}}
    username: {server.user}
    password: {{env: PASSWORD}}
    scopes: [{server.scope}]
{more}"""


def machine_grant(server: OAuthServer) -> str:
    """The authorization block of client credentials."""
    return f"""\
    method: oauth2-client-credentials
    tokenUrl: {server.token_url}
    clientId: {server.machine_id}
    clientSecret: {{env: SECRET}}
    scopes: [{server.scope}]
"""


CATEGORY = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
"""


@pytest.fixture
def place(empty: Workspace) -> Workspace:
    """A repository with a category."""
    empty.write("connectors/category.yaml", CATEGORY)
    return empty


def statuses(workspace: Workspace) -> dict[str, dict[str, object]]:
    """`token status`, by connector."""
    found = json.loads(workspace.ok("token", "status", "-o", "json").stdout)["tokens"]
    return {item["connector"]: item for item in found}


def test_password_grant(place: Workspace, oauth_server: OAuthServer) -> None:
    """apply fetches one token, the next plan is empty, and the token opens the resource."""
    place.env |= {"SECRET": oauth_server.client_secret, "PASSWORD": oauth_server.password}
    place.write("connectors/one.yaml", connector("one", oauth_server, password_grant(oauth_server)))
    result = place.ok("apply", "--yes")
    assert "1 access token fetched" in result.stdout, result.output
    assert len(oauth_server.token_requests) == 1
    (status,) = statuses(place).values()
    assert status["condition"] == "valid" and status["expires"]
    assert "Nothing to do" in place.ok("plan").stdout
    assert len(oauth_server.token_requests) == 1
    assert "200" in place.ok("call", "one", "get", "--fail").stdout


def test_client_credentials(place: Workspace, oauth_server: OAuthServer) -> None:
    """The same with client credentials."""
    place.env |= {"SECRET": oauth_server.machine_secret}
    place.write("connectors/one.yaml", connector("one", oauth_server, machine_grant(oauth_server)))
    assert "1 access token fetched" in place.ok("apply", "--yes").stdout
    assert statuses(place)["one"]["condition"] == "valid"


def test_client_secret_that_servers_read_differently(place: Workspace, oauth_server: OAuthServer) -> None:
    """Form-encoded inside of Basic, as the RFC has it, or plain; that only where the server says that it is the client."""
    place.env |= {"SECRET": oauth_server.odd_secret, "PASSWORD": oauth_server.password}
    place.write("connectors/one.yaml", connector("one", oauth_server, password_grant(oauth_server, "odd_id")))
    refuses = oauth_server.name == "glewlwyd"  # with 400 and nothing else, which may be about the password
    assert place.run("apply", "--yes").exit_code == (10 if refuses else 0)
    assert len(oauth_server.token_requests) == (1 if oauth_server.decodes_basic or refuses else 2)


@pytest.mark.parametrize("wrong", ["SECRET", "PASSWORD", "scope"])
def test_refusals(place: Workspace, oauth_server: OAuthServer, wrong: str) -> None:
    """Each server refuses in its own way; all of them end alike, and nothing is written."""
    place.env |= {"SECRET": oauth_server.client_secret, "PASSWORD": oauth_server.password}
    grant = password_grant(oauth_server)
    if wrong == "scope":
        grant = grant.replace(f"[{oauth_server.scope}]", f"[{oauth_server.wrong_scope}]")
    else:
        place.env[wrong] = "not-it-but-a-canary-4711"
    place.write("connectors/one.yaml", connector("one", oauth_server, grant))
    result = place.run("apply", "--yes")
    assert result.exit_code == 10
    assert "connector/one: 127.0.0.1:" in result.stderr and " answered 4" in result.stderr, result.stderr
    assert "canary-4711" not in result.output and oauth_server.password not in result.output
    assert "hint: " in result.stderr
    assert place.ok("get", "-o", "json").stdout.count("address") == 0
    assert len(oauth_server.token_requests) == 1, "a refusal is not asked again"


def test_servers_take_for_whom_a_token_is(place: Workspace, oauth_server: OAuthServer) -> None:
    """One that knows `resource` or `audience` gives a token that its own resource refuses; others ignore them and the rest."""
    place.env |= {"SECRET": oauth_server.client_secret, "PASSWORD": oauth_server.password, "KEY": "cnry-key"}
    more = """\
    audience: https://crm.example.com/
    resource: [https://b.example.com/, https://a.example.com/]
    fields: [{name: tenant, value: acme}]
    headers: [{name: X-Key, value: {env: KEY}}]
"""
    place.write("connectors/one.yaml", connector("one", oauth_server, password_grant(oauth_server, more=more)))
    place.ok("apply", "--yes")
    (asked,) = oauth_server.token_requests
    assert b"audience=https%3A%2F%2Fcrm.example.com%2F&resource=https%3A%2F%2Fa" in asked.body
    told = {"django-oauth-toolkit": "403 ", "nanoidp": "401 "}.get(oauth_server.name, "200 ")
    assert place.ok("call", "one", "get").stdout.startswith(told)
    place.ok("token", "renew", "one")
    assert b"resource=" in oauth_server.token_requests[-1].body
