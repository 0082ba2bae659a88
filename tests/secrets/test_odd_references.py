"""Secret references that go wrong in odd ways, and those who would use them for what they are not for."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import jsonschema_rs
import pytest
from conftest import Workspace, clean_environment
from draws import draws
from hypothesis import example, given, settings
from hypothesis import strategies as st
from live_state import connected
from pydantic import ValidationError
from secret_checks import CANARY, applied, declare, helpers, refused
from servers.authority import Authority
from servers.sops import AgeKey
from vault_server import Vault, paths, vault, vault_tls  # noqa: F401 (fixtures)

from reconciler.core.secret import REFERENCE_KEYS, mask_line
from reconciler.kinds import registry
from reconciler.models.connector import SecretRef
from reconciler.models.project import Project
from reconciler.kinds.registry import SCHEMA_FILES

SCHEMA = jsonschema_rs.validator_for(registry.load(SCHEMA_FILES["Connector"])["$defs"]["secretRef"])
REFERENCES = {
    "env": "NAME",
    "file": "/run/secrets/crm",
    "vault": "secret/crm#token",
    "sops": "crm.enc.yaml#a.b",
    "age": "crm.age",
    "aws": "prod/crm#token",
    "exec": "pass:crm/token",
    "plugin": "keeper:crm/token",
}


def test_nothing_is_loaded_before_it_is_wanted(empty: Workspace) -> None:
    """Neither by validate nor by plan, whatever the references are."""
    declare(empty, **{name: json.dumps({name: target}) for name, target in REFERENCES.items()})
    for command in (["validate"], ["plan"], ["plan", "-o", "json"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "reconciler", *command],
            cwd=empty.root, env=clean_environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        loaded = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
        assert not loaded & {"hvac", "boto3", "botocore", "pyrage", "requests", "importlib.metadata", "dotenv"}
        assert not loaded & {"reconciler.secrets.vaults", "reconciler.secrets.programs"}


def test_every_reference_is_readable_everywhere(empty: Workspace) -> None:
    """In the plan, in a diagnostic's excerpt and after fmt."""
    assert tuple(REFERENCES) == REFERENCE_KEYS
    declare(empty, **{name: f"{{{name}: '{target}'}}" for name, target in REFERENCES.items()})
    empty.ok("validate", "--strict")
    empty.ok("fmt")
    empty.ok("fmt", "--check")
    plan = empty.ok("plan").stdout
    for name, target in REFERENCES.items():
        assert f"{name}: {target}" in plan.replace('"', ""), plan
        for line in (f"  token: {{{name}: {target}}}", f"  token: {{{name}: '{target}'}}  # why"):
            assert mask_line(line) == line
        assert CANARY not in mask_line(f"  token: {{{name}: {target}, other: {CANARY}}}")
        assert CANARY not in mask_line(f"  password: {CANARY}  # {name}: {target}")


def test_every_reference_can_be_bounded(empty: Workspace) -> None:
    """By the target's `secretsAllowed`: the schema says so, and the model of it; and a page tells what each leads to."""
    bounds = [f"{name}:*" for name in REFERENCE_KEYS]
    targets = {"local": {"store": "sqlite:.reconciler/store.db", "secretsAllowed": bounds}}
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": targets}
    empty.write("reconciler.yaml", json.dumps(content))
    empty.ok("validate")
    assert Project.model_validate(content).targets["local"].secrets_allowed == bounds
    page = (Path(__file__).parents[2] / "docs/how-to/secrets.md").read_text("utf-8")
    assert [name for name in REFERENCE_KEYS if f"\n| `{{{name}: " not in page] == []


@settings(max_examples=draws(600), deadline=None)
@given(
    scheme=st.sampled_from(REFERENCE_KEYS),
    target=st.text("a/#.:- \n\t\u00a0\u2028\x1f\ufeffA0_é", max_size=9) | st.text(max_size=6),
)
@example("vault", "a/b#c")
@example("exec", "a:b")
@example("plugin", "0:0\u2028")
def test_schema_and_model_agree_on_references(scheme: str, target: str) -> None:
    """On every text."""
    accepted = SCHEMA.is_valid({scheme: target})
    try:
        SecretRef.model_validate({scheme: target})
    except ValidationError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize("scheme", ["file", "age", "sops"])
def test_a_name_that_no_file_can_have(empty: Workspace, scheme: str) -> None:
    """Is refused before anything looks for it, as no text of a definition holds such a character."""
    declare(empty, one=f'{{{scheme}: "a\\0b"}}')
    result = empty.run("apply", "--yes")
    assert result.exit_code == 3 and "RC213" in result.stderr, result.output


@pytest.mark.parametrize(
    "live", [{"env": "A", "file": "b"}, {"foo": CANARY}, {"env": 5}, {"vault": None}, {}, {"exec": "any:-option"}, {"exec": "any:"}, {"aws": ""}, {"vault": "x"}]
)  # fmt: skip
def test_what_others_wrote_into_the_store_may_be_anything(workspace: Workspace, live: dict[str, object]) -> None:
    """A field that git leaves to the live side is resolved as it stands there, or refused in words."""
    helpers(workspace, any={"command": ["echo", "{name}"]})
    workspace.edit(
        "connectors/crm.yaml", "  endpoints:", "  lifecycle: {ignore: [authorization.password]}\n  endpoints:"
    )
    workspace.ok("apply", "--yes", "-q")
    with connected(workspace.store) as store:
        ((uid, text),) = store.execute("SELECT uid, live FROM documents WHERE live LIKE '%authorization%'").fetchall()
        body = json.loads(text)
        body["spec"]["authorization"]["password"] = live
        store.execute("UPDATE documents SET live = ? WHERE uid = ?", (json.dumps(body), uid))
        store.execute("UPDATE records SET fingerprint = NULL WHERE uid = ?", (uid,))
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    for command in (["plan", "--secrets", "check"], ["apply", "--yes"], ["apply", "--yes", "--secrets", "check"]):
        result = workspace.run(*command)
        assert result.exit_code in (0, 10), result.output


def test_a_vault_login_is_made_once(empty: Workspace, vault: str) -> None:
    """A secret id may be good for one login, and refused ones lock the role: one attempt, whatever it says."""
    empty.env |= {"VAULT_ADDR": vault, "VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "secret", "HOME": str(empty.root)}
    declare(empty, one="{vault: 'secret/crm#token'}", two="{vault: 'team/kv/crm#token'}", three="{vault: 'old/crm#token'}")  # fmt: skip
    empty.env["VAULT_SECRET_ID"] = "wrong-" + CANARY
    refused(empty, "3 secrets cannot be resolved", "Vault does not accept the AppRole", "VAULT_SECRET_ID")
    assert paths("POST") == ["/v1/auth/approle/login"] and not paths("GET")
    empty.env["VAULT_SECRET_ID"] = "secret"
    empty.ok("apply", "--yes")
    assert paths("POST") == ["/v1/auth/approle/login"] * 2


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("auth/token/lookup-self#id", "its path leads to no key-value store"),
        ("database/creds/role#password", "its path leads to no key-value store"),
        ("secret/../auth/token/lookup-self#id", "an empty step, . or .."),
        ("secret/./crm#token", "an empty step, . or .."),
        ("secret/%2e%2e/auth/token/lookup-self#id", "there is no such secret"),
        ("secret/crm?version=1#token", "there is no such secret"),
        ("team/kv/deleted#token", "there is no such secret"),
        ("secret/data/crm#token", "there is no such secret"),
    ],
)
def test_vault_is_asked_for_stored_secrets_only(empty: Workspace, vault: str, reference: str, words: str) -> None:
    """Reading elsewhere may make credentials, or give away the token that asks."""
    empty.env |= {"VAULT_ADDR": vault, "VAULT_TOKEN": "a-token"}
    declare(empty, one=f"{{vault: '{reference}'}}")
    refused(empty, words)
    assert not [path for path in paths("GET") if path.startswith(("/v1/auth", "/v1/database"))]


def test_something_else_answers_at_the_address_of_vault(empty: Workspace, vault: str) -> None:
    """Such as a proxy's own page, which is not shown."""
    empty.env |= {"VAULT_ADDR": vault, "VAULT_TOKEN": "a-token"}
    declare(empty, one="{vault: 'secret/crm#token'}")
    for page in (
        f"<p>{CANARY}".encode(),
        b"",
        b"[]",
        b'"text"',
        b'{"data": 5}',
        b'{"data": {"path": 5, "type": "kv"}}',
    ):
        Vault.page = page
        refused(empty, "what answers is not Vault", "VAULT_ADDR")


def test_vault_over_tls(empty: Workspace, vault_tls: str, authority: Authority) -> None:
    """With its authority, from the env file too, and not without it."""
    empty.env |= {"VAULT_ADDR": vault_tls}
    empty.write("vault.env", "VAULT_TOKEN=a-token\n")
    declare(empty, one="{vault: 'secret/crm#token'}")
    refused(empty, "there is no token for Vault")
    result = empty.run("apply", "--yes", "--env-file", "vault.env")
    assert result.exit_code == 10 and "Vault does not answer (SSLError)" in result.stderr
    assert "VAULT_CACERT" in result.stderr and not Vault.seen
    empty.write("vault.env", f"VAULT_TOKEN=a-token\nBAO_CACERT={authority.ca}\n")
    empty.ok("apply", "--yes", "--env-file", "vault.env")


def test_the_token_of_vault_is_not_sent_in_the_clear(empty: Workspace, vault_tls: str, authority: Authority) -> None:
    """A redirect from TLS to plain http is not followed."""
    empty.env |= {"VAULT_ADDR": vault_tls, "VAULT_TOKEN": "a-token", "VAULT_CACERT": str(authority.ca)}
    declare(empty, one="{vault: 'secret/crm#token'}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Vault.elsewhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
        refused(empty, "Vault redirects to plain http")
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_helpers_within_limits(empty: Workspace) -> None:
    """Of time, with all that they started, and of output; the program is the project's choice alone."""
    sleeper = empty.write("bin/sleeper", f"#!/bin/sh\necho {CANARY}\nsleep 60 &\necho $! > pid\nsleep 60\n")
    talker = empty.write("bin/talker", f"#!/bin/sh\necho {CANARY}\nexec yes\n")
    for script in (sleeper, talker):
        script.chmod(0o755)
    helpers(
        empty,
        sleeper={"command": ["bin/sleeper"], "timeoutSeconds": 1},
        talker={"command": ["bin/talker"]},
        chosen={"command": ["{name}", "x"]},
        folder={"command": ["./bin"]},
    )
    declare(empty, one="{exec: 'sleeper:x'}")
    began = time.monotonic()
    refused(empty, "the program bin/sleeper took longer than 1 s")
    declare(empty, one="{exec: 'talker:x'}")
    refused(empty, "the program bin/talker says more than 64 KiB")
    assert time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int((empty.root / "pid").read_text()), 0)
            time.sleep(0.05)
    declare(empty, one="{exec: 'chosen:/bin/echo'}")
    refused(empty, "the program {name} is not installed")
    declare(empty, one="{exec: 'folder:x'}")
    refused(empty, "the program ./bin cannot be started: Permission denied")


def test_a_name_is_one_argument(empty: Workspace) -> None:
    """Whatever it holds: no shell reads it."""
    script = empty.write("bin/show", '#!/bin/sh\nprintf "%s" "$#:$1"\n')
    script.chmod(0o755)
    helpers(empty, show={"command": ["bin/show", "{name}"]})
    name = "$(id);`id`|&>x*?~${HOME}\\n"
    declare(empty, one="{exec: 'show:" + name + "'}")
    assert applied(empty) == {"one": f"1:{name}"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"command": []}, "RC206"),
        ({"command": "pass show"}, "RC203"),
        ({"command": ["x"], "protocol": "shell"}, "RC204"),
        ({"command": ["x"], "timeoutSeconds": 0}, "RC206"),
        ({"command": ["x"], "shell": True}, "RC201"),
        ({}, "RC202"),
    ],
)
def test_settings_of_helpers_are_checked_offline(empty: Workspace, setting: dict[str, object], words: str) -> None:
    """As everything in the project file."""
    helpers(empty, one=setting)
    result = empty.run("validate")
    assert result.exit_code == 3 and words in result.stdout and "reconciler.yaml:" in result.stdout


def test_age_that_fails(empty: Workspace, age_key: AgeKey) -> None:
    """Key files with more than one sort of identity, files that are none, and secrets that are no text."""
    import pyrage

    recipient = pyrage.x25519.Recipient.from_str(age_key.recipient)
    empty.write("good.age", pyrage.encrypt(CANARY.encode(), [recipient]))
    empty.write("bytes.age", pyrage.encrypt(b"\xff" + CANARY.encode(), [recipient]))
    empty.write("empty.age", pyrage.encrypt(b"\n", [recipient]))
    empty.write("phrase.age", pyrage.passphrase.encrypt(CANARY.encode(), "phrase"))
    empty.write("plain.age", CANARY)
    declare(empty, **{name: f"{{age: {name}.age}}" for name in ("bytes", "empty", "phrase", "plain")})
    empty.env["SOPS_AGE_KEY_FILE"] = str(age_key.file)
    refused(empty, "{age: bytes.age}: it is not UTF-8", "{age: empty.age}: it is empty",
            "{age: phrase.age}: it cannot be decrypted", "{age: plain.age}: it cannot be decrypted")  # fmt: skip
    declare(empty, one="{age: good.age}")
    for text in ("", "# a comment\n", f"AGE-SECRET-KEY-1{CANARY}\n", "AGE-PLUGIN-YUBIKEY-1XXXX\n"):
        empty.write("keys.txt", text)
        empty.env["SOPS_AGE_KEY_FILE"] = "keys.txt"
        refused(empty, "holds no age identity")
    empty.write("keys.txt", "AGE-PLUGIN-YUBIKEY-1XXXX\n\n" + age_key.file.read_text())
    assert applied(empty) == {"one": CANARY}


def test_a_rotated_value_is_a_change(
    empty: Workspace, age_key: AgeKey, vault: str, tmp_path: Path, monkeypatch
) -> None:
    """Of whichever source, when secrets are checked; an apply then stores it."""
    import vault_server

    site = tmp_path / "site"
    (site / "keeper-1.0.dist-info").mkdir(parents=True)
    (site / "keeper-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: keeper\nVersion: 1.0\n")
    (site / "keeper-1.0.dist-info/entry_points.txt").write_text("[reconciler.secrets]\nkeeper = keeper:Keeper\n")
    (site / "keeper.py").write_text(
        "from reconciler.core.secret import Secret\n\n\nclass Keeper:\n"
        "    def __init__(self, context):\n        self.file = context.root / 'value'\n\n"
        "    def resolve(self, reference):\n        return Secret(self.file.read_text())\n"
    )
    empty.env |= {**age_key.environment, "VAULT_ADDR": vault, "VAULT_TOKEN": "a-token", "PYTHONPATH": str(site)}
    helpers(empty, cat={"command": ["cat", "{name}"]})
    declare(empty, sops="{sops: 'crm.yaml#token'}", vault="{vault: 'secret/crm#token'}", exec="{exec: 'cat:value'}", plugin="{plugin: 'keeper:x'}")  # fmt: skip

    def store(value: str) -> None:
        age_key.encrypt(empty.root / "crm.yaml", f"token: {value}\n")
        empty.write("value", value)
        content = {"data": {"token": value}, "metadata": {"version": 4}}
        monkeypatch.setitem(vault_server.SECRETS, "/v1/secret/data/crm", content)

    store(CANARY)
    assert set(applied(empty).values()) == {CANARY}
    store(CANARY + "-new")
    assert "Nothing to do" in empty.ok("plan").stdout
    plan = empty.ok("plan", "--secrets", "check").stdout
    assert plan.count("(the secret has a new value)") == 4 and CANARY not in plan
    assert CANARY not in empty.ok("apply", "--yes", "--secrets", "check").output
    assert set(applied(empty).values()) == {CANARY + "-new"}
