"""What a token request says beside credentials, how long a token lasts, and which of it all is refused."""

import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qsl

import pytest
from answering import CATEGORY, GOOD_TOKEN, Answering, Asked, Said, answering, connector
from conftest import Workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.secret import Secret
from reconciler.errors import CredentialsRefused, NetworkFailure
from reconciler.kinds.authorization import TokenGrant
from reconciler.net.client import Response
from reconciler.tokens.answers import read_token

FURTHER = "fields: [{name: tenant, value: acme}, {name: api_key, value: {env: KEY}}], headers: [{name: X-Tenant, value: 'a b'}, {name: X-Key, value: {env: KEY}}], lifetimeSeconds: 600"  # fmt: skip
OAUTH = f"audience: 'https://api.example.com/?a=1&b', resource: ['https://b.example.com/', 'https://a.example.com/'], {FURTHER}"  # fmt: skip


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        found.says["/token"] = Said(b'{"access_token": "cnry-access", "refresh_token": "cnry-refresh"}')
        yield found


def client(server: Answering, more: str) -> str:
    return f"{{method: oauth2-client-credentials, tokenUrl: '{server.url}/token', clientId: app, clientSecret: {{env: SECRET}}, {more}}}"  # fmt: skip


def password(server: Answering, more: str) -> str:
    return f"{{method: oauth2-password, tokenUrl: '{server.url}/token', username: ada, password: {{env: SECRET}}, {more}}}"  # fmt: skip


def request(server: Answering, more: str) -> str:
    return f"{{method: bearer, tokenRequest: {{url: '{server.url}/token', username: ada, password: {{env: SECRET}}, {more}}}}}"  # fmt: skip


def define(workspace: Workspace, server: Answering, authorization: str) -> Workspace:
    workspace.env |= {"SECRET": "cnry-secret", "KEY": "cnry-key-0123"}
    workspace.write("connectors/all.yaml", CATEGORY + "---\n" + connector("one", server.url, authorization))
    return workspace


def fields(asked: Asked) -> list[tuple[str, str]]:
    return sorted(parse_qsl(asked.body.decode()))


OWN = [("api_key", "cnry-key-0123"), ("tenant", "acme")]
FOR = [("audience", "https://api.example.com/?a=1&b"), ("resource", "https://a.example.com/"), ("resource", "https://b.example.com/")]  # fmt: skip
SENT = {
    "client credentials": (client, OAUTH, [*OWN, *FOR, ("grant_type", "client_credentials")]),
    "password": (password, OAUTH, [*OWN, *FOR, ("grant_type", "password"), ("password", "cnry-secret"), ("username", "ada")]),
    "form": (request, FURTHER, [*OWN, ("grant_type", "password"), ("password", "cnry-secret"), ("username", "ada")]),
    "basic": (request, f"send: basic, {FURTHER}", [*OWN, ("grant_type", "client_credentials")]),
}  # fmt: skip


@pytest.mark.parametrize(("make", "more", "wanted"), SENT.values(), ids=SENT)
def test_it_is_sent(empty: Workspace, server: Answering, make, more: str, wanted: list[tuple[str, str]]) -> None:  # type: ignore[no-untyped-def]
    """With each grant, and again where a refresh token renews; a token lasts as the definition says."""
    done = define(empty, server, make(server, more)).ok("apply", "--yes")
    (asked,) = server.of("/token")
    assert fields(asked) == sorted(wanted)
    assert (asked.headers["x-tenant"], asked.headers["x-key"]) == ("a b", "cnry-key-0123")
    (status,) = json.loads(empty.ok("token", "status", "-o", "json").stdout)["tokens"]
    lasts = datetime.fromisoformat(status["expires"]) - datetime.fromisoformat(status["obtained"])
    assert lasts.total_seconds() == 600
    empty.ok("token", "renew", "one")
    again = server.of("/token")[-1]
    assert ("refresh_token", "cnry-refresh") in fields(again) and set(OWN) < set(fields(again))
    assert (set(FOR) <= set(fields(again))) == (more == OAUTH)
    assert again.headers["x-key"] == "cnry-key-0123"
    shown = done.output + empty.ok("get", "connector", "one", "-o", "yaml").output + empty.ok("plan", "--full").output
    assert "cnry" not in shown and "Nothing to do" in shown


def test_a_token_request_in_json_has_them_as_members(empty: Workspace, server: Answering) -> None:
    """Beside user and password; an Authorization header of the server's own goes along."""
    more = f"send: json, {FURTHER}".replace("{name: X-Key", "{name: Authorization")
    define(empty, server, request(server, more)).ok("apply", "--yes")
    (asked,) = server.of("/token")
    assert json.loads(asked.body) == {"username": "ada", "password": "cnry-secret", "tenant": "acme", "api_key": "cnry-key-0123"}  # fmt: skip
    assert asked.headers["authorization"] == "cnry-key-0123"


def test_another_value_of_a_field_fetches_a_new_token(empty: Workspace, server: Answering) -> None:
    """As another password does."""
    define(empty, server, client(server, OAUTH)).ok("apply", "--yes")
    empty.env["KEY"] = "cnry-other"
    assert "1 access token fetched" in empty.ok("apply", "--yes", "--secrets", "check").stdout
    assert ("api_key", "cnry-other") in fields(server.of("/token")[-1])


@pytest.mark.parametrize("value", ["sécret", "secret\n"])
def test_a_header_that_cannot_be_sent_is_found_at_apply(empty: Workspace, server: Answering, value: str) -> None:
    """By its reference."""
    define(empty, server, client(server, "headers: [{name: X-Key, value: {env: KEY}}]")).env["KEY"] = value
    result = empty.run("apply", "--yes")
    assert result.exit_code == 10 and "authorization.headers.X-Key.value: the value of {env: KEY}" in result.stderr
    assert not server.asked


REFUSED = {
    **{f"oauth {name}": (client, f"fields: [{{name: {name}, value: x}}]", "RC611") for name in ("grant_type", "client_id", "scope", "username", "resource", "audience", "assertion")},
    **{f"header {name}": (client, f"headers: [{{name: {name}, value: x}}]", "RC611") for name in ("Content-Type", "host", "Transfer-Encoding")},
    "authorization": (client, "headers: [{name: Authorization, value: {env: KEY}}]", "RC611"),
    "authorization of basic": (request, "send: basic, headers: [{name: authorization, value: {env: KEY}}]", "RC611"),
    "renamed user": (request, "send: json, usernameField: login, fields: [{name: login, value: x}]", "RC611"),
    "grant of a form": (request, "fields: [{name: grant_type, value: x}]", "RC611"),
    "twice": (client, "fields: [{name: a, value: x}, {name: a, value: y}]", "RC611"),
    "header twice": (client, "headers: [{name: X-A, value: x}, {name: x-a, value: y}]", "RC611"),
    "header in other letters": (client, "headers: [{name: X-A, value: é}]", "RC611"),
    "literal": (client, "fields: [{name: api_key, value: x}]", "RC403"),
    "template": (client, "fields: [{name: a, value: '{{x}}'}]", "RC502"),
    "template in audience": (client, "audience: '{{x}}'", "RC502"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "more", "code"), REFUSED.values(), ids=REFUSED)
def test_what_the_request_has_anyway_is_refused(
    empty: Workspace, server: Answering, make, more: str, code: str
) -> None:  # type: ignore[no-untyped-def]
    """At its line."""
    found = json.loads(define(empty, server, make(server, more)).run("validate", "-o", "json").stdout)["diagnostics"]
    assert [item["code"] for item in found] == [code], found


@pytest.mark.parametrize("more", ["usernameField: identity, fields: [{name: username, value: x}]", "fields: [{name: client_id, value: app}, {name: scope, value: all}]"])  # fmt: skip
def test_a_token_request_that_is_not_oauth_takes_oauths_fields(empty: Workspace, server: Answering, more: str) -> None:
    """It has no other place for them."""
    define(empty, server, request(server, more)).ok("validate", "--strict")


def grant(**more: object) -> TokenGrant:
    return TokenGrant("password", "https://h.example/t", username=Secret("ada"), password=Secret("cnry-pw"), **more)  # type: ignore[arg-type]


def read(members: dict[str, object], **more: object):  # type: ignore[no-untyped-def]
    return read_token(Response(200, "OK", (), json.dumps(members).encode(), False, 0.1), grant(**more), NOW)


NOW = 1_800_000_000.0
LIFETIMES = [
    ("expires_in", 3600, 3600), ("expires_in", "3600", 3600), ("expires_in", "3600s", 3600), ("expires_in", " 3600 sec ", 3600), ("expires_in", 3599.5, 3599.5),
    ("expires_in", NOW + 60, 60), ("expires_in", (NOW + 60) * 1000, 60), ("expires_in", "2027-01-15T08:01:00Z", 60), ("expires_in", "2027-01-15T08:01:00", 60),
    ("expires", "Fri, 15 Jan 2027 08:01:00 GMT", 60), ("expires_on", str(int(NOW) + 60), 60), ("expires_at", "2027-01-15T09:01:00+01:00", 60), ("expiresIn", 7, 7),
    ("expires_in", None, None), ("expires_in", 0, None), ("expires_in", -1, None), ("expires_in", "soon", None), ("expires_in", [1], None), ("expires_in", 1e300, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "wanted"), LIFETIMES)
def test_how_long_a_token_lasts(name: str, said: object, wanted: float | None) -> None:
    """As the answer says in whatever form; else as the definition does."""
    assert read({"access_token": "a", name: said}).lifetime == wanted
    assert read({"access_token": "a", name: said}, lifetime=900).lifetime == (900 if wanted is None else wanted)


def test_members_beside_a_nested_token_count() -> None:
    """More than those at the top."""
    token = read(
        {"data": {"jwt": "a", "expires_in": 60, "refresh_token": "r"}, "expires_in": 9}, token_field="data.jwt"
    )  # noqa: S106
    assert token.lifetime == 60 and token.refresh.reveal() == "r"


@pytest.mark.parametrize("said", ["DPoP", "mac", " PoP "])
def test_a_token_that_is_worth_nothing_without_a_key_is_refused(said: str) -> None:
    """RFC 6749, 7.1; any other type is taken for a bearer token's."""
    with pytest.raises(CredentialsRefused, match="which needs a key"):
        read({"access_token": "a", "token_type": said})
    assert read({"access_token": "a", "token_type": "JWT"}).access.reveal() == "a"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("cnry-token-1234"), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8)  # fmt: skip
NAMES = st.sampled_from(["access_token", "error", "expires_in", "expires", "expires_at", "refresh_token", "scope", "token_type", "data"])  # fmt: skip
BODIES = st.dictionaries(NAMES, JSON, max_size=6).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=60) | JSON.map(lambda body: json.dumps(body).encode())  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(BODIES, st.sampled_from([200, 200, 200, 201, 302, 400, 401, 404, 429, 500]), st.sampled_from(["access_token", "data.a"]))  # fmt: skip
def test_whatever_the_answer_there_is_a_token_or_a_reason(body: bytes, status: int, field: str) -> None:
    """And the token is in no reason."""
    try:
        token = read_token(Response(status, "", (), body, False, 0.1), grant(token_field=field), NOW)
    except (CredentialsRefused, NetworkFailure) as failure:
        assert failure.message.startswith("h.example answered ") and "cnry" not in failure.message + failure.hint
    else:
        assert token.access.reveal().isascii() and status < 300
        assert token.lifetime is None or token.lifetime > 0


def test_a_wrong_password_is_sent_once_whatever_is_asked_for_with_it(empty: Workspace, server: Answering) -> None:
    """By connectors that ask for other scopes, by a preflight, and where refresh tokens are refused first."""
    server.says["/token"] = Said(b'{"error": "invalid_grant"}', 400)
    empty.env["SECRET"] = "x"
    texts = [connector(f"c{n}", server.url, password(server, f"scopes: [s{n}]")) for n in range(6)]
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, *texts]))
    for line in ("plan --preflight", "apply --yes"):
        server.asked.clear()
        assert empty.run(*line.split()).exit_code in (2, 10)
        assert len(server.of("/token")) == 1, line
    server.says["/token"] = Said(b'{"error": "invalid_scope"}', 400)
    server.asked.clear()
    assert "6 access tokens cannot be fetched" in empty.run("apply", "--yes").stderr
    assert len(server.of("/token")) == 6, "that one may not have a scope says nothing of the others'"
    server.says["/token"] = Said(b'{"access_token": "a", "refresh_token": "r", "expires_in": 3600}')
    empty.ok("apply", "--yes")
    server.says["/token"] = Said(b'{"error": "invalid_grant"}', 400)
    server.asked.clear()
    assert empty.run("token", "renew", *(f"c{n}" for n in range(6))).exit_code == 10
    kinds = [dict(fields(asked))["grant_type"] for asked in server.of("/token")]
    assert kinds.count("refresh_token") == 6 and kinds.count("password") == 1


PLAIN = "  tls: {allowPlainHttp: true, reason: The appliance speaks nothing else.}\n"


def test_plain_http_is_accepted_with_a_reason(empty: Workspace, server: Answering) -> None:
    """It is flagged in the diagnostics and in plans, and said by a call; tokens are fetched and calls sent."""
    url = server.url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 (this machine, by a name that is not taken for it)
    server.says["/token"] = Said(GOOD_TOKEN)
    grant = f"{{method: oauth2-client-credentials, tokenUrl: '{url}/token', clientId: app, clientSecret: {{env: SECRET}}}}"  # fmt: skip
    text = CATEGORY + "---\n" + connector("one", url, grant)
    empty.env["SECRET"] = "x"
    empty.write("connectors/all.yaml", text)
    assert empty.run("validate").stdout.count("error[RC605]") == 2
    text = text.replace("  endpoints:\n", PLAIN + "  endpoints:\n")
    empty.write("connectors/all.yaml", text.replace(", reason: The appliance speaks nothing else.", ""))
    refused = empty.run("validate")
    assert refused.stdout.count("error[") == 1 and "error[RC609]" in refused.stdout, refused.stdout
    empty.write("connectors/all.yaml", text)
    assert "warning[RC610]" in empty.ok("validate").stdout and empty.run("validate", "--strict").exit_code != 0
    assert "credentials may go over plain http: The appliance speaks nothing else." in empty.ok("plan").stdout
    empty.ok("apply", "--yes")
    called = empty.ok("call", "one", "get")
    assert "warning: credentials of one may go over plain http: The appliance" in called.stderr
    assert server.of("/data")[-1].headers["authorization"] == "Bearer cnry-access"


def test_an_open_endpoint_may_be_plain(empty: Workspace) -> None:
    """Nothing of the connector's goes to it; a secret among its parameters is another thing."""
    endpoints = "    get: {method: GET, url: 'http://h.example/', authorization: none}\n"
    text = CATEGORY + "---\n" + connector("one", "", "{method: bearer, token: {env: T}}", endpoints)
    empty.write("connectors/all.yaml", text)
    empty.ok("validate", "--strict")
    empty.write("connectors/all.yaml", text.replace(": none}", ": none, params: [{name: key, value: {env: T}}]}"))
    assert "error[RC605]" in empty.run("validate").stdout


CHOICES = {
    "unknown": ("{a: {method: bearer, token: {env: T}}}", "b", ["RC407"]),
    "misspelt": ("{admin: {method: bearer, token: {env: T}}}", "admn", ["RC407"]),
    "without any": ("{}", "admin", ["RC407"]),
    "unused": ("{a: {method: bearer, token: {env: T}}}", "none", ["RC408"]),
    "called none": ("{none: {method: bearer, token: {env: T}}}", "none", ["RC407"]),
    "colon": ("{a: {method: basic, username: 'a:b', password: {env: T}}}", "a", ["RC406"]),
    "colon of a request": ("{a: {method: bearer, tokenRequest: {url: 'https://h.example/', send: basic, username: 'a:b', password: {env: T}}}}", "a", ["RC406"]),
    "plain": ("{a: {method: bearer, tokenRequest: {url: 'http://h.example/', username: a, password: {env: T}}}}", "a", ["RC605"]),
    "good": ("{a: {method: bearer, token: {env: T}}}", "a", []),
}  # fmt: skip


@pytest.mark.parametrize(("further", "name", "codes"), CHOICES.values(), ids=CHOICES)
def test_what_an_endpoint_can_choose(empty: Workspace, further: str, name: str, codes: list[str]) -> None:
    """Each fault at its line, with what to do."""
    endpoints = f"    get: {{method: GET, url: 'https://h.example/', authorization: {name}}}\n"
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("one", "", "{method: none}", endpoints, f"  authorizations: {further}\n"))  # fmt: skip
    found = json.loads(empty.run("validate", "-o", "json").stdout)["diagnostics"]
    assert sorted(item["code"] for item in found) == codes, found
    assert all(item["hint"] for item in found)
    if name == "admn":
        assert "did you mean 'admin'?" in [item["hint"] for item in found]
