"""What the tests share: the command line as a user starts it, and repositories to run it in."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import engines
import pytest
from hypothesis import settings
from programs import to_install
from starting import Starter

# CI draws the same examples each time, so that it fails for the change at hand alone; everybody else draws new ones.
# No example has a deadline: the machine may be busy with something else.
settings.register_profile("ours", derandomize=bool(os.environ.get("CI")), deadline=None)
settings.load_profile("ours")

# A shell that starts the tests in the background, or nohup, has them ignore these, and so would all that they start.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

pytest_plugins = ["servers.fixtures"]

KEY = "a key for the tests, of more than thirty-two characters"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the transcripts of tests/cases")
    parser.addoption("--real-starts", action="store_true", help="start every command line anew: see tests/starting.py")
    chosen = os.environ.get("RECONCILER_TEST_STORE", engines.SQLITE)
    names = [engines.SQLITE, engines.POSTGRESQL]
    parser.addoption("--store", choices=names, default=chosen, help="where the stores are: see tests/engines.py")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--real-starts"):
        Starter.fits = lambda self, environment: False


def pytest_unconfigure() -> None:
    shutil.rmtree(clean_environment()["XDG_CACHE_HOME"], ignore_errors=True)
    if starter.cache_info().currsize:
        starter().close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = (report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    if line := to_install(skipped):
        terminalreporter.write_line(line, yellow=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked, file = (metafunc.definition.get_closest_marker(name) for name in ("both_stores", "store_file"))
    if marked and not file and metafunc.config.getoption("--store") == engines.SQLITE:
        metafunc.parametrize("engine", [engines.SQLITE, engines.POSTGRESQL], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--store") != engines.SQLITE:
        others = [item for item in items if item.get_closest_marker("store_file")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def _engine(_postgresql: Callable) -> engines.Engine:
    return engines.Engine(_postgresql("newest"))


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the test's stores are on, "sqlite" or "postgresql": see engines.py."""
    there = request.node.get_closest_marker("on_postgresql")
    name = engines.POSTGRESQL if there else getattr(request, "param", request.config.getoption("--store"))
    if name == engines.SQLITE:
        yield name
    else:
        with engines.running_on(request.getfixturevalue("_engine")):
            yield name


@dataclass(frozen=True)
class Result:
    """What one command line did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr


def timeless(text: str) -> str:
    """An answer without how long ago things were, and without who changed them, which a file cannot say."""
    text = text.replace(", by postgres (tests at 127.0.0.1)", "")
    return re.sub(r"just now|\d+ (s|min|h|days?)( \d+ (s|min|h))? ago", "AGO", text)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without settings of the machine that the program could react to."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "SYSTEMROOT")
        if name in os.environ
    }
    fixed = {
        "LC_ALL": "C.UTF-8",
        "RECONCILER_STORE_KEY": KEY,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
        "USER": "ada",
        "XDG_CACHE_HOME": f"{tempfile.gettempdir()}/reconciler-tests-{os.getpid()}",
    }  # fmt: skip
    return {**kept, **fixed, **engines.environment(), **(extra or {})}


def run_command(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60
) -> Result:
    """Run the program as a process of its own and wait for it; how: see starting.py."""
    command = [str(argument) for argument in arguments]
    environment = clean_environment(env)
    if starter().fits(environment):
        done = starter().run(command, cwd, environment, stdin, timeout)
    else:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *command],
            cwd=cwd,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
    assert "Traceback" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


@cache
def starter() -> Starter:
    """One for all tests of this worker."""
    return Starter(clean_environment())


CATEGORY = """\
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
"""

CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts
  labels: {team: sales}
spec:
  displayName: Sales team's contacts
  description: Contacts of the CRM.
  categories: [crm]
  authorization:
    method: basic
    username: svc
    password: {env: CRM_PASSWORD}
  endpoints:
    list:
      method: GET
      url: https://crm.example.com/contacts/{{account}}
      params: [{name: page, value: "1"}]
"""

POLICY = """\
apiVersion: reconciler/v1
kind: Group
metadata: {name: integrators}
spec:
  displayName: Integration team
  members: {mode: authoritative, users: [ada, grace]}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: integration-team}
spec:
  subjects: [{group: integrators}]
  grants:
    - permissions: [connectors:view, connectors:edit]
"""


class Workspace:
    """A configuration repository in a directory of its own, and the program run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env: dict[str, str] = {"CRM_PASSWORD": "a-password-for-the-tests", **engines.environment()}

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the repository."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path == engines.PROJECT and isinstance(text, str):
            text = engines.project(self.root, text)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return target

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in the file."""
        text = (self.root / path).read_text("utf-8")
        assert old in text, f"{old!r} is not in {path}"
        (self.root / path).write_text(text.replace(old, new), "utf-8")

    def run(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60
    ) -> Result:
        """Run one command line in the repository."""
        arguments = tuple(engines.argument(self.root, str(argument)) for argument in arguments)
        return run_command(*arguments, cwd=self.root, env={**self.env, **(env or {})}, stdin=stdin, timeout=timeout)

    def ok(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
        """Run one command line that must succeed."""
        result = self.run(*arguments, env=env)
        assert result.exit_code == 0, result.output
        return result

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=clean_environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str = "change") -> str:
        """Commit everything; returns the commit's id."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def store(self) -> Path | engines.Placed:
        """The store's file, or what is in its place."""
        return engines.store_of(self.root)


def copy_of(workspace: Workspace, name: str, fill: Callable[[Workspace], None]) -> Workspace:
    """The workspace as `fill` makes it from nothing: the first time it is made, and from then on it is copied.

    Args:
        name: of what is made; tests that share it give the same.
    """
    if engines.current():  # a schema is not copied as a file is
        shutil.rmtree(workspace.root, ignore_errors=True)
        for name in ("connectors", "policies"):
            (workspace.root / name).mkdir(parents=True)
        engines.settle(workspace.root)
        fill(workspace)
        return workspace
    template = workspace.root.parent.parent / name / workspace.root.name
    if not template.exists():
        making = template.parent / "making" / template.name
        (making / "connectors").mkdir(parents=True)
        (making / "policies").mkdir()
        fill(Workspace(making))
        making.rename(template)
    shutil.rmtree(workspace.root, ignore_errors=True)
    shutil.copytree(template, workspace.root, symlinks=True)
    return workspace


@pytest.fixture
def empty(tmp_path: Path, engine: str) -> Workspace:
    """A repository without definitions."""
    root = tmp_path / "repo"
    (root / "connectors").mkdir(parents=True)
    (root / "policies").mkdir()
    engines.settle(root)
    return Workspace(root)


@pytest.fixture
def workspace(empty: Workspace) -> Workspace:
    """A small repository with one resource of each kind."""
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    empty.write("policies/team.yaml", POLICY)
    return empty


@pytest.fixture
def make_workspace(tmp_path: Path, engine: str) -> Callable[[str], Workspace]:
    """Makes further, empty repositories."""

    def make(name: str) -> Workspace:
        root = tmp_path / name
        (root / "connectors").mkdir(parents=True)
        engines.settle(root)
        return Workspace(root)

    return make
