"""authorize: what a change takes, who may make it, and how that is said."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_checks import refused
from gate_world import CONNECTOR, LEDGER, authorize, gated, judged, policy
from conftest import Workspace, clean_environment

from reconciler.errors import ExitCode


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    return gated(workspace)


def test_what_is_granted_is_allowed_with_the_line_that_grants_it(gate: Workspace) -> None:
    """With -v; the line is that of the base."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    result = authorize(gate, "ada", "change", "-v")
    assert result.exit_code == 0, result.output
    assert "ada may make this change (1 change)" in result.stdout
    assert "ok update connector/crm-contacts  connectors/crm.yaml\n     description\n" in result.stdout
    assert (
        "connectors:edit: because ada is in integrators, which policy team grants it, policies/grants.yaml:7"
        in result.stdout
    )


def test_what_is_not_granted_is_refused_with_who_could_approve(gate: Workspace) -> None:
    """Exit code 4; the permission, what comes nearest to a yes, and a group rather than its members."""
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "All accounts.")
    result = authorize(gate)
    assert result.exit_code == ExitCode.NOT_PERMITTED
    assert "ada may not make this change: 1 of 1 change refused" in result.stdout
    assert (
        "wants connectors:edit: it is granted on something else only "
        "(ada is in integrators, which policy team grants it, policies/grants.yaml:7)" in result.stdout
    )
    assert "could approve: group owners\n" in result.stdout


def test_nothing_changed_is_allowed(gate: Workspace) -> None:
    """Comments, order of keys and files that are no definitions take no permission."""
    gate.edit("connectors/crm.yaml", "  name: crm-contacts\n", "  # the CRM\n  name: crm-contacts\n")
    gate.write("README.md", "words")
    gate.write("connectors/notes.txt", "words")
    result = authorize(gate, "nobody")
    assert result.exit_code == 0 and "Nothing to judge" in result.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONNECTOR.replace("crm-contacts", "new").replace("Sales team's contacts", "New"), []),
        (LEDGER.replace("ledger", "new").replace("Ledger", "New"), [("connector/new", "connectors:create")]),
    ],
    ids=["in crm", "in finance"],
)
def test_create_takes_create_on_what_is_made(gate: Workspace, text: str, expected: list[tuple[str, str]]) -> None:
    """Of its own category."""
    gate.write("connectors/new.yaml", text)
    assert refused(judged(gate)) == expected
    assert refused(judged(gate, "margaret")) == []


def test_delete_takes_delete_on_what_was(gate: Workspace) -> None:
    """The category does not go with it: ada may not delete categories."""
    gate.write("connectors/crm.yaml", (gate.root / "connectors/crm.yaml").read_text().partition("---\n")[0])
    assert refused(judged(gate)) == []
    gate.write("connectors/finance.yaml", "")
    assert refused(judged(gate)) == [
        ("category/finance", "categories:delete"),
        ("connector/ledger", "connectors:delete"),
    ]


def test_nobody_moves_a_connector_into_their_category_or_out_of_it(gate: Workspace) -> None:
    """An update takes edit on what was and on what becomes of it."""
    gate.edit("connectors/crm.yaml", "categories: [crm]", "categories: [finance]")
    gate.edit("connectors/finance.yaml", "categories: [finance]", "categories: [crm]")
    found = judged(gate)
    sides = {
        change["address"]: [wanted["on"] for wanted in change["wanted"] if not wanted["granted"]]
        for change in found["changes"]
    }
    assert sides == {"connector/crm-contacts": ["becomes"], "connector/ledger": ["was"]}
    assert "wants connectors:edit on it as it becomes" in authorize(gate).stdout


def test_a_rename_takes_edit_on_both_names(gate: Workspace) -> None:
    """And is one change."""
    gate.edit("connectors/crm.yaml", "  name: crm-contacts\n", "  name: people\n  previously: [crm-contacts]\n")
    (change,) = judged(gate)["changes"]
    assert (change["action"], change["address"], change["was"]) == (
        "rename",
        "connector/people",
        "connector/crm-contacts",
    )
    assert change["allowed"]
    gate.edit("connectors/finance.yaml", "  name: ledger\n", "  name: books\n  previously: [ledger]\n")
    assert refused(judged(gate)) == [("connector/books", "connectors:edit")] * 2


def test_the_same_content_in_another_file_is_no_change(gate: Workspace) -> None:
    """Moving definitions about takes no permission; moving and changing does."""
    gate.git("mv", "connectors/finance.yaml", "connectors/money.yaml")
    gate.git("mv", "policies/grants.yaml", "policies/other.yaml")
    assert judged(gate)["changes"] == []
    gate.edit("connectors/money.yaml", "Contacts of the CRM.", "Other.")
    assert refused(judged(gate)) == [("connector/ledger", "connectors:edit")]


def test_both_of_a_group_and_a_user_may_approve(gate: Workspace) -> None:
    """Users who are in none of the groups stand beside these; a group inside of one that is named does not."""
    gate.git("checkout", "-q", "main")
    gate.write(
        "policies/more.yaml",
        policy("accounting", "{group: finance}, {user: katherine}", "connectors:view, connectors:edit")
        + "---\napiVersion: reconciler/v1\nkind: Group\nmetadata: {name: finance}\n"
        "spec: {displayName: F, members: {mode: authoritative, users: [hedy], groups: [juniors]}}\n"
        "---\napiVersion: reconciler/v1\nkind: Group\nmetadata: {name: juniors}\n"
        "spec: {displayName: J, members: {mode: authoritative, users: [joan]}}\n"
        "---\napiVersion: reconciler/v1\nkind: Group\nmetadata: {name: nobody}\nspec: {displayName: N}\n"
        + policy("empty", "{group: nobody}", "connectors:view, connectors:edit"),
    )
    gate.commit()
    gate.git("checkout", "-q", "-B", "change")
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    (change,) = judged(gate)["changes"]
    assert change["approvers"] == {"groups": ["finance", "owners"], "users": ["katherine"]}


@pytest.mark.parametrize("chosen", ["markdown", "github"])
def test_for_a_pull_request(gate: Workspace, chosen: str) -> None:
    """As a comment or a summary, and as annotations at the files."""
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "All accounts.")
    result = authorize(gate, "ada", "change", "-o", chosen)
    assert result.exit_code == 4
    start = {
        "markdown": "### ada may not make this change: 1 of 1 change refused",
        "github": "::error file=connectors/finance.yaml,title=not permitted::update connector/ledger: wants connectors:edit",
    }
    assert result.stdout.startswith(start[chosen])
    assert "could approve: group owners" in result.stdout


def test_the_working_tree_can_be_judged(gate: Workspace) -> None:
    """With files that git does not know yet; nothing is staged by it."""
    gate.write("connectors/new.yaml", LEDGER.replace("ledger", "new").replace("Ledger", "New"))
    gate.git("checkout", "-q", "main")
    assert refused(judged(gate, "ada", "WORKTREE")) == [("connector/new", "connectors:create")]
    assert gate.git("status", "--porcelain") == "?? connectors/new.yaml"


def test_without_a_super_admin_everything_is_allowed_and_says_so(workspace: Workspace) -> None:
    """So that the first policies can be merged."""
    workspace.commit()
    workspace.git("checkout", "-q", "-b", "change")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    found = judged(workspace, "anybody")
    assert found["allowed"] and found["bootstrap"]
    text = authorize(workspace, "anybody").stdout
    assert "has no super admin yet, so nothing is judged" in text
    assert "Everybody may change everything until a policy with superAdmin: true is merged" in text


@pytest.mark.parametrize("side", ["head", "base"])
@pytest.mark.parametrize("text", ["kind: [", "apiVersion: reconciler/v1\nkind: Connector\n"], ids=["YAML", "schema"])
def test_what_is_broken_cannot_be_judged(gate: Workspace, side: str, text: str) -> None:
    """Not even for a super admin: exit code 3, with the diagnostics."""
    if side == "base":
        gate.git("checkout", "-q", "main")
    gate.write("connectors/broken.yaml", text)
    gate.commit()
    if side == "base":
        gate.git("checkout", "-q", "-B", "change")
        gate.write("connectors/broken.yaml", "")
    result = authorize(gate, "margaret")
    assert result.exit_code == 3 and result.stdout == ""
    assert f"error: the definitions at the {side}, " in result.stderr
    assert "connectors/broken.yaml:1" in result.stderr and "nothing is allowed" in result.stderr
    annotated = authorize(gate, "margaret", "change", "-o", "github")
    assert annotated.exit_code == 3 and annotated.stdout.startswith("::error file=connectors/broken.yaml")


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("connectors/copy.yaml", LEDGER, "RC302"),
        ("connectors/copy.yaml", LEDGER.replace("name: ledger", 'name: "le\\u0064ger"'), "RC302"),
        ("connectors/lost.yaml", LEDGER.replace("name: ledger", "name: lost").replace("Ledger", "Lost").replace("[finance]", "[nowhere]"), "RC301"),
        ("connectors/crm.yaml", "", "RC301"),
        ("connectors/again.yaml", LEDGER.replace("name: ledger", "name: again\n  previously: [ledger]").replace("Ledger", "Again"), "RC304"),
    ],
    ids=["address twice", "address twice, with an escape", "reference", "what is referred to", "earlier name"],
)  # fmt: skip
def test_what_breaks_beside_files_that_do_not_change_is_seen(gate: Workspace, path: str, text: str, code: str) -> None:
    """Although only the files that change are read, and those that may have to do with them."""
    gate.write(path, text)
    result = authorize(gate, "margaret")
    assert result.exit_code == 3, result.output
    assert code in result.stderr


def test_files_that_do_not_change_are_not_read(gate: Workspace) -> None:
    """The work is in proportion to the change; `validate` reads everything."""
    gate.git("checkout", "-q", "main")
    gate.write("connectors/far.yaml", "broken: [")
    gate.commit()
    gate.git("checkout", "-q", "-B", "change")
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    assert refused(judged(gate)) == []


def test_a_repository_in_a_folder_of_another_one(make_workspace: Callable[[str], Workspace], tmp_path: Path) -> None:
    """Paths count from the configuration repository."""
    inner = gated(make_workspace("whole/inner"))
    root = tmp_path / "whole"
    (inner.root / ".git").rename(root / ".git")
    outer = Workspace(root)
    outer.git("checkout", "-q", "-B", "main")
    outer.commit("moved")
    outer.git("checkout", "-q", "-B", "change")
    inner.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    outer.write("connectors/elsewhere.yaml", "kind: [")
    outer.commit()
    result = inner.run("authorize", "--base", "main", "--head", "change", "--actor", "ada", "-o", "json")
    assert refused(json.loads(result.stdout)) == [("connector/ledger", "connectors:edit")], result.output


def test_neither_store_nor_secrets_nor_network_are_needed(gate: Workspace) -> None:
    """In a clone of its own, without a home, without a key."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    gate.commit()
    before = sorted(path for path in gate.root.rglob("*") if ".git" not in path.parts)
    result = authorize(gate)
    assert result.exit_code == 0
    assert before == sorted(path for path in gate.root.rglob("*") if ".git" not in path.parts)
    assert not gate.store.exists()


@pytest.mark.parametrize("line", ["", "--base main --head change", "--base nowhere --head change --actor ada", "--base main --head change --actor ada -o sarif"])  # fmt: skip
def test_wrong_usage(gate: Workspace, line: str) -> None:
    """64, and what to do."""
    result = gate.run("authorize", *line.split())
    assert result.exit_code == 64 and "hint: " in result.stderr


def test_a_nameless_actor_is_wrong_usage(gate: Workspace) -> None:
    """As from a variable that is not set."""
    assert authorize(gate, "").exit_code == 64


def shallow(gate: Workspace, tmp_path: Path, depth: int) -> Workspace:
    gate.commit()
    target = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "-q", "--depth", str(depth), "-b", "change", f"file://{gate.root}", str(target)],
        env=clean_environment(), check=True, capture_output=True,
    )  # fmt: skip
    return Workspace(target)


def test_a_shallow_clone_says_what_to_fetch(gate: Workspace, tmp_path: Path) -> None:
    """Exit code 10; nothing is guessed about commits that are not there."""
    base = gate.git("rev-parse", "main")
    gate.write("README.md", "one")
    gate.commit()
    gate.write("README.md", "two")
    clone = shallow(gate, tmp_path, 1)
    result = clone.run("authorize", "--base", base, "--head", "HEAD", "--actor", "ada")
    assert result.exit_code == 10 and "git fetch --unshallow" in result.stderr


def test_a_shallow_clone_with_both_ends_but_not_what_joins_them(gate: Workspace, tmp_path: Path) -> None:
    """Whether the head descends from the base cannot be seen, and a merge would be a guess."""
    gate.write("README.md", "one")
    gate.commit()
    gate.write("README.md", "two")
    clone = shallow(gate, tmp_path, 1)
    clone.git("fetch", "-q", "--depth", "1", "origin", "main:main")
    result = clone.run("authorize", "--base", "main", "--head", "change", "--actor", "ada")
    assert result.exit_code == 10 and "git fetch --unshallow" in result.stderr


def test_who_may_make_a_change_may_approve_it(gate: Workspace) -> None:
    """Each refused change wants one approver who holds all that it takes; who holds it not approves nothing."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "All accounts.")
    result = authorize(gate, "ada", "change", "--approved-by", "grace")
    assert result.exit_code == ExitCode.NOT_PERMITTED
    assert "Approved by grace, who may not make what is refused either." in result.stdout
    result = authorize(gate, "ada", "change", "--approved-by", "grace", "--approved-by", "margaret")
    assert result.exit_code == 0, result.output
    assert "ada may make this change (2 changes, 1 of them approved by margaret)" in result.stdout
    assert (
        "ok update connector/ledger  connectors/finance.yaml\n     description\n     approved by margaret\n"
        in result.stdout
    )
    content = json.loads(authorize(gate, "ada", "change", "--approved-by", "margaret", "-o", "json").stdout)
    assert {change["address"]: change["approvedBy"] for change in content["changes"]} == {
        "connector/crm-contacts": None,
        "connector/ledger": "margaret",
    }
    markdown = authorize(gate, "ada", "change", "--approved-by", "margaret", "-o", "markdown").stdout
    assert "- approved by margaret" in markdown and "refused" not in markdown


def test_an_approver_of_the_head_approves_nothing(gate: Workspace) -> None:
    """The policies at the base say who may."""
    gate.edit("policies/groups.yaml", "users: [margaret]", "users: [margaret, mallory]")
    assert authorize(gate, "ada", "change", "--approved-by", "mallory").exit_code == ExitCode.NOT_PERMITTED
    assert authorize(gate, "ada", "change", "--approved-by", "").exit_code == ExitCode.USAGE
