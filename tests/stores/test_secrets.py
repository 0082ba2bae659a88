"""Secrets at rest: resolved, sealed, compared, and never shown."""

import os
import sqlite3

import pytest
from conftest import KEY, Workspace
from live_state import holds_nothing

from reconciler.core.secret import Secret
from reconciler.errors import KeyUnavailable
from reconciler.secrets.sealer import AesSealer

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
        (uid, address, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
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
    assert workspace.ok("get").stdout == "The store holds no records.\n"


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
    """As every editor adds one; a second one is, and no password may hold one."""
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{file: secrets/crm}")
    workspace.write("secrets/crm", "s3\n\r\n")
    assert "the value of {file: secrets/crm} ends with a line break" in workspace.run("apply", "--yes").stderr
    workspace.write("secrets/crm", "s3\r\n")
    workspace.ok("apply", "--yes")
    ((uid, address, _, _, ciphertext),) = stored(workspace)
    assert AesSealer(Secret(KEY)).open(uid, address, ciphertext).reveal() == "s3"


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


def test_ciphertexts_cannot_be_exchanged_in_the_store(workspace: Workspace) -> None:
    """Whoever can write to the store cannot make one record use another's secret."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {env: CRM_USER}")
    workspace.ok("apply", "--yes", "-q", env={"CRM_USER": "svc-user"})
    (password, user) = stored(workspace)
    assert (password[1], user[1]) == ("authorization.password", "authorization.username")
    with sqlite3.connect(workspace.store) as connection:
        for row, other in ((password, user), (user, password)):
            connection.execute("UPDATE secrets SET ciphertext = ? WHERE address = ?", (other[4], row[1]))
    connection.close()
    sealer = AesSealer(Secret(KEY))
    for uid, address, _, _, ciphertext in stored(workspace):
        with pytest.raises(KeyUnavailable, match="cannot be decrypted"):
            sealer.open(uid, address, ciphertext)


def test_equal_secrets_do_not_look_equal_at_rest(workspace: Workspace) -> None:
    """Nor does one that is stored twice: each sealing has a nonce of its own."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {env: CRM_PASSWORD}")
    workspace.ok("apply", "--yes", "-q")
    first, second = stored(workspace)
    assert first[4] != second[4] and first[4][:12] != second[4][:12]
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q")
    assert stored(workspace)[0][4] == first[4], "what did not change is not written again"


def test_a_secret_that_the_store_lost_is_noticed_when_secrets_are_checked(workspace: Workspace) -> None:
    """Even when nothing saw who took it; and one that a renamed record uses."""
    workspace.ok("apply", "--yes", "-q")
    with sqlite3.connect(workspace.store) as connection:
        connection.execute("INSERT INTO meta VALUES ('writing', '')")
        connection.execute("DELETE FROM secrets")
        connection.execute("DELETE FROM meta WHERE key = 'writing'")
    connection.close()
    assert workspace.run("plan", "--detailed-exitcode").exit_code == 0
    checked = workspace.run("plan", "--detailed-exitcode", "--secrets", "check")
    assert checked.exit_code == 2 and "~ authorization.password: (none) -> {env: CRM_PASSWORD}" in checked.stdout
    workspace.ok("apply", "--yes", "-q", "--secrets", "check")
    assert len(stored(workspace)) == 1
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-people\n  previously: [crm-contacts]")
    renamed = workspace.ok("plan", "--secrets", "check", env={"CRM_PASSWORD": "new"}).stdout
    assert "» connector/crm-people" in renamed and "(the secret has a new value)" in renamed


def test_references_that_lead_to_nothing_are_all_listed_by_a_check(workspace: Workspace) -> None:
    """By plan too, when it is asked to resolve them."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {env: CRM_USER}")
    workspace.ok("apply", "--yes", "-q", env={"CRM_USER": "svc-user"})
    result = workspace.run("plan", "--secrets", "check", env={"CRM_PASSWORD": ""})
    assert result.exit_code == 10
    assert result.stderr.startswith("error: 2 secrets cannot be resolved\n")
    assert "{env: CRM_USER}: CRM_USER is not set" in result.stderr and "CRM_PASSWORD is empty" in result.stderr


def test_a_pipe_is_not_waited_for(workspace: Workspace) -> None:
    """A path that is no regular file is said to be none, at once."""
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{file: secrets/crm}")
    (workspace.root / "secrets").mkdir()
    os.mkfifo(workspace.root / "secrets/crm")
    result = workspace.run("apply", "--yes", timeout=20)
    assert result.exit_code == 10 and "it is not a regular file" in result.stderr


def test_bytes_that_are_no_text(workspace: Workspace) -> None:
    """In a variable they are a message, not a bug; and they are not repeated."""
    result = workspace.run("apply", "--yes", env={"CRM_PASSWORD": "caf\udce9-canary"})
    assert result.exit_code == 10 and "CRM_PASSWORD is not UTF-8" in result.stderr and "canary" not in result.output
    result = workspace.run("apply", "--yes", env={"RECONCILER_STORE_KEY": "\udce9" * 40})
    assert result.exit_code == 10 and "the store key in RECONCILER_STORE_KEY is not UTF-8" in result.stderr
    assert holds_nothing(workspace.store)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"short\n", "shorter than 32 characters"),
        (b"\xff" * 40, "is not a text file"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_key_file_that_holds_no_key(workspace: Workspace, content: bytes | None, message: str) -> None:
    """Nothing is changed, and the message names the file."""
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:s.db', keyFile: the.key}}\n",
    )
    (workspace.root / "the.key").mkdir() if content is None else workspace.write("the.key", content)
    result = workspace.run("apply", "--yes", env=NO_KEY)
    assert result.exit_code == 10 and message in result.stderr and "the.key" in result.stderr
    assert holds_nothing(workspace.root / "s.db")


def test_where_relative_paths_begin(workspace: Workspace) -> None:
    """Those in definitions and in reconciler.yaml at the repository, --env-file where the user stands."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {file: secrets/user}")
    workspace.write("secrets/user", "svc-user")
    workspace.write("policies/here.env", "CRM_PASSWORD=from-here\n")
    workspace.write("there.env", "CRM_PASSWORD=from-there\n")
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:.reconciler/store.db', envFile: there.env}}\n",
    )
    sealer = AesSealer(Secret(KEY))
    below = Workspace(workspace.root / "policies")
    below.env = {"CRM_PASSWORD": ""}
    for arguments, password in (([], "from-there"), (["--env-file", "here.env"], "from-here")):
        below.ok("apply", "--yes", "-q", "--secrets", "check", *arguments)
        found = {
            address: sealer.open(uid, address, ciphertext).reveal()
            for uid, address, _, _, ciphertext in stored(workspace)
        }
        assert found == {"authorization.password": password, "authorization.username": "svc-user"}
