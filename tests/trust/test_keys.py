"""The tool's own keys, its store and git's files are nobody's secret, whichever way a reference leads to them."""

import json
import os
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pyrage
import pytest
from conftest import KEY, Workspace
from programs import needs
from live_state import holds_nothing, sql
from secret_checks import CANARY, applied, declare, helpers
from servers.sops import AgeKey

OWN_KEY = "k" * 20 + "-a-key-in-a-file-of-its-own"


def refused(workspace: Workspace, *words: str, offline: bool = True, **variables: str) -> None:
    """Nothing is applied and nothing of it is said.

    Args:
        offline: whether validate sees it too.
    """
    checked = workspace.run("validate")
    assert checked.exit_code == (3 if offline else 0), checked.output
    assert ("error[RC404]" in checked.stdout) == offline
    done = workspace.run("apply", "--yes", "-v", env=variables)
    assert done.exit_code in ((3, 4) if offline else (4,)), done.output  # what a target says, plans do not look at
    for word in words:
        assert word in done.stderr, done.stderr
    assert OWN_KEY not in done.output and KEY not in done.output and CANARY not in done.output
    assert holds_nothing(workspace.store)


@pytest.mark.parametrize(
    "name", ["RECONCILER_STORE_KEY", "RECONCILER_NEW_STORE_KEY", "RECONCILER_SIGN_PASSPHRASE", "RECONCILER_AS", "reconciler_store_key", "RECONCILER_ANYTHING"]
)  # fmt: skip
def test_a_variable_of_the_tool(empty: Workspace, name: str) -> None:
    """Also one that is not known yet, and in the spelling of systems that do not tell case apart."""
    empty.env[name] = OWN_KEY
    declare(empty, one=f"{{env: {name}}}")
    refused(empty)


@pytest.mark.parametrize(
    "path", [".git/config", "./.git/config", "connectors/../.git/config", ".GIT/config", "sub/.git/x", ".reconciler/store.key", ".reconciler/../.git/config",
             ".Reconciler/store.db", "/proc/self/environ", "//proc/self/environ", "/run/../proc/1/environ", "/PROC/self/environ", "/proc/self/fd/3", "/dev/fd/0", "/dev/stdin", "/sys/kernel/notes", ".git./config", "a/.git /config"]
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["file", "sops", "age"])
def test_a_path_that_says_so(empty: Workspace, path: str, scheme: str) -> None:
    """Is found offline, however it is written."""
    key = "#a.b" if scheme == "sops" and path == ".git/config" else ""
    declare(empty, one=f"{{{scheme}: '{path}{key}'}}")
    refused(empty)


@pytest.fixture
def git(empty: Workspace) -> Workspace:
    """A repository whose git knows a password."""
    empty.commit()
    empty.git("config", "remote.origin.url", f"https://ci:{CANARY}@git.example.com/x")
    return empty


def lead(workspace: Workspace, target: "str | Path") -> None:
    """A link that a pull request brings, and a reference to it."""
    workspace.write("secrets/README", "")
    (workspace.root / "secrets/one").symlink_to(target)
    declare(workspace, one="{file: secrets/one}")


def test_a_link_to_gits_files(git: Workspace) -> None:
    """By a link to the file, and by one to its folder."""
    lead(git, "../.git/config")
    refused(git, "git's own files", offline=False)
    (git.root / "secrets/one").unlink()
    (git.root / "secrets/folder").symlink_to("../.git")
    declare(git, one="{file: secrets/folder/config}")
    refused(git, "git's own files", offline=False)


def test_a_hard_link_to_gits_files(git: Workspace) -> None:
    """Which has no path in git's folder."""
    os.link(git.root / ".git/config", git.root / "copy")
    declare(git, one="{file: copy}")
    refused(git, "git's or the tool's own files", offline=False)


def test_the_files_of_a_working_tree_of_its_own(git: Workspace, tmp_path: Path) -> None:
    """Whose .git is a pointer: to a folder of any name, and from there to the one that all share."""
    git.git("init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere"))
    lead(git, tmp_path / "elsewhere/config")
    refused(git, "git's own files", offline=False)
    git.commit()
    git.git("worktree", "add", "-q", str(tmp_path / "tree"))
    tree = Workspace(tmp_path / "tree")
    refused(tree, "git's own files", offline=False)


@pytest.mark.parametrize("target", ["/proc/self/environ", "/proc/self/fd/0", "/proc/self/root/etc/hostname", "/dev/stdin", "/dev/fd/0"])  # fmt: skip
def test_a_link_to_the_running_system(empty: Workspace, target: str) -> None:
    """What it leads to is read of nobody: the environment of this very process holds the store's key."""
    lead(empty, target)
    result = empty.run("apply", "--yes", stdin=CANARY)
    if target == "/proc/self/root/etc/hostname":  # a file like any other, by a detour
        assert result.exit_code == 0
        return
    assert result.exit_code in (4, 10), result.output
    assert KEY not in result.output and holds_nothing(empty.store)


@pytest.fixture
def keyed(empty: Workspace, tmp_path: Path) -> Workspace:
    """A target with a store and a key file outside of the repository."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/store.key").write_text(OWN_KEY + "\n")
    target = {"store": f"sqlite:{tmp_path}/live/store.db", "keyFile": str(tmp_path / "keys/store.key")}
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": "a/b", "targets": {"local": target}}
    empty.write("reconciler.yaml", json.dumps(content))
    empty.env["RECONCILER_STORE_KEY"] = ""
    return empty


@pytest.mark.store_file
def test_the_key_file_of_a_target(keyed: Workspace, tmp_path: Path) -> None:
    """By its path, by a relative one, and by a link to it or to its folder."""
    for path in (
        tmp_path / "keys/store.key",
        "../keys/store.key",
        tmp_path / "live/store.db",
        tmp_path / "live/store.key",
    ):
        declare(keyed, one=f"{{file: '{path}'}}")
        refused(keyed)
    lead(keyed, tmp_path / "keys/store.key")
    refused(keyed, "the store's key", offline=False)
    (tmp_path / "linked").symlink_to(tmp_path / "keys")
    declare(keyed, one=f"{{file: '{tmp_path}/linked/store.key'}}")
    refused(keyed, "the store's key", offline=False)


def test_copies_of_the_key(keyed: Workspace, tmp_path: Path) -> None:
    """A hard link, what a change of the key leaves beside it, a copy, and a file that holds it among other things."""
    os.link(tmp_path / "keys/store.key", tmp_path / "hard")
    declare(keyed, one=f"{{file: '{tmp_path}/hard'}}")
    refused(keyed, "the store's key", offline=False)
    (tmp_path / "keys/store.key.0123456789abcdef.old").write_text("o" * 40)
    declare(keyed, one=f"{{file: '{tmp_path}/keys/store.key.0123456789abcdef.old'}}")
    refused(keyed, "the store's key", offline=False)
    for text in (OWN_KEY, "o" * 40, f"STORE_KEY={OWN_KEY}\nOTHER=x\n"):
        (tmp_path / "copy").write_text(text)
        declare(keyed, one=f"{{file: '{tmp_path}/copy'}}")
        refused(keyed, "the tool's own key", offline=False)


def test_the_key_by_another_name(empty: Workspace, age_key: AgeKey) -> None:
    """A variable of the pipeline, a program and an encrypted file that give it are no way round."""
    empty.env["PIPELINE_KEY"] = KEY
    declare(empty, one="{env: PIPELINE_KEY}")
    refused(empty, "the tool's own key", offline=False)
    helpers(empty, say={"command": ["echo", KEY]})
    declare(empty, one="{exec: 'say:x'}")
    refused(empty, "the tool's own key", offline=False)
    recipient = pyrage.x25519.Recipient.from_str(age_key.recipient)
    empty.write("key.age", pyrage.encrypt(KEY.encode(), [recipient]))
    empty.env |= age_key.environment
    declare(empty, one="{age: key.age}")
    refused(empty, "the tool's own key", offline=False)


def test_the_next_key_and_the_passphrase(empty: Workspace) -> None:
    """While the key is changed."""
    for name in ("RECONCILER_NEW_STORE_KEY", "RECONCILER_SIGN_PASSPHRASE"):
        declare(empty, one="{env: SAME}")
        refused(empty, "the tool's own key", offline=False, **{name: OWN_KEY, "SAME": OWN_KEY})


@pytest.mark.store_file
def test_a_store_and_its_copies(keyed: Workspace, tmp_path: Path) -> None:
    """Whatever they are called, they are known by what is in them."""
    declare(keyed)
    keyed.ok("apply", "--yes", "-q")
    keyed.ok("store", "backup", str(tmp_path / "copy.txt"))
    declare(keyed, one=f"{{file: '{tmp_path}/copy.txt'}}")
    result = keyed.run("apply", "--yes")
    assert result.exit_code in (4, 10) and "nothing was changed" in result.stderr, result.output
    (tmp_path / "small").write_bytes((tmp_path / "copy.txt").read_bytes()[:100])
    declare(keyed, one=f"{{file: '{tmp_path}/small'}}")
    result = keyed.run("apply", "--yes")
    assert result.exit_code == 4 and "a store of the tool's own" in result.stderr, result.output


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_the_key_that_plans_are_signed_with(empty: Workspace, tmp_path: Path, passphrase: str) -> None:
    """Is known by the public one that the target trusts, also where it is encrypted."""
    key = tmp_path / "release"
    subprocess.run([needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", passphrase, "-f", key], check=True)
    empty.write("keys/release.pub", key.with_suffix(".pub").read_bytes())
    target = {"store": "sqlite:.reconciler/store.db", "signedBy": ["keys/release.pub"]}
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "targets": {"local": target}}
    empty.write("reconciler.yaml", json.dumps(content))
    declare(empty, one=f"{{file: '{key}'}}")
    empty.ok("plan", "--out", "plan.json", "--sign", str(key), env={"RECONCILER_SIGN_PASSPHRASE": passphrase})
    result = empty.run("apply", "plan.json", "--yes")
    assert result.exit_code == 4 and "a key that plans are signed with" in result.stderr, result.output


def test_a_file_that_a_variable_of_the_tool_names(empty: Workspace, tmp_path: Path) -> None:
    """Such as the env file, which holds the secrets of all connectors."""
    (tmp_path / "all.env").write_text(f"CRM={CANARY}\n")
    declare(empty, one=f"{{file: '{tmp_path}/all.env'}}")
    refused(empty, "a file of the operator's alone", offline=False, RECONCILER_ENV_FILE=str(tmp_path / "all.env"))


def test_what_the_live_side_says(workspace: Workspace) -> None:
    """A field that git leaves to the live side is judged too: validate never sees it."""
    ignoring = "  lifecycle: {ignore: [authorization.password]}\n  endpoints:"
    workspace.edit("connectors/crm.yaml", "  endpoints:", ignoring)
    workspace.ok("apply", "--yes", "-q")
    ((uid, text),) = sql(workspace.store, "SELECT uid, live FROM documents WHERE live LIKE '%authorization%'")
    body = json.loads(text)
    body["spec"]["authorization"]["password"] = {"env": "RECONCILER_STORE_KEY"}
    sql(workspace.store, "UPDATE documents SET live = ? WHERE uid = ?", json.dumps(body), uid)
    sql(workspace.store, "UPDATE records SET fingerprint = NULL WHERE uid = ?", uid)
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 4 and "the tool's own settings and keys" in result.stderr, result.output


@pytest.mark.parametrize("how", ["pipe", "socket", "device", "folder", "large"])
def test_what_is_no_file_of_a_secret(empty: Workspace, tmp_path: Path, how: str) -> None:
    """Is not waited for, and not read to its end."""
    place = tmp_path / "odd"
    if how == "pipe":
        os.mkfifo(place)
    elif how == "socket":
        with closing(socket.socket(socket.AF_UNIX)) as bound:
            bound.bind(str(place))
    elif how == "folder":
        place.mkdir()
    elif how == "device":
        place.symlink_to("/dev/zero")
    else:
        with place.open("wb") as file:
            file.truncate(1 << 33)
    for scheme in ("file", "age", "sops"):
        declare(empty, one=f"{{{scheme}: '{place}'}}")
        result = empty.run("apply", "--yes", env={"SOPS_AGE_KEY": "AGE-SECRET-KEY-1"}, timeout=30)
        assert result.exit_code in (4, 10) and "nothing was changed" in result.stderr, result.output


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="there is no /proc")
def test_a_file_that_the_system_makes_up(tmp_path: Path) -> None:
    """Says that it is empty, wherever it is shown: that of a host may be mounted under any name."""
    from reconciler.errors import SecretUnavailable
    from reconciler.secrets.keys import read_regular

    with pytest.raises(SecretUnavailable, match="more than it says"):
        read_regular("/proc/self/mountinfo")


def test_secrets_that_kubernetes_mounts(empty: Workspace, tmp_path: Path) -> None:
    """Lie behind two links, and are read as ever."""
    (tmp_path / "mount/..2027_01").mkdir(parents=True)
    (tmp_path / "mount/..2027_01/crm").write_text(CANARY)
    (tmp_path / "mount/..data").symlink_to("..2027_01")
    (tmp_path / "mount/crm").symlink_to("..data/crm")
    declare(empty, one=f"{{file: '{tmp_path}/mount/crm'}}")
    assert applied(empty) == {"one": CANARY}
    assert applied_within(empty, f"file:{tmp_path}/mount/crm") and applied_within(empty, f"file:{tmp_path}/mount/*")


def applied_within(workspace: Workspace, bounds: str) -> bool:
    """Whether all secrets may be read in these bounds."""
    return workspace.run("plan", "--secrets", "check", "--secrets-allowed", bounds).exit_code == 0
