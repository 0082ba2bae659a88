"""Secret references beyond variables and files, through the command line, against the real thing where it can be had."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Workspace
from programs import needs
from secret_checks import CANARY, applied, declare, helpers, refused
from servers.aws import Aws
from servers.sops import AgeKey
from vault_server import Vault, vault  # noqa: F401 (a fixture)


def test_sops(empty: Workspace, age_key: AgeKey, tmp_path: Path) -> None:
    """Values by steps, numbers, other formats, whole files; the program runs once a file."""
    empty.env |= age_key.environment
    age_key.encrypt(
        empty.root / "crm.yaml", f"oauth: {{secret: {CANARY}, pin: 4711, list: [a, b]}}\nflat.key: dotted\n"
    )
    age_key.encrypt(empty.root / "crm.env", f"TOKEN={CANARY}2\n")
    age_key.encrypt(empty.root / "crm.json", json.dumps({"token": CANARY + "3"}))
    declare(
        empty, one="{sops: 'crm.yaml#oauth.secret'}", two="{sops: 'crm.yaml#oauth.pin'}", three="{sops: 'crm.yaml#oauth.list.1'}",
        four="{sops: 'crm.yaml#flat.key'}", five="{sops: 'crm.env#TOKEN'}", six="{sops: 'crm.json#token'}",
    )  # fmt: skip
    calls = empty.root / "calls"
    program = tmp_path / "bin" / "sops"  # beside the repository: what lies in it is found by no name
    program.parent.mkdir()
    real = shutil.which("sops", path=age_key.environment["PATH"])
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {real} "$@"\n')
    program.chmod(0o755)
    empty.env["PATH"] = f"{program.parent}{os.pathsep}{age_key.environment['PATH']}"
    assert applied(empty) == {
        "one": CANARY,
        "two": "4711",
        "three": "b",
        "four": "dotted",
        "five": CANARY + "2",
        "six": CANARY + "3",
    }
    assert len(calls.read_text().splitlines()) == 3 * 2, "apply and the check"


def test_sops_that_fails(empty: Workspace, age_key: AgeKey, other_age_key: AgeKey) -> None:
    """A key, a file, an identity, the program that is not there, and a file that was altered."""
    empty.env |= age_key.environment
    file = age_key.encrypt(empty.root / "crm.yaml", f"token: {CANARY}\nempty: ''\nmap: {{a: b}}\n")
    declare(
        empty,
        one="{sops: 'crm.yaml#other'}",
        two="{sops: 'no.yaml#token'}",
        three="{sops: 'crm.yaml#map'}",
        four="{sops: 'crm.yaml#empty'}",
    )
    refused(empty, "4 secrets cannot be resolved", "connector/one authorization.token: {sops: crm.yaml#other}: the key other is not in it",
            "{sops: no.yaml#token}: No such file or directory", "the key map is no single value", "the key empty is empty")  # fmt: skip
    declare(empty, one="{sops: 'crm.yaml#token'}")
    empty.env |= other_age_key.environment
    refused(empty, "none of its keys is at hand", "sops decrypt crm.yaml")
    empty.env |= age_key.environment
    text = file.read_text()
    file.write_text(text.replace("map:", "mop:"))
    refused(empty, "it was altered after it was encrypted")
    file.write_text(text.replace('empty: ""', 'empty: "x"'))
    refused(empty, "it was altered after it was encrypted")
    file.write_text(text)
    empty.write("bin/README", "only git")
    (empty.root / "bin/git").symlink_to(str(shutil.which("git")))
    empty.env["PATH"] = str(empty.root / "bin")
    refused(empty, "the program sops is not installed")


def test_age(empty: Workspace, age_key: AgeKey, other_age_key: AgeKey) -> None:
    """Files of the real age, armored or not; the identity from a variable or a file."""
    for name, options in (("plain.age", []), ("armored.age", ["-a"])):
        subprocess.run(
            [needs("age"), *options, "-r", age_key.recipient, "-o", empty.root / name],
            input=f"{CANARY}\n".encode(),
            check=True,
        )
    declare(empty, one="{age: plain.age}", two="{age: armored.age}")
    refused(empty, "there is no identity to decrypt it with", "SOPS_AGE_KEY")
    empty.env["SOPS_AGE_KEY_FILE"] = str(other_age_key.file)
    refused(empty, "it cannot be decrypted with the identity at hand")
    empty.env["SOPS_AGE_KEY_FILE"] = str(age_key.file)
    assert applied(empty) == {"one": CANARY, "two": CANARY}
    del empty.env["SOPS_AGE_KEY_FILE"]
    empty.write(".env", f"SOPS_AGE_KEY={age_key.file.read_text().splitlines()[-1]}\n")
    assert "Nothing to do" in empty.ok("plan", "--secrets", "check", "--env-file", str(empty.root / ".env")).stdout


def test_aws(empty: Workspace, aws: Aws) -> None:
    """Secrets Manager: whole texts and keys of JSON; a rotated value is a change."""
    empty.env |= aws.environment
    aws.create("prod/plain", CANARY)
    aws.create("prod/crm", json.dumps({"token": CANARY, "nested": {"deep": "value"}}))
    declare(empty, one="{aws: prod/plain}", two="{aws: 'prod/crm#token'}", three="{aws: 'prod/crm#nested.deep'}")
    assert applied(empty) == {"one": CANARY, "two": CANARY, "three": "value"}
    aws.change("prod/plain", CANARY + "-new")
    plan = empty.ok("plan", "--secrets", "check").stdout
    assert "connector/one" in plan and "(the secret has a new value)" in plan and CANARY not in plan


def test_aws_that_fails(empty: Workspace, aws: Aws, closed_port: int) -> None:
    """What is not there, what has no keys, no region, nobody to ask."""
    empty.env |= aws.environment
    aws.create("prod/plain", CANARY)
    declare(empty, one="{aws: prod/none}", two="{aws: 'prod/plain#key'}")
    refused(empty, "{aws: prod/none}: AWS answered ResourceNotFoundException", "it holds no JSON, so it has no keys")
    declare(empty, one="{aws: prod/plain}")
    del empty.env["AWS_REGION"], empty.env["AWS_DEFAULT_REGION"]
    empty.env["AWS_CONFIG_FILE"] = os.devnull
    refused(empty, "AWS cannot be asked (NoRegionError)")
    empty.env |= {**aws.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port}", "AWS_MAX_ATTEMPTS": "1"}
    refused(empty, "AWS cannot be asked (EndpointConnectionError)")


HELPER = """\
#!/bin/sh
case "$1" in
  ok) printf '%s\\n' "$2-value" ;;
  fail) echo "the secret is {canary}" >&2; exit 3 ;;
  silent) ;;
esac
"""


def test_helpers(empty: Workspace) -> None:
    """Only those that the project allows; a definition gives one word and no option."""
    script = empty.write("bin/helper", HELPER.replace("{canary}", CANARY))
    script.chmod(0o755)
    declare(empty, one="{exec: 'store:crm/token'}")
    refused(empty, "{exec: store:crm/token}: the helper 'store' is not allowed", "reconciler.yaml")
    helpers(empty, store={"command": ["bin/helper", "ok", "{name}"]}, failing={"command": ["bin/helper", "fail"]}, silent={"command": ["bin/helper", "silent"]},
            gone={"command": ["no-such-program"]})  # fmt: skip
    assert applied(empty) == {"one": "crm/token-value"}
    for name, words in (
        ("failing", "ended with exit code 3"),
        ("silent", "says nothing"),
        ("gone", "the program no-such-program is not installed"),
    ):
        declare(empty, one=f"{{exec: '{name}:x'}}")
        result = empty.run("apply", "--yes")
        assert result.exit_code == 10 and words in result.stderr and CANARY not in result.output, result.output
    declare(empty, one="{exec: 'store:-rf'}")
    assert "RC205" in empty.run("validate").stdout


def test_git_credential_helpers(empty: Workspace) -> None:
    """git's own, with its own store."""
    credentials = empty.write("credentials", f"https://svc:{CANARY}@crm.example.com\n")
    command = ["git", "-c", f"credential.helper=store --file={credentials}", "credential", "fill"]
    helpers(empty, git={"command": command, "protocol": "git-credential"})
    declare(empty, one="{exec: 'git:https://crm.example.com'}")
    assert applied(empty) == {"one": CANARY}
    declare(empty, one="{exec: 'git:https://other.example.com'}")
    result = empty.run("apply", "--yes")
    assert result.exit_code == 10 and "the helper 'git' ended with exit code" in result.stderr


PLUGIN = """\
class Keeper:
    def __init__(self, context):
        self.context = context

    def resolve(self, reference):
        if reference == "bug":
            raise ValueError("canary-4f1d0e7b9a-of-a-secret")
        return self.context.lookup("KEEPER") + reference
"""


def test_plugins(empty: Workspace, tmp_path: Path) -> None:
    """Of other distributions, by entry point; what goes wrong in them is not repeated."""
    site = tmp_path / "site"
    (site / "keeper-1.0.dist-info").mkdir(parents=True)
    (site / "keeper.py").write_text(PLUGIN)
    (site / "keeper-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: keeper\nVersion: 1.0\n")
    (site / "keeper-1.0.dist-info/entry_points.txt").write_text(
        "[reconciler.secrets]\nkeeper = keeper:Keeper\nbroken = keeper:Nothing\n"
    )
    declare(empty, one="{plugin: 'keeper:/crm'}")
    refused(empty, "there is no plug-in 'keeper'", "installed are: none")
    empty.env |= {"PYTHONPATH": str(site), "KEEPER": CANARY}
    assert applied(empty) == {"one": CANARY + "/crm"}
    for reference, words in (
        ("keeper:bug", "the plug-in 'keeper' failed (ValueError)"),
        ("broken:x", "cannot be loaded (AttributeError)"),
        ("nobody:x", "installed are: broken, keeper"),
    ):
        declare(empty, one=f"{{plugin: '{reference}'}}")
        result = empty.run("apply", "--yes")
        assert result.exit_code == 10 and words in result.stderr and CANARY not in result.output, result.output


def test_vault(empty: Workspace, vault: str) -> None:
    """Both versions of the key-value store, mounts of several steps, one request a path, namespaces, AppRole."""
    empty.env |= {"VAULT_ADDR": vault, "VAULT_TOKEN": "a-token", "VAULT_NAMESPACE": "team-a"}
    declare(
        empty,
        one="{vault: 'secret/crm#token'}",
        two="{vault: 'team/kv/crm#token'}",
        three="{vault: 'old/crm#token'}",
        four="{vault: 'secret/crm#token'}",
    )
    assert applied(empty) == {"one": CANARY, "two": CANARY, "three": CANARY + "-old", "four": CANARY}
    assert sum(path == "/v1/secret/data/crm" for _, path, _ in Vault.seen) == 2, "apply and the check"
    assert {headers["x-vault-namespace"] for _, _, headers in Vault.seen} == {"team-a"}
    del empty.env["VAULT_TOKEN"]
    empty.env |= {"BAO_ROLE_ID": "role", "BAO_SECRET_ID": "secret"}
    assert "Nothing to do" in empty.ok("plan", "--secrets", "check").stdout


def test_vault_that_fails(empty: Workspace, vault: str, closed_port: int) -> None:
    """In words that say what to do."""
    declare(empty, one="{vault: 'secret/crm#token'}")
    refused(empty, "VAULT_ADDR is not set")
    empty.env["VAULT_ADDR"] = vault
    refused(empty, "there is no token for Vault", "VAULT_ROLE_ID")
    empty.env["VAULT_TOKEN"] = "wrong-" + CANARY
    refused(empty, "Vault does not allow it")
    empty.env["VAULT_TOKEN"] = "a-token"
    declare(empty, one="{vault: 'secret/none#token'}", two="{vault: 'secret/crm#other'}")
    refused(empty, "{vault: secret/none#token}: there is no such secret", "the key other is not in it")
    Vault.sealed = True
    refused(empty, "Vault is sealed or down")
    Vault.sealed = False
    empty.env["VAULT_ADDR"] = f"http://127.0.0.1:{closed_port}"
    refused(empty, "Vault does not answer (ConnectionError)")


@pytest.mark.parametrize("extra", ["hvac", "boto3", "pyrage"])
def test_a_client_library_that_is_not_installed(empty: Workspace, extra: str, tmp_path: Path) -> None:
    """Says which extra to install."""
    (tmp_path / "site").mkdir()
    for name in (extra, "botocore") if extra == "boto3" else (extra,):
        (tmp_path / "site" / f"{name}.py").write_text("raise ImportError\n")
    empty.env["PYTHONPATH"] = str(tmp_path / "site")
    name, reference = {"hvac": ("vault", "a/b#c"), "boto3": ("aws", "a"), "pyrage": ("age", "a")}[extra]
    declare(empty, one=f"{{{name}: '{reference}'}}")
    refused(empty, f"pip install 'reconciler[{name}]'")


@pytest.mark.parametrize(
    "reference",
    [
        "{vault: crm#x}",
        "{vault: secret/crm}",
        "{sops: '#x'}",
        "{aws: 'a b'}",
        "{exec: nocolon}",
        "{plugin: ':x'}",
        "{evn: X}",
        "{vault: a/b#c, env: X}",
    ],
)
def test_malformed_references_are_found_offline(empty: Workspace, reference: str) -> None:
    """By validate, with a position."""
    declare(empty, one=reference)
    result = empty.run("validate")
    assert result.exit_code == 3 and "connectors/all.yaml:" in result.stdout


def test_prefetch_asks_in_parallel(empty: Workspace) -> None:
    """Eight slow helpers take as long as one."""
    import time

    script = empty.write("bin/slow", "#!/bin/sh\nsleep 1\necho value\n")
    script.chmod(0o755)
    helpers(empty, slow={"command": ["bin/slow", "{name}"]})
    declare(empty, **{f"c{index}": f"{{exec: 'slow:{index}'}}" for index in range(8)})
    began = time.monotonic()
    empty.ok("apply", "--yes")
    assert time.monotonic() - began < 6


def test_an_env_file_with_a_line_that_cannot_be_read(empty: Workspace) -> None:
    """Its number is told, and nothing of it: it may be half a secret."""
    declare(empty, one="{env: PASSWORD}")
    for broken in (f"A=1\nPASSWORD {CANARY}\n", f'A=1\nPASSWORD="{CANARY}\n'):
        empty.write("e.env", broken)
        result = empty.run("apply", "--yes", "--env-file", "e.env")
        assert result.exit_code == 64 and "line 2 of the env file" in result.stderr, result.output
        assert CANARY not in result.output and "dotenv" not in result.output
