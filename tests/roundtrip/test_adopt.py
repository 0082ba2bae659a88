"""``reconciler adopt``, as a user starts it."""

import json
from typing import Any

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from live_state import InProcess, drift, sql

from reconciler.cli.drift import _AFTERWARDS as AFTERWARDS
from reconciler.kinds import registry

COMMENTED = (
    CATEGORY
    + """\
---
# The sales team's own.
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts
  labels: {team: sales}   # who looks after it
spec:
  displayName: 'Sales team''s contacts'
  description: Contacts of the CRM.  # kept short
  categories: [crm]
  authorization:
    method: basic
    username: "svc"
    password: {env: CRM_PASSWORD}

  endpoints:
    # One page at a time.
    list:
      method: GET
      url: https://crm.example.com/contacts/{{account}}
      params: [{name: page, value: "1"}]
"""
)


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A small repository with comments, applied."""
    workspace.write("connectors/crm.yaml", COMMENTED)
    InProcess(workspace.root, workspace.env).apply()
    return workspace


def adopt_json(workspace: Workspace, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """The answer as JSON, held against its schema."""
    result = workspace.run("adopt", "-o", "json", *arguments)
    assert result.exit_code == exit_code, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, "adopt.schema.json")
    return content


def connectors(workspace: Workspace) -> str:
    """The text of the connectors' file."""
    return (workspace.root / "connectors" / "crm.yaml").read_bytes().decode()


def is_planned_empty(workspace: Workspace) -> bool:
    """Whether there is nothing to do."""
    return InProcess(workspace.root, workspace.env).plan().is_empty


def test_only_what_differs_is_edited(applied: Workspace) -> None:
    """A dry run shows it and writes nothing; then the plan is empty, and nothing is left to adopt."""
    drift(applied, "crm-contacts", "$.spec.displayName", '"Sales\'s own"')
    drift(applied, "crm-contacts", "$.spec.endpoints.list.retry", '{"attempts":3}')
    tried = applied.ok("adopt", "--dry-run")
    assert connectors(applied) == COMMENTED
    done = applied.ok("adopt")
    assert (
        done.stdout
        == tried.stdout.replace("would be adopted", "adopted")
        == (
            "--- a/connectors/crm.yaml\n+++ b/connectors/crm.yaml\n"
            "@@ -10,7 +10,7 @@\n   name: crm-contacts\n   labels: {team: sales}   # who looks after it\n spec:\n"
            "-  displayName: 'Sales team''s contacts'\n+  displayName: 'Sales''s own'\n"
            "   description: Contacts of the CRM.  # kept short\n   categories: [crm]\n   authorization:\n"
            "@@ -24,3 +24,4 @@\n       method: GET\n       url: https://crm.example.com/contacts/{{account}}\n"
            '       params: [{name: page, value: "1"}]\n+      retry: {attempts: 3}\n'
            "adopted connector/crm-contacts  connectors/crm.yaml: displayName, endpoints.list.retry\n"
            "1 record adopted in 1 file.\n"
        )
    )
    assert done.stderr == f"{AFTERWARDS}\n"
    assert is_planned_empty(applied)
    applied.ok("fmt", "--check")
    assert applied.ok("adopt").stdout == "Nothing to adopt.\n"


def test_an_apply_notes_what_was_adopted(applied: Workspace) -> None:
    """There is nothing to do, but from then on a change of git is git's alone, and a new reference has its secret."""
    drift(applied, "crm-contacts", "$.spec.description", '"By hand."')
    drift(applied, "crm-contacts", "$.spec.authorization.password", '{"env":"OTHER_PASSWORD"}')
    applied.ok("adopt")
    assert applied.ok("plan").stdout.startswith("Nothing to do")
    applied.env["OTHER_PASSWORD"] = "another-password"
    done = applied.ok("apply", "--yes")
    assert done.stdout.startswith(
        "Nothing to do: local is what the working tree says (4 records).\n1 record noted as applied: others"
    )
    assert sql(applied.store, "SELECT reference FROM secrets") == [('{"env":"OTHER_PASSWORD"}',)]
    bench = InProcess(applied.root, applied.env)
    before = applied.store.read_bytes()
    assert not bench.apply().plan.confirmed and applied.store.read_bytes() == before
    applied.edit("connectors/crm.yaml", "By hand.", "By git.")
    (change,) = bench.plan().changes
    assert change.origin == "git"
    applied.ok("store", "check")
    assert [version["action"] for version in json.loads(applied.ok("history", "connector/crm-contacts", "-o", "json").stdout)["versions"]] == [
        "update", "drift", "create"
    ]  # fmt: skip


def test_what_git_has_moved_too_is_left_to_the_author(applied: Workspace) -> None:
    """Three-way, at its line; --theirs takes the live value. What git alone has moved stays pending."""
    for path, value in (("description", '"By hand."'), ("authorization.username", '"hand"'), ("displayName", '"Hand"')):
        drift(applied, "crm-contacts", f"$.spec.{path}", value)
    applied.edit("connectors/crm.yaml", "Contacts of the CRM.", "By git.")
    applied.edit("connectors/crm.yaml", "method: GET", "method: POST")
    result = applied.run("adopt")
    assert result.exit_code == 6
    assert result.stdout.endswith(
        "adopted connector/crm-contacts  connectors/crm.yaml: authorization.username, displayName\n"
        "1 record adopted in 1 file.\n"
        "conflict connector/crm-contacts\n"
        "    connectors/crm.yaml:14:16: description\n"
        '        last applied  "Contacts of the CRM."\n'
        '        git           "By git."\n'
        '        live          "By hand."\n'
    )
    assert "git has other changes of connector/crm-contacts, which an apply carries out\n" in result.stderr
    assert "error: git and the live side both changed 1 record\n  hint: edit the files, or take" in result.stderr
    assert "description: By git.  # kept short\n" in connectors(applied) and '"hand"' in connectors(applied)
    content = adopt_json(applied, exit_code=6)
    (conflict,) = content["conflicts"]
    assert (conflict["applied"], conflict["git"], conflict["live"], conflict["line"]) == (
        "Contacts of the CRM.", "By git.", "By hand.", 14
    )  # fmt: skip
    assert adopt_json(applied, "--theirs")["adopted"][0]["fields"] == [["spec", "description"]]
    assert "description: By hand.  # kept short\n" in connectors(applied)
    (change,) = InProcess(applied.root, applied.env).plan().changes
    assert [field.path[1:] for field in change.fields] == [("endpoints", "list", "method")]


def test_a_record_that_was_deleted_live(applied: Workspace) -> None:
    """Its document goes, and the file when it is empty; not when git has changed it since, or others refer to it."""
    sql(applied.store, "DELETE FROM records WHERE name = 'crm'")
    refused = applied.run("adopt")
    assert refused.exit_code == 3
    assert "error[RC301]: there is no category 'crm'" in refused.stderr
    assert "with what is live the definitions would not be valid; nothing was written" in refused.stderr
    assert connectors(applied) == COMMENTED
    sql(applied.store, "DELETE FROM records WHERE kind IN ('Connector', 'PermissionPolicy', 'Group')")
    applied.edit("policies/team.yaml", "Integration team", "Integrators")
    content = adopt_json(applied, exit_code=6)
    assert [(found["address"], found["deed"]) for found in content["adopted"]] == [
        ("category/crm", "remove"), ("connector/crm-contacts", "remove"), ("policy/integration-team", "remove")
    ]  # fmt: skip
    assert [(found["address"], found["path"]) for found in content["conflicts"]] == [("group/integrators", [])]
    assert not (applied.root / "connectors" / "crm.yaml").exists()
    assert (applied.root / "policies" / "team.yaml").read_text() == POLICY.split("---\n")[0].replace(
        "Integration team", "Integrators"
    )
    applied.ok("adopt", "--theirs")
    assert not (applied.root / "policies" / "team.yaml").exists()


def test_what_was_never_applied_is_not_taken_for_deleted(applied: Workspace) -> None:
    """A new definition stays, and so does one whose record an apply has deleted."""
    applied.write("connectors/new.yaml", CATEGORY.replace("crm", "new").replace("Customer data", "New"))
    assert applied.ok("adopt").stdout == "Nothing to adopt.\n"
    bench = InProcess(applied.root, applied.env)
    bench.apply()
    text = (applied.root / "connectors" / "new.yaml").read_text()
    (applied.root / "connectors" / "new.yaml").unlink()
    bench.apply()
    applied.write("connectors/new.yaml", text)
    assert applied.ok("adopt", "category/new").stdout == "Nothing to adopt.\n"


def test_a_record_that_was_made_live_has_to_be_named(applied: Workspace) -> None:
    """Then it gets a file of its own; whose it is is another matter."""
    sql(applied.store, "INSERT INTO records (uid, kind, name) VALUES ('u', 'Category', 'loose')")
    sql(applied.store, "INSERT INTO documents (uid, live) VALUES ('u', ?)", '{"spec":{"displayName":"Loose"}}')
    left = applied.ok("adopt")
    assert left.stdout == "Nothing to adopt.\n"
    assert left.stderr == "1 live record of nobody left alone; name them to adopt them\n"
    applied.write("connectors/loose.yaml", CATEGORY.replace("crm", "other").replace("Customer data", "Other"))
    done = applied.ok("adopt", "category/loose")
    assert "added category/loose  connectors/loose-category.yaml\n" in done.stdout
    assert done.stderr == "to own what was added: reconciler apply --adopt\n"
    assert "displayName: Loose\n" in (applied.root / "connectors" / "loose-category.yaml").read_text()
    InProcess(applied.root, applied.env).apply(adopt=True)
    assert is_planned_empty(applied)


def test_what_belongs_to_others_or_is_gone_from_git(applied: Workspace) -> None:
    """It is not adopted, and it is said what would be."""
    sql(applied.store, "INSERT INTO records (uid, kind, name, owner) VALUES ('u', 'Category', 'theirs', 'acme/x')")
    sql(applied.store, "INSERT INTO documents (uid, live) VALUES ('u', ?)", '{"spec":{"displayName":"Theirs"}}')
    applied.write("connectors/crm.yaml", CATEGORY)
    result = applied.run("adopt", "category/theirs", "connector/crm-contacts")
    assert (result.exit_code, result.stdout) == (6, "Nothing to adopt.\n")
    assert "error: 2 records cannot be adopted\n" in result.stderr
    assert "category/theirs: it belongs to acme/x\n" in result.stderr
    assert "connector/crm-contacts: it was applied once, and git does not define it under this name\n" in result.stderr
    unknown = applied.run("adopt", "category/nowhere")
    assert (unknown.exit_code, unknown.stdout) == (64, "")
    assert "neither git nor the store has a category 'nowhere'" in unknown.stderr


CANARY = "Literal-7Hq2"
SECRETS = [
    ("$.spec.authorization.password", f'"{CANARY}"', "RC210"),
    ("$.spec.endpoints.list.headers", f'[{{"name":"X-Api-Key","value":"{CANARY}"}}]', "RC403"),
    ("$.spec.endpoints.list.headers", '[{"name":"X-Note","value":"Basic a-password-for-the-tests"}]', "RC210"),
    ("$.spec.description", '"ghp_%s"' % ("A" * 36), "RC401"),
    ("$.spec.endpoints.list.url", f'"https://svc:{CANARY}@crm.example.com/"', "RC402"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "code"), SECRETS)
def test_a_live_secret_is_not_written_to_git(applied: Workspace, path: str, value: str, code: str) -> None:
    """Where a reference belongs, in a form that gives it away, or as the value of a secret that the store knows."""
    drift(applied, "crm-contacts", path, value)
    applied.edit("connectors/crm.yaml", "displayName: Customer data", "displayName: Data")
    result = applied.run("adopt")
    assert result.exit_code == 6
    assert f"[{code}]" in result.stderr
    assert "connector/crm-contacts: what is live is no valid definition\n" in result.stderr
    for canary in (CANARY, "ghp_", "a-password-for-the-tests"):
        assert canary not in result.output + connectors(applied)


def test_an_anchor_that_others_repeat(applied: Workspace) -> None:
    """It is not edited through, as that would change the others; an alias is written out."""
    anchored = COMMENTED.replace("params: [{", "params: &paging [{") + (
        "    more:\n      method: GET\n      url: https://crm.example.com/more\n      params: *paging   # as above\n"
    )
    applied.write("connectors/crm.yaml", anchored)
    InProcess(applied.root, applied.env).apply()
    drift(applied, "crm-contacts", "$.spec.endpoints.list.params[0].value", '"2"')
    result = applied.run("adopt")
    assert (result.exit_code, connectors(applied)) == (6, anchored)
    assert result.stderr == (
        "error: 1 record cannot be adopted\n"
        "  connectors/crm.yaml:26:15: connector/crm-contacts: the value is anchored as &paging, and line 30 repeats it\n"
        "      write it out there, or change both by hand\n"
    )
    InProcess(applied.root, applied.env).apply()
    drift(applied, "crm-contacts", "$.spec.endpoints.more.params[0].value", '"2"')
    applied.ok("adopt")
    assert connectors(applied) == anchored.replace(
        "params: *paging   # as above\n", 'params:   # as above\n        - {name: page, value: "2"}\n'
    )


def test_line_breaks_and_the_mark_at_the_start_stay(applied: Workspace) -> None:
    """As the file has them, also where lines are new."""
    text = "\ufeff" + COMMENTED.replace("\n", "\r\n")
    applied.write("connectors/crm.yaml", text.encode())
    drift(applied, "crm-contacts", "$.spec.endpoints.list.body", '"[1,\\n2]\\n"')
    applied.ok("adopt", "-q")
    assert connectors(applied) == text + "      body: |\r\n        [1,\r\n        2]\r\n"
    assert is_planned_empty(applied)


def test_a_branch_leaves_index_and_files_alone(applied: Workspace) -> None:
    """The commit is made on top of HEAD, whatever lies in the working tree."""
    none = applied.run("adopt", "--branch", "live")
    assert none.exit_code == 64 and "there is no commit to start a branch from" in none.stderr
    head = applied.commit()
    drift(applied, "crm-contacts", "$.spec.description", '"By hand."')
    sql(applied.store, "DELETE FROM records WHERE name = 'integration-team'")
    applied.edit("connectors/crm.yaml", "kept short", "unsaved")
    applied.write("policies/staged.txt", "staged\n")
    applied.git("add", "policies/staged.txt")
    before = applied.git("status", "--porcelain")
    content = adopt_json(applied, "--branch", "live/drift")
    assert applied.git("status", "--porcelain") == before and applied.git("rev-parse", "HEAD") == head
    assert "By hand." not in connectors(applied)
    assert applied.git("rev-parse", "live/drift") == content["commit"]
    assert applied.git("rev-parse", "live/drift^") == head
    assert applied.git("log", "-1", "--format=%B", "live/drift") == (
        "Adopt 2 live changes\n\nWhat was changed around reconciler in local:\n\n"
        "- adopted connector/crm-contacts  connectors/crm.yaml: description\n"
        "- removed policy/integration-team  policies/team.yaml"
    )
    assert (
        applied.git("diff", "--stat", "main", "live/drift").splitlines()[-1]
        == " 2 files changed, 1 insertion(+), 9 deletions(-)"
    )
    assert applied.ok("plan", "--ref", "live/drift").stdout.startswith("Nothing to do")
    for wrong, said in (("live/drift", "there is a branch 'live/drift' already"), ("a..b", "'a..b' is no name")):
        refused = applied.run("adopt", "--branch", wrong)
        assert refused.exit_code == 64 and said in refused.stderr


def test_a_branch_of_a_repository_in_a_folder(make_workspace: Any) -> None:
    """Paths are those of git, not of the configuration repository."""
    outer = make_workspace("outer")
    inner = Workspace(outer.root / "conf")
    inner.env = dict(outer.env)
    inner.write("connectors/crm.yaml", COMMENTED)
    InProcess(inner.root, inner.env).apply()
    outer.write(".gitignore", ".reconciler/\n")
    outer.commit()
    drift(inner, "crm-contacts", "$.spec.description", '"By hand."')
    inner.ok("adopt", "--branch", "live")
    assert outer.git("diff", "--name-only", "main", "live") == "conf/connectors/crm.yaml"


def test_live_policies_that_break_an_access_test_are_not_adopted(applied: Workspace) -> None:
    """What somebody once decided holds for what was done outside of a run too."""
    applied.write(
        "policies/tests.yaml",
        "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: t}\nspec: {expect: [{user: mallory, cannot: 'connectors:edit'}]}\n",
    )
    bench = InProcess(applied.root, applied.env)
    bench.apply()
    drift(applied, "integrators", "$.spec.members.users", '["ada","grace","mallory"]')
    result = applied.run("adopt")
    assert result.exit_code == 3
    assert "error[RC702]: mallory has connectors:edit" in result.stderr
    assert "mallory" not in (applied.root / "policies" / "team.yaml").read_text()


def test_additive_members_that_others_added_stay_out_of_git(applied: Workspace) -> None:
    """Whom others removed of those that are declared goes."""
    applied.edit("policies/team.yaml", "mode: authoritative", "mode: additive")
    InProcess(applied.root, applied.env).apply()
    drift(applied, "integrators", "$.spec.members.users", '["grace","hedy"]')
    applied.ok("adopt")
    assert "members: {mode: additive, users: [grace]}\n" in (applied.root / "policies" / "team.yaml").read_text()


def test_definitions_that_are_not_valid_are_not_edited(applied: Workspace) -> None:
    """As for a plan."""
    drift(applied, "crm-contacts", "$.spec.description", '"By hand."')
    applied.write("connectors/bad.yaml", "a: 1\n")
    result = applied.run("adopt")
    assert (result.exit_code, result.stdout, connectors(applied)) == (3, "", COMMENTED)
