"""An endpoint carries the connector's own authorization, a further one, or none; each has its own token."""

import json
import sqlite3
from collections.abc import Iterator

import engines
import pytest
from answering import CATEGORY, Answering, Said, answering
from conftest import Workspace
from live_state import plan_of, sql
from schema_checks import fits

TOKEN = b'{"access_token": "cnry-%s", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "cnry-again-%s"}'


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        for name in (b"own", b"admin"):
            found.says[f"/{name.decode()}"] = Said(TOKEN % (name, name))
        yield found


def grant(server: Answering, path: str, secret: str, more: str = "") -> str:
    return f"{{method: oauth2-client-credentials, tokenUrl: '{server.url}/{path}', clientId: app, clientSecret: {{env: {secret}}}{more}}}"  # fmt: skip


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    """A connector with two tokens, a Basic authorization, an open endpoint, and an authorization of which none is used."""
    empty.env |= {
        "OWN": "cnry-own-secret",
        "ADMIN": "cnry-admin-secret",
        "PW": "cnry-password",
    }
    if engines.current() is None:
        empty.env["RECONCILER_STORE_KEY"] = ""  # there is one beside the file
    text = f"""\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: one}}
spec:
  displayName: The one
  categories: [crm]
  authorization: {grant(server, "own", "OWN")}
  authorizations:
    admin: {grant(server, "admin", "ADMIN")}
    old: {{method: basic, username: ada, password: {{env: PW}}}}
    spare: {grant(server, "spare", "OWN")}
  endpoints:
    plain: {{method: GET, url: '{server.url}/plain'}}
    change: {{method: GET, url: '{server.url}/change', authorization: admin}}
    legacy: {{method: GET, url: '{server.url}/legacy', authorization: old}}
    open: {{method: GET, url: '{server.url}/open', authorization: none}}
"""
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
    empty.ok("apply", "--yes")
    return empty


def carried(server: Answering, path: str) -> str | None:
    return server.of(path)[-1].headers.get("authorization")


def test_each_endpoint_carries_what_it_names(live: Workspace, server: Answering) -> None:
    """One call, and all; tokens were fetched at apply, those that an endpoint can use and no other."""
    assert len(server.of("/own")) == len(server.of("/admin")) == 1 and not server.of("/spare")
    wanted = {"/plain": "Bearer cnry-own", "/change": "Bearer cnry-admin", "/legacy": "Basic YWRhOmNucnktcGFzc3dvcmQ=", "/open": None}  # fmt: skip
    for path in wanted:
        live.ok("call", "one", path[1:])
    assert {path: carried(server, path) for path in wanted} == wanted
    server.asked.clear()
    assert "4 ok" in live.ok("call", "--all").stdout.replace("4 endpoints: 4", "4") or len(server.asked) == 4
    assert {path: carried(server, path) for path in wanted} == wanted
    assert "Authorization" not in live.ok("call", "one", "open", "--dry-run").stdout
    assert "Authorization: " in live.ok("call", "one", "change", "--dry-run").stdout


def test_a_refused_token_is_fetched_anew_for_its_authorization_alone(live: Workspace, server: Answering) -> None:
    """By `call`, and once for all endpoints by `call --all`."""
    server.says["/change"] = Said(status=401)
    server.says["/open"] = Said(status=401)
    server.says["/legacy"] = Said(status=401)
    live.ok("call", "one", "change")
    assert [len(server.of(path)) for path in ("/own", "/admin", "/change")] == [1, 2, 2]
    live.run("call", "--all")
    assert [len(server.of(path)) for path in ("/own", "/admin", "/change", "/open", "/legacy")] == [1, 3, 4, 1, 1]


def test_tokens_are_told_and_renewed_each(live: Workspace, server: Answering) -> None:
    """In status, plan, renew and fetch."""
    text = live.ok("token", "status").stdout
    assert "one (admin)" in text and "2 authorizations" in text and "spare" not in text
    told = json.loads(live.ok("token", "status", "-o", "json").stdout)
    fits(told, "tokens.schema.json")
    assert [(item["connector"], item.get("authorization")) for item in told["tokens"]] == [("one", None), ("one", "admin")]  # fmt: skip
    assert plan_of(live)["changes"] == []
    sql(live.store, "UPDATE tokens SET expires = '2026-01-01T01:00:00Z' WHERE authorization = 'admin'")
    for flags in ((), ("--full",)):
        (change,) = plan_of(live, *flags)["changes"]
        assert [field["path"] for field in change["fields"]] == [["spec", "authorizations", "admin", "accessToken"]]
    assert "authorizations.admin.accessToken: (expired 2026-01-01" in live.ok("plan").stdout
    assert "1 access token fetched" in live.ok("apply", "--yes").stdout
    assert b"refresh_token=cnry-again-admin" in server.of("/admin")[-1].body and len(server.of("/own")) == 1
    assert plan_of(live)["changes"] == []
    sql(live.store, "UPDATE tokens SET expires = '2026-01-01T01:00:00Z'")
    assert live.ok("token", "renew").stdout == "Fetched 2 access tokens: one, one (admin).\n"
    renewed = json.loads(live.ok("token", "fetch", "one", "-o", "json").stdout)
    fits(renewed, "tokens.schema.json")
    assert renewed["fetched"] == ["one", "one (admin)"]
    sql(live.store, "DELETE FROM tokens WHERE authorization = 'admin'")
    assert live.run("token", "status", "--check").exit_code == 10
    assert live.ok("token", "fetch").stdout == "Fetched 1 access token: one (admin).\n"


def test_a_change_of_one_leaves_the_token_of_the_other(live: Workspace, server: Answering) -> None:
    """Also one that comes into use, is used no more, or takes another value of its secret."""
    live.edit("connectors/all.yaml", "clientId: app, clientSecret: {env: ADMIN}", "clientId: app2, clientSecret: {env: ADMIN}")  # fmt: skip
    assert "1 access token fetched" in live.ok("apply", "--yes").stdout
    assert [len(server.of(path)) for path in ("/own", "/admin")] == [1, 2]
    live.env["ADMIN"] = "cnry-other"
    assert "1 access token fetched" in live.ok("apply", "--yes", "--secrets", "check").stdout
    assert [len(server.of(path)) for path in ("/own", "/admin")] == [1, 3]
    server.says["/spare"] = Said(TOKEN % (b"spare", b"spare"))
    live.edit("connectors/all.yaml", "authorization: admin", "authorization: spare")
    assert "authorizations.spare.accessToken: (none) -> (fetched)" in live.ok("plan").stdout
    assert "1 access token fetched" in live.ok("apply", "--yes").stdout
    assert [len(server.of(path)) for path in ("/own", "/admin", "/spare")] == [1, 3, 1]
    assert sorted(sql(live.store, "SELECT authorization FROM tokens")) == [("",), ("spare",)]
    assert plan_of(live)["changes"] == plan_of(live, "--full", "--secrets", "check")["changes"] == []


def test_what_is_missing_is_named(live: Workspace, server: Answering) -> None:
    """By an apply, a preflight and a command about tokens."""
    server.says["/admin"] = Said(b'{"error": "invalid_client"}', 401)
    live.edit("connectors/all.yaml", "clientId: app, clientSecret: {env: ADMIN}", "clientId: app2, clientSecret: {env: ADMIN}")  # fmt: skip
    preflight = live.run("plan", "--preflight")
    assert "token of admin" in preflight.output, preflight.output
    result = live.run("apply", "--yes")
    assert result.exit_code == 10 and "connector/one: authorization admin: 127.0.0.1:" in result.stderr, result.stderr
    fetched = live.run("token", "fetch", "one")
    assert fetched.exit_code == 10 and "connector/one (admin): 127.0.0.1:" in fetched.stderr
    assert len(server.of("/own")) == 2


@pytest.mark.store_file
def test_no_secret_gets_out_and_a_change_of_key_keeps_all(live: Workspace, server: Answering) -> None:
    """Of any authorization."""
    said = "".join(live.ok(*line.split()).output for line in ("get connector one -o yaml", "token status", "history"))  # fmt: skip
    assert "cnry" not in said
    assert "2 access tokens sealed anew" in live.ok("store", "rotate-key").stdout
    live.ok("call", "one", "change")
    assert carried(server, "/change") == "Bearer cnry-admin" and len(server.of("/admin")) == 1
    for path in live.store.parent.iterdir():
        assert b"cnry" not in path.read_bytes(), path
    (live.root / "connectors/all.yaml").write_text(CATEGORY)
    live.ok("apply", "--yes")
    assert sql(live.store, "SELECT count(*) FROM tokens") == [(0,)]


def test_hosts_that_get_secrets_are_those_of_what_is_carried(empty: Workspace) -> None:
    """An open endpoint gets none, and neither does the token URL of what none carries."""
    text = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: one}
spec:
  displayName: The one
  categories: [crm]
  authorization: {method: basic, username: ada, password: {env: PW}}
  authorizations:
    admin: {method: oauth2-client-credentials, tokenUrl: 'https://login.example.com/t', clientId: a, clientSecret: {env: PW}}
  endpoints:
    get: {method: GET, url: 'https://own.example.com/'}
    open: {method: GET, url: 'https://open.example.com/', authorization: none}
"""
    empty.env["PW"] = "x"
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
    line = "secrets of connector/one will be sent to a new host: own.example.com\n"
    assert line in empty.ok("plan").output
    empty.ok("apply", "--yes", "--tokens", "demand")
    empty.edit("connectors/all.yaml", "authorization: none", "authorization: admin")
    assert "secrets of connector/one will be sent to new hosts: login.example.com, open.example.com\n" in empty.ok("plan").output  # fmt: skip


@pytest.mark.store_file
def test_a_store_of_before_keeps_its_token(live: Workspace, server: Answering) -> None:
    """As the connector's own: version 1 had one for each connector."""
    with sqlite3.connect(live.store) as connection:
        connection.executescript(
            "CREATE TABLE kept AS SELECT uid, made_with, obtained, expires, scope, access, refresh FROM tokens WHERE authorization = '';"
            "DROP TABLE tokens; CREATE TABLE tokens (uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE, made_with TEXT NOT NULL,"
            " obtained TEXT NOT NULL, expires TEXT, scope TEXT NOT NULL, access BLOB NOT NULL, refresh BLOB);"
            "INSERT INTO tokens SELECT * FROM kept; DROP TABLE kept; PRAGMA user_version = 1;"
            "DROP TABLE notes; DROP TABLE unfinished; DROP TABLE journal; DROP TABLE held_tokens;"
        )
    connection.close()
    live.ok("call", "one", "plain")
    assert "one (admin)" in live.ok("token", "status").stdout
    (change,) = plan_of(live)["changes"]
    assert [field["path"][2] for field in change["fields"]] == ["admin"]
    live.ok("apply", "--yes")
    assert [len(server.of(path)) for path in ("/own", "/admin")] == [1, 2]
    assert json.loads(live.ok("store", "check", "-o", "json").stdout)["fine"]


def test_a_live_record_that_names_what_there_is_not(live: Workspace) -> None:
    """Others can write to the store."""
    sql(live.store, "UPDATE documents SET live = replace(live, '\"authorization\":\"admin\"', '\"authorization\":\"nobody\"')")  # fmt: skip
    result = live.run("call", "one", "change")
    assert result.exit_code == 3 or "authorization" in result.stderr, result.output
    assert "Traceback" not in result.output
    live.ok("token", "status")
