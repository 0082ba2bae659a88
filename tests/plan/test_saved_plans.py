"""A saved plan is carried out as it was reviewed, or not at all."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, Workspace
from programs import needs
from live_state import drift, live_spec, sql

from reconciler.errors import GuardStopped, UsageError
from reconciler.kinds import registry
from reconciler.wiring.saved_plans import read_plan

CRM = "connectors/crm.yaml"
OTHER = CATEGORY.replace("name: crm", "name: other").replace("Customer data", "Other")


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A store with one more category."""
    workspace.write("connectors/other.yaml", OTHER)
    workspace.ok("apply", "--yes", "-q")
    return workspace


@pytest.fixture
def saved(applied: Workspace) -> Workspace:
    """A plan that updates the connector, saved to plan.json."""
    applied.edit(CRM, "Contacts of the CRM.", "Reviewed words.")
    applied.ok("plan", "-q", "--out", "plan.json")
    return applied


def content_of(workspace: Workspace, name: str = "plan.json") -> dict:
    content = json.loads((workspace.root / name).read_bytes())
    fits(content, "saved-plan.schema.json")
    fits(content["plan"], "plan.schema.json")
    return content


def refused(workspace: Workspace, code: int, *arguments: str) -> str:
    """What an apply of the plan says, which changes nothing."""
    before = sql(workspace.store, "SELECT count(*) FROM history") if workspace.store.exists() else None
    result = workspace.run("apply", "plan.json", "--yes", *arguments)
    assert result.exit_code == code, result.output
    if before is not None:
        assert sql(workspace.store, "SELECT count(*) FROM history") == before
    return result.stderr


def test_what_was_reviewed_is_applied(saved: Workspace) -> None:
    """Whatever git says by now."""
    content = content_of(saved)
    assert content["plan"]["summary"]["update"] == 1 and content["verb"] == "apply"
    saved.edit(CRM, "Reviewed words.", "Words that nobody has seen.")
    result = saved.ok("apply", "plan.json", "--yes")
    assert '"Contacts of the CRM." -> "Reviewed words."' in result.stdout
    assert live_spec(saved, "connector/crm-contacts")["description"] == "Reviewed words."
    assert sql(saved.store, "SELECT plan FROM runs ORDER BY id DESC LIMIT 1") == [(content["plan"]["fingerprint"],)]
    assert (saved.root / "plan.json").stat().st_mode & 0o777 == 0o600


def test_every_action(workspace: Workspace) -> None:
    """Creates, renames, deletes, adoptions and updates of records with merged lists, all in one file."""
    workspace.ok("apply", "--yes", "-q")
    workspace.write("connectors/new.yaml", OTHER)
    workspace.edit(CRM, "name: crm-contacts\n", "name: contacts\n  previously: [crm-contacts]\n")
    workspace.edit("policies/team.yaml", "mode: authoritative, users: [ada, grace]", "mode: additive, users: [ada]")
    text = (workspace.root / "policies/team.yaml").read_text()
    workspace.write("policies/team.yaml", text.partition("---\n")[0])
    drift(workspace, "integrators", "$.spec.members.users", '["ada", "grace", "hedy"]')
    workspace.ok("plan", "-q", "--out", "plan.json")
    assert [step["action"] for step in content_of(workspace)["steps"]] == ["create", "rename", "update", "delete"]
    workspace.ok("apply", "plan.json", "--yes")
    assert "Nothing to do" in workspace.ok("plan").stdout
    workspace.ok("store", "check")
    sql(workspace.store, "UPDATE records SET owner = 'others' WHERE name = 'other'")
    workspace.ok("plan", "-q", "--adopt", "--out", "plan.json")
    workspace.ok("apply", "plan.json", "--yes")
    assert sql(workspace.store, "SELECT overrides FROM runs ORDER BY id DESC LIMIT 1") == [('["adopt=1"]',)]


def test_nothing_to_do_is_saved_and_applied_too(applied: Workspace) -> None:
    applied.ok("plan", "--out", "plan.json")
    before = applied.store.read_bytes()
    assert "Nothing to do" in applied.ok("apply", "plan.json", "--yes").stdout
    assert applied.store.read_bytes() == before


# what makes it stale


def _edited(store: Workspace) -> None:
    drift(store, "crm-contacts", "$.spec.description", '"theirs"')


def _sql(*statements: str) -> Callable[[Workspace], None]:
    def run(workspace: Workspace) -> None:
        for statement in statements:
            sql(workspace.store, statement)

    return run


_RENAME = "UPDATE records SET name = '{}' WHERE name = '{}'"
MOVES: dict[str, tuple[Callable[[Workspace], None], str]] = {
    "edited": (_edited, "connector/crm-contacts description: "),
    "deleted": (_sql("DELETE FROM records WHERE name = 'crm-contacts'"), "connector/crm-contacts was deleted"),
    "renamed": (_sql(_RENAME.format("x", "crm-contacts")), "connector/crm-contacts was renamed to connector/x"),
    "owned": (
        _sql("UPDATE records SET owner = 'x' WHERE name = 'crm-contacts'"),
        "connector/crm-contacts belongs to x now, not to local",
    ),
    "category gone": (_sql("DELETE FROM records WHERE name = 'crm'"), "category/crm, which it refers to, is gone"),
    "category another": (
        _sql(_RENAME.format("y", "crm"), _RENAME.format("crm", "other")),
        "category/crm, which it refers to, is another",
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_what_makes_it_stale(saved: Workspace, move: str) -> None:
    """Exit code 6, and the field with both fingerprints, of which neither tells the value."""
    act, says = MOVES[move]
    act(saved)
    said = refused(saved, 6)
    assert "error: the plan is stale: live records moved after planning; nothing was changed\n" in said
    assert f"\n  {says}" in said
    if move == "edited":
        line = next(line for line in said.splitlines() if "description" in line)
        _, old, new = line.replace(" when it was planned, ", " ").replace(" now", "").rsplit(" ", 2)
        assert len(old) == len(new) == 12 and old != new and "theirs" not in said


def test_a_record_that_was_to_be_created_is_there(workspace: Workspace) -> None:
    workspace.ok("plan", "-q", "--out", "plan.json")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Others made it.")
    workspace.ok("apply", "--yes", "-q")
    assert "connector/crm-contacts was created" in refused(workspace, 6)


def test_a_plan_that_was_applied_says_so(workspace: Workspace) -> None:
    """It is stale for that reason, whether it was carried out from the file or planned once more."""
    workspace.ok("plan", "-q", "--out", "plan.json")
    workspace.ok("apply", "--yes", "-q")
    said = refused(workspace, 6)
    assert "error: the plan was already applied as run 1, by ada at " in said and "nothing was changed now" in said


def test_what_does_not_concern_it_does_not_make_it_stale(saved: Workspace) -> None:
    """Other records that moved, by an apply or outside of a run, and an apply of nothing."""
    drift(saved, "other", "$.spec.description", '"theirs"')
    saved.write("connectors/third.yaml", OTHER.replace("other", "third").replace("Other", "Third"))
    saved.edit(CRM, "Reviewed words.", "Contacts of the CRM.")
    saved.ok("apply", "--yes", "-q")
    saved.ok("apply", "--yes", "-q")
    sql(saved.store, "UPDATE records SET version = version + 5 WHERE name = 'crm-contacts'")
    saved.ok("apply", "plan.json", "--yes")
    assert live_spec(saved, "connector/crm-contacts")["description"] == "Reviewed words."


def test_it_expires(applied: Workspace) -> None:
    applied.edit(CRM, "Contacts of the CRM.", "Reviewed words.")
    applied.ok("plan", "-q", "--out", "plan.json", "--valid-for", "1s")
    time.sleep(1.1)
    assert "error: the plan has expired: it was good until " in refused(applied, 6)
    assert applied.run("plan", "--out", "plan.json", "--valid-for", "soon").exit_code == 64


def test_it_is_for_one_store_target_and_owner(saved: Workspace) -> None:
    target = "targets: {local: {store: 'sqlite:.reconciler/store.db'}, two: {store: 'sqlite:two.db'}}\n"
    project = f"apiVersion: reconciler/v1\nkind: Project\n{target}"
    saved.write("reconciler.yaml", project)
    assert "the plan is for the target 'local', and not for 'two'" in refused(saved, 64, "--target", "two")
    saved.write("reconciler.yaml", f"{project}owner: acme/other\n")
    assert "the plan is for the owner 'local', and not for 'acme/other'" in refused(saved, 64)
    shutil.rmtree(saved.store.parent)
    saved.write("reconciler.yaml", project)
    saved.ok("apply", "--yes", "-q")
    assert "the plan is for another store" in refused(saved, 64)
    saved.ok("plan", "-q", "--target", "two", "--out", "plan.json")
    saved.ok("apply", "plan.json", "--yes")
    assert sql(saved.root / "two.db", "SELECT target FROM runs") == [("two",)]


# what was edited


def test_an_edited_plan_is_refused(saved: Workspace) -> None:
    """Whichever value it is: each in turn, read in this process."""
    path = saved.root / "plan.json"
    whole = json.loads(path.read_bytes())
    places = list(_places(whole))
    assert len(places) > 60
    for place in places:
        content = json.loads(path.read_bytes())
        _edit(content, place)
        edited = saved.write("edited.json", json.dumps(content))
        with pytest.raises((GuardStopped, UsageError)) as caught:
            read_plan(edited)
        if place[0] not in ("version", "type"):
            assert "is not the plan that was saved: it was edited or damaged" in caught.value.message, place
    shutil.copy(edited, path)
    assert "was edited or damaged" in refused(saved, 5)


def _places(value: object, path: tuple = ()) -> list[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] if not items and path else [place for step, item in items for place in _places(item, (*path, step))]


def _edit(content: object, place: tuple) -> None:
    for step in place[:-1]:
        content = content[step]
    old = content[place[-1]]
    content[place[-1]] = f"{old}x" if isinstance(old, str) else 7 if old is not True else False


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": "plan"}', '{"type": "saved-plan", "version": 2}', "x" * 100])
def test_what_is_no_saved_plan(applied: Workspace, text: str) -> None:
    applied.write("plan.json", text)
    assert "hint: make a new plan" in refused(applied, 64)


def test_options_that_say_how_to_plan_do_not_go_with_it(saved: Workspace) -> None:
    assert "--adopt says how to plan" in refused(saved, 64, "--adopt")
    assert saved.run("plan", "--sign", "key").exit_code == 64
    assert saved.run("apply", "--verify", "key.pub").exit_code == 64
    assert "cannot be saved" in saved.run("plan", "--out", "no/such/folder/plan.json").stderr


# signatures


def keys(folder: Path, name: str, *arguments: str) -> Path:
    command = [needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / name, *arguments]
    subprocess.run(command, check=True)
    return folder / name


def test_signatures(saved: Workspace, tmp_path: Path) -> None:
    """By keys as OpenSSH and OpenSSL make them; another key, no signature, or one of another plan is refused."""
    mine, other = keys(tmp_path, "mine"), keys(tmp_path, "other")
    assert "error: the plan is not signed\n" in refused(saved, 5, "--verify", f"{mine}.pub")
    shutil.copy(saved.root / "plan.json", saved.root / "unsigned.json")
    saved.ok("plan", "-q", "--out", "plan.json", "--sign", str(mine))
    listed = subprocess.run(
        [needs("ssh-keygen"), "-l", "-f", f"{mine}.pub"], capture_output=True, text=True, check=True
    ).stdout
    name = content_of(saved)["signature"]["key"]
    assert name in listed
    said = refused(saved, 5, "--verify", f"{other}.pub")
    assert f"the plan is not signed by a key that is trusted here; it says {name}\n" in said
    content, unsigned = content_of(saved), content_of(saved, "unsigned.json")
    saved.write("plan.json", json.dumps({**unsigned, "signature": content["signature"]}))
    assert "not signed by a key that is trusted" in refused(saved, 5, "--verify", f"{mine}.pub")
    saved.write("plan.json", json.dumps(content))
    assert saved.run("apply", "plan.json", "--verify", str(mine), "--yes").exit_code == 64
    saved.ok("apply", "plan.json", "--yes", "--verify", f"{other}.pub", "--verify", f"{mine}.pub")


def test_keys_of_other_makes(saved: Workspace, tmp_path: Path) -> None:
    """PEM, and a key under a passphrase; an RSA key is refused."""
    pem, public, rsa = tmp_path / "key.pem", tmp_path / "pub.pem", tmp_path / "rsa.pem"
    subprocess.run([needs("openssl"), "genpkey", "-algorithm", "ed25519", "-out", pem], check=True, capture_output=True)
    subprocess.run([needs("openssl"), "pkey", "-in", pem, "-pubout", "-out", public], check=True, capture_output=True)
    subprocess.run([needs("openssl"), "genpkey", "-algorithm", "rsa", "-out", rsa], check=True, capture_output=True)
    assert "holds no Ed25519 private key" in saved.run("plan", "--out", "x.json", "--sign", rsa).stderr
    assert not (saved.root / "x.json").exists()
    saved.ok("plan", "-q", "--out", "plan.json", "--sign", pem)
    locked = tmp_path / "locked"
    subprocess.run([needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", "a passphrase", "-f", locked], check=True)
    result = saved.run("plan", "--out", "x.json", "--sign", locked)
    assert result.exit_code == 64 and "RECONCILER_SIGN_PASSPHRASE" in result.stderr
    env = {"RECONCILER_SIGN_PASSPHRASE": "a passphrase"}
    saved.ok("plan", "-q", "--out", "x.json", "--sign", locked, env=env)
    assert saved.run("apply", "x.json", "--verify", public).exit_code == 5
    saved.ok("apply", "plan.json", "--yes", "--verify", public)


def test_a_target_may_demand_signed_plans(saved: Workspace, tmp_path: Path) -> None:
    mine = keys(tmp_path, "mine")
    saved.write("keys.pub", "# who may release\n" + Path(f"{mine}.pub").read_text())
    saved.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\n"
        "targets: {local: {store: 'sqlite:.reconciler/store.db', signedBy: [keys.pub]}}\n",
    )
    result = saved.run("apply", "--yes")
    assert result.exit_code == 5 and "the target local takes signed plans only" in result.stderr
    assert "the plan is not signed" in refused(saved, 5)
    saved.ok("plan", "-q", "--out", "plan.json", "--sign", mine)
    saved.ok("apply", "plan.json", "--yes")


def test_a_plan_of_a_commit_that_is_not_on_the_branch(saved: Workspace) -> None:
    saved.edit(CRM, "Reviewed words.", "Contacts of the CRM.")
    saved.write(".gitignore", "plan.json\n.reconciler/\n")
    saved.commit()
    saved.git("checkout", "-q", "-b", "topic")
    saved.edit(CRM, "Contacts of the CRM.", "Reviewed words.")
    saved.ok("plan", "-q", "--out", "plan.json")
    assert "was made from uncommitted changes" in refused(saved, 5, "--require-commit-on", "main")
    commit = saved.commit()
    saved.ok("plan", "-q", "--out", "plan.json")
    assert f"the plan's commit {commit[:12]} is not on main\n" in refused(saved, 5, "--require-commit-on", "main")
    assert "there is no branch 'mian'" in refused(saved, 64, "--require-commit-on", "mian")
    assert saved.run("apply", "--yes", "--require-commit-on", "main").exit_code == 5
    saved.git("checkout", "-q", "main")
    saved.git("merge", "-q", "topic")
    saved.ok("apply", "plan.json", "--yes", "--require-commit-on", "main")


# secrets, permissions, guards

CANARY = "Qcanary7k2m9x4w8"


def test_no_secret_is_in_it(saved: Workspace) -> None:
    """Neither one that is resolved, nor one that somebody wrote into the live record in the clear."""
    saved.env["CRM_PASSWORD"] = CANARY
    drift(saved, "crm-contacts", "$.spec.authorization.password", f'"{CANARY}live"')
    saved.ok("plan", "-q", "--secrets", "check", "--out", "plan.json")
    assert CANARY not in (saved.root / "plan.json").read_text()
    drift(saved, "crm-contacts", "$.spec.authorization.password", f'"{CANARY}more"')
    assert CANARY not in refused(saved, 6)


def test_a_secret_that_changed_once_more(applied: Workspace) -> None:
    """The plan names the new value by its fingerprint; yet another one makes it stale."""
    applied.env["CRM_PASSWORD"] = "second"
    applied.ok("plan", "-q", "--secrets", "check", "--out", "plan.json")
    (step,) = content_of(applied)["steps"]
    assert [field["origin"] for field in step["unwritten"]] == ["secret"]
    applied.env["CRM_PASSWORD"] = "third"
    said = refused(applied, 6)
    assert "secrets have other values than when it was made" in said and "authorization.password: " in said
    applied.env["CRM_PASSWORD"] = "second"
    applied.ok("apply", "plan.json", "--yes")
    assert "Nothing to do" in applied.ok("plan", "--secrets", "check").stdout


def test_guards_and_permissions_are_those_of_the_moment_it_is_applied(applied: Workspace) -> None:
    """Judged for whoever applies it, by the policies that are live then."""
    text = (applied.root / CRM).read_text()
    applied.write(CRM, text.partition("---\n")[0])
    applied.ok("plan", "-q", "--out", "plan.json")
    fingerprint = content_of(applied)["plan"]["fingerprint"]
    assert f"if this is meant: --override {fingerprint[:12]}:deletes=1" in refused(applied, 5, "--max-deletes", "0")
    owners = "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\nspec: {subjects: [{user: margaret}], superAdmin: true}\n"
    applied.write(CRM, text)
    applied.write("policies/owners.yaml", owners)
    applied.ok("apply", "--yes", "-q")
    assert "'grace' may not make 1 of 1 changes" in refused(applied, 4, "--as", "grace")
    assert "who makes a change has to be known" in refused(applied, 4)
    applied.ok(
        "apply",
        "plan.json",
        "--yes",
        "--as",
        "margaret",
        "--max-deletes",
        "0",
        "--override",
        f"{fingerprint[:12]}:deletes=1",
    )
