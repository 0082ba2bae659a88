"""Which certificates pass, for calls, preflights and token requests; and what the environment may change."""

import json
import subprocess
from pathlib import Path

import pytest
from conftest import Workspace
from programs import needs
from servers.oauth import OAuthServer

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Customer data}\n"
SERVERS = ("good", "expired", "wrong-host", "unknown-ca", "client-certificate")
CLIENTS = ("public", "ca", "off", "certificate")
REASONS = {
    "expired": "its certificate has expired",
    "wrong-host": "its certificate is for another host",
    "unknown-ca": "its certificate is not from a trusted authority",
    "client-certificate": "it demands a client certificate",
    "public": "its certificate is not from a trusted authority",
}
PASSES = {
    ("good", "ca"), ("good", "off"), ("good", "certificate"),
    ("expired", "off"), ("wrong-host", "off"), ("unknown-ca", "off"),
    ("client-certificate", "certificate"),
}  # fmt: skip


def tls(client: str, authority) -> str:
    """The tls block of a client."""
    ca = f"ca: {{file: {authority.ca}}}"
    return {
        "public": "{verify: true}",
        "ca": f"{{{ca}}}",
        "off": "{verify: false, reason: the matrix}",
        "certificate": f"{{{ca}, clientCertificate: {{file: {authority.client.chain}}}, clientKey: {{file: {authority.client.key}}}}}",
    }[client]


def connector(name: str, url: str, tls_block: str, authorization: str = "{method: none}") -> str:
    """A connector with one endpoint."""
    return f"""\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: {name}
  categories: [crm]
  authorization: {authorization}
  tls: {tls_block}
  endpoints:
    get: {{method: GET, url: "{url}"}}
"""


def reason(server: str, client: str) -> str:
    """Why this pair fails: who signed is looked at first."""
    return REASONS["public" if client == "public" else server]


def test_the_matrix(empty: Workspace, httpbin_tls, httpbin_bad_tls, authority) -> None:
    """Five servers, four clients: what passes, and in which words the rest fails; call and preflight agree."""
    urls = {
        "good": httpbin_tls.url,
        "expired": httpbin_bad_tls.expired.url,
        "wrong-host": httpbin_bad_tls.wrong_host.url,
        "unknown-ca": httpbin_bad_tls.unknown_ca.url,
        "client-certificate": httpbin_bad_tls.client_certificate.url,
    }
    documents = [
        connector(f"{server}-{client}", f"{urls[server]}/get", tls(client, authority))
        for server in SERVERS
        for client in CLIENTS
    ]
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, *documents]))
    planned = json.loads(empty.run("plan", "--preflight", "-o", "json").stdout)["preflight"]
    empty.ok("apply", "--yes")
    result = empty.run("call", "--all", "-o", "json")
    assert result.exit_code == 10
    called = {item["connector"]: item for item in json.loads(result.stdout)["checks"]}
    tried = {item["address"].removeprefix("connector/"): item for item in planned}
    assert len(called) == len(tried) == 20
    for server in SERVERS:
        for client in CLIENTS:
            name, passes = f"{server}-{client}", (server, client) in PASSES
            assert (called[name]["verdict"] == "ok") == passes, called[name]
            assert tried[name]["passed"] == passes, tried[name]
            if not passes:
                words = reason(server, client)
                assert words in called[name]["reason"], called[name]
                assert words in tried[name]["checks"][-1]["message"], tried[name]


@pytest.mark.parametrize(
    ("certificate", "client", "passes"),
    [
        ("good", "public", False), ("good", "ca", True), ("good", "off", True),
        ("expired", "ca", False), ("expired", "off", True),
        ("wrong_host", "ca", False), ("unknown_ca", "ca", False), ("unknown_ca", "off", True),
    ],
)  # fmt: skip
def test_token_requests_verify_alike(
    empty: Workspace, nanoidp: OAuthServer, authority, make_front, certificate: str, client: str, passes: bool
) -> None:
    """By default on; the credentials are not sent to a server whose certificate does not pass."""
    direct = nanoidp.direct_token_url
    front = make_front(
        direct.rsplit("/", direct.count("/") - 2)[0],
        tls=getattr(authority, certificate).server_context(),
        upstream_tls=authority.trusting(),
    )
    path = direct.split("/", 3)[3]
    grant = f"{{method: oauth2-client-credentials, tokenUrl: '{front.url}/{path}', clientId: {nanoidp.machine_id}, clientSecret: {{env: SECRET}}}}"
    empty.env["SECRET"] = nanoidp.machine_secret
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("one", front.url, tls(client, authority), grant))
    result = empty.run("apply", "--yes")
    assert result.exit_code == (0 if passes else 10), result.output
    assert len(front.requests) == (1 if passes else 0)
    if client == "off":
        assert "TLS verification is off: the matrix" in result.stdout


@pytest.fixture
def place(empty: Workspace, httpbin_tls) -> Workspace:
    """One connector of a server whose certificate no public authority signed."""
    empty.write(
        "connectors/all.yaml", CATEGORY + "---\n" + connector("one", f"{httpbin_tls.url}/get", "{verify: true}")
    )
    empty.ok("apply", "--yes")
    return empty


def test_tls_variables(place: Workspace, authority, tmp_path: Path) -> None:
    """SSL_CERT_FILE and SSL_CERT_DIR name authorities; those of other programs do not; tls.ca wins over all."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(Path(authority.ca).read_bytes())
    subprocess.run([needs("openssl"), "rehash", folder], check=True)
    call = ("call", "one", "get", "--fail")
    assert place.run(*call).exit_code == 10
    assert place.run(*call, env={"SSL_CERT_FILE": str(authority.ca)}).exit_code == 0
    assert place.run(*call, env={"SSL_CERT_DIR": str(folder)}).exit_code == 0
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"):
        assert place.run(*call, env={name: str(authority.ca)}).exit_code == 10, name
    broken = place.run(*call, env={"SSL_CERT_FILE": str(tmp_path / "nowhere.pem")})
    assert broken.exit_code == 10 and f"SSL_CERT_FILE={tmp_path}/nowhere.pem" in broken.stderr, broken.output
    place.edit("connectors/all.yaml", "{verify: true}", f"{{ca: {{file: {authority.other_ca}}}}}")
    place.ok("apply", "--yes")
    assert place.run(*call, env={"SSL_CERT_FILE": str(authority.ca)}).exit_code == 10


def test_proxy_variables(place: Workspace, httpbin, front, closed_port: int, httpbin_tls) -> None:
    """HTTPS_PROXY, HTTP_PROXY and ALL_PROXY are used, unless NO_PROXY names the host."""
    http = connector("two", f"{httpbin.url}/get", "{verify: true}").replace("---\n", "")
    place.write("connectors/two.yaml", http)
    place.ok("apply", "--yes")
    dead = f"http://127.0.0.1:{closed_port}"
    for names, name in ((("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "two"), (("HTTPS_PROXY", "ALL_PROXY"), "one")):
        for variable in names:
            result = place.run("call", name, "get", "--fail", env={variable: dead})
            assert result.exit_code == 10 and f"the proxy 127.0.0.1:{closed_port} cannot be reached" in result.stderr, (
                variable,
                result.output,
            )
    assert place.run("call", "two", "get", "--fail", env={"HTTP_PROXY": dead, "NO_PROXY": "127.0.0.1"}).exit_code == 0
    assert place.run("call", "two", "get", "--fail", env={"HTTPS_PROXY": dead}).exit_code == 0
    through = place.run("call", "two", "get", "--fail", env={"HTTP_PROXY": front.url})
    assert through.exit_code == 0 and len(front.requests) == 1, through.output
