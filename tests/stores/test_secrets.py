"""Secrets at rest: resolved, sealed, compared, and never shown."""

import os
import sqlite3

import pytest
from conftest import KEY, Workspace

from reconciler.core.secret import Secret
from reconciler.errors import KeyUnavailable
from reconciler.secrets.sealing import AesSealer

NO_KEY = {"RECONCILER_STORE_KEY": ""}


def stored(workspace: Workspace) -> list[tuple[str, str, str, str, bytes]]:
    """uid, address, reference, fingerprint and ciphertext of all secrets."""
    with sqlite3.connect(workspace.store) as connection:
        found = connection.execute("SELECT * FROM secrets ORDER BY address").fetchall()
    connection.close()
    return found


def test_a_secret_is_sealed_and_bound_to_its_place(workspace: Workspace) -> None:
    """It opens with the key, and only as what it is."""
    workspace.ok("apply", "--yes")
    ((uid, address, reference, _, ciphertext),) = stored(workspace)
    assert (address, reference) == ("authorization.password", '{"env":"CRM_PASSWORD"}')
    sealer = AesSealer(Secret(KEY))
    assert sealer.open(uid, address, ciphertext).reveal() == "a-password-for-the-tests"
    for wrong in (
        (uid, "authorization.token", ciphertext),
        ("0" * 32, address, ciphertext),
        (uid, address, ciphertext[:-1] + b"x"),
    ):
        with pytest.raises(KeyUnavailable):
            sealer.open(*wrong)


def test_a_rotated_value_is_a_change_only_when_asked_for(workspace: Workspace) -> None:
    """`--secrets check` compares keyed fingerprints."""
    workspace.ok("apply", "--yes")
    rotated = {"CRM_PASSWORD": "another"}
    assert workspace.run("plan", "--detailed-exitcode", env=rotated).exit_code == 0
    assert workspace.run("plan", "--detailed-exitcode", "--secrets", "check").exit_code == 0
    checked = workspace.run("plan", "--detailed-exitcode", "--secrets", "check", env=rotated)
    assert checked.exit_code == 2
    assert "(the secret has a new value)" in checked.stdout and "another" not in checked.output
    before = stored(workspace)
    workspace.ok("apply", "--yes", "--secrets", "check", env=rotated)
    assert stored(workspace)[0][3] != before[0][3]
    assert workspace.run("plan", "--detailed-exitcode", "--secrets", "check", env=rotated).exit_code == 0


def test_all_missing_secrets_are_listed_and_nothing_is_changed(workspace: Workspace) -> None:
    """Address, reference and what to set."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {file: user.txt}")
    result = workspace.run("apply", "--yes", env={"CRM_PASSWORD": ""})
    assert result.exit_code == 10
    assert "connector/crm-contacts authorization.username: {file: user.txt}: No such file" in result.stderr
    assert "connector/crm-contacts authorization.password: {env: CRM_PASSWORD}: CRM_PASSWORD is empty" in result.stderr
    assert "No record matches." in workspace.ok("get").stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"x" * 70_000, "more than 64 KiB"),
        (None, "Is a directory"),
    ],
)
def test_files_that_cannot_hold_a_secret(workspace: Workspace, content: bytes | None, message: str) -> None:
    """Each says why."""
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{file: secrets/crm}")
    if content is None:
        (workspace.root / "secrets/crm").mkdir(parents=True)
    else:
        workspace.write("secrets/crm", content)
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 10
    assert message in result.stderr


def test_one_final_line_break_is_not_part_of_a_secret(workspace: Workspace) -> None:
    """As every editor adds one."""
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{file: secrets/crm}")
    workspace.write("secrets/crm", "s3\n\r\n")
    workspace.ok("apply", "--yes")
    ((uid, address, _, _, ciphertext),) = stored(workspace)
    assert AesSealer(Secret(KEY)).open(uid, address, ciphertext).reveal() == "s3\n"


def test_the_environment_wins_over_the_env_file(workspace: Workspace) -> None:
    """So that a pipeline's variables win over a committed example."""
    workspace.write("example.env", "# made up\nCRM_PASSWORD='from the file'\n")
    workspace.ok("--env-file", "example.env", "apply", "--yes", env={"CRM_PASSWORD": ""})
    ((uid, address, _, _, ciphertext),) = stored(workspace)
    sealer = AesSealer(Secret(KEY))
    assert sealer.open(uid, address, ciphertext).reveal() == "from the file"
    workspace.ok("--env-file", "example.env", "apply", "--yes", "--secrets", "check")
    assert sealer.open(uid, address, stored(workspace)[0][4]).reveal() == "a-password-for-the-tests"


def test_a_missing_env_file_is_wrong_usage(workspace: Workspace) -> None:
    """Not a missing secret."""
    assert workspace.run("--env-file", "nowhere.env", "apply", "--yes", env={"CRM_PASSWORD": ""}).exit_code == 64


def test_the_embedded_store_makes_a_key_of_its_own(workspace: Workspace) -> None:
    """Readable by its owner alone, made once, and asked for when it is lost."""
    workspace.ok("apply", "--yes", env=NO_KEY)
    key = workspace.store.with_suffix(".key")
    assert key.stat().st_mode & 0o777 == 0o600
    made = key.read_text()
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    key.chmod(0o644)
    shared = workspace.run("apply", "--yes", env=NO_KEY)
    assert shared.exit_code == 10 and "chmod 600" in shared.stderr
    key.unlink()
    lost = workspace.run("apply", "--yes", env=NO_KEY)
    assert lost.exit_code == 10 and "there is no key file" in lost.stderr
    key.write_text(made)
    key.chmod(0o600)
    workspace.ok("apply", "--yes", env=NO_KEY)


@pytest.mark.parametrize(
    ("key", "message"), [("x" * 40, "encrypted with another key"), ("short", "shorter than 32 characters")]
)
def test_a_wrong_key_changes_nothing(workspace: Workspace, key: str, message: str) -> None:
    """And says so."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    before = workspace.store.read_bytes()
    result = workspace.run("apply", "--yes", env={"RECONCILER_STORE_KEY": key})
    assert result.exit_code == 10 and message in result.stderr
    assert workspace.store.read_bytes() == before


def test_a_key_file_of_the_target(workspace: Workspace) -> None:
    """From reconciler.yaml."""
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ntargets:\n  local: {store: 'sqlite:s.db', keyFile: store.key}\n",
    )
    assert "there is no key file" in workspace.run("apply", "--yes", env=NO_KEY).stderr
    workspace.write("store.key", "k" * 32 + "\n")
    workspace.ok("apply", "--yes", env=NO_KEY)


def test_a_secret_does_not_show_itself() -> None:
    """Not by printing, formatting, logging, comparing, pickling or copying."""
    import copy
    import json
    import logging
    import pickle

    secret = Secret("hunter2")
    record = logging.LogRecord("x", 20, "x", 1, "value %s %r", (secret, secret), None)
    for text in (
        str(secret),
        repr(secret),
        f"{secret:>20}",
        "%s" % secret,
        record.getMessage(),
        repr([secret]),
        repr({"a": secret}),
    ):
        assert "hunter2" not in text
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            leak(secret)
    assert secret != Secret("hunter2")
    assert not hasattr(secret, "__dict__") and os.fspath is not None
