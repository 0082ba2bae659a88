"""Endpoints choose their authorization; each that needs a token has one of its own."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from conftest import CATEGORY, Workspace
from live_state import drift, sql
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


def test_each_endpoint_carries_what_it_says(live: Workspace, server: Answering) -> None:
    """The connector's own, none, or a further one, whose token was fetched apart."""
    for endpoint, carried in (
        ("all", "Bearer cnry-token-own-1"), ("open", ""), ("alter", "Bearer cnry-token-admin-1"),
        ("me", "Basic YWRhOmNucnktUGE1NXcrcmQlMSZ4"),
    ):  # fmt: skip
        result = live.ok("call", "crm", endpoint, "--fail", "-v")
        assert sent(server, f"/{endpoint}") == carried
        dry = live.ok("call", "crm", endpoint, "--dry-run")
        assert ("Authorization: ********" in dry.stdout) == bool(carried), dry.stdout
        assert "cnry" not in result.output + dry.output
    assert (len(server.of("/own")), len(server.of("/admin"))) == (1, 1)
    for endpoint in ("all", "open", "alter", "me"):
        server.asked.clear()
        server.says[f"/{endpoint}"] = Said(b"{}", 401)
        assert live.run("call", "crm", endpoint, "--fail").exit_code == 10
        asked = [one.path for one in server.asked]
        fetched = {"all": ["/own"], "alter": ["/admin"]}.get(endpoint, [])
        assert asked == [f"/{endpoint}", *fetched, *([f"/{endpoint}"] if fetched else [])], (
            "only the token that was refused"
        )


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


def test_the_commands_of_tokens_name_each(live: Workspace, server: Answering) -> None:
    """By the connector, and the authorization in brackets; in JSON apart."""
    assert set(statuses(live)) == {("crm", ""), ("crm", "admin")}
    shown = live.ok("token", "status").stdout
    assert "crm (admin)" in shown and "person" not in shown
    assert live.ok("token", "fetch", "crm").stdout == "Fetched 2 access tokens: crm, crm (admin).\n"
    sql(live.store, "DELETE FROM tokens WHERE authorization = 'admin'")
    assert statuses(live)["crm", "admin"]["condition"] == "missing"
    assert live.ok("token", "fetch").stdout == "Fetched 1 access token: crm (admin).\n"
    assert "crm (admin)" in live.ok("token", "renew", "crm", "-o", "json").stdout
    server.says["/admin"] = Said(b'{"error": "invalid_client"}', 401)
    result = live.run("token", "fetch", "crm")
    assert result.exit_code == 10 and "connector/crm (admin): 127.0.0.1" in result.stderr, result.stderr


@pytest.mark.parametrize(("name", "path"), [("", "/own"), ("admin", "/admin")])
def test_a_token_that_is_due_is_a_change_of_its_authorization(
    live: Workspace, server: Answering, name: str, path: str
) -> None:
    """The apply renews that one alone."""
    sql(live.store, "CREATE TABLE kept AS SELECT * FROM tokens WHERE authorization <> ?", name)
    let_expire(live)
    sql(live.store, "INSERT OR REPLACE INTO tokens SELECT * FROM kept")
    sql(live.store, "DROP TABLE kept")
    (change,) = json.loads(live.ok("plan", "-o", "json").stdout)["changes"]
    place = ["spec", "authorizations", name] if name else ["spec", "authorization"]
    assert [field["path"] for field in change["fields"]] == [[*place, "accessToken"]]
    server.asked.clear()
    assert "1 access token fetched" in live.ok("apply", "--yes", env=dict.fromkeys(SECRETS, "")).stdout
    assert [one.path for one in server.asked] == [path]
    assert form(server.asked[0].body)["grant_type"] == ["refresh_token"]
    assert "Nothing to do" in live.ok("plan").stdout


def test_changed_credentials_of_one_fetch_its_token_alone(live: Workspace, server: Answering) -> None:
    """Values of its secrets, in fields and headers too, and its definition; the other token stays good."""
    ((before,),) = sql(live.store, "SELECT access FROM tokens WHERE authorization = ''")
    for change in ({"TWO": "cnry-new-two"}, {"KEY": "cnry-new-key"}, {"TRACE": "cnry-new-trace"}):
        server.asked.clear()
        live.env |= change
        assert "1 access token fetched" in live.ok("apply", "--yes", "--secrets", "check").stdout
        assert [one.path for one in server.asked] == ["/admin"]
    for old, new in (("https://api.example.com/", "another"), ('"urn:b", ', ""), ("a b&c", "d"), ("7200", "7300")):
        server.asked.clear()
        live.edit("connectors/crm.yaml", old, new)
        assert "1 access token fetched" in live.ok("apply", "--yes").stdout
        assert [one.path for one in server.asked] == ["/admin"]
    ((after,),) = sql(live.store, "SELECT access FROM tokens WHERE authorization = ''")
    assert before == after
    live.edit("connectors/crm.yaml", "authorization: admin}", "authorization: person}")
    assert "error" not in live.ok("apply", "--yes").stderr
    assert sql(live.store, "SELECT authorization FROM tokens") == [("",)], "what no endpoint carries needs no token"


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
    for path in live.store.parent.iterdir():
        assert b"cnry" not in path.read_bytes(), path


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


@pytest.mark.parametrize("send", ["form", "json", "basic"])
def test_a_token_request_of_its_own_kind_takes_them_too(empty: Workspace, server: Answering, send: str) -> None:
    """As members of its JSON where it sends that."""
    empty.env |= SECRETS
    request = (
        f"{{url: '{server.url}/admin', username: ada, password: {{env: PASSWORD}}, send: {send}, lifetimeSeconds: 900,"
        " fields: [{name: tenant, value: a b&c}, {name: api_key, value: {env: KEY}}], headers: [{name: X-Trace-Key, value: {env: TRACE}}]}"
    )
    text = DEFINITION.replace("URL", server.url)
    start, end = text.index("    admin:"), text.index("    person:")
    text = text[:start] + f"    admin: {{method: bearer, tokenRequest: {request}}}\n" + text[end:]
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + text)
    empty.ok("apply", "--yes")
    (asked,) = server.of("/admin")
    user = {} if send == "basic" else {"username": "ada", "password": SECRETS["PASSWORD"]}
    grant = {"form": {"grant_type": "password"}, "basic": {"grant_type": "client_credentials"}}.get(send, {})
    body = json.loads(asked.body) if send == "json" else {name: one for name, (one,) in form(asked.body).items()}
    assert body == {**grant, **user, "tenant": "a b&c", "api_key": SECRETS["KEY"]}
    assert asked.headers["x-trace-key"] == SECRETS["TRACE"] and lifetime(empty) == 900


WRONG: dict[str, tuple[str, str, str, str]] = {
    "an unknown name": ("authorization: admin}", "authorization: amdin}", "RC407", "did you mean 'admin'?"),
    "another name": ("authorization: admin}", "authorization: zzz}", "RC407", "there are: none, admin, person"),
    "one called none": ("    person: {", "    none: {", "RC407", "there are: none, admin\n"),
    "one that nobody carries": ("authorization: person}", "authorization: none}", "RC408", "authorization: person"),
    "a field with a key of its own": ("{name: tenant,", "{name: scope,", "RC611", "use the key `scopes`"),
    "a field of OAuth's": ("{name: tenant,", "{name: grant_type,", "RC611", "remove it"),
    "a field twice": ("{name: tenant,", "{name: api_key,", "RC611", "a field 'api_key' already"),
    "a header of HTTP's": ("{name: Accept,", "{name: content-TYPE,", "RC611", "remove it"),
    "a header twice": ("{name: Accept,", "{name: x-trace-KEY,", "RC611", "a header 'x-trace-KEY' already"),
    "the header of the client": ("{name: Accept,", "{name: authorization,", "RC611", "remove it"),
    "a header that cannot be sent": ("application/x-token", '"caf\\u00e9"', "RC611", "which cannot be sent"),
    "a field that cannot be sent": ("value: a b&c", 'value: "a\\0"', "RC611", "which cannot be sent"),
    "a placeholder": ("value: a b&c", 'value: "{{a}}"', "RC502", "write the value out"),
    "a placeholder in the audience": ("https://api.example.com/", "'{{a}}'", "RC502", "write the value out"),
    "a literal secret": ("value: {env: KEY}", "value: abc", "RC403", "give a reference"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_at_its_line(empty: Workspace, old: str, new: str, code: str, words: str) -> None:
    """With what to do."""
    text = DEFINITION.replace("URL", "https://crm.example.com")
    assert text.count(old) == 1
    path = empty.write("connectors/crm.yaml", CATEGORY + "---\n" + text.replace(old, new))
    result = empty.run("validate")
    assert result.exit_code == (0 if code in ("RC408", "RC502") else 3), result.output
    wanted = "    person:" if code == "RC408" else new
    place = next(number for number, line in enumerate(path.read_text().splitlines(), 1) if wanted in line)
    assert code == "RC611" or result.output.count(code) == result.output.count("[RC"), "one cause, one diagnostic"
    assert f"crm.yaml:{place}:" in result.output and code in result.output and words in result.output, result.output


VERSION_1 = """
PRAGMA legacy_alter_table = ON;
CREATE TABLE older (uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE, made_with TEXT NOT NULL,
  obtained TEXT NOT NULL, expires TEXT, scope TEXT NOT NULL, access BLOB NOT NULL, refresh BLOB);
INSERT INTO older SELECT uid, made_with, obtained, expires, scope, access, refresh FROM tokens WHERE authorization = '';
DROP TABLE tokens;
ALTER TABLE older RENAME TO tokens;
PRAGMA user_version = 1;
"""


def test_tokens_of_an_older_store_are_good(live: Workspace, server: Answering) -> None:
    """Of version 1, which knew the connector's own one alone: they are read there, and stay when something is written."""
    with closing(sqlite3.connect(live.store)) as connection:
        connection.executescript(VERSION_1)
    before = sql(live.store, "SELECT uid, made_with, obtained, expires, scope, access, refresh FROM tokens")
    server.asked.clear()
    assert {name: status["condition"] for (_, name), status in statuses(live).items()} == {
        "": "valid",
        "admin": "missing",
    }
    live.ok("call", "crm", "all", "--fail")
    assert sent(server, "/all") == "Bearer cnry-token-own-1" and not server.of("/own")
    assert sql(live.store, "PRAGMA user_version") == [(1,)], "reading alters nothing"
    assert "Fetched 1 access token: crm (admin)." in live.ok("token", "fetch").stdout
    assert sql(live.store, "PRAGMA user_version") != [(1,)]
    query = "SELECT uid, made_with, obtained, expires, scope, access, refresh FROM tokens WHERE authorization = ''"
    assert sql(live.store, query) == before
    live.ok("call", "crm", "all", "--fail")
    assert not server.of("/own")


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


@pytest.mark.parametrize(
    ("tls", "codes", "exit_code"),
    [
        ("{}", ["RC605", "RC605"], 3),
        ("{allowPlainHttp: false, reason: no}", ["RC605", "RC605"], 3),
        ("{allowPlainHttp: true}", ["RC609"], 3),
        ("{allowPlainHttp: true, reason: until May}", ["RC610"], 0),
    ],
)
def test_plain_http_is_accepted_with_a_reason(empty: Workspace, tls: str, codes: list[str], exit_code: int) -> None:
    """For one connector; without one both URLs are refused, each at its line."""
    empty.write(
        "connectors/old.yaml",
        CATEGORY + "---\n" + PLAIN.replace("{allowPlainHttp: true, reason: until May}", tls),
    )
    result = empty.run("validate", "-o", "json")
    assert result.exit_code == exit_code, result.output
    assert [item["code"] for item in json.loads(result.stdout)["diagnostics"]] == codes


def test_an_endpoint_without_credentials_may_be_plain(empty: Workspace) -> None:
    """Nothing of the connector's goes there; but a header with a secret does."""
    text = DEFINITION.replace("url: URL/open", "url: http://open.example.com/").replace(
        "URL", "https://crm.example.com"
    )
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + text)
    assert empty.ok("validate").output.count("RC") == 0
    empty.edit(
        "connectors/crm.yaml", "authorization: none}", "authorization: none, headers: [{name: X-K, value: {env: KEY}}]}"
    )
    assert "RC605" in empty.run("validate").output


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
