"""What starting up, fetching tokens and calling endpoints are set against."""

import atexit
import shutil
import subprocess
from pathlib import Path

from measuring import Command
from workbench import HERE, Sides, Workbench


def start_up(bench: Workbench, option: str) -> Sides:
    """A command that does nothing, against Python itself."""
    return Command(f"reconciler {option}", (*bench.reconciler, option), cwd=HERE.parent), bench.bare_python()


def slow_server(bench: Workbench, seconds: float) -> int:
    """Start a server that answers after `seconds`; it ends with this process. Returns its port."""
    argv = (bench.python, str(HERE / "slow_server.py"), str(seconds))
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    atexit.register(server.kill)
    assert server.stdout is not None
    return int(server.stdout.readline())


def with_connectors(bench: Workbench, name: str, port: int, count: int) -> Path:
    """A repository, applied, with connectors of a server on loopback that want access tokens."""
    root = bench.out / name
    shutil.rmtree(root, ignore_errors=True)
    (root / "connectors").mkdir(parents=True)
    head = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    parts = [head.format(kind="Category", name="crm") + "spec: {displayName: CRM}\n"]
    for index in range(count):
        parts.append(
            head.format(kind="Connector", name=f"c{index:03}")
            + f"""spec:
  displayName: Connector {index}
  categories: [crm]
  authorization:
    method: oauth2-client-credentials
    tokenUrl: http://127.0.0.1:{port}/token
    clientId: client-{index}
    clientSecret: {{env: SECRET}}
  endpoints:
    get: {{method: GET, url: "http://127.0.0.1:{port}/contacts"}}
"""
        )
    (root / "connectors/all.yaml").write_text("---\n".join(parts))
    (root / ".env").write_text("SECRET=made-up\n")
    bench.call(*bench.ours(root, "apply", "--yes", "--tokens", "demand", "--quiet").argv)
    return root


def fetch_tokens(bench: Workbench, count: int, seconds: float, parallelism: int) -> Sides:
    """Fetching tokens from a server that takes its time, against just waiting as long as that must take."""
    root = with_connectors(bench, "tokens", slow_server(bench, seconds), count)
    names = [f"c{index:03}" for index in range(count)]
    ours = bench.ours(root, "token", "fetch", "--parallelism", str(parallelism), *names)
    return ours, bench.waiting(seconds * count / parallelism)


def call_against_httpx(bench: Workbench) -> Sides:
    """Calling an endpoint, against the same request by httpx alone."""
    port = slow_server(bench, 0)
    root = with_connectors(bench, "call", port, 1)
    bench.call(*bench.ours(root, "token", "fetch", "--quiet").argv)
    program = (
        "import httpx; answer = httpx.get('http://127.0.0.1:%d/contacts', headers={'Authorization': 'Bearer made-up'});"
        " print(answer.status_code, answer.headers, answer.text)" % port
    )
    return bench.ours(root, "call", "c000", "get"), Command("httpx.get", (bench.python, "-c", program))
