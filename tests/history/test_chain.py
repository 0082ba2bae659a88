"""The history is append-only and chained: whatever somebody does to it by SQL is found."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import engines
import psycopg
import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace, copy_of
from history_world import answer, describe
from live_state import sql, tamper

from reconciler.stores.sql import chain

_FLIP = "UPDATE history SET seq = -{0} WHERE seq = {0}; UPDATE history SET seq = {0} WHERE seq = {1}; UPDATE history SET seq = {1} WHERE seq = -{0};"
TAMPERINGS = {
    "an altered body": (
        "UPDATE history SET before = replace(before, 'first', 'harmless') WHERE seq = 6",
        "history row 6 (update Connector/crm-contacts, run 3) or its place is not what was written: altered",
    ),
    "an altered action": ("UPDATE history SET action = 'adopt' WHERE seq = 5", "history row 5 (adopt Connector/crm-contacts, run 2) or its place is not what was written: altered"),
    "a row removed in the middle": ("DELETE FROM history WHERE seq = 3", "history row 3 is missing: removed"),
    "the first row removed": ("DELETE FROM history WHERE seq = 1", "history row 1 is missing: removed"),
    "a row removed, and the others moved up": (
        "DELETE FROM history WHERE seq = 3; UPDATE history SET seq = seq - 1 WHERE seq > 3",
        "history row 3 (create PermissionPolicy/integration-team, run 1) or its place is not what was written: altered",
    ),
    "swapped rows of one run": (_FLIP.format(1, 2), "history row 1 (create Connector/crm-contacts, run 1) or its place is not what was written: altered"),
    "swapped rows of two runs": (_FLIP.format(5, 6), "run 3 (by ada) or its place is not what was written: altered"),
    "an altered actor": ("UPDATE runs SET actor = 'grace' WHERE id = 2", "run 2 (by grace) or its place is not what was written: altered"),
    "an altered time": ("UPDATE runs SET finished = '2020-01-01T00:00:00.000Z' WHERE id = 1", "run 1 (by ada) or its place is not what was written: altered"),
    "a run removed": ("DELETE FROM runs WHERE id = 2", "run 2 is missing: removed"),
    "the end removed": ("DELETE FROM history WHERE run = 3; DELETE FROM runs WHERE id = 3", "2 entries are missing at the end: removed"),
    "a forged row": (
        "INSERT INTO history (seq, run, uid, kind, name, action, fingerprint) VALUES (7, 3, 'u', 'Group', 'g', 'delete', '')",
        "history row 7 has no hash: added outside of a run, or altered",
    ),
    "a forged row with a hash": (
        "INSERT INTO history (seq, run, uid, kind, name, action, fingerprint, hash) VALUES (7, 3, 'u', 'Group', 'g', 'delete', '', randomblob(32))",
        "history row 7 (delete Group/g, run 3) or its place is not what was written: altered",
    ),
    "no hashes at all": ("UPDATE history SET hash = NULL; UPDATE runs SET hash = NULL", "run 1 has no hash: added outside of a run, or altered"),
    "a value that is no text": ("UPDATE history SET action = x'ff' WHERE seq = 2", "history row 2 (b'\\xff' Connector/crm-contacts, run 1) or its place is not what was written: altered"),
    "an altered note of the end": ("UPDATE meta SET value = 'gibberish' WHERE key = 'history_head'", "the end is not where the store noted it"),
}  # fmt: skip


@pytest.fixture
def three_runs(workspace: Workspace) -> Workspace:
    """The small repository after three runs: four creates, and twice an update."""
    return copy_of(workspace, "three-runs", run_thrice)


def run_thrice(workspace: Workspace) -> None:
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    workspace.write("policies/team.yaml", POLICY)
    workspace.ok("apply", "--yes", "-q")
    describe(workspace, "first")
    describe(workspace, "second")


def test_a_store_that_nobody_touched_is_fine(three_runs: Workspace) -> None:
    """Exit code 0, and the head to note."""
    found = answer(three_runs, "store", "check")
    assert found["fine"] and not found["faults"] and not found["notes"]
    assert found["counts"] == {"records": 4, "secrets": 1, "runs": 3, "changes": 6}
    text = three_runs.ok("store", "check").stdout
    assert text.endswith(f"4 records, 1 secret, 3 runs, 6 changes\nhistory head {found['head']}\n")
    assert three_runs.ok("store", "check", "-q").stdout == ""


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(three_runs: Workspace, name: str) -> None:
    """By somebody who took the triggers away and put them back; the first entry that is broken is named."""
    if name == "a value that is no text" and engines.current():
        pytest.skip("a column of PostgreSQL keeps to its type")
    script, message = TAMPERINGS[name]
    tamper(three_runs.store, script)
    found = answer(three_runs, "store", "check", code=10)
    (fault,) = [fault for fault in found["faults"] if fault["check"] == "chain"]
    assert fault["message"].startswith(message)
    assert "compare with a backup" in fault["hint"]
    assert "BROKEN  not so: the history is unbroken" in three_runs.run("store", "check").stdout


def test_tampering_is_found_after_further_runs(three_runs: Workspace) -> None:
    """A later apply does not cover it up."""
    tamper(three_runs.store, "DELETE FROM history WHERE run = 3; DELETE FROM runs WHERE id = 3")
    describe(three_runs, "third")
    (fault,) = [fault for fault in answer(three_runs, "store", "check", code=10)["faults"] if fault["check"] == "chain"]
    assert fault["message"] == "run 3 is missing: removed", "its number is not given again"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET action = 'delete' WHERE seq = 1",
        "UPDATE runs SET actor = 'grace'",
        "DELETE FROM history",
        "DELETE FROM runs WHERE id = 3",
        "INSERT OR REPLACE INTO runs VALUES (1, '', '', 'grace', '', '', '', 0, NULL, NULL, NULL, NULL, NULL, NULL)",
        "INSERT OR REPLACE INTO history (seq, run, uid, kind, name, action, fingerprint) VALUES (1, 1, '', '', '', '', '')",
    ],
)
@pytest.mark.store_file
def test_the_tables_refuse_it(three_runs: Workspace, statement: str) -> None:
    """Whoever does not take the triggers away cannot do it."""
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RestrictViolation), match="the history is append-only"):
        sql(three_runs.store, statement)
    assert answer(three_runs, "store", "check")["fine"]


@pytest.mark.store_file
def test_triggers_that_are_gone_are_missed(three_runs: Workspace) -> None:
    """And one that was made harmless."""
    sql(three_runs.store, "DROP TRIGGER history_updated")
    sql(three_runs.store, "DROP TRIGGER documents_updating")
    sql(three_runs.store, "CREATE TRIGGER documents_updating AFTER UPDATE OF live ON documents BEGIN SELECT 1; END")
    messages = [fault["message"] for fault in answer(three_runs, "store", "check", code=10)["faults"]]
    assert sorted(message.partition(";")[0] for message in messages) == [
        "the trigger documents_updating was altered",
        "the trigger history_updated is missing",
    ]


def forge(store: Path) -> None:
    """Say that grace did it all, and compute the chain anew."""
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DELETE FROM meta WHERE key LIKE 'history_%'")
        connection.execute("UPDATE runs SET actor = 'grace'")
        forged = chain.Chain(connection)
        for table, columns, row in list(chain._entries(connection)):
            values = (forged._next(columns, row[:-1]), row[0])
            connection.execute(f"UPDATE {table} SET hash = ? WHERE {columns[0]} = ?", values)
        forged.keep()
        connection.commit()


@pytest.mark.store_file  # the forger computes on SQLite's connection
def test_a_history_written_anew_is_found_by_a_head_noted_elsewhere(three_runs: Workspace) -> None:
    """The chain alone cannot show it, as everything fits; what the pipeline's log has noted can."""
    noted = [run["head"] for run in answer(three_runs, "history")["runs"]]
    for head in noted:
        assert answer(three_runs, "store", "check", "--head", head)["fine"], "a head stays in the history"
    triggers = sql(three_runs.store, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    for name, _ in triggers:
        sql(three_runs.store, f"DROP TRIGGER {name}")
    forge(three_runs.store)
    for _, text in triggers:
        sql(three_runs.store, text)
    assert answer(three_runs, "store", "check")["fine"]
    assert "grace" in three_runs.ok("history").stdout
    for head in noted:
        (fault,) = answer(three_runs, "store", "check", "--head", head.upper(), code=10)["faults"]
        assert fault["message"].startswith(
            f"the head {head} is not in the history: it was removed, or all that follows"
        )


def test_a_truncated_end_that_was_covered_up_is_found_by_its_head(three_runs: Workspace) -> None:
    """Somebody who sets the note of the end back too."""
    head, before = (run["head"] for run in answer(three_runs, "history", "--limit", "2")["runs"])
    tamper(
        three_runs.store,
        "DELETE FROM attempts WHERE run = 3; DELETE FROM history WHERE run = 3; DELETE FROM runs WHERE id = 3;"
        f"UPDATE meta SET value = '{before}' WHERE key = 'history_head'; UPDATE meta SET value = '7' WHERE key = 'history_count'",
    )
    assert all(fault["check"] != "chain" for fault in answer(three_runs, "store", "check", code=10)["faults"])
    found = answer(three_runs, "store", "check", "--head", head, code=10)
    assert [fault["check"] for fault in found["faults"]] == ["history", "chain"]


def test_an_apply_reports_the_head(workspace: Workspace) -> None:
    """In its JSON and with -v; an apply of nothing writes nothing."""
    report = json.loads(workspace.ok("apply", "--yes", "-o", "json").stdout)
    head = answer(workspace, "store", "check")["head"]
    assert report["run"]["head"] == head
    assert json.loads(workspace.ok("apply", "--yes", "-o", "json").stdout)["run"]["head"] is None
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    said = workspace.ok("apply", "--yes", "-v").stderr
    assert f"history head {answer(workspace, 'store', 'check')['head']}\n" in said


@pytest.mark.parametrize("head", ["", "abc", "g" * 64])
def test_what_is_no_head(workspace: Workspace, head: str) -> None:
    """Is wrong usage, also where a pipeline's variable is empty."""
    result = workspace.run("store", "check", "--head", head)
    assert result.exit_code == 64 and "64 hexadecimal digits" in result.stderr


def test_a_store_that_is_not_there(workspace: Workspace) -> None:
    """Is empty and fine, unless a head says that there was one."""
    assert "the store is empty" in answer(workspace, "store", "check")["notes"]
    assert (
        "the store is empty" in answer(workspace, "store", "check", "--head", "0" * 64, code=10)["faults"][0]["message"]
    )
    assert workspace.ok("history").stdout == "The history holds no run.\n"
    assert not workspace.store.exists()


FAULTS = {
    "UPDATE documents SET live = replace(live, 'GET', 'PUT')": ("bodies", "the body of connector/crm-contacts is not the one that was written"),
    "PRAGMA ignore_check_constraints = ON; UPDATE documents SET live = '{' WHERE live LIKE '%GET%'": ("bodies", "the body of connector/crm-contacts is not JSON"),
    "DELETE FROM documents WHERE live LIKE '%GET%'": ("bodies", "connector/crm-contacts has no body"),
    "DELETE FROM records WHERE kind = 'Category'": ("references", "connector/crm-contacts refers to category/crm, which is not there"),
    "DELETE FROM refs": ("references", "the references noted of connector/crm-contacts are not those of its body"),
    "DELETE FROM records WHERE kind = 'Connector'": ("keys", "a secret belongs to a record that is not there"),
    "UPDATE records SET kind = 'Gizmo' WHERE kind = 'Category'": ("bodies", "there is no kind 'Gizmo'"),
    "UPDATE documents SET live = '{\"spec\":{}}' WHERE live LIKE '%GET%'; UPDATE records SET fingerprint = 'f6b6b7a1' WHERE kind = 'Connector'": ("history", "connector/crm-contacts is not what its last change left"),
}  # fmt: skip


@pytest.mark.parametrize("script", FAULTS)
def test_what_does_not_fit_together_is_found(workspace: Workspace, script: str) -> None:
    """When the triggers did not see it, each with what to do."""
    if engines.current() and ("PRAGMA" in script or "Gizmo" in script):
        pytest.skip("PostgreSQL's constraints cannot be turned off")
    workspace.ok("apply", "--yes", "-q")
    tamper(workspace.store, script)
    check, message = FAULTS[script]
    found = answer(workspace, "store", "check", code=10)
    assert any(
        fault["check"] == check and message in fault["message"] and fault["hint"] for fault in found["faults"]
    ), found


def test_what_the_triggers_saw_is_drift_and_no_fault(workspace: Workspace) -> None:
    """A plan shows it."""
    workspace.ok("apply", "--yes", "-q")
    sql(workspace.store, "UPDATE documents SET live = replace(live, 'GET', 'PUT') WHERE live LIKE '%GET%'")
    found = answer(workspace, "store", "check")
    assert found["notes"] == ["1 record has drifted; see: reconciler drift --all"]
