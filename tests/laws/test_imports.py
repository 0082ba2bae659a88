"""What a command does not need it does not load: loading takes most of the time of a short run."""

import subprocess
import sys

import engines
import pytest
from conftest import CATEGORY, Workspace, clean_environment

NEVER_FOR_PLANS = {
    "httpx",
    "cryptography",
    "git",
    "pydantic",
    "jsonschema",
    "ruamel",
    "oauthlib",
    "dotenv",
    "chevron_blue",
}

FORBIDDEN = {
    "validate": {*NEVER_FOR_PLANS, "sqlite3"},
    "validate --changed-since HEAD": {*NEVER_FOR_PLANS, "sqlite3"},
    "plan": {*NEVER_FOR_PLANS, "jsonschema_rs", "yaml_rs"},
    "plan --ref HEAD": {*NEVER_FOR_PLANS, "jsonschema_rs", "yaml_rs"},
    "drift": {*NEVER_FOR_PLANS, "jsonschema_rs", "yaml_rs"},
    "plan --full": NEVER_FOR_PLANS,
    "apply --yes": NEVER_FOR_PLANS - {"httpx", "oauthlib"},
    "get": {*NEVER_FOR_PLANS, "jsonschema_rs", "yaml_rs"},
    "history": {*NEVER_FOR_PLANS, "jsonschema_rs"},
    "schema connector": {*NEVER_FOR_PLANS, "sqlite3", "yaml_rs", "jsonschema_rs"},
}


_START = "import sys; from reconciler.__main__ import main; sys.exit(main())"


def loaded(workspace: Workspace, command: str) -> set[str]:
    """The packages that a command loads, beyond what Python loads to start."""
    argv = [sys.executable, "-X", "importtime", "-c", _START, *command.split()]
    environment = clean_environment({**workspace.env, "XDG_CACHE_HOME": str(workspace.root.parent / "cache")})
    done = subprocess.run(argv, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    after = names[names.index("site") + 1 :]
    return {name.split(".")[0] for name in after} - {"collections"}


def for_postgresql() -> set[str]:
    """What psycopg loads, and what reads the project file that names the server, where the store is there."""
    return {"asyncio", "logging", "tempfile", "jsonschema_rs", "yaml_rs"} if engines.current() else set()


@pytest.fixture
def applied(empty: Workspace) -> Workspace:
    """A repository that is applied and was planned."""
    empty.write("connectors/crm.yaml", CATEGORY)
    empty.commit()
    cache = {"XDG_CACHE_HOME": str(empty.root.parent / "cache")}
    for command in ("apply", "plan"):
        assert empty.run(command, *(["--yes"] if command == "apply" else []), env=cache).exit_code == 0
    return empty


def test_the_version_needs_nothing(applied: Workspace) -> None:
    """Scripts ask for it often."""
    assert {name for name in loaded(applied, "--version") if not name.startswith("_")} <= {"reconciler"}


NEVER_FOR_ONE_CHANGE = {
    *NEVER_FOR_PLANS,
    "tempfile",
    "logging",
    "asyncio",
}


@pytest.mark.parametrize("command", ["plan", "plan --ref HEAD", "plan -v -o json"])
def test_a_plan_of_one_change(applied: Workspace, command: str) -> None:
    """Does without what takes as long as itself."""
    applied.write("connectors/crm.yaml", CATEGORY.replace("displayName: ", "displayName: New "))
    applied.commit()
    assert "1 to update" in applied.ok("plan").stdout
    assert sorted(loaded(applied, command) & NEVER_FOR_ONE_CHANGE - for_postgresql()) == []


@pytest.mark.parametrize("command", FORBIDDEN)
def test_what_a_command_has_no_use_for(applied: Workspace, command: str) -> None:
    """Is not loaded."""
    assert sorted(loaded(applied, command) & FORBIDDEN[command] - for_postgresql()) == []


_ALONE = """
import pkgutil, sys, importlib, reconciler
names = [found.name for found in pkgutil.walk_packages(reconciler.__path__, "reconciler.")]
for name in names:
    for loaded in [key for key in sys.modules if key.split(".")[0] == "reconciler"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except Exception as failure:
        print(f"{name}: {type(failure).__name__}: {failure}")
print(len(names) > 100)
"""


def test_each_module_can_be_loaded_first() -> None:
    """None leans on another one's having been loaded, or names at run time what only type checkers see."""
    done = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
