"""Whatever a token endpoint answers: a good token is used, anything else is told; nothing of it gets out."""

import json
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from answering import CATEGORY, GOOD_TOKEN, Answering, Said, answering, client_credentials, connector
from conftest import Workspace
from draws import draws
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

SECRET = "cnry-secret/77+x"
ACCESS = "cnry-access-0123456789"
ODD = [None, "", False, 0, [], {}, -1, 10**400, "1e999", ["x"], {"a": 1}, "\ud800x", "x\n", "3600", 3600, 1.5]


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        yield found


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    """A connector with a token, and one that needs none."""
    empty.env["SECRET"] = SECRET
    server.says["/token"] = Said(GOOD_TOKEN)
    texts = (
        connector("one", server.url, client_credentials(server.url)),
        connector("two", server.url, "{method: none}"),
    )
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, *texts]))
    empty.ok("apply", "--yes")
    return empty


def jwt(claims: object) -> str:
    """An unsigned JSON Web Token."""
    return "e30." + urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".x"


def answer(**members: Any) -> bytes:
    return json.dumps({"access_token": ACCESS, "token_type": "Bearer", **members}).encode()


USABLE = {
    "error that is null": answer(error=None, error_description=None),
    "error that is empty": answer(error="", error_uri=""),
    "lifetime of infinity": b'{"access_token": "%s", "expires_in": 1e999}' % ACCESS.encode(),
    "lifetime that is not a number": b'{"access_token": "%s", "expires_in": NaN}' % ACCESS.encode(),
    "lifetime of 400 digits": answer(expires_in=10**400),
    "lifetime of 5,000 digits": b'{"access_token": "%s", "expires_in": %s}' % (ACCESS.encode(), b"9" * 5000),
    "lifetime that is negative": answer(expires_in=-1),
    "lifetime that is empty": answer(expires_in=""),
    "lifetime that is null": answer(expires_in=None),
    "lifetime that is true": answer(expires_in=True),
    "lifetime in a list": answer(expires_in=[3600]),
    "lifetime in a text": answer(expires_in="3600"),
    "refresh token with a lone surrogate": answer(refresh_token="\ud800x"),
    "refresh token that is an object": answer(refresh_token={"a": 1}),
    "scope with a lone surrogate": answer(scope="\ud800x"),
    "scope that is a list": answer(scope=["read", 7, None, ["x"]]),
    "scope that is an object": answer(scope={"read": True}),
    "scope with controls": answer(scope="read \u001b[2J\u202e ::error::x"),
    "type that is missing": json.dumps({"access_token": ACCESS}).encode(),
    "type with a lone surrogate": answer(token_type="\ud800"),
    "type that is an object": answer(token_type={"a": SECRET}),
    "byte order mark": b"\xef\xbb\xbf" + answer(),
    "UTF-16": answer().decode().encode("utf-16"),
    "bytes that are not UTF-8": answer()[:-1] + b', "x": "caf\xe9"}',
    "duplicate members": b'{"access_token": "other", "expires_in": 1, ' + answer(expires_in=3600)[1:],
    "a form": f"access_token={ACCESS}&token_type=bearer&expires=3600".encode(),
}  # fmt: skip


@pytest.mark.parametrize("body", USABLE.values(), ids=USABLE)
def test_a_good_token_is_used_whatever_stands_beside_it(live: Workspace, server: Answering, body: bytes) -> None:
    """Odd members are left aside."""
    server.says["/token"] = Said(body)
    live.ok("token", "fetch", "one")
    live.ok("call", "one", "get")
    assert server.of("/data")[-1].headers["authorization"] == f"Bearer {ACCESS}"
    assert SECRET not in live.ok("token", "status").output


UNUSABLE = {
    "no JSON": (200, b"<html>" + SECRET.encode(), "no JSON object"),
    "a list": (200, b"[1]", "no JSON object"),
    "nothing": (200, b"", "no JSON object"),
    "deeply nested": (200, b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON object"),
    "ten megabytes": (200, answer(x="y" * 10_000_000), "too long"),
    "no token": (200, b'{"token_type": "Bearer"}', "no access token at access_token"),
    "an empty token": (200, answer(access_token=""), "no access token at access_token"),
    "a token that is a number": (200, answer(access_token=7), "is no text"),
    "a token in an object": (200, answer(access_token={"a": SECRET}), "is no text"),
    "a token longer than any header": (200, answer(access_token="x" * 20_000), "the access token is too long"),
    "a token with a line break": (200, answer(access_token=ACCESS + "\n"), "the access token ends with a line break"),
    "a token with a lone surrogate": (200, answer(access_token="\ud800x"), "the access token is not UTF-8"),
    "a token with letters": (200, answer(access_token="tök"), "the access token holds letters beyond ASCII"),
    "an error beside a token": (200, answer(error="access_denied"), "answered 200 access_denied"),
    "an error that is an object": (200, answer(error={"code": SECRET}), "answered 200: credentials refused"),
    "an error that repeats the secret": (400, answer(error=SECRET), "answered 400: credentials refused"),
}


@pytest.mark.parametrize(("status", "body", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_answer_is_told_and_not_repeated(
    live: Workspace, server: Answering, status: int, body: bytes, words: str
) -> None:
    """With host and status; the others of an apply are carried out where that is asked for."""
    server.says["/token"] = Said(body, status)
    result = live.run("token", "fetch", "one")
    assert result.exit_code == 10
    assert f"connector/one: 127.0.0.1:{server.url.rpartition(':')[2]} answered {status}" in result.stderr, result.stderr
    assert words in result.stderr, result.stderr
    assert SECRET not in result.output and ACCESS not in result.output and "cnry" not in result.output
    live.write("connectors/new.yaml", connector("new", server.url, client_credentials(server.url)))
    live.edit("connectors/all.yaml", "The two", "Another two")
    partly = live.run("apply", "--yes", "--on-error", "continue")
    assert partly.exit_code == 7, partly.output
    assert "cnry" not in partly.output


VALUES = st.sampled_from(ODD) | st.text(max_size=8) | st.floats() | st.integers() | st.just(SECRET)
MEMBERS = [
    "access_token",
    "token_type",
    "expires_in",
    "expires",
    "refresh_token",
    "scope",
    "error",
    "error_description",
]
ANSWERS = st.fixed_dictionaries(
    {"access_token": st.just(ACCESS) | VALUES | st.just(jwt({"exp": 10**400}))},
    optional={name: VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2) for name in MEMBERS[1:]},
)  # fmt: skip


@settings(max_examples=draws(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANSWERS, st.sampled_from([200, 200, 201, 204, 302, 400, 401, 429, 500]))
@example({"access_token": jwt({"exp": 10**400})}, 200)
@example({"access_token": jwt({"exp": "x"})}, 200)
@example({"access_token": jwt([1])}, 200)
@example({"access_token": jwt({"exp": True})}, 200)
@example({"access_token": ACCESS, "scope": f"read {SECRET} {ACCESS} {ACCESS.upper()}", "token_type": SECRET}, 200)
def test_no_answer_is_a_bug_and_nothing_secret_gets_out(
    live: Workspace, server: Answering, members: dict[str, Any], status: int
) -> None:
    """Exit code 0 or 10, no secret in the output or in the clear in the store."""
    headers = (("Location", "/x"),) if status == 302 else (("Retry-After", "999"),) if status == 429 else ()
    server.says["/token"] = Said(json.dumps(members).encode() if status != 204 else b"", status, headers)
    result = live.run("token", "fetch", "one")
    assert result.exit_code in (0, 10), result.output
    shown = result.output + live.ok("token", "status", "-o", "json").output
    assert SECRET not in shown and ACCESS not in shown
    for path in live.store.parent.iterdir():
        data = path.read_bytes()
        assert SECRET.encode() not in data and ACCESS.encode() not in data, path


ECHOES = {
    "itself": SECRET, "a part": ACCESS[5:16], "other letters": ACCESS.upper(), "reversed": ACCESS[::-1], "letter by letter": " ".join(ACCESS),
    "percent-encoded": quote(SECRET, safe=""), "base64": b64encode(b"x" + SECRET.encode()).decode(), "base64 of URLs": urlsafe_b64encode(ACCESS.encode()).decode(),
    "hexadecimal": SECRET.encode().hex(), "inside": f"x{ACCESS}x", "the refresh token": "cnry-refresh-1",
}  # fmt: skip


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_scope_never_repeats_a_secret(live: Workspace, server: Answering, echo: str) -> None:
    """Then none but those that were asked for are kept; without, all are that can be scopes."""
    text = live.root / "connectors/all.yaml"
    text.write_text(text.read_text().replace("clientId: app,", "clientId: app, scopes: [app, read],"))
    live.ok("apply", "--yes")
    for scope, kept in (("read app write x\u202ey", "read app write"), (["read", "app", 7, "with blank", "write"], "read app write"),
                        (f"read app write {echo}", "read app"), (["read", "app", *echo.split()], "read app")):  # fmt: skip
        server.says["/token"] = Said(answer(scope=scope, refresh_token="cnry-refresh-1"))
        live.ok("token", "fetch", "one")
        (status,) = json.loads(live.ok("token", "status", "-o", "json").stdout)["tokens"]
        assert status["scope"] == kept
        with sqlite3.connect(live.store) as connection:
            assert connection.execute("SELECT scope FROM tokens").fetchall() == [(kept,)]
        connection.close()


@pytest.mark.parametrize(
    ("status", "body", "requests"),
    [
        (400, b'{"error": "invalid_grant"}', 1),
        (401, b'{"error": "invalid_grant"}', 1),
        (400, b'{"error": "invalid_request"}', 1),
        (400, b"", 1),
        (403, b"", 1),
        (500, b"", 1),
        (200, b"{}", 1),
        (401, b'{"error": "wrong password"}', 1),
        (401, b'{"error": "invalid_client"}', 2),
        (400, b'{"error": "invalid_client"}', 2),
        (401, b"", 1),
    ],
)
def test_a_wrong_password_is_sent_once(
    empty: Workspace, server: Answering, status: int, body: bytes, requests: int
) -> None:
    """A second form of the client's secret is tried only where the server says that it does not know the client."""
    server.says["/token"] = Said(body, status)
    grant = f"{{method: oauth2-password, tokenUrl: '{server.url}/token', clientId: app, clientSecret: {{env: SECRET}}, username: ada, password: {{env: PW}}}}"  # fmt: skip
    empty.env |= {"SECRET": SECRET, "PW": "wrong"}
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("one", server.url, grant))
    assert empty.run("apply", "--yes").exit_code == 10
    assert len(server.of("/token")) == requests
    authorizations = {asked.headers["authorization"] for asked in server.of("/token")}
    assert len(authorizations) == requests, "each form once"


@pytest.mark.parametrize(("status", "body", "requests"), [(401, b"", 2), (401, b'{"error": "invalid_client"}', 2), (400, b"", 1), (401, b'{"error": "x"}', 1)])  # fmt: skip
def test_without_a_user_a_plain_401_is_about_the_client(
    empty: Workspace, server: Answering, status: int, body: bytes, requests: int
) -> None:
    """Then there is no password to be tried twice."""
    server.says["/token"] = Said(body, status)
    empty.env["SECRET"] = SECRET
    empty.write(
        "connectors/all.yaml", CATEGORY + "---\n" + connector("one", server.url, client_credentials(server.url))
    )
    assert empty.run("apply", "--yes").exit_code == 10
    assert len(server.of("/token")) == requests


def test_a_password_that_many_connectors_share_is_tried_once(empty: Workspace, server: Answering) -> None:
    """Where it is refused: the others would send the same. Where it is not, each gets a token of its own."""
    grant = f"{{method: oauth2-password, tokenUrl: '{server.url}/token', username: ada, password: {{env: PW}}}}"
    other = grant.replace("ada", "grace")
    texts = [connector(f"c{number}", server.url, grant) for number in range(12)]
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, *texts, connector("d", server.url, other)]))
    empty.env["PW"] = "wrong"
    server.says["/token"] = Said(b'{"error": "invalid_grant"}', 400)
    result = empty.run("apply", "--yes")
    assert result.exit_code == 10 and "13 access tokens cannot be fetched" in result.stderr, result.output
    assert sorted(asked.body.partition(b"username=")[2][:3] for asked in server.of("/token")) == [b"ada", b"gra"]
    server.says["/token"] = Said(GOOD_TOKEN)
    empty.ok("apply", "--yes")
    assert len(server.of("/token")) == 2 + 13
    assert empty.ok("token", "status").stdout.count("valid") == 13


@pytest.mark.parametrize(
    "after",
    ["Fri, 01 Jan 2026 00:00:00 +9999999999999", "Fri, 01 Jan 0001 00:00:00 +2359", "1e999", "(" * 2000, "²", "-1"],
)
def test_a_time_to_try_again_that_is_none(live: Workspace, server: Answering, after: str) -> None:
    """A server that is away says when to come back, in years that there are not."""
    server.says["/token"] = Said(b"", 503, (("Retry-After", after.encode().decode("latin-1")),))
    result = live.run("token", "fetch", "one")
    assert result.exit_code == 10, result.output
    assert "answered 503" in result.stderr
