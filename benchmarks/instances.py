"""A ProcessMaker instance as live store, simulated, against a bare client that sends the same requests."""

import atexit
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from measuring import Command
from workbench import HERE, Sides, Workbench

SIMULATOR = HERE.parent / "examples" / "processmaker" / "simulator"
IN_FLIGHT = 4
CATEGORIES = 14
_ONE = "1 to update"
_HEAD = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}{labels}}}\nspec:\n"
_VERBS = (("list", "GET"), ("read", "GET"), ("create", "POST"), ("update", "PUT"), ("remove", "DELETE"))


class Instance:
    """A simulator, which ends with this process.

    Attributes:
        url: of the API, the same after each start.
        token: of its administrator.
    """

    def __init__(self, python: str, latency: float) -> None:
        """Start it with nothing in it; each answer takes `latency` seconds more."""
        self._argv = (python, str(SIMULATOR), "--switch", f"latency={latency}")
        self._server: subprocess.Popen[str] | None = None
        self._port = "0"
        self.start()
        self._port = self.url.removesuffix("/api/1.0").rpartition(":")[2]
        atexit.register(self._end)

    def start(self) -> None:
        """Begin anew, where it was."""
        self._end()
        self._server = subprocess.Popen((*self._argv, "--port", self._port), stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        said = json.loads(self._server.stdout.readline())
        self.url: str = said["url"]
        self.token: str = said["tokens"]["admin"]["token"]

    def counted(self) -> int:
        """How many requests came since this was asked last."""
        number = len(json.loads(self._ask("GET", "/__requests")))
        self._ask("DELETE", "/__requests")
        return number

    def _ask(self, verb: str, path: str) -> bytes:
        with urlopen(Request(f"{self.url.removesuffix('/api/1.0')}{path}", method=verb)) as answer:
            found: bytes = answer.read()
        return found

    def _end(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()


def repository(bench: Workbench, n: int, live: Instance) -> Path:
    """Definitions of `n` connectors of some 2 KB that an instance can hold, and the instance as target."""
    root = bench.out / f"instance-{n}"
    shutil.rmtree(root, ignore_errors=True)
    (root / "connectors").mkdir(parents=True)
    names = [f"category-{index}" for index in range(CATEGORIES)]
    parts = (_HEAD.format(kind="Category", name=name, labels="") + f"  displayName: {name}\n" for name in names)
    (root / "connectors/categories.yaml").write_text("---\n".join(parts))
    for index in range(n):
        (root / f"connectors/c-{index:05}.yaml").write_text(connector(index, names[index % CATEGORIES]))
    tell(root, live)
    (root / ".gitignore").write_text(".env\n.reconciler/\n")
    (root / "reconciler.yaml").write_text(
        f"apiVersion: reconciler/v1\nkind: Project\nowner: bench/instance\ntargets:\n  test:\n"
        f"    store: processmaker+{live.url.removesuffix('/api/1.0')}\n    token: {{env: TOKEN}}\n"
        f"    state: sqlite:.reconciler/test.db\n    processmaker: {{inFlight: {IN_FLIGHT}}}\n"
    )
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "all")):
        bench.call("git", "-C", str(root), *words)
    return root


def tell(root: Path, live: Instance) -> None:
    """Write down where the instance is, and its token."""
    (root / ".env").write_text(f"SECRET=made-up\nTOKEN={live.token}\nURL={live.url}\n")


def connector(index: int, category: str) -> str:
    """One with five endpoints."""
    lines = [
        _HEAD.format(kind="Connector", name=f"c-{index:05}", labels=", labels: {team: sales}"),
        f"  displayName: Connector {index}\n  description: What connector {index} is for\n  categories: [{category}]\n",
        "  authorization: {method: basic, username: svc, password: {env: SECRET}}\n  endpoints:\n",
    ]
    for purpose, verb in _VERBS:
        lines.append(
            f"    {purpose}:\n      method: {verb}\n      url: https://crm-{index}.example.com/{purpose}/{{{{id}}}}\n"
            "      params:\n"
            '        - {name: page, value: "{{page}}", required: true}\n        - {name: limit, value: "100"}\n'
            "      headers: [{name: Accept, value: application/json}]\n"
        )
    return "".join(lines)


def connector_fields(index: int, category: int) -> dict[str, Any]:
    """The same as it is posted."""
    endpoints = {
        purpose: {
            "purpose": purpose,
            "method": verb,
            "url": f"https://crm-{index}.example.com/{purpose}/{{{{id}}}}",
            "params": [{"key": "page", "value": "{{page}}", "required": True}, {"key": "limit", "value": "100"}],
            "headers": [{"key": "Accept", "value": "application/json"}],
        }
        for purpose, verb in _VERBS
    }
    return {
        "name": f"Connector {index}",
        "description": f"What connector {index} is for",
        "authtype": "BASIC",
        "status": "ACTIVE",
        "credentials": {"username": "svc", "password": "made-up"},
        "data_source_category_id": str(category),
        "endpoints": endpoints,
    }


def plan_against_fetching(bench: Workbench, n: int, *, unchanged: bool) -> Sides:
    """A plan of one change, against just fetching the pages of the lists.

    Args:
        unchanged: whether the pages are as the plan before has seen them.
    """
    live = Instance(bench.python, 0.0)
    root = repository(bench, n, live)
    bench.call(*bench.ours(root, "apply", "--yes", "--quiet").argv)
    changed = root / "connectors/c-00007.yaml"
    changed.write_text(changed.read_text().replace("What connector", "All that connector"))
    bench.call(*bench.ours(root, "plan").argv)
    forget = partial(shutil.rmtree, Path(bench.environment["XDG_CACHE_HOME"]) / "reconciler/processmaker", True)
    ours = bench.ours(root, "plan", says=_ONE, prepare=_fresh(live, (lambda: None) if unchanged else forget))
    other = bench.script("bare_client.py", str(root), "-", "fetch", prepare=_fresh(live))
    return _counting(ours, live), _counting(other, live)


def apply_against_posting(bench: Workbench, n: int, latency: float) -> Sides:
    """A first apply over an API that takes its time, against just posting as much with as many in flight."""
    live = Instance(bench.python, latency)
    root = repository(bench, n, live)

    def forget() -> None:
        bench.forget(root)
        live.start()
        tell(root, live)

    ours = bench.ours(root, "apply", "--yes", "--quiet", prepare=_fresh(live, forget))
    words = (str(root), "-", "post", str(n), str(IN_FLIGHT))
    return _counting(ours, live), _counting(bench.script("bare_client.py", *words, prepare=_fresh(live, forget)), live)


def _fresh(live: Instance, do: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """Do something, and count requests from then on."""

    def prepare() -> None:
        do()
        live.counted()

    return prepare


def _counting(command: Command, live: Instance) -> Command:
    return replace(command, requests=live.counted)
