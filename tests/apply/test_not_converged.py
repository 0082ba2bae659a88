"""What an apply wrote is read back: what did not come out as planned is named by its fields, and nothing is kept."""

import pytest
from conftest import CATEGORY, Workspace
from engines import Placed
from live_state import InProcess, sql

from reconciler.errors import NotConverged

OTHERS = "uid <> NEW.uid"
TRIGGERS = {
    "a field": ("AFTER UPDATE ON documents", "UPDATE documents SET live = json_set(live, '$.spec.endpoints.list.url', 'https://canary') WHERE uid = NEW.uid",
                "connector/crm-contacts did not converge: endpoints.list.url is not what was planned; nothing was kept"),
    "several fields": ("AFTER UPDATE ON documents", "UPDATE documents SET live = json_set(live, '$.metadata.labels.team', 'x', '$.spec.description', 'canary') WHERE uid = NEW.uid",
                       "connector/crm-contacts did not converge: labels.team, description are not what was planned; nothing was kept"),
    "the order of keys": ("AFTER UPDATE ON documents", "UPDATE documents SET live = ' ' || live WHERE uid = NEW.uid",
                          "connector/crm-contacts did not converge: its body is another text than what was planned; nothing was kept"),
    "the body": ("AFTER UPDATE ON documents", "DELETE FROM documents WHERE uid = NEW.uid",
                 "connector/crm-contacts did not converge: it has no body after it was written; nothing was kept"),
    "the record": ("AFTER INSERT ON history", "DELETE FROM records WHERE uid = NEW.uid",
                   "connector/crm-contacts did not converge: it is not there after it was written; nothing was kept"),
    "the owner": ("AFTER UPDATE OF owner ON records", "UPDATE records SET owner = 'x' WHERE uid = NEW.uid",
                  "connector/crm-contacts did not converge: its owner is not what was planned; nothing was kept"),
    "the unique name": ("AFTER UPDATE OF owner ON records", "UPDATE records SET display = NULL WHERE uid = NEW.uid",
                        "connector/crm-contacts did not converge: its unique name is not what was planned; nothing was kept"),
    "what was applied": ("AFTER UPDATE OF owner ON records", "UPDATE records SET applied = 'x' WHERE uid = NEW.uid",
                         "connector/crm-contacts did not converge: its applied fingerprint is not what was planned; nothing was kept"),
    "a secret": ("AFTER INSERT ON history", "UPDATE secrets SET fingerprint = 'x' WHERE uid = NEW.uid",
                 "connector/crm-contacts did not converge: authorization.password is not what was planned; nothing was kept"),
    "a reference": ("AFTER INSERT ON history", "INSERT INTO refs VALUES (NEW.uid, 'Category', 'sales')",
                    "connector/crm-contacts did not converge: the references that the store keeps of it are not what was planned; nothing was kept"),
    "at the very end": ("AFTER DELETE ON meta", "UPDATE documents SET live = json_set(live, '$.spec.description', 'canary') WHERE live LIKE '%CRM_PASSWORD%'",
                        "connector/crm-contacts did not converge: description is not what was planned; nothing was kept"),
    "another record": ("AFTER UPDATE ON documents", f"UPDATE documents SET live = json_set(live, '$.spec.description', 'canary') WHERE {OTHERS} AND live LIKE '%\"Sales\"%'",
                       "category/sales did not converge: description is not what was planned, and it is not in the plan; nothing was kept"),
    "another record's owner": ("AFTER UPDATE ON documents", "UPDATE records SET owner = 'x' WHERE name = 'sales'",
                               "category/sales did not converge: its owner was changed along with it, and it is not in the plan; nothing was kept"),
    "another record goes": ("AFTER UPDATE ON documents", "DELETE FROM records WHERE name = 'sales'",
                            "category/sales did not converge: it was deleted along with it, and is not in the plan; nothing was kept"),
    "another record comes": ("AFTER UPDATE ON documents", "INSERT INTO records (uid, kind, name) VALUES ('u', 'Category', 'new')",
                             "category/new did not converge: it was created along with it, and is not in the plan; nothing was kept"),
}  # fmt: skip


@pytest.fixture
def bench(workspace: Workspace) -> InProcess:
    """The small repository with a second category, applied; then git moves."""
    workspace.write("connectors/more.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales"))
    bench = InProcess(workspace.root, workspace.env)
    bench.apply()
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    return bench


def content(bench: InProcess) -> list[tuple[object, ...]]:
    """All that the store holds of records and runs."""
    return [
        *sql(bench.path, "SELECT * FROM records JOIN documents USING (uid) ORDER BY uid"),
        *sql(bench.path, "SELECT * FROM secrets"),
        *sql(bench.path, "SELECT * FROM refs"),
        *sql(bench.path, "SELECT * FROM runs"),
        *sql(bench.path, "SELECT * FROM drifts"),
    ]


@pytest.mark.parametrize("what", TRIGGERS)
def test_what_a_trigger_in_the_store_makes_of_an_apply_is_told(bench: InProcess, what: str) -> None:
    """By address and field, without the value; nothing is kept, and without the trigger it is applied."""
    event, statement, expected = TRIGGERS[what]
    if isinstance(bench.path, Placed):
        event = event.replace("DELETE ON meta", "DELETE ON writing")  # where it stands that an apply writes
    sql(bench.path, f"CREATE TRIGGER theirs {event} BEGIN {statement}; END")
    before = content(bench)
    with pytest.raises(NotConverged) as caught:
        bench.apply()
    assert (caught.value.message, caught.value.exit_code) == (expected, 9)
    assert content(bench) == before
    sql(bench.path, "DROP TRIGGER theirs")
    bench.apply()
    assert bench.plan().is_empty


def test_a_record_that_is_deleted_and_comes_back(bench: InProcess, workspace: Workspace) -> None:
    """Such as by a trigger that keeps what it is told to delete."""
    (workspace.root / "connectors/more.yaml").unlink()
    keep = "INSERT INTO records (uid, kind, name, owner) VALUES (OLD.uid, OLD.kind, OLD.name, OLD.owner)"
    sql(bench.path, f"CREATE TRIGGER theirs AFTER DELETE ON records BEGIN {keep}; END")
    with pytest.raises(NotConverged, match="category/sales did not converge: it is still there after its deletion"):
        bench.apply()


def test_a_trigger_that_only_looks_is_let_be(bench: InProcess, workspace: Workspace) -> None:
    """An audit table of somebody else's, say; the command line says what an apply says."""
    sql(bench.path, "CREATE TABLE theirs (uid TEXT)")
    sql(bench.path, "CREATE TRIGGER looks AFTER UPDATE ON documents BEGIN INSERT INTO theirs VALUES (NEW.uid); END")
    workspace.ok("apply", "--yes")
    assert sql(bench.path, "SELECT count(*) FROM theirs") == [(1,)]
    workspace.edit("connectors/crm.yaml", "method: PUT", "method: GET")
    sql(bench.path, "CREATE TRIGGER writes AFTER UPDATE ON documents BEGIN UPDATE documents SET live = '{}' WHERE uid = NEW.uid; END")  # fmt: skip
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 9
    assert "connector/crm-contacts did not converge: metadata, spec are not what was planned" in result.stderr


@pytest.mark.on_postgresql
def test_a_trigger_that_waits_for_the_commit(bench: InProcess, workspace: Workspace) -> None:
    """What it does then is read back, too; what it refuses is told."""
    url = (
        "UPDATE documents SET live = json_set(live, '$.spec.endpoints.list.url', 'https://canary') WHERE uid = NEW.uid"
    )
    sql(bench.path, f"CREATE TRIGGER theirs AFTER UPDATE ON documents BEGIN {url}; END")
    sql(bench.path, "DROP TRIGGER theirs ON documents")
    deferred = "CREATE CONSTRAINT TRIGGER {} AFTER UPDATE ON documents DEFERRABLE INITIALLY DEFERRED FOR EACH ROW{}"
    sql(bench.path, deferred.format("later", " WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION theirs()"))
    before = content(bench)
    with pytest.raises(NotConverged, match=r"connector/crm-contacts did not converge: endpoints.list.url is not what"):
        bench.apply()
    assert content(bench) == before
    sql(bench.path, "DROP FUNCTION theirs() CASCADE")
    sql(bench.path, "CREATE TRIGGER theirs AFTER UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'frozen by ops'); END")
    sql(bench.path, "DROP TRIGGER theirs ON documents")
    sql(bench.path, deferred.format("later", " EXECUTE FUNCTION theirs()"))
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 10 and "frozen by ops; nothing was changed" in result.stderr, result.stderr
    assert content(bench) == before
    sql(bench.path, "DROP FUNCTION theirs() CASCADE")
    bench.apply()
    assert bench.plan().is_empty
