"""store rotate-key: everything is sealed anew under another key, or nothing is."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, KEY, POLICY, Workspace, clean_environment
from programs import needs_mounts
from live_state import drift, sql

from reconciler.core.calls import TokenKey
from reconciler.cli.app import run as run_here
from reconciler.core.secret import Secret
from reconciler.kinds import registry
from reconciler.secrets.sealer import AesSealer

NO_KEY = {"RECONCILER_STORE_KEY": ""}
NEW_KEY = "another key for the tests, of more than thirty-two characters"
ROTATED = {"RECONCILER_NEW_STORE_KEY": NEW_KEY}
PASSWORD = "a-password-for-the-tests"


@pytest.fixture
def own(workspace: Workspace) -> Workspace:
    """Applied, with the key in a file beside the store."""
    workspace.env |= NO_KEY
    workspace.ok("apply", "--yes")
    return workspace


def key_file(workspace: Workspace) -> Path:
    return workspace.store.with_suffix(".key")


def sealed(store: Path) -> list[bytes]:
    """All that is encrypted."""
    found = sql(store, "SELECT ciphertext FROM secrets UNION ALL SELECT ciphertext FROM quarantined_secrets")
    found += sql(store, "SELECT access FROM tokens UNION ALL SELECT refresh FROM tokens")
    return [row[0] for row in found if row[0] is not None]


def content(store: Path) -> bytes:
    """The store's file, and SQLite's beside it."""
    return b"".join(path.read_bytes() for path in sorted(store.parent.glob(store.name + "*")))


def password_of(workspace: Workspace, key: str) -> str:
    ((uid, address, ciphertext),) = sql(workspace.store, "SELECT uid, address, ciphertext FROM secrets")
    return AesSealer(Secret(key)).open(uid, address, ciphertext).reveal()


def is_as_applied(workspace: Workspace, **env: str) -> None:
    """Nothing is to be done, no secret seems to have another value, and the store is whole."""
    for line in ("plan", "plan --secrets check"):
        assert "Nothing to do" in workspace.ok(*line.split(), env=env).stdout
    workspace.ok("store", "check", env=env)


def test_the_embedded_key(own: Workspace) -> None:
    """A random key takes its place, the old one is kept, and no byte that was sealed with it is left."""
    old, before = key_file(own).read_text(), sealed(own.store)
    assert before and all(one in content(own.store) for one in before), "the search finds them"
    said = own.ok("store", "rotate-key")
    new = key_file(own).read_text()
    (kept,) = own.store.parent.glob("store.key.*")
    assert said.stdout == (
        "Changed the key of local: 1 secret and 0 access tokens sealed anew.\n"
        f"The new key is in {key_file(own)}; if you keep a copy of it, renew that.\n"
        f"The old one is kept in {kept}, as backups from before need it; delete it when there are none.\n"
    )
    assert kept.suffix == ".old" and kept.read_text() == old != new
    assert {path.stat().st_mode & 0o777 for path in (kept, key_file(own))} == {0o600}
    assert password_of(own, new.strip()) == PASSWORD
    assert not any(one in content(own.store) for one in before)
    for secret in (old.strip(), new.strip(), PASSWORD):
        assert secret not in said.output and secret.encode() not in content(own.store)
    kept.unlink()
    is_as_applied(own)
    assert "Nothing to do" in own.ok("apply", "--yes", "--secrets", "check").stdout


def test_what_older_versions_left_in_the_file(own: Workspace) -> None:
    """They did not overwrite what they deleted."""
    left = os.urandom(60)
    connection = sqlite3.connect(own.store, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("INSERT INTO secrets SELECT uid, 'old', reference, fingerprint, ? FROM secrets", (left,))
    connection.execute("DELETE FROM secrets WHERE address = 'old'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert left in own.store.read_bytes()
    own.ok("store", "rotate-key")
    assert left not in content(own.store)


def test_it_stands_in_the_history(own: Workspace) -> None:
    """As a run of its own, in the unbroken chain."""
    result = json.loads(own.ok("store", "rotate-key", "-o", "json", "--as", "grace").stdout)
    fits(result, "store.schema.json")
    assert (result["changed"], result["secrets"], result["scrubbed"]) == (True, 1, True)
    own.ok("store", "check", "--head", result["head"])
    assert sql(own.store, "SELECT verb, actor, changes FROM runs")[1:] == [("rotate-key", "grace", 0)]
    assert "grace rotate-key local the key changed" in " ".join(own.ok("history").stdout.split())
    attempts = sql(own.store, "SELECT verb, outcome FROM attempts")
    assert attempts == [("apply", "applied"), ("rotate-key", "applied")]


def test_a_key_file_of_the_target(workspace: Workspace, tmp_path: Path) -> None:
    """Through a link, with its mode; two targets that share it keep working, each with its own key."""
    real = tmp_path / "keys" / "real.key"
    real.parent.mkdir()
    real.write_text(KEY + "\n")
    real.chmod(0o640)
    (workspace.root / "a.key").symlink_to(real)
    targets = "apiVersion: reconciler/v1\nkind: Project\nowner: acme\ntargets:\n  local: {keyFile: a.key, store: 'sqlite:local/store.db'}\n  other: {keyFile: a.key, store: 'sqlite:other/store.db'}\n"
    workspace.write("reconciler.yaml", targets)
    workspace.env |= NO_KEY
    for target in ("local", "other"):
        workspace.ok("apply", "--yes", "--target", target)
    for number, target in enumerate(("local", "other", "local"), 1):
        workspace.ok("store", "rotate-key", "--target", target)
        assert (workspace.root / "a.key").is_symlink() and real.stat().st_mode & 0o777 == 0o640
        assert len(list(real.parent.glob("real.key.*.old"))) == number
        for each in ("local", "other"):
            is_as_applied(workspace, RECONCILER_TARGET=each)


def test_a_key_in_the_environment(workspace: Workspace) -> None:
    """The new one comes from the environment too, and what to do next is said; another time it is done already."""
    workspace.ok("apply", "--yes")
    before = content(workspace.store)
    missing = workspace.run("store", "rotate-key")
    assert missing.exit_code == 64 and "has to be given in RECONCILER_NEW_STORE_KEY" in missing.stderr
    short = workspace.run("store", "rotate-key", env={"RECONCILER_NEW_STORE_KEY": "short"})
    assert short.exit_code == 10 and "in RECONCILER_NEW_STORE_KEY is shorter than 32 characters" in short.stderr
    assert content(workspace.store) == before
    said = workspace.ok("store", "rotate-key", env=ROTATED)
    assert "From now on RECONCILER_STORE_KEY has to hold the new key: change it wherever it is set." in said.stdout
    assert NEW_KEY not in said.output
    refused = workspace.run("plan", "--secrets", "check")
    assert refused.exit_code == 10 and "another key than the one in RECONCILER_STORE_KEY" in refused.stderr
    is_as_applied(workspace, RECONCILER_STORE_KEY=NEW_KEY)
    again = workspace.ok("store", "rotate-key", env=ROTATED)
    assert again.stdout.startswith("local was under the new key already.\n")
    assert not list(workspace.store.parent.glob("store.key*"))


@pytest.mark.parametrize("wrong", ["another", "missing", "altered", "deleted record"])
def test_what_cannot_be_opened_changes_nothing(own: Workspace, wrong: str) -> None:
    """Exit code 10, every byte as before, and no draft left behind."""
    if wrong == "another":
        key_file(own).write_text(NEW_KEY)
    elif wrong == "missing":
        key_file(own).unlink()
    elif wrong == "altered":
        sql(own.store, "UPDATE secrets SET ciphertext = zeroblob(length(ciphertext))")
    else:
        delete(own)
        sql(own.store, "UPDATE quarantined_secrets SET ciphertext = x'00'")
    tables = ("secrets", "quarantined_secrets", "tokens", "runs", "meta")
    before = [sql(own.store, f"SELECT * FROM {table}") for table in tables], sorted(own.store.parent.glob("*.key*"))
    result = own.run("store", "rotate-key")
    assert result.exit_code == 10, result.output
    assert "hint: " in result.stderr
    assert before == ([sql(own.store, f"SELECT * FROM {table}") for table in tables], sorted(own.store.parent.glob("*.key*")))  # fmt: skip


def delete(workspace: Workspace) -> None:
    """The only connector."""
    workspace.write("connectors/crm.yaml", CATEGORY)
    workspace.ok("apply", "--yes")


def test_secrets_of_records_that_others_wrote_to(own: Workspace) -> None:
    """What was there before is sealed anew too: the secret does not seem to have been changed, and is not, if it was."""
    drift(own, "crm-contacts", "$.spec.description", '"Other."')
    before = sealed(own.store)
    own.ok("store", "rotate-key")
    assert not any(kept.hex().upper().encode() in content(own.store) for kept in before)
    told = json.loads(own.ok("drift", "-o", "json").stdout)
    (only,) = told["records"]
    assert [field["path"] for field in only["fields"]] == [["spec", "description"]]
    sql(own.store, "UPDATE secrets SET fingerprint = 'x'")
    own.ok("store", "rotate-key")
    own.ok("apply", "--yes", "-q")
    is_as_applied(own)


def test_secrets_of_deleted_records(own: Workspace) -> None:
    """They are sealed anew too, and open when the record is restored."""
    delete(own)
    ((ciphertext,),) = sql(own.store, "SELECT ciphertext FROM quarantined_secrets")
    assert own.ok("store", "rotate-key").stdout.startswith("Changed the key of local: 1 secret and 0 access tokens")
    assert ciphertext not in content(own.store)
    own.ok("restore", "connector/crm-contacts", "--yes")
    assert password_of(own, key_file(own).read_text().strip()) == PASSWORD


def test_a_store_without_secrets_has_no_key(empty: Workspace) -> None:
    """And one that is not there is not made."""
    nothing = "Nothing is sealed in local, so there is no key to change.\n"
    assert empty.ok("store", "rotate-key", env=ROTATED).stdout == nothing
    assert not empty.store.exists()
    empty.write("connectors/a.yaml", CATEGORY)
    empty.ok("apply", "--yes")
    assert empty.ok("store", "rotate-key", env=ROTATED).stdout == nothing


def test_it_takes_a_super_admin(own: Workspace) -> None:
    """Once the store has one."""
    own.write("policies/team.yaml", POLICY + "---\napiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\nspec: {subjects: [{user: margaret}], superAdmin: true}\n")  # fmt: skip
    own.ok("apply", "--yes", "--as", "margaret")
    before = sealed(own.store)
    for actor, words in (("ada", "'ada' may not change the store's key: it takes a super admin"), (None, "who changes its key has to be known")):  # fmt: skip
        result = own.run("store", "rotate-key", *(("--as", actor) if actor else ()))
        assert result.exit_code == 4 and words in result.stderr, result.output
    assert sealed(own.store) == before
    own.ok("store", "rotate-key", "--as", "margaret")
    assert sealed(own.store) != before


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("reconciler.cli.boundary.SignalInterrupts", "hold"),  # everything is written, and the draft too
        ("reconciler.secrets.sealer.NewKey", "put_in_place"),  # the store has changed
        ("reconciler.stores.sql.care.SqlKeys", "scrub"),
    ],
)
def test_a_process_that_dies_on_the_way(own: Workspace, where: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command finds the key that fits, whichever it is, and puts it in its place."""
    monkeypatch.chdir(own.root)
    child = os.fork()
    if not child:
        os.environ.pop("RECONCILER_STORE_KEY", None)
        monkeypatch.setattr(f"{where}.{name}", lambda *_: os._exit(7))
        os._exit(run_here(["-q", "store", "rotate-key"]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    is_as_applied(own)
    assert password_of(own, key_file(own).read_text().strip()) == PASSWORD
    assert (len(sql(own.store, "SELECT 1 FROM runs WHERE verb = 'rotate-key'")) == 0) == (name == "hold")
    if name != "hold":
        assert not list(own.store.parent.glob("*.new"))
    own.ok("store", "rotate-key")
    is_as_applied(own)


def test_a_key_file_that_cannot_be_replaced(own: Workspace) -> None:
    """Such as one that is mounted by itself: the new key is found beside it."""
    needs_mounts()
    key = key_file(own)
    script = f"mount --bind {key} {key} && exec {sys.executable} -m reconciler store rotate-key"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=own.root, env=clean_environment(own.env), capture_output=True, text=True, check=True)  # fmt: skip
    (draft,) = own.store.parent.glob("store.key.*.new")
    assert f"The new key is in {draft}, and is found there; the key file cannot be replaced: " in done.stdout
    assert password_of(own, draft.read_text().strip()) == PASSWORD
    is_as_applied(own)
    assert not draft.exists() and password_of(own, key.read_text().strip()) == PASSWORD


def test_others_at_work(own: Workspace, hold: Callable[[str], None]) -> None:
    """An apply or a process that fetches tokens is waited for, and named when it does not end."""
    for name, words in (("apply/local", "is locked by another run"), ("token/x", "access tokens are being fetched")):
        hold(name)
        before = sealed(own.store)
        result = own.run("store", "rotate-key", "--lock-timeout", "0.2")
        assert result.exit_code == 8 and words in result.stderr, result.output
        assert sealed(own.store) == before
    hold("")
    own.ok("store", "rotate-key")


@pytest.fixture
def hold(own: Workspace) -> Callable[[str], None]:
    """Holds the lease of a name, and ends the one held before."""
    import time

    from reconciler.stores.host import LocalHost

    def hold(name: str) -> None:
        sql(own.store, "DELETE FROM leases")
        if name:
            sql(own.store, "INSERT INTO leases (name, holder, expires, fence) VALUES (?, ?, ?, 1)", name, str(LocalHost().holder()), time.time() + 30)  # fmt: skip

    return hold


def test_what_began_before_writes_nothing_with_the_old_key(own: Workspace) -> None:
    """An apply that had sealed already, and a process that was about to fetch tokens, are told to start again."""
    from reconciler.errors import RecordConflict
    from reconciler.core.progress import NOTHING_INTERRUPTS
    from reconciler.core.ports.store import RunInfo
    from reconciler.settings import Overrides
    from reconciler.wiring.run import load_settings, open_store, open_tokens

    settings = load_settings(own.root, Overrides())
    store = open_store(settings, {})
    tokens = open_tokens(settings, store).keeper
    store.sealer()
    store.close()
    own.ok("store", "rotate-key")
    run = RunInfo("ada", "local", "local", "", "2027-01-01T00:00:00Z")
    with pytest.raises(RecordConflict, match="the store's key was changed meanwhile"):
        with store.lease(run, NOTHING_INTERRUPTS) as lease:
            lease.carry_out(run, lambda session: pytest.fail("nothing may be written"))
    with pytest.raises(RecordConflict, match="the store's key was changed meanwhile"):
        tokens.lease([TokenKey("x")], "me", 60)
    is_as_applied(own)


def test_a_reader_is_not_disturbed(own: Workspace) -> None:
    """Whoever reads sees what was there; that the old bytes are still in the journal is said, and can be made up for."""
    (old,) = sealed(own.store)
    reader = sqlite3.connect(own.store, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT ciphertext FROM secrets").fetchone() == (old,)
    said = own.ok("store", "rotate-key", "--lock-timeout", "0.2")
    assert "another process reads the store" in said.stdout
    assert reader.execute("SELECT ciphertext FROM secrets").fetchone() == (old,)
    reader.close()
    own.ok("store", "rotate-key")
    assert old not in content(own.store)
