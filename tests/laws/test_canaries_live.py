"""The same law against real servers: tokens, calls, preflights, and everything that servers do wrong."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from conftest import CATEGORY, Workspace, clean_environment
from engines import Placed
from servers import faults
from servers.oauth import OAuthServer
from test_canaries import forms

FIELDS = ("BASIC", "BEARER", "HEADER", "PARAM", "LOGIN", "FIELD", "GATE")


class World:
    """A repository of connectors whose secrets are canaries, and where they may have gone."""

    def __init__(self, workspace: Workspace, server: OAuthServer, data, authority, temporary: Path) -> None:
        self.workspace, self.server, self.data = workspace, server, data
        self.temporary = temporary
        temporary.mkdir()
        self.canaries = {
            name: f"Q{name.lower()}7x{index}kqzv+w%b{'pmt' * 4}{index}" for index, name in enumerate(FIELDS)
        }
        self.canaries |= {
            "client secret": server.client_secret, "password": server.password, "machine secret": server.machine_secret,
            "client key": "".join(Path(authority.client.key).read_text().splitlines()[3:5]),
            "store key": "a-store-key-qzvk7x-that-is-a-canary-too-and-long",
        }  # fmt: skip
        workspace.env = {name: self.canaries[name] for name in FIELDS} | {
            "SECRET": server.client_secret, "PASSWORD": server.password, "MACHINE": server.machine_secret,
            "RECONCILER_STORE_KEY": self.canaries["store key"], "TMPDIR": str(temporary), "HOME": str(temporary),
            "XDG_STATE_HOME": str(temporary), "XDG_CACHE_HOME": str(temporary),
        }  # fmt: skip
        self.outputs: list[tuple[str, str]] = []
        tls = f"{{ca: {{file: {authority.ca}}}, clientCertificate: {{file: {authority.client.chain}}}, clientKey: {{file: {authority.client.key}}}}}"
        oauth = f"tokenUrl: '{server.token_url}', scopes: [{server.scope}]"
        basic = f"method: basic, username: {server.machine_id}, password: {{env: MACHINE}}"
        methods = {
            "basic": "{method: basic, username: {env: LOGIN}, password: {env: BASIC}}",
            "bearer": "{method: bearer, token: {env: BEARER}}",
            "password": f"{{method: oauth2-password, {oauth}, clientId: {server.client_id}, clientSecret: {{env: SECRET}}, username: {server.user}, password: {{env: PASSWORD}}}}",
            "machine": f"{{method: oauth2-client-credentials, {oauth}, clientId: {server.machine_id}, clientSecret: {{env: MACHINE}}, fields: [{{name: api_key, value: {{env: FIELD}}}}], headers: [{{name: X-Api-Key, value: {{env: GATE}}}}]}}",
            "requested": f"{{method: bearer, tokenRequest: {{url: '{server.token_url}', send: basic, {basic.partition(', ')[2]}}}}}",
        }
        text = [CATEGORY]
        for name, method in methods.items():
            text.append(f"""\
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: The {name}
  categories: [crm]
  authorization: {method}
  {f"authorizations: {{further: {methods['machine']}}}" if name == "basic" else ""}
  tls: {tls}
  endpoints:
    echo:
      method: GET
      url: {data.url}/anything
      headers: [{{name: X-Api-Key, value: {{env: HEADER}}}}]
      params: [{{name: api_key, value: {{env: PARAM}}}}]
      timeoutSeconds: 2
    post: {{method: POST, url: "{data.url}/anything", body: '{{"a": 1}}'}}
{"" if name == "bearer" else f'    resource: {{method: GET, url: "{server.resource_url}"{", authorization: further" if name == "basic" else ""}}}'}
""")
        workspace.write("connectors/all.yaml", "---\n".join(text))
        workspace.write(".gitignore", ".reconciler/\n")
        workspace.commit("first")

    def run(self, line: str, **env: str) -> int:
        """Run one command line and keep what it says."""
        result = self.workspace.run(*line.split(), env=env)
        self.outputs.append((line, result.output))
        return result.exit_code

    def run_all(self, *lines: str) -> list[int]:
        """Run command lines side by side: most of their time they wait for a server."""
        with ThreadPoolExecutor(len(lines)) as pool:
            return list(pool.map(self.run, lines))

    def tokens(self) -> dict[str, str]:
        """The access and refresh tokens that went over the wire."""
        found: dict[str, str] = {}
        for request in (*self.server.front.requests, *self.data.requests):
            header = request.header("authorization") or ""
            if header.startswith("Bearer ") and header[7:] not in self.canaries.values():
                found[f"access token {len(found)}"] = header[7:]
            for value in parse_qs(request.body.decode("latin-1")).get("refresh_token", ()):
                found[f"refresh token {len(found)}"] = value
        return found

    def check(self) -> None:
        """No canary in any output, in the store and its journal, in git's objects, or in anything left behind."""
        canaries = {**self.canaries, **self.tokens()}
        assert any(name.startswith("access") for name in canaries), "the search knows the tokens"
        wanted = {form: name for name, value in canaries.items() for form in forms(value)}
        for line, output in self.outputs:
            assert_free(output.encode("utf-8", "replace"), wanted, f"{line}: {output}")
        for root in (self.workspace.root, self.temporary):
            for path in root.rglob("*"):
                if path.is_file():
                    assert_free(path.read_bytes(), wanted, str(path))
        if isinstance(self.workspace.store, Placed) and self.workspace.store.exists():
            assert_free(self.workspace.store.read_bytes(), wanted, "the store's rows")
        objects = subprocess.run(["git", "cat-file", "--batch-all-objects", "--batch"], cwd=self.workspace.root, capture_output=True, check=True)  # fmt: skip
        assert_free(objects.stdout, wanted, "git's objects")


def assert_free(data: bytes, wanted: dict[bytes, str], where: str) -> None:
    """None of the forms is in the data."""
    for form, name in wanted.items():
        assert form not in data, f"{name} in {where}"


@pytest.fixture
def world(empty: Workspace, django_oauth: OAuthServer, front_tls, authority, tmp_path: Path) -> Iterator[World]:
    """The repository, searched at the end of each test."""
    made = World(empty, django_oauth, front_tls, authority, tmp_path / "home")
    yield made
    made.check()


ALL_WELL = [
    "validate", "plan", "plan --preflight -v", "plan --preflight -o json", "plan --preflight -o markdown", "apply --yes --preflight -v", "plan --secrets check",
    "token status", "token status -o json", "token fetch -v", "token fetch password machine requested -o json", "token renew password -v", "token renew -o json password",
    "call basic echo", "call basic echo -v -o json", "call bearer echo --dry-run", "call password echo -v", "call machine echo -o json", "call password resource --fail",
    "call requested resource --fail", "call basic resource --fail -v", "call basic post --yes -v", "call basic post", "call --all", "call --all -o json", "call nobody echo", "get -o json", "get -o yaml", "get connector/password",
    "apply --yes -o json", "apply --yes --secrets check -o json", "explain connector.spec.tls",
]  # fmt: skip


def test_when_all_goes_well(world: World) -> None:
    """Every command, every format; the echo of httpbin repeats all that it is sent."""
    for line in ALL_WELL:
        code = world.run(line)
        assert code == {"call basic post": 64, "call nobody echo": 64}.get(line, 0), world.outputs[-1]
    assert any("********" in output for line, output in world.outputs if line == "call basic echo")
    new = world.canaries["new store key"] = "the-next-store-key-qzvk8y-is-a-canary-too-and-long"
    assert world.run("store backup copy.db") == (64 if isinstance(world.workspace.store, Placed) else 0)
    assert world.run("store rotate-key -v", RECONCILER_NEW_STORE_KEY=new) == 0
    assert world.run("store rotate-key -o json", RECONCILER_NEW_STORE_KEY=new) == 0
    assert world.run("call password resource --fail", RECONCILER_STORE_KEY=new) == 0
    assert world.run("store rotate-key -v", RECONCILER_NEW_STORE_KEY=world.canaries["store key"]) == 10


def test_when_the_token_endpoint_misbehaves(world: World) -> None:
    """It repeats what it was sent, in every field, with any status; it redirects; it breaks off."""
    server = world.server
    for name in ("client secret", "password"):
        value = world.canaries[name]
        body = json.dumps(
            {"error": value, "error_description": f"no {value}", "access_token": "", value: value}
        ).encode()
        for status in ("400 Bad Request", "401 Unauthorized", f"500 {value[:10]}", "200 OK"):
            echo = {"Content-Type": "application/json", "X-Echo": value.encode("ascii", "ignore").decode()}
            server.front.play(*[faults.Answer(status, body, echo)] * 9)
            assert world.run("apply --yes -v") == 10
            server.front.clear()
    for step in (faults.redirect(f"{world.data.url}/anything"), faults.HalfThenClose(), faults.html_error("403 Forbidden"), faults.empty(), faults.too_many(3600), faults.Raw(b"nonsense")):  # fmt: skip
        server.front.play(*[step] * 60)
        codes = world.run_all("apply --yes -v", "plan --preflight", "apply --yes --preflight -o json")
        assert codes == [10, 10, 10]
        server.front.clear()
    assert not any(request.header("authorization") for request in world.data.requests), "nothing followed the redirect"
    assert world.run("apply --yes --on-error continue", SECRET="wrong-but-no-canary") == 7
    assert world.run("apply --yes") == 0
    assert world.run("call password resource") == 0


def test_when_the_data_source_misbehaves(world: World) -> None:
    """Whatever it answers, or does not."""
    assert world.run("apply --yes") == 0
    assert world.run("call password resource") == 0
    for name, own in (("basic", ("LOGIN", "BASIC", "HEADER", "PARAM")), ("bearer", ("BEARER", "HEADER", "PARAM"))):
        echo = "\n".join(world.canaries[key] for key in own).encode()
        echoing = [faults.Answer("401 Unauthorized", echo), faults.Answer("500 Oops", echo, {"Content-Type": "application/octet-stream"}), faults.Raw(echo)]  # fmt: skip
        silent = [
            faults.HalfThenClose(), faults.Reset(), faults.redirect("http://127.0.0.1:1/"), faults.redirect(f"{world.server.front.url}/resource/"),
            faults.too_many(1), faults.Delay(4),
        ]  # fmt: skip
        for step in (*echoing, *(silent if name == "basic" else ())):
            world.data.play(*[step] * 4)
            world.run_all(f"call {name} echo -v", f"call {name} echo -o json --fail")
            world.data.clear()
    world.data.play(*[faults.Reset()] * 20)
    assert world.run("call --all") == 10
    world.data.clear()
    world.server.front.clear()
    assert world.run("call password resource") == 0


def test_when_this_side_misbehaves(world: World, closed_port: int, tmp_path: Path) -> None:
    """Wrong keys, no secrets, a damaged store, a crash, Ctrl-C."""
    assert world.run("apply --yes") == 0
    assert world.run("call password resource") == 0
    assert world.run("call basic echo", RECONCILER_STORE_KEY="another-key-of-more-than-thirty-two-characters") == 10
    assert (
        world.run("token renew password", RECONCILER_STORE_KEY="another-key-of-more-than-thirty-two-characters") == 10
    )
    assert (
        world.run(
            "call basic echo",
            HTTPS_PROXY=f"http://user:{world.canaries['BASIC'].replace('%', '')}@127.0.0.1:{closed_port}",
        )
        == 10
    )
    assert world.run("plan --secrets check", BASIC="") == 10
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import reconciler.net.client as s\ndef boom(self, *a, **k): raise RuntimeError(repr(a) + repr(k)[:40])\ns.Sender.send = boom\n"
    )
    world.workspace.env["PYTHONPATH"] = str(site)
    (site / "sitecustomize.py").write_text(
        "import reconciler.tokens.client as r\ndef boom(self, grant, trust, refresh=None): raise RuntimeError(f'{grant!r} {trust!r} {refresh!r}')\nr.TokenClient.fetch = r.TokenClient.renew = boom\n"
    )
    assert world.run("token fetch password") == 1
    log = Path(re.search(r"details are in (\S+)", world.outputs[-1][1])[1])
    assert "RuntimeError\n" in log.read_text()
    del world.workspace.env["PYTHONPATH"]
    world.server.front.play(faults.Delay(20))
    before = len(world.server.token_requests)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "token", "fetch", "password"], cwd=world.workspace.root,
        env=clean_environment(world.workspace.env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while len(world.server.token_requests) == before and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    world.outputs.append(("interrupted", process.communicate(timeout=20)[0]))
    world.server.front.clear()
    store = world.workspace.store
    if isinstance(store, Placed):
        store.sql("DROP TABLE tokens CASCADE")
    else:
        store.write_bytes(store.read_bytes()[:3000])
    assert world.run("call password resource") == 10
    if isinstance(store, Placed):
        store.put_back()
    else:
        (world.workspace.root / ".reconciler").rename(world.temporary / "damaged")
    assert world.run("apply --yes") == 0
    assert world.run("call password resource") == 0


def test_the_search_finds_what_is_planted(world: World) -> None:
    """In an output, in a file, in the store: a test that cannot fail is a defect."""
    assert world.run("apply --yes") == 0
    assert world.run("call password resource") == 0
    world.check()
    token = next(iter(world.tokens().values()))
    world.outputs.append(("planted", f"...{token}..."))
    with pytest.raises(AssertionError, match="access token"):
        world.check()
    world.outputs.pop()
    leak = world.workspace.root / "leak"
    leak.write_text(world.canaries["BEARER"])
    with pytest.raises(AssertionError, match="BEARER"):
        world.check()
    leak.unlink()
