"""Commands that read start no program but git, open no connection and read nothing outside of the repository, whatever
the repository says: each is traced, in a repository in which every setting is set that could cause something."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CATEGORY, POLICY, Workspace, clean_environment, copy_of
from programs import needs
from secret_checks import connector

CANARY = "canary-93c1e7-of-the-pipeline"
OUTSIDE = f"{tempfile.gettempdir()}/reconciler-tests-outside-{os.getpid()}"
"""A folder of the operator's; definitions name it, so it is the same for every repository of this process."""
FILES = ("all.env", "store.key", "secret", "signer.pub", "linked", "schema.yaml")
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")


def definitions() -> str:
    """A connector for each way to a secret."""
    references = {
        "env": "{env: CANARY}", "file": f"{{file: {OUTSIDE}/secret}}", "link": "{file: secrets/linked}", "vault": "{vault: 'secret/crm#token'}",
        "sops": "{sops: 'secrets/crm.yaml#token'}", "age": f"{{age: {OUTSIDE}/secret}}", "aws": "{aws: crm}", "exec": "{exec: 'pwn:x'}",
    }  # fmt: skip
    return CATEGORY + "".join(connector(*pair) for pair in references.items())


def settings(store: str, **target: object) -> str:
    """Project settings of which each could cause something."""
    hostile = {
        "store": store,
        "secrets": "check",
        "tokens": "apply",
        "envFile": f"{OUTSIDE}/all.env",
        "keyFile": f"{OUTSIDE}/store.key",
        "signedBy": [f"{OUTSIDE}/signer.pub"],
        **target,
    }
    helper = {"command": ["sh", "-c", f"touch {OUTSIDE}/started; echo x"], "variables": ["CANARY"]}
    fill = {"command": ["git", "credential", "fill"], "protocol": "git-credential"}
    content = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "owner": "a/b",
        "secrets": {"helpers": {"pwn": helper, "fill": fill}},
        "targets": {"local": hostile},
    }
    return json.dumps(content)


@pytest.fixture
def hostile(empty: Workspace) -> Iterator[Workspace]:
    """A repository whose main is applied, and whose branch asks for everything."""
    shutil.rmtree(OUTSIDE, ignore_errors=True)
    Path(OUTSIDE).mkdir()
    for name in FILES:
        Path(OUTSIDE, name).write_text(f"CANARY={CANARY}\n" if name.endswith("env") else CANARY + "\n")
    yield copy_of(empty, "hostile", _fill)
    shutil.rmtree(OUTSIDE)


def _fill(workspace: Workspace) -> None:
    plain = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "owner": "a/b",
        "targets": {"local": {"store": "sqlite:.reconciler/store.db"}},
    }
    workspace.write("reconciler.yaml", json.dumps(plain))
    workspace.write("connectors/all.yaml", CATEGORY + connector("env", "{env: TOKEN}"))
    workspace.write("policies/team.yaml", POLICY)
    workspace.write(".gitignore", ".reconciler\n")
    workspace.commit()
    workspace.ok("apply", "--yes", "-q", env={"TOKEN": "a-token-of-the-tests", "RECONCILER_STORE_KEY": ""})
    workspace.git("switch", "-q", "-c", "evil")
    workspace.write("connectors/all.yaml", definitions())
    workspace.write("secrets/crm.yaml", "token: x\nsops: {hc_vault: [{vault_address: 'http://127.0.0.1:9'}]}\n")
    (workspace.root / "secrets/linked").symlink_to(f"{OUTSIDE}/linked")
    workspace.write("openapi.yaml", OPENAPI)
    for name in ("git", "sops", "sh", "ssh-keygen"):
        program = workspace.write(name, f"#!/bin/sh\ntouch {OUTSIDE}/started\n")
        program.chmod(0o755)
    for name in ("yaml", "click", "sitecustomize", "json", "msgspec", "sqlite3", "dotenv"):
        workspace.write(f"{name}.py", f"open('{OUTSIDE}/started', 'w')\n")
    workspace.write("reconciler.yaml", settings("sqlite:.reconciler/store.db"))
    workspace.commit("evil")


OPENAPI = f"""\
openapi: 3.0.0
info: {{title: Pets, version: "1"}}
servers: [{{url: "https://pets.example.com"}}]
paths:
  /pets:
    get:
      operationId: list
      parameters:
        - {{$ref: "file://{OUTSIDE}/schema.yaml"}}
        - {{$ref: "{OUTSIDE}/schema.yaml#/x"}}
        - {{$ref: "http://127.0.0.1:9/schema.yaml"}}
      responses: {{"200": {{description: ok}}}}
"""

READING = [
    "validate", "validate --strict --coverage", "validate --ref HEAD", "validate --changed-since main", "fmt --check", "fmt",
    "plan", "plan --full", "plan -o json", "plan -o markdown", "plan --ref evil", "plan --out plan.json", "drift", "drift -o json",
    "authorize --base main --head evil --actor ada", "access-diff --base main --head evil",
    "can ada connectors:edit connector/env", "can ada connectors:edit connector/env --live", "who-can connectors:edit connector/env",
    "adopt --dry-run", "adopt --dry-run --theirs", "export", "export --out exported", "import openapi openapi.yaml --out made",
    "get", "get connector env -o yaml", "history", "history connector/env", "explain RC203", "explain connector.spec.authorization", "schema",
    "rollback 1 --dry-run", "restore", "store check", "lock show", "token status",
]  # fmt: skip
"""Command lines that change nothing but files that they are told to write."""


def traced(
    workspace: Workspace, line: str, trace: Path
) -> "tuple[subprocess.CompletedProcess[str], list[tuple[str, str, int]]]":
    """Run one command line under a tracer; returns what it said, and the calls: name, arguments, result."""
    command = [needs("strace"), "-f", "-s", "300", "-e", "trace=execve,execveat,connect,sendto,open,openat,openat2,unlink,rename", "-o", str(trace)]  # fmt: skip
    environment = clean_environment({"CANARY": CANARY, "VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": CANARY, "AWS_REGION": "x"})  # fmt: skip
    del environment["RECONCILER_STORE_KEY"]  # else no key file would be looked for
    environment["PATH"] = os.pathsep.join(folder for folder in environment["PATH"].split(os.pathsep) if folder)
    program = Path(sys.executable).with_name("reconciler")
    done = subprocess.run(
        [*command, str(program), *line.split()], cwd=workspace.root, env=environment, capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL, errors="surrogateescape",
    )  # fmt: skip
    found = [match for row in trace.read_text(errors="replace").splitlines() if (match := _CALL.match(row))]
    return done, [(match[1], match[2], int(match[3])) for match in found]


def started(calls: list[tuple[str, str, int]]) -> set[str]:
    """Names of the programs that were started."""
    words = [json.loads(re.match(r'"(?:[^"\\]|\\.)*"', arguments)[0]) for name, arguments, result in calls if name == "execve" and result == 0]  # fmt: skip
    return set(words[1:])  # the first is the command itself


@pytest.mark.parametrize("line", READING)
def test_a_command_that_reads(hostile: Workspace, line: str, tmp_path: Path) -> None:
    """Starts git alone, from outside of the repository; connects to nobody; opens none of the operator's files."""
    done, calls = traced(hostile, line, tmp_path / "trace")
    assert done.returncode in (0, 2, 3, 4, 5, 6, 11), done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert not Path(OUTSIDE, "started").exists()
    for program in started(calls):
        assert Path(program).name == "git" and not Path(program).is_relative_to(hostile.root), program
        assert not [arguments for name, arguments, result in calls if name == "execveat"]
    assert [arguments for name, arguments, _ in calls if name in ("connect", "sendto")] == []
    opened = [arguments for name, arguments, _ in calls if name.startswith("open") and OUTSIDE in arguments]
    assert opened == []
    assert [arguments for name, arguments, _ in calls if "secrets/linked" in arguments or "environ" in arguments] == []


@pytest.mark.parametrize("line", ["validate", "plan", "drift", "export"])
def test_modules_that_the_branch_brings(hostile: Workspace, line: str) -> None:
    """Are not loaded in place of libraries, also where Python is started by hand."""
    hostile_path = {"PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *line.split()], cwd=hostile.root, env=clean_environment(hostile_path), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    assert not Path(OUTSIDE, "started").exists()


@pytest.mark.parametrize("line", ["plan", "drift", "get", "history", "export", "can ada connectors:edit --live"])
def test_a_store_that_the_branch_chooses(hostile: Workspace, line: str, tmp_path: Path) -> None:
    """Is not made, and nothing is written to one that is there: what it takes for reading lies beside it."""
    place = Path(OUTSIDE, "other/store.db")
    hostile.write("reconciler.yaml", settings(f"sqlite:{place}"))
    _, calls = traced(hostile, line, tmp_path / "trace")
    assert not place.parent.exists() and started(calls) <= {program for program in started(calls) if program.endswith("/git")}  # fmt: skip
    place.parent.mkdir()
    shutil.copy(hostile.store, place)
    before = place.read_bytes()
    _, calls = traced(hostile, line, tmp_path / "trace")
    assert place.read_bytes() == before
    assert {path.name for path in place.parent.iterdir()} <= {"store.db", "store.db-wal", "store.db-shm"}
    writing = [arguments for name, arguments, _ in calls if name.startswith("open") and '/store.db"' in arguments and "O_RDONLY" not in arguments]  # fmt: skip
    assert writing == []


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda place: Path(place).symlink_to("/dev/zero"), lambda place: Path(place).mkdir()]
)
def test_a_store_that_is_no_file(hostile: Workspace, make: Callable[[str], None]) -> None:
    """Is not waited for."""
    make(f"{OUTSIDE}/odd")
    hostile.write("reconciler.yaml", settings(f"sqlite:{OUTSIDE}/odd"))
    result = hostile.run("plan", timeout=30)
    assert result.exit_code == 10 and "is not a file" in result.stderr, result.output


def test_the_tracer_sees_what_it_looks_for(hostile: Workspace, tmp_path: Path) -> None:
    """An operator's own word has secrets read, and then all of it shows."""
    hostile.write("connectors/all.yaml", CATEGORY + connector("env", "{exec: 'pwn:x'}") + connector("file", f"{{file: {OUTSIDE}/secret}}"))  # fmt: skip
    hostile.write("reconciler.yaml", settings("sqlite:.reconciler/store.db", keyFile=".reconciler/store.key"))
    _, calls = traced(hostile, "plan --secrets check", tmp_path / "trace")
    assert Path(OUTSIDE, "started").exists() and {Path(program).name for program in started(calls)} >= {"sh", "touch"}
    assert [arguments for name, arguments, _ in calls if name.startswith("open") and OUTSIDE in arguments]
