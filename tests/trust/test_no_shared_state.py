"""Nothing that a server says to one connector, and nothing that one connector sends, gets into another's request."""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest
from answering import CATEGORY, GOOD_TOKEN, Answering, Said, answering, connector
from conftest import Workspace

STICKY = (
    ("Set-Cookie", "session=cnry-cookie; Path=/"),
    ("Set-Cookie", "other=cnry-cookie; Path=/; HttpOnly; Max-Age=9999"),
    ("WWW-Authenticate", 'Basic realm="x"'),
    ("Alt-Svc", 'h2="127.0.0.1:9"; ma=9999'),
    ("Strict-Transport-Security", "max-age=9999"),
    ("Authentication-Info", "nextnonce=cnry-cookie"),
)
MANY = 12


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        yield found


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def many_users(empty: Workspace, server: Answering) -> Workspace:
    """A connector for each user of one server: those of even numbers fetch tokens, the others send Basic."""
    texts = [CATEGORY]
    for number in range(MANY):
        method = f"oauth2-password, tokenUrl: '{server.url}/token', clientId: app" if number % 2 == 0 else "basic"
        grant = f"{{method: {method}, username: user-{number}, password: {{env: PW{number}}}}}"
        url = f"    get: {{method: GET, url: '{server.url}/data?of={number}'}}\n"
        texts.append(connector(f"c{number}", server.url, grant, url))
        empty.env[f"PW{number}"] = f"pw-{number}"
    empty.write("connectors/all.yaml", "---\n".join(texts))
    return empty


def test_cookies_and_challenges_of_one_user_reach_no_other(empty: Workspace, server: Answering) -> None:
    """Many users on one host, which tries to make each client remember something."""
    server.says["/token"] = Said(GOOD_TOKEN, headers=STICKY)
    server.says["/data"] = Said(headers=STICKY)
    live = many_users(empty, server)
    live.ok("apply", "--yes")
    live.ok("call", "--all")
    live.ok("call", "c1", "get")
    assert len(server.of("/token")) == MANY // 2 and len(server.of("/data")) == MANY + 1
    for asked in server.asked:
        assert not {"cookie", "alt-used", "upgrade"} & asked.headers.keys()
    for asked in server.of("/data"):
        number = int(asked.path.partition("=")[2])
        own = "Bearer cnry-access" if number % 2 == 0 else basic(f"user-{number}", f"pw-{number}")
        assert asked.headers["authorization"] == own
    for asked in server.of("/token"):
        assert "authorization" not in asked.headers


def test_a_cookie_of_a_redirect_is_not_kept(empty: Workspace, server: Answering) -> None:
    """Nor one of a refusal, when the request is sent again."""
    server.says["/data"] = Said(status=302, headers=(*STICKY, ("Location", "/moved")))
    empty.env["PW"] = "pw-1"
    grant = "{method: basic, username: ada, password: {env: PW}}"
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("one", server.url, grant))
    empty.ok("apply", "--yes")
    empty.ok("call", "one", "get")
    (moved,) = server.of("/moved")
    assert "cookie" not in moved.headers and moved.headers["authorization"] == basic("ada", "pw-1")


def test_a_netrc_of_whoever_runs_it_is_never_read(empty: Workspace, server: Answering) -> None:
    """Not for calls, tokens or imports, not even where the server asks for it."""
    home = empty.root.parent / "home"
    home.mkdir()
    for name in (".netrc", "_netrc"):
        (home / name).write_text(
            "default login ada password cnry-netrc\nmachine 127.0.0.1 login ada password cnry-netrc\n"
        )
        (home / name).chmod(0o600)
    server.says["/data"] = Said(status=401, headers=STICKY)
    server.says["/token"] = Said(GOOD_TOKEN)
    empty.env |= {"HOME": str(home), "NETRC": str(home / ".netrc"), "PW": "pw"}
    grant = f"{{method: bearer, tokenRequest: {{url: '{server.url}/token', username: u, password: {{env: PW}}}}}}"
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, connector("one", server.url, "{method: none}"), connector("two", server.url, grant)]))  # fmt: skip
    empty.ok("apply", "--yes")
    empty.run("call", "--all")
    empty.run("import", "openapi", f"{server.url}/data", "--out", "-")
    assert len(server.of("/data")) == 4 and len(server.of("/token")) == 2  # a refused token is fetched once more
    for asked in server.asked:
        assert asked.headers.get("authorization", "Bearer cnry-access") == "Bearer cnry-access"


def test_connections_are_not_shared_between_ways_of_trust(empty: Workspace, authority) -> None:
    """A connection that one connector made without verifying is not used for another, which verifies."""
    with answering(tls=authority.good.server_context()) as server:
        texts = [CATEGORY]
        for number in range(MANY):
            off = "" if number % 2 else "  tls: {verify: false, reason: a test}\n"
            url = f"    get: {{method: GET, url: '{server.url}/{number}'}}\n    more: {{method: GET, url: '{server.url}/{number}'}}\n"
            texts.append(connector(f"c{number}", "", "{method: none}", url, off))
        empty.write("connectors/all.yaml", "---\n".join(texts))
        empty.ok("apply", "--yes")
        checks = json.loads(empty.run("call", "--all", "-o", "json").stdout)["checks"]
        assert len(checks) == 2 * MANY
        for check in checks:
            assert (check["verdict"] == "ok") == (int(check["connector"][1:]) % 2 == 0), check
        assert {int(asked.path[1:]) % 2 for asked in server.asked} == {0}
        assert len({asked.connection for asked in server.asked}) < len(server.asked), "connections are used again"


def test_credentials_in_the_url_of_an_import_stay_with_its_origin(empty: Workspace, server: Answering) -> None:
    """They go along within the host, and nowhere else."""
    with answering() as other:
        server.says["/one"] = Said(status=302, headers=(("Location", "/two"),))
        server.says["/two"] = Said(status=302, headers=(("Location", f"{other.url}/three"), *STICKY))
        url = server.url.replace("://", "://ada:cnry-pw@")
        result = empty.run("import", "openapi", f"{url}/one", "--out", "-")
        assert "cnry-pw" not in result.output
        assert [one.headers.get("authorization") for one in server.asked] == [basic("ada", "cnry-pw")] * 2
        (three,) = other.asked
        assert not {"authorization", "cookie"} & three.headers.keys()
        server.says["/one"] = Said(status=302, headers=(("Location", f"http://eve:x@127.0.0.1:{other.url[-5:]}/"),))
        assert empty.run("import", "openapi", f"{url}/one", "--out", "-").exit_code == 10
        assert len(other.asked) == 1
