"""Several authorizations in one connector, from apply to delete and restore: see trust/test_by_endpoint.py too."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from conftest import CATEGORY, Workspace
from live_state import drift, file_bytes, sql
from test_life import let_expire
from trust.answering import Answering, Said, answering

SECRETS = {
    "ONE": "cnry-one/77+x&y", "TWO": "cnry-two%w zq;8", "KEY": "cnry-key-in-a-field", "TRACE": "cnry-key-in-a-header",
    "PASSWORD": "cnry-Pa55w+rd%1&x",
}  # fmt: skip
DEFINITION = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: crm}
spec:
  displayName: The CRM
  categories: [crm]
  authorization:
    method: oauth2-client-credentials
    tokenUrl: URL/own
    clientId: own
    clientSecret: {env: ONE}
  authorizations:
    admin:
      method: oauth2-client-credentials
      tokenUrl: URL/admin
      clientId: adm
      clientSecret: {env: TWO}
      clientAuthentication: body
      scopes: [write, read]
      audience: https://api.example.com/
      resource: ["urn:b", "urn:a"]
      fields: [{name: api_key, value: {env: KEY}}, {name: tenant, value: a b&c}]
      headers: [{name: X-Trace-Key, value: {env: TRACE}}, {name: Accept, value: application/x-token}]
      lifetimeSeconds: 7200
    person: {method: basic, username: ada, password: {env: PASSWORD}}
  endpoints:
    all: {method: GET, url: URL/all}
    open: {method: GET, url: URL/open, authorization: none}
    alter: {method: GET, url: URL/alter, authorization: admin}
    me: {method: GET, url: URL/me, authorization: person}
"""


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        found.says["/own"] = Said(token("own-1", expires_in=3600, refresh_token="own-r1"))
        found.says["/admin"] = Said(token("admin-1", refresh_token="admin-r1"))
        yield found


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    """The connector, applied."""
    empty.env |= SECRETS
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + DEFINITION.replace("URL", server.url))
    empty.ok("apply", "--yes")
    return empty


def token(name: str, **members: object) -> bytes:
    """An answer with a token whose value is a canary."""
    return json.dumps({"access_token": f"cnry-token-{name}", "token_type": "Bearer", **members}).encode()


def form(body: bytes) -> dict[str, list[str]]:
    return parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)


def sent(server: Answering, path: str) -> str:
    """The Authorization of the last request of a path, or ""."""
    return server.of(path)[-1].headers.get("authorization", "")


def statuses(workspace: Workspace) -> dict[tuple[str, str], dict[str, object]]:
    """`token status` by connector and authorization."""
    found = json.loads(workspace.ok("token", "status", "-o", "json").stdout)["tokens"]
    return {(item["connector"], item.get("authorization", "")): item for item in found}


def test_the_smoke_test_carries_the_same(live: Workspace, server: Answering) -> None:
    """And fetches what is missing of each ahead."""
    sql(live.store, "DELETE FROM tokens WHERE authorization = 'admin'")
    server.asked.clear()
    assert "4 ok" in live.ok("call", "--all").stdout
    assert [len(server.of(path)) for path in ("/own", "/admin", "/all", "/open", "/alter", "/me")] == [0, 1, 1, 1, 1, 1]
    assert [sent(server, path)[:6] for path in ("/all", "/open", "/alter", "/me")] == ["Bearer", "", "Bearer", "Basic "]
    sql(live.store, "DELETE FROM tokens WHERE authorization = 'admin'")
    server.says["/admin"] = Said(b'{"error": "invalid_client"}', 401)
    result = live.run("call", "--all")
    assert result.exit_code == 10
    assert "3 ok" in result.stdout and "1 failed" in result.stdout, result.stdout


@pytest.mark.parametrize(("name", "path"), [("", "/own"), ("admin", "/admin")])
def test_a_token_that_is_due_is_a_change_of_its_authorization(
    live: Workspace, server: Answering, name: str, path: str
) -> None:
    """The apply renews that one alone."""
    sql(live.store, "CREATE TABLE kept AS SELECT * FROM tokens WHERE authorization <> ?", name)
    let_expire(live)
    columns = "uid, authorization, made_with, obtained, expires, scope, access, refresh"
    sql(live.store, f"INSERT OR REPLACE INTO tokens ({columns}) SELECT {columns} FROM kept")
    sql(live.store, "DROP TABLE kept")
    (change,) = json.loads(live.ok("plan", "-o", "json").stdout)["changes"]
    place = ["spec", "authorizations", name] if name else ["spec", "authorization"]
    assert [field["path"] for field in change["fields"]] == [[*place, "accessToken"]]
    server.asked.clear()
    assert "1 access token fetched" in live.ok("apply", "--yes", env=dict.fromkeys(SECRETS, "")).stdout
    assert [one.path for one in server.asked] == [path]
    assert form(server.asked[0].body)["grant_type"] == ["refresh_token"]
    assert "Nothing to do" in live.ok("plan").stdout


def test_one_whose_token_is_not_to_be_had_leaves_the_connector_out(live: Workspace, server: Answering) -> None:
    """Whole, with the name of the authorization; a network failure stays one."""
    server.says["/admin"] = Said(b'{"error": "invalid_scope"}', 400)
    live.edit("connectors/crm.yaml", "read]", "read, more]")
    result = live.run("apply", "--yes")
    assert result.exit_code == 10
    assert "connector/crm: authorization admin: 127.0.0.1" in result.stderr and "check scopes" in result.stderr
    live.write("connectors/new.yaml", CATEGORY.replace("crm", "new").replace("Customer", "New"))
    assert live.run("apply", "--yes", "--on-error", "continue").exit_code == 7
    assert "read, more" not in live.ok("get", "connector/crm", "-o", "json").stdout


def test_a_preflight_asks_each(live: Workspace, server: Answering) -> None:
    """And says whose token was refused."""
    live.edit("connectors/crm.yaml", "The CRM", "Our CRM")
    server.asked.clear()
    passed = live.ok("plan", "--preflight", "-v").output
    assert "token: the stored one is good" in passed and "token of admin: the stored one is good" in passed
    live.edit("connectors/crm.yaml", "7200", "7300")
    passed = live.ok("plan", "--preflight", "-v").stdout
    assert "token: the stored one is good" in passed and "token of admin: fetched, good for 7300 s" in passed
    assert len(server.of("/admin")) == 1 and not server.of("/own")
    server.says["/admin"] = Said(b'{"error": "invalid_client"}', 401)
    result = live.run("plan", "--preflight")
    assert result.exit_code == 10 and "token of admin: 127.0.0.1" in result.output, result.output
    assert "401 invalid_client" in result.output


def test_they_are_sealed_moved_and_dropped_with_the_connector(
    live: Workspace, server: Answering, tmp_path: Path
) -> None:
    """A new key of the store, export, delete and restore."""
    new = {"RECONCILER_NEW_STORE_KEY": "another key for the tests, of more than thirty-two characters"}
    live.ok("store", "rotate-key", env=new)
    live.env["RECONCILER_STORE_KEY"] = new["RECONCILER_NEW_STORE_KEY"]
    server.asked.clear()
    live.ok("call", "crm", "alter", "--fail")
    assert sent(server, "/alter") == "Bearer cnry-token-admin-1" and not server.of("/admin")
    shown = live.ok("get", "-o", "yaml").stdout
    assert "env: TRACE" in shown and "cnry" not in shown
    (live.root / "connectors/crm.yaml").write_text(CATEGORY)
    live.ok("apply", "--yes")
    assert sql(live.store, "SELECT * FROM tokens") == [] and statuses(live) == {}
    server.asked.clear()
    done = live.ok("restore", "connector/crm", "--yes", env=dict.fromkeys(SECRETS, ""))
    assert "2 access tokens fetched" in done.stdout, done.stdout
    assert server.of("/admin")[0].headers["x-trace-key"] == SECRETS["TRACE"]
    assert b"cnry" not in file_bytes(live.store)


def test_what_a_token_request_takes(live: Workspace, server: Answering) -> None:
    """Fields of the form and headers, at first and when the token is renewed; a lifetime where the answer says none."""
    (first,) = server.of("/admin")
    further = {
        "client_id": ["adm"], "client_secret": [SECRETS["TWO"]], "audience": ["https://api.example.com/"],
        "resource": ["urn:a", "urn:b"], "api_key": [SECRETS["KEY"]], "tenant": ["a b&c"],
    }  # fmt: skip
    assert form(first.body) == {"grant_type": ["client_credentials"], "scope": ["read write"], **further}
    assert first.headers["x-trace-key"] == SECRETS["TRACE"] and first.headers["accept"] == "application/x-token"
    assert (
        server.of("/own")[0].headers["accept"] == "application/json"
        and "x-trace-key" not in server.of("/own")[0].headers
    )
    assert lifetime(live) == 7200
    let_expire(live)
    server.says["/admin"] = Said(token("admin-2", expires_in=60))
    live.ok("token", "renew")
    again = server.of("/admin")[-1]
    assert form(again.body) == {"grant_type": ["refresh_token"], "refresh_token": ["admin-r1"], **further}
    assert again.headers["x-trace-key"] == SECRETS["TRACE"]
    assert lifetime(live) == 60, "the answer counts more"


def lifetime(workspace: Workspace) -> int:
    """Seconds that the token of `admin` lasts."""
    query = "SELECT round((julianday(expires) - julianday(obtained)) * 86400) FROM tokens WHERE authorization = 'admin'"
    ((seconds,),) = sql(workspace.store, query)
    return int(seconds)


PLAIN = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: old}
spec:
  displayName: The old one
  categories: [crm]
  authorization: {method: oauth2-password, tokenUrl: "http://old.example.com/token", username: ada, password: {env: PASSWORD}}
  tls: {allowPlainHttp: true, reason: until May}
  endpoints:
    all: {method: GET, url: "http://old.example.com/all"}
"""


def test_what_goes_over_plain_http_is_said_everywhere(empty: Workspace, server: Answering) -> None:
    """In each plan and call; the token is fetched and sent, by a proxy here."""
    server.says |= {"http://old.example.com/token": Said(token("old", expires_in=3600))}
    empty.env |= {"PASSWORD": SECRETS["PASSWORD"], "HTTP_PROXY": server.url, "http_proxy": server.url}
    empty.write("connectors/old.yaml", CATEGORY + "---\n" + PLAIN)
    note = "credentials may go over plain http: until May"
    assert note in empty.ok("plan").stdout and note in empty.ok("plan", "-o", "markdown").stdout
    planned = json.loads(empty.ok("plan", "-o", "json").stdout)["changes"]
    assert any(note in said for change in planned for said in change["notes"])
    empty.ok("apply", "--yes")
    called = empty.ok("call", "old", "all", "--fail")
    assert "warning: credentials of old may go over plain http: until May" in called.stderr
    assert sent(server, "http://old.example.com/all") == "Bearer cnry-token-old"
    drift(empty, "old", "$.spec.tls", '{"reason": "until May"}')
    refused = empty.run("call", "old", "all")
    assert refused.exit_code == 3 and "over plain http" in refused.stderr, "what others wrote is refused too"


def test_what_is_wrong_is_said_once_with_names_that_can_be_chosen(empty: Workspace) -> None:
    """A mistyped name may be meant for what nobody carries; one called none is not offered; no byte goes that ends texts."""
    text = CATEGORY + "---\n" + DEFINITION.replace("URL", "https://crm.example.com")
    empty.write("connectors/crm.yaml", text.replace("authorization: admin}", "authorization: amdin}"))
    found = empty.run("validate").output
    assert "RC407" in found and "did you mean 'admin'?" in found and "RC408" not in found
    empty.write("connectors/crm.yaml", text.replace("    person: {", "    none: {"))
    found = empty.run("validate").output
    assert "rename it" in found and "there are: none, admin\n" in found
    empty.write("connectors/crm.yaml", text.replace("value: a b&c", 'value: "a\\0"'))
    assert "error[RC611]: the value of 'tenant'" in empty.run("validate").output
