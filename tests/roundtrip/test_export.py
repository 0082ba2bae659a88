"""``reconciler export``, as a user starts it."""

import json
from collections.abc import Callable

import jsonschema
import pytest
from schema_checks import fits
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from live_state import InProcess, drift, sql

from reconciler.kinds import registry
from reconciler.render.adoption import export_json, refused_lines
from reconciler.services.records import Choice
from reconciler.wiring.exchange import export_records


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """The small repository, applied."""
    workspace.ok("apply", "--yes")
    return workspace


def insert(workspace: Workspace, kind: str, name: str, body: str, owner: str = "") -> None:
    """A record that somebody made outside of a run."""
    sql(
        workspace.store, "INSERT INTO records (uid, kind, name, owner) VALUES (?,?,?,?)", f"u-{name}", kind, name, owner
    )
    sql(workspace.store, "INSERT INTO documents (uid, live) VALUES (?,?)", f"u-{name}", body)


def test_a_stream_that_an_empty_repository_can_take(applied: Workspace) -> None:
    """Without --out everything goes to stdout, in the order of kinds, in canonical form."""
    text = applied.ok("export").stdout
    assert text.startswith("apiVersion: reconciler/v1\nkind: Category\nmetadata:\n  name: crm\nspec:\n")
    assert "    password:\n      env: CRM_PASSWORD\n" in text
    (applied.root / "connectors" / "crm.yaml").unlink()
    (applied.root / "policies" / "team.yaml").unlink()
    connectors, policies = text.split("---\napiVersion: reconciler/v1\nkind: Group", 1)
    applied.write("connectors/all.yaml", connectors)
    applied.write("policies/all.yaml", "apiVersion: reconciler/v1\nkind: Group" + policies)
    applied.ok("validate", "--strict")
    applied.ok("fmt", "--check")
    assert applied.ok("plan", "--detailed-exitcode").stdout.startswith("Nothing to do")


def test_files_laid_out_as_a_repository(applied: Workspace) -> None:
    """Nothing that exists is replaced without --force, and then nothing at all is written."""
    result = applied.ok("export", "--out", "new")
    assert result.stdout == (
        "wrote connectors/categories.yaml\nwrote connectors/crm-contacts.yaml\nwrote policies/integrators.yaml\n"
        "wrote policies/integration-team.yaml\n4 records in 4 files below new.\n"
    )
    kept = applied.write("new/connectors/categories.yaml", "# mine\n")
    (applied.root / "new/connectors/crm-contacts.yaml").unlink()
    refused = applied.run("export", "--out", "new")
    assert refused.exit_code == 64
    assert "3 files exist already in new; nothing was written" in refused.stderr
    assert kept.read_text() == "# mine\n" and not (applied.root / "new/connectors/crm-contacts.yaml").exists()
    applied.ok("export", "--out", "new", "--force")
    assert "name: crm" in kept.read_text()
    assert (
        applied.ok("-C", "new", "--store", f"sqlite:{applied.store}", "validate").stdout
        == "4 files, 4 documents: valid.\n"
    )


def test_names_that_meet_share_a_file(applied: Workspace) -> None:
    """A connector named categories, and a group and a policy of one name."""
    applied.edit("connectors/crm.yaml", "name: crm-contacts", "name: categories")
    applied.edit("policies/team.yaml", "name: integration-team", "name: integrators")
    applied.ok("apply", "--yes", "--max-deletes", "2")
    assert "4 records in 2 files below new." in applied.ok("export", "--out", "new").stdout
    applied.ok("-C", "new", "validate", "--strict")


def test_choosing_records(applied: Workspace, make_workspace: Callable[[str], Workspace]) -> None:
    """By address, kind, owner and category; what the choice leaves dangling is said."""
    other = make_workspace("other")
    other.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: acme/other\n")
    other.write("connectors/sales.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales"))
    other.ok("--store", f"sqlite:{applied.store}", "apply", "--yes")
    insert(applied, "Category", "loose", '{"spec":{"displayName":"Loose"}}')

    def names(*arguments: str) -> list[str]:
        content = json.loads(applied.ok("export", "-o", "json", *arguments).stdout)
        fits(content, "export.schema.json")
        return [record["address"] for record in content["records"]]

    everything = names()
    assert everything == [
        "category/crm", "category/loose", "category/sales", "connector/crm-contacts", "group/integrators", "policy/integration-team"
    ]  # fmt: skip
    assert names("--owned") == [name for name in everything if name not in ("category/loose", "category/sales")]
    assert names("--unmanaged") == ["category/loose"]
    assert names("--unmanaged", "--owner", "acme/other") == ["category/loose", "category/sales"]
    assert names("--category", "crm") == ["category/crm", "connector/crm-contacts"]
    assert names("policies", "category/loose", "--owned") == ["policy/integration-team"]
    result = applied.ok("export", "connector/crm-contacts", "category/loose")
    assert "connector/crm-contacts: there is no category 'crm' (RC301)\n" in result.stderr
    assert "1 record not of this repository, 'local'; to take over: reconciler apply --adopt\n" in result.stderr
    for wrong, said in (
        (("connector/nobody",), "there is no live connector 'nobody'"),
        (("--category", "none"), "there is no live category 'none'"),
    ):
        refused = applied.run("export", *wrong)
        assert (refused.exit_code, refused.stdout) == (64, "") and said in refused.stderr


CANARY = "Literal-7Hq2"
IN_THE_CLEAR = [
    ("$.spec.authorization.password", f'"{CANARY}"', "authorization.password: ", "RC210"),
    ("$.spec.authorization.username", f'"{CANARY}"', "a text stands where the secret authorization.username belongs", "RC210"),
    ("$.spec.endpoints.list.headers", f'[{{"name":"X-Api-Key","value":"{CANARY}"}}]', "'X-Api-Key' carries credentials", "RC403"),
    ("$.spec.endpoints.list.url", f'"https://svc:{CANARY}@crm.example.com/"', "the URL carries a user or password", "RC402"),
    ("$.spec.description", '"ghp_%s"' % ("A" * 36), "this looks like a token", "RC401"),
    ("$.spec.endpoints.list.headers", '[{"name":"X-Note","value":"Basic a-password-for-the-tests"}]', "the value of a secret stands in it in the clear", "RC210"),
    ("$.spec.gizmo", f'"{CANARY}"', "unknown key", "RC201"),
    ("$.spec.endpoints.list.sample", '{"a": 12345678901234567890}', "it holds a value that definitions cannot hold", "RC209"),
]  # fmt: skip


def test_what_is_no_definition_is_named_and_not_written(workspace: Workspace) -> None:
    """A secret in the clear, and a body that no schema accepts; everything else is written."""
    workspace.edit("connectors/crm.yaml", "username: svc", "username: {env: CRM_PASSWORD}")
    bench = InProcess(workspace.root, workspace.env)
    for path, value, said, code in IN_THE_CLEAR:
        bench.apply()
        drift(workspace, "crm-contacts", path, value)
        done = export_records(bench.store(), Choice())
        (refused,) = done.refused
        lines = list(refused_lines(refused))
        assert any(said in line and f"[{code}]" in line for line in lines), lines
        assert len(done.definitions) == 3
        assert not any(
            word in text for text in (*lines, export_json(done, None)) for word in (CANARY, "ghp_", "a-password-for")
        )
    bench.apply()
    drift(workspace, "crm-contacts", *IN_THE_CLEAR[1][:2])
    for arguments in (("-o", "json"), ("--out", "new")):
        result = workspace.run("export", *arguments)
        assert result.exit_code == 3
        assert "error: 1 live record cannot be written as a definition\n  connector/crm-contacts: " in result.stderr
        assert CANARY not in result.output
    assert sorted(path.name for path in (workspace.root / "new").rglob("*.yaml")) == [
        "categories.yaml", "integration-team.yaml", "integrators.yaml"
    ]  # fmt: skip


def test_a_body_that_is_none_is_named(applied: Workspace) -> None:
    """Whatever others have put there."""
    sql(applied.store, "UPDATE documents SET live = '[]' WHERE uid = (SELECT uid FROM records WHERE name = 'crm')")
    result = applied.run("export", "categories")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "category/crm: spec: 'displayName' is missing in spec [RC202]\n" in result.stderr


def test_members_that_nobody_declares_are_left_out(workspace: Workspace) -> None:
    """They stay live, and it is said."""
    workspace.edit("policies/team.yaml", "mode: authoritative", "mode: additive")
    workspace.ok("apply", "--yes")
    drift(workspace, "integrators", "$.spec.members.users", '["ada","grace","hedy"]')
    result = workspace.ok("export", "group/integrators")
    assert "hedy" not in result.stdout and "grace" in result.stdout
    assert "group/integrators: left out: members that others added: hedy\n" in result.stderr


@pytest.mark.parametrize("mode", ["authoritative", "additive"])
def test_lists_that_must_not_be_left_out_are_written(empty: Workspace, mode: str) -> None:
    """An empty list of members means nobody, and an empty list of grants is meant."""
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    empty.write(
        "policies/team.yaml",
        POLICY.replace("authoritative, users: [ada, grace]", f"{mode}, users: []").partition("  grants:")[0]
        + "  grants: []\n",
    )
    empty.ok("apply", "--yes")
    text = empty.ok("export", "groups", "policies").stdout
    assert f"  members:\n    mode: {mode}\n    users: []\n" in text
    assert text.endswith("  grants: []\n")
