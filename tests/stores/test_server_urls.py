"""Stores on servers: who has to name them, and where their password comes from. No server is needed for that."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from schema_checks import fits

from reconciler.core.store_urls import holds_password, strangers
from reconciler.core.ports.state import DriverContext
from reconciler.errors import SecretRefused, SecretUnavailable, UsageError
from reconciler.secrets.own import Own
from reconciler.settings import Overrides, Settings, settle
from reconciler.wiring.run import open_state
from reconciler.wiring.servers import password_of

CANARY = "canary-5a71-of-the-database"


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("postgresql://u:p@db/x", True),
        ("postgresql://u:p@[::1]:5432,b:1/x", True),
        ("postgres://:p@db", True),
        ("postgresql://db/x?password=p", True),
        ("postgresql://db/x?a=b&pass%77ord=p", True),
        ("postgresql://db/x?sslpassword=p", True),
        ("postgresql:u:p@db/x", True),
        ("postgresql:/u:p@db/x", True),
        ("host=db password=p", True),
        ("host=db password = 'a:b'", True),
        ("host=db dbname=x", False),
        ("postgresql://u%3Ap@db", False),
        ("postgresql://u@db:5432/x?application_name=a:b@c", False),
        ("postgresql://u:@db/x?password=", False),
        ("postgresql:///x?host=/run/postgresql", False),
        ("sqlite:a:b@c", False),
        ("sqlite:///a:b@c/d", False),
    ],
)
def test_which_urls_hold_a_password(url: str, holds: bool) -> None:
    """As libpq reads them: before the host, and as a parameter under its own name or an escaped one."""
    assert holds_password(url) is holds


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://db.example.com/x", ["db.example.com"]),
        ("postgresql://localhost/x", []),
        ("postgresql://127.0.0.1:5432,[::1]/x", []),
        ("postgresql://localhost,db.example.com/x", ["db.example.com"]),
        ("postgresql://localhost/x?host=db.example.com", ["db.example.com"]),
        ("postgresql://localhost/x?h%6Fst=db.example.com", ["db.example.com"]),
        ("postgresql://localhost/x?hostaddr=10.0.0.1,127.0.0.1", ["10.0.0.1"]),
        ("postgresql://localhost@db.example.com/x", ["db.example.com"]),
        ("postgresql:///x?host=/run/postgresql", []),
        ("postgresql:///x", []),
        ("postgresql:///x?service=prod", []),
        ("postgresql:///x?servicefile=s.conf&service=prod", ["s.conf"]),
        ("postgresql://Named.example.com,other/x", ["other"]),
        ("postgresql://by-pghost/x", []),
    ],
)
def test_which_hosts_are_strangers(url: str, found: list[str]) -> None:
    """Those that are neither this machine nor named by the operator, wherever a URL says them."""
    assert strangers(url, {"RECONCILER_STORE_HOSTS": "named.example.com, third", "PGHOST": "by-pghost"}) == found


def target(workspace: Workspace, store: str, **more: object) -> None:
    """A project whose store is at a URL."""
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": "acme/crm", "targets": {"prod": {"store": store, **more}}}  # fmt: skip
    workspace.write("reconciler.yaml", json.dumps(content, indent=2))


def test_a_password_in_the_project_file(workspace: Workspace) -> None:
    """Is refused at its line, and shown nowhere."""
    target(workspace, f"postgresql://u:{CANARY}@db.example.com/x", state=f"postgresql://db/x?password={CANARY}")
    found = workspace.run("validate", "-o", "json")
    assert found.exit_code == 3
    said = json.loads(found.stdout)["diagnostics"]
    assert [(item["code"], item["range"]["start"]["line"]) for item in said] == [("RC412", 7), ("RC412", 8)]
    everything = found.output + workspace.run("validate").output + workspace.run("plan").output
    assert CANARY not in everything


def test_a_password_on_the_command_line(workspace: Workspace) -> None:
    """Is refused before anything is opened, by option and by variable."""
    url = f"postgresql://u:{CANARY}@127.0.0.1:9/x"
    for found in (workspace.run("plan", "--store", url), workspace.run("apply", "-y", env={"RECONCILER_STORE": url})):
        assert found.exit_code == 64
        assert "holds a password" in found.stderr and "PGPASSFILE" in found.stderr
        assert CANARY not in found.output


READING = ["plan", "drift", "get", "export", "history", "store check", "lock show", "token status", "rollback 1 --dry-run", "restore", "adopt --dry-run", "can ada connectors:edit connector/x --live", "store backup x.db", "restore connector/x --dry-run", "rollback 1 --out plan.json", "store purge --dry-run"]  # fmt: skip


@pytest.mark.parametrize("command", READING)
def test_a_server_that_the_project_file_alone_names(workspace: Workspace, command: str) -> None:
    """A command that only reads does not connect to it; the message says how to say that it may."""
    target(workspace, "postgresql://db.example.com/x")
    found = workspace.run(*command.split())
    assert found.exit_code == 4, found.output
    assert "export RECONCILER_STORE_HOSTS='db.example.com'" in found.stderr


def test_a_host_that_is_no_name(workspace: Workspace) -> None:
    """Is not put into a command that is going to be pasted."""
    target(workspace, "postgresql://x'$(touch%20y)/x")
    found = workspace.run("plan")
    assert found.exit_code == 4
    assert "RECONCILER_STORE_HOSTS='HOST'" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["plan", "--store", "postgresql://db.example.com/x?timeout=1"], {}),
        (["plan"], {"RECONCILER_STORE": "postgresql://db.example.com/x?timeout=1"}),
        (["plan"], {"RECONCILER_STORE_HOSTS": "db.example.com"}),
        (["apply", "-y"], {}),
    ],
)
def test_a_server_that_the_operator_names(workspace: Workspace, arguments: list[str], env: dict[str, str]) -> None:
    """By the URL, by its host, or by a command that writes: then it is tried."""
    target(workspace, "postgresql://db.example.com/x?timeout=1")
    found = workspace.run(*arguments, env=env)
    assert found.exit_code in (10, 64), found.output  # there is no such server, or no driver
    assert "which only the project file names" not in found.stderr


def settings(root: Path, reference: dict[str, str], given: Overrides, **target: object) -> Settings:
    """Of a project with a password."""
    helper = {"command": ["sh", "-c", "printf '%s' \"of-{name}\"; echo started >> started"]}
    project = {"owner": "acme/crm", "secrets": {"helpers": {"rds": helper}}, "targets": {"prod": {"store": "postgresql://localhost/x", "password": reference, **target}}}  # fmt: skip
    return settle(root, project, given, lambda _: False)


def resolved(found: Settings, environment: dict[str, str]) -> str:
    """The password."""
    give = password_of(found, {"PATH": "/usr/bin:/bin", **environment}, lambda: Own(found.root, environment))
    assert give is not None
    return give().reveal()


def test_where_a_password_comes_from(tmp_path: Path) -> None:
    """A variable, a file or a helper; an issued one is asked for anew each time, and the target's bounds are others'."""
    judged = Overrides(judged=True)
    assert resolved(settings(tmp_path, {"env": "DB"}, judged, secretsAllowed=["env:CRM_*"]), {"DB": CANARY}) == CANARY
    (tmp_path / "password").write_text(f"{CANARY}\n")
    assert resolved(settings(tmp_path, {"file": "password"}, judged), {}) == CANARY
    found = settings(tmp_path, {"exec": "rds:writer"}, judged)
    give = password_of(found, {"PATH": "/usr/bin:/bin"}, lambda: Own(tmp_path, {}))
    assert give is not None and give().reveal() == give().reveal() == "of-writer"
    assert (tmp_path / "started").read_text() == "started\n" * 2


def test_nothing_is_resolved_before_a_connection_is_made(tmp_path: Path) -> None:
    """Not even looked up."""
    found = settings(tmp_path, {"exec": "rds:writer"}, Overrides(judged=True))
    assert password_of(found, {}, lambda: Own(tmp_path, {})) is not None
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("reference", [{"exec": "rds:writer"}, {"file": "password"}, {"sops": "x.yaml#y"}])
def test_a_command_that_reads_starts_and_opens_nothing(tmp_path: Path, reference: dict[str, str]) -> None:
    """For a password; where the operator allows it, it does."""
    (tmp_path / "password").write_text("x")
    with pytest.raises(SecretRefused) as refused:
        resolved(settings(tmp_path, reference, Overrides()), {})
    ((scheme, name),) = reference.items()
    assert f"--secrets-allowed '{scheme}:{name}'" in refused.value.hint
    for variable in ("PGPASSWORD", "PGPASSFILE"):  # which the message names
        assert password_of(settings(tmp_path, reference, Overrides()), {variable: "x"}, lambda: Own(tmp_path, {})) is None  # fmt: skip
    assert not (tmp_path / "started").exists()
    allowed = settings(tmp_path, {"exec": "rds:writer"}, Overrides(secrets_allowed="exec:rds:*"))
    assert resolved(allowed, {}) == "of-writer"


def test_a_command_that_reads_takes_a_variable(tmp_path: Path) -> None:
    """Of the environment, and not of an env file that a branch names; the operator's bounds hold."""
    (tmp_path / "branch.env").write_text("DB=of-the-branch\n")
    named = {"envFile": "branch.env"}
    assert resolved(settings(tmp_path, {"env": "DB"}, Overrides(), **named), {"DB": CANARY}) == CANARY
    with pytest.raises(SecretUnavailable):
        resolved(settings(tmp_path, {"env": "DB"}, Overrides(), **named), {})
    for judged in (False, True):
        with pytest.raises(SecretRefused):
            resolved(settings(tmp_path, {"env": "DB"}, Overrides(secrets_allowed="env:CRM_*", judged=judged)), {"DB": CANARY})  # fmt: skip


def test_the_clients_own_variable(tmp_path: Path) -> None:
    """Is read by the client library, also where the target names it; it may hold the same as another variable."""
    assert password_of(settings(tmp_path, {"env": "PGPASSWORD"}, Overrides()), {}, lambda: Own(tmp_path, {})) is None
    given = Overrides(judged=True)
    found = settings(tmp_path, {"env": "DB"}, given)
    told: list[DriverContext] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.wiring.run.open_url", lambda url, context: told.append(context))
        patch.setattr("reconciler.wiring.run._own", lambda settings, environment: Own(settings.root, environment))
        with pytest.raises(UsageError):  # what is opened here is no store
            open_state(found, {"DB": CANARY, "PGPASSWORD": CANARY})
        assert told[0].password is not None and told[0].password().reveal() == CANARY
    assert told[0].trusted and CANARY not in repr(told[0])


def test_another_store_is_not_told_the_password(tmp_path: Path) -> None:
    """It is meant for the store that the target names: `--store` may name another server, or another role."""
    told: list[DriverContext] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.wiring.run.open_url", lambda url, context: told.append(context))
        for store in ("postgresql://localhost/x", "postgresql://reader@localhost/x"):
            with pytest.raises(UsageError):  # what is opened here is no store
                open_state(settings(tmp_path, {"env": "DB"}, Overrides(store=store)), {"DB": CANARY})
    assert told[0].password is not None
    assert told[2].password is None


def test_a_definition_cannot_name_the_password(workspace: Workspace) -> None:
    """By the same reference, by its file, or by the client library's own variable: it would be sent anywhere."""
    workspace.write("db-password", CANARY)
    written = CATEGORY + "---\n" + CONNECTOR
    for reference, password in (
        ("{env: DB}", {"env": "DB"}),
        ("{file: ./db-password}", {"file": "db-password"}),
        ("{env: PGPASSWORD}", {"env": "DB"}),
    ):
        target(workspace, "sqlite:.reconciler/store.db", password=password)
        workspace.write("connectors/crm.yaml", written.replace("{env: CRM_PASSWORD}", reference))
        found = workspace.run("validate")
        assert found.exit_code == 3 and "RC404" in found.stdout, (reference, found.output)
        applied = workspace.run("apply", "-y", env={"DB": CANARY, "PGPASSWORD": CANARY})
        assert applied.exit_code in (3, 4) and "it leads to" in applied.stderr, (reference, applied.output)
        assert CANARY not in applied.output


def test_the_value_of_the_clients_variable_is_nobodys_secret(workspace: Workspace) -> None:
    """Nor is what the file of passwords holds, by whatever name."""
    workspace.write("pgpass", f"*:*:*:*:{CANARY}\n")
    outside = {"PGPASSWORD": CANARY, "CRM_PASSWORD": CANARY}
    found = workspace.run("apply", "-y", env=outside)
    assert found.exit_code == 4 and "it leads to the tool's own key" in found.stderr, found.output
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR.replace("{env: CRM_PASSWORD}", "{file: pgpass}"))  # fmt: skip
    found = workspace.run("apply", "-y", env={"PGPASSFILE": str(workspace.root / "pgpass")})
    assert found.exit_code == 4 and "a file of the operator's alone" in found.stderr, found.output


def test_a_store_that_is_named_is_its_target(workspace: Workspace) -> None:
    """So that a URL in the environment has the limits and the password of the target that has it, too."""
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": "acme/crm", "targets": {"a": {"store": "sqlite:a.db"}, "b": {"store": "sqlite:b.db"}}}  # fmt: skip
    workspace.write("reconciler.yaml", json.dumps(content))
    for arguments, name in (
        (("--store", "sqlite:b.db"), "b"),
        (("--store", "sqlite:c.db", "--target", "b"), "b"),
        (("--store", "sqlite:c.db"), "custom"),
    ):
        plan = json.loads(workspace.run("plan", "-o", "json", *arguments).stdout)
        fits(plan, "plan.schema.json")
        assert plan["target"] == name
