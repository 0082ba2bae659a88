"""What was approved can be applied, and nothing else can: approvals are the operator's to say, and judged as in the gate."""

import json
from pathlib import Path

import pytest
from conftest import Result, Workspace
from gate_checks import refused
from gates import authorize, begin, connector, fill, verdict
from live_state import sql


@pytest.fixture
def gate(empty: Workspace) -> Workspace:
    """The base is live; ada's change of hr's connector takes hedy, joan or margaret."""
    fill(empty)
    empty.ok("apply", "--yes")
    begin(empty)
    empty.edit("connectors/hr-a.yaml", "GET", "PUT")
    return empty


def apply(gate: Workspace, *more: str, env: dict[str, str] | None = None) -> Result:
    return gate.run("apply", "--yes", *more, env=env)


def runs(gate: Workspace) -> list[list[str]]:
    """The approvals of all runs, the latest first."""
    content = json.loads(gate.ok("history", "-o", "json").stdout)
    return [run["approvals"] for run in content["runs"]]


@pytest.mark.parametrize("approver", ["hedy", "joan", "margaret"])
def test_what_the_gate_lets_pass_is_applied_for_its_author(gate: Workspace, approver: str) -> None:
    """And the history says who approved it."""
    assert authorize(gate, "ada", "--approved-by", approver).exit_code == 0
    assert apply(gate, "--as", "ada").exit_code == 4
    assert apply(gate, "--as", "ada", "--approved-by", approver).exit_code == 0
    assert runs(gate) == [[approver], []]
    assert f"1 updated, approved by {approver}" in gate.ok("history").stdout
    assert f"updated by ada, approved by {approver}, from commit" in gate.ok("history", "connector/hr-a").stdout
    gate.ok("store", "check")


APPROVALS = {
    "herself": ["ada"],
    "somebody unknown": ["nobody-knows"],
    "somebody of another category": ["lea"],
    "a group": ["integrators"],
    "another case": ["Hedy"],
    "several of whom none may": ["ada", "lea", "bob"],
}


@pytest.mark.parametrize("name", APPROVALS)
def test_approval_of_somebody_who_may_not_make_it(gate: Workspace, name: str) -> None:
    """Counts for nothing, in the gate and in the apply."""
    given = [word for approver in APPROVALS[name] for word in ("--approved-by", approver)]
    assert refused(verdict(gate, "ada", *given)) == [("connector/hr-a", "connectors:edit")]
    assert apply(gate, "--as", "ada", *given).exit_code == 4
    assert gate.run("plan", "--as", "ada", *given).exit_code == 4


def test_two_who_each_hold_a_half(gate: Workspace) -> None:
    """One has to hold all that a change takes; what each change takes may be held by another one."""
    gate.edit("connectors/crm-a.yaml", "categories: [crm]", "categories: [crm, hr]")
    halves = ["--approved-by", "hedy", "--approved-by", "ada"]
    assert {address for address, _ in refused(verdict(gate, "ada", *halves))} == {"connector/crm-a", "connector/hr-a"}
    assert [change["allowed"] for change in verdict(gate, "ada", *halves)["changes"]] == [False, True]
    assert apply(gate, "--as", "ada", *halves).exit_code == 4
    whole = ["--approved-by", "hedy", "--approved-by", "joan"]
    assert authorize(gate, "ada", *whole).exit_code == 0
    assert apply(gate, "--as", "ada", *whole).exit_code == 0


@pytest.mark.parametrize("command", [("apply", "--yes"), ("plan",)])
def test_the_environment_names_who_approved(gate: Workspace, command: tuple[str, ...]) -> None:
    """With blanks between the names, as a pipeline passes them; the gate reads it too."""
    env = {"RECONCILER_AS": "ada", "RECONCILER_APPROVED_BY": "lea hedy"}
    gate.commit()
    judged = gate.run("authorize", "--base", "main", "--head", "change", "--actor", "ada", env=env)
    assert judged.exit_code == 0 and "approved by hedy" in judged.stdout
    assert gate.run(*command, env=env).exit_code == 0
    assert gate.run(*command, env={**env, "RECONCILER_APPROVED_BY": " "}).exit_code in (0, 4)


def test_approvals_alone_are_no_actor(gate: Workspace) -> None:
    """Somebody has to make the change."""
    result = apply(gate, "--approved-by", "margaret")
    assert result.exit_code == 4 and "who makes a change has to be known" in result.stderr


@pytest.mark.parametrize(
    "name", ["", " ", "mar\ngaret", "margaret\x1b[2J", "margaret\u202e", "m" * 256, "margaret\udcff"]
)
@pytest.mark.parametrize("command", ["apply", "authorize"])
def test_approval_by_what_no_name_is(gate: Workspace, name: str, command: str) -> None:
    """Is refused, and not shown or kept."""
    gate.commit()
    words = ["--yes"] if command == "apply" else ["--base", "main", "--head", "change", "--actor", "ada"]
    result = gate.run(command, *words, f"--approved-by={name}")
    assert result.exit_code == 64 and "\x1b" not in result.stderr and "\u202e" not in result.stderr


def test_saved_plan_brings_no_approvals(gate: Workspace, tmp_path: Path) -> None:
    """Neither those that it was made with, nor any that somebody writes into it."""
    saved = tmp_path / "plan.json"
    gate.ok("plan", "--as", "ada", "--approved-by", "hedy", "--out", saved)
    assert "hedy" not in saved.read_text()
    assert apply(gate, str(saved), "--as", "ada").exit_code == 4
    content = json.loads(saved.read_text())
    forged = tmp_path / "forged.json"
    for place in (content, content["plan"] if "plan" in content else content):
        place["approvals"] = ["hedy"]
    forged.write_text(json.dumps(content))
    assert apply(gate, str(forged), "--as", "ada").exit_code in (4, 5, 64)
    assert apply(gate, str(saved), "--as", "ada", "--approved-by", "lea").exit_code == 4
    assert apply(gate, str(saved), "--as", "ada", "--approved-by", "hedy").exit_code == 0
    assert runs(gate)[0] == ["hedy"]


def test_project_file_brings_no_approvals(gate: Workspace) -> None:
    """Nothing in the repository does."""
    for line in ("approvals: [hedy]", "approvedBy: [hedy]", "targets: {local: {store: 'sqlite:.reconciler/store.db', approvedBy: [hedy]}}"):  # fmt: skip
        gate.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\n{line}\n")
        assert apply(gate, "--as", "ada").exit_code == 3


def test_env_file_brings_no_approvals(gate: Workspace) -> None:
    """It is for secrets."""
    gate.write(".env", "RECONCILER_APPROVED_BY=hedy\nRECONCILER_AS=margaret\n")
    assert apply(gate, "--as", "ada", "--env-file", ".env").exit_code == 4


def test_rollback_and_restore_take_approvals_too(gate: Workspace) -> None:
    """They are judged as every apply is."""
    approved = ("--approved-by", "hedy")
    assert apply(gate, "--as", "ada", *approved).exit_code == 0
    assert gate.run("rollback", "1", "--yes", "--as", "ada").exit_code == 4
    gate.ok("rollback", "1", "--yes", "--as", "ada", *approved)
    (gate.root / "connectors/hr-a.yaml").unlink()
    assert apply(gate, "--as", "ada", *approved).exit_code == 0
    assert gate.run("restore", "connector/hr-a", "--yes", "--as", "ada").exit_code == 4
    gate.ok("restore", "connector/hr-a", "--yes", "--as", "ada", *approved)
    assert runs(gate) == [["hedy"], ["hedy"], ["hedy"], ["hedy"], []]


def test_what_a_super_admin_alone_may_do_takes_one(gate: Workspace) -> None:
    """Approvals are of changes that git declares, and let nobody else purge, release or change keys."""
    env = {"RECONCILER_APPROVED_BY": "margaret", "RECONCILER_NEW_STORE_KEY": "n" * 64}
    for words in (("lock", "release"), ("store", "rotate-key")):
        result = gate.run(*words, "--as", "ada", env=env)
        assert result.exit_code == 4, result.output


def test_policies_that_move_meanwhile_count(gate: Workspace) -> None:
    """Who may approve is judged by what is live at the apply."""
    assert authorize(gate, "ada", "--approved-by", "hedy").exit_code == 0
    sql(
        gate.store,
        "UPDATE documents SET live = json_set(live, '$.spec.grants', json('[]'))"
        " WHERE uid = (SELECT uid FROM records WHERE name = 'human-resources')",
    )
    assert apply(gate, "--as", "ada", "--approved-by", "hedy").exit_code == 4


def test_nobody_has_to_approve_what_the_actor_may_do(gate: Workspace) -> None:
    """Who is named all the same is kept: it was said."""
    gate.edit("connectors/hr-a.yaml", "PUT", "GET")
    gate.write("connectors/more.yaml", connector("more", "crm"))
    assert apply(gate, "--as", "ada", "--approved-by", "lea").exit_code == 0
    assert runs(gate)[0] == ["lea"]
