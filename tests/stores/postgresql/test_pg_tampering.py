"""What a superuser does to a store with the triggers out of the way: `store check` sees it, and a repair mends it."""

import re

import pytest
from conftest import Result, Workspace
from live_state import drift, tamper

pytestmark = pytest.mark.on_postgresql

BODY = "(SELECT uid FROM records WHERE name = 'crm-contacts')"


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A store with one resource of each kind."""
    workspace.ok("apply", "--yes")
    return workspace


def checked(applied: Workspace, *said: str) -> Result:
    """What `store check` finds, in words."""
    result = applied.run("store", "check")
    assert result.exit_code == 10, result.output
    for words in said:
        assert words in result.stdout, result.stdout
    return result


def mends(applied: Workspace) -> None:
    """A repair and an apply later all is well."""
    repair = applied.run("store", "check", "--repair")
    apply = applied.run("apply", "--yes")
    assert apply.exit_code == 0, (repair.output, apply.output)
    assert applied.run("store", "check").exit_code == 0, (repair.output, applied.run("store", "check").output)
    assert "Nothing to do" in applied.ok("plan").stdout
    assert applied.ok("plan").stdout == applied.ok("plan", "--full").stdout
    drift(applied, "crm-contacts", "$.spec.description", '"by hand"')  # and is seen
    assert "by hand" in applied.run("drift").stdout


def test_a_body_that_was_altered_while_triggers_were_off(applied: Workspace) -> None:
    """It does not fit to its fingerprint; the next apply takes it back."""
    tamper(applied.store, f"UPDATE documents SET live = json_set(live, '$.spec.status', 'inactive') WHERE uid = {BODY}")
    checked(applied, "connector/crm-contacts")
    mends(applied)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE documents DISABLE TRIGGER USER", "documents."),
        ("ALTER TABLE documents DISABLE TRIGGER ALL", "the foreign keys of documents are switched off"),
        ("ALTER TABLE documents ENABLE ROW LEVEL SECURITY", "row-level security hides rows of documents"),
        ("ALTER TABLE history ENABLE TRIGGER USER", "history."),
        ("ALTER TABLE records DROP CONSTRAINT records_kind_name_key", "records_kind_name_key"),
        ("INSERT INTO writing VALUES ('7')", "left a row in writing"),
        ("CREATE RULE quiet AS ON UPDATE TO documents DO INSTEAD NOTHING", "quiet"),
    ],
    ids=["disabled", "disabled-with-keys", "security", "not-always", "constraint", "writing", "rule"],
)
def test_what_was_left_switched_off_is_said(applied: Workspace, statement: str, said: str) -> None:
    """With its name; a repair puts it back, but for what the owner of the server has to."""
    applied.store.sql(statement)
    told = checked(applied, said)
    for end in re.findall("have a superuser end it: (.+?); then", told.stdout):
        applied.store.sql(end)
    mends(applied)


def test_a_faked_apply_is_refused(applied: Workspace) -> None:
    """The setting by itself silences nothing, a superuser's neither."""
    from psycopg.errors import InsufficientPrivilege

    with applied.store.database.server.superuser(applied.store.database.name) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", [applied.store.schema])
        connection.execute("SET reconciler.writing = '1'")
        with pytest.raises(InsufficientPrivilege, match="no apply is under way"):
            connection.execute("UPDATE documents SET live = '{}'")
    assert "Nothing to do" in applied.ok("plan").stdout


def test_an_apply_that_was_faked_with_its_row_is_seen(applied: Workspace) -> None:
    """Whoever may write the row, too, writes in silence; the fingerprint tells."""
    with applied.store.database.server.superuser(applied.store.database.name) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", [applied.store.schema])
        connection.execute("BEGIN")
        connection.execute("INSERT INTO writing (xid) VALUES (pg_current_xact_id())")
        connection.execute("SET LOCAL reconciler.writing = '1'")
        connection.execute("UPDATE documents SET live = replace(live, 'Contacts of', 'Faked of')")
        connection.execute("DELETE FROM writing")
        connection.execute("COMMIT")
    checked(applied, "connector/crm-contacts")
    mends(applied)
