"""Whatever somebody does to the store's tables by SQL is told as it is, breaks no command, and can be mended."""

import http.server
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Result, Workspace, timeless
from live_state import sql
from schema_checks import fits

TABLES = (
    "meta", "records", "documents", "applied", "refs", "secrets", "runs", "history", "tokens", "leases", "drifts", "attempts",
    "quarantine", "declarations", "quarantined_secrets", "baselines", "declared", "claimed",
)  # fmt: skip
TOKEN_CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: erp}
spec:
  displayName: ERP
  categories: [crm]
  authorization:
    {method: oauth2-client-credentials, tokenUrl: "http://127.0.0.1:PORT/token", clientId: x, clientSecret: {env: CRM_PASSWORD}}
  endpoints: {list: {method: GET, url: "https://erp.example.com/"}}
"""


class _Tokens(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps({"access_token": "granted", "token_type": "Bearer", "expires_in": 360_000}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository whose store has rows in every table: three runs, a rename, a deletion, drift that is taken and drift that is not."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = tmp_path_factory.mktemp("edits") / "repo"
    (root / "connectors").mkdir(parents=True)
    one = Workspace(root)
    one.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    one.write("connectors/erp.yaml", TOKEN_CONNECTOR.replace("PORT", str(server.server_address[1])))
    for name in ("old", "left", "gone"):
        text = CONNECTOR.replace("crm-contacts", name).replace("Sales team's contacts", f"The {name}")
        one.write(f"connectors/{name}.yaml", text)
    one.edit("connectors/left.yaml", "  endpoints:", "  lifecycle: {ignore: [description]}\n  endpoints:")
    one.write("policies/team.yaml", POLICY)
    one.commit()
    one.ok("apply", "--yes", "-q")
    sql(one.store, "UPDATE documents SET live = json_set(live, '$.spec.description', 'by hand') WHERE uid IN (SELECT uid FROM records WHERE name IN ('left', 'crm-contacts'))")  # fmt: skip
    one.edit("connectors/crm.yaml", "Contacts of the CRM.", "Contacts.")
    one.edit("connectors/left.yaml", "The left", "What is left")
    one.commit()
    one.ok("apply", "--yes", "-q")
    (root / "connectors/gone.yaml").unlink()
    one.edit("connectors/old.yaml", "  name: old", "  name: new\n  previously: [old]")
    one.commit()
    assert one.run("apply", "--yes", "-q", "--secrets", "check", env={"CRM_PASSWORD": ""}).exit_code == 10
    one.ok("apply", "--yes", "-q")
    sql(one.store, "UPDATE documents SET live = json_set(live, '$.spec.description', 'by hand') WHERE uid IN (SELECT uid FROM records WHERE name = 'new')")  # fmt: skip
    sql(one.store, "INSERT INTO leases (name, holder, expires) SELECT 'token/' || uid, 'x', 0 FROM records WHERE name = 'erp'")  # fmt: skip
    assert not [table for table in TABLES if not sql(one.store, f"SELECT 1 FROM {table}")]
    yield root
    server.shutdown()
    server.server_close()


@pytest.fixture
def edited(world: Path, tmp_path: Path) -> Workspace:
    """A copy of it."""
    return Workspace(Path(shutil.copytree(world, tmp_path / "repo", symlinks=True)))


def write(store: Path, statement: str, *, keys: bool, triggers: bool = True) -> str:
    """Run a statement as another program does; why SQLite refuses it, or "".

    Args:
        keys: whether its connection looks at foreign keys.
        triggers: whether they are left there meanwhile.
    """
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute(f"PRAGMA foreign_keys = {'ON' if keys else 'OFF'}")
    kept = [] if triggers else connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()  # fmt: skip
    for name, _ in kept:
        connection.execute(f"DROP TRIGGER {name}")
    refused = ""
    try:
        connection.execute(statement)
    except sqlite3.IntegrityError as failure:
        refused = str(failure)
    for _, text in kept:
        connection.execute(text)
    connection.close()
    return refused


def told(edited: Workspace, tmp_path: Path) -> dict[str, Result]:
    """What reading commands say; none of them fails in a way that nobody can understand."""
    lines = (
        "plan", "plan --full", "drift", "history", "history connector/crm-contacts", "get", "token status", "lock show",
        "rollback 2 --dry-run", "store check", f"store backup {tmp_path}/copy.db --force",
    )  # fmt: skip
    said = {line: edited.run(*line.split()) for line in lines}
    for line, result in said.items():
        understood(line, result)
    plan, full = said["plan"], said["plan --full"]
    assert (plan.exit_code, timeless(plan.stdout)) == (full.exit_code, timeless(full.stdout))
    assert said["store check"].exit_code == next(result.exit_code for line, result in said.items() if "backup" in line)
    return said


def understood(line: str, result: Result) -> None:
    """No bug, and nothing of SQLite's own words for it."""
    assert result.exit_code not in (1, 9), (line, result.output)
    assert not [word for word in ("IntegrityError", "constraint failed", "cannot be used") if word in result.output], (line, result.output)  # fmt: skip


def mends(edited: Workspace) -> None:
    """A repair and an apply later all is well, and stays so."""
    repair = edited.run("store", "check", "--repair")
    understood("repair", repair)
    resolve = ("--secrets", "check") if "apply --secrets check" in repair.stdout else ()  # as the hint says
    understood("apply", applied := edited.run("apply", "--yes", *resolve))
    assert applied.exit_code == 0, (repair.output, applied.output)
    check = edited.run("store", "check")
    assert check.exit_code == 0, (repair.output, applied.output, check.output)
    plan, full = edited.ok("plan"), edited.ok("plan", "--full")
    assert "Nothing to do" in plan.stdout and plan.stdout == full.stdout
    assert "No drift" in edited.ok("drift").stdout


def row_of(table: str) -> str:
    """A condition that one row of the table fits."""
    key = {"meta": "key = 'revision'", "records": "name = 'crm-contacts'", "history": "seq = 3", "runs": "id = 2"}
    owned = ("documents", "applied", "refs", "secrets", "tokens", "drifts", "quarantine", "quarantined_secrets", "declarations")  # fmt: skip
    if table in owned:
        return f"uid = (SELECT min(uid) FROM {table})"
    first = {"leases": "name", "attempts": "id", "baselines": "owner", "declared": "name", "claimed": "name"}
    return key.get(table) or f"{first[table]} = (SELECT max({first[table]}) FROM {table})"


@pytest.mark.parametrize(
    ("which", "triggers"),
    [
        ("all", True),
        ("one", False),
        pytest.param("all", False, marks=pytest.mark.long),
        pytest.param("one", True, marks=pytest.mark.long),
    ],
    ids=["all", "one, triggers taken away", "all, triggers taken away", "one"],
)
@pytest.mark.parametrize("table", TABLES)
def test_rows_that_are_deleted(edited: Workspace, tmp_path: Path, table: str, which: str, triggers: bool) -> None:
    """By a connection that does not look at foreign keys, as those of most programs do not."""
    if table == "documents" and not triggers:
        pytest.skip("of policies without bodies nobody knows whom they make super admins: it takes a backup")
    statement = f"DELETE FROM {table}" + (f" WHERE {row_of(table)}" if which == "one" else "")
    refused = write(edited.store, statement, keys=False, triggers=triggers)
    assert bool(refused) == (triggers and table in ("runs", "history"))
    if not triggers:
        edited.run("plan")  # the fast plan cannot know what the triggers did not see, and the check says so
        assert edited.run("store", "check").exit_code in (0, 10)
    else:
        told(edited, tmp_path)
    mends(edited)


@pytest.mark.long
@pytest.mark.parametrize("table", [table for table in TABLES if table not in ("runs", "history")])
def test_rows_that_are_deleted_while_foreign_keys_are_looked_at(edited: Workspace, tmp_path: Path, table: str) -> None:
    """What belongs to a record goes with it, and everything is told as without."""
    write(edited.store, f"DELETE FROM {table}", keys=True)
    told(edited, tmp_path)
    mends(edited)


@pytest.mark.parametrize("table", TABLES)
def test_values_that_are_changed(edited: Workspace, tmp_path: Path, table: str) -> None:
    """In every column: what does not fit to it is refused, the rest is told and mended."""
    columns = [name for _, name, *_ in sql(edited.store, f"PRAGMA table_info({table})")]
    for value in ("x'ff00'", "NULL", "-1", "'x'"):
        for column in columns:
            write(edited.store, f"UPDATE OR REPLACE {table} SET {column} = {value} WHERE {row_of(table)}", keys=False)
    told(edited, tmp_path)
    mends(edited)


def test_a_child_goes_with_its_record_whatever_the_connection_is_set_to(edited: Workspace) -> None:
    """No secret and no token stays behind, and a record cannot lose what belongs to it by another identity."""
    uid = sql(edited.store, "SELECT uid FROM records WHERE name = 'erp'")[0][0]
    assert "keeps its identity" in write(edited.store, f"UPDATE records SET uid = 'x' WHERE uid = '{uid}'", keys=False)
    assert not write(edited.store, f"DELETE FROM records WHERE uid = '{uid}'", keys=False)
    for table in ("documents", "refs", "secrets", "tokens"):
        assert not sql(edited.store, f"SELECT 1 FROM {table} WHERE uid = '{uid}'"), table
    assert edited.run("store", "check").exit_code == 0


def test_leftovers_of_a_deleted_record_do_not_stand_in_its_way(edited: Workspace) -> None:
    """Of a store whose triggers were gone: what comes back under its identity, and a purge, go on."""
    write(edited.store, "DELETE FROM records WHERE name = 'crm-contacts'", keys=False, triggers=False)
    assert edited.run("rollback", "1", "--yes").exit_code == 0
    edited.ok("store", "purge", "--older-than", "0", "--yes")


def test_a_break_in_the_history_is_acknowledged_and_stays_told(edited: Workspace) -> None:
    """The entry behind it names it; the check is clean and says so; whoever alters what was acknowledged is found."""
    write(edited.store, "UPDATE runs SET actor = 'nobody' WHERE id = 2", keys=False, triggers=False)
    assert edited.run("store", "check").exit_code == 10
    before = sql(edited.store, "SELECT * FROM runs ORDER BY id")
    repair = edited.ok("store", "check", "--repair", "--as", "grace")
    broken = "run 2 (by nobody) or its place is not what was written: altered"
    assert f"acknowledged where the history is broken, and went on behind it: {broken}" in repair.stdout
    assert sql(edited.store, "SELECT * FROM runs ORDER BY id")[:-1] == before, "nothing is written over"
    assert f"the history is broken, which run 4 acknowledged: {broken}" in edited.ok("store", "check").stdout
    assert "repair" in edited.ok("history").stdout.splitlines()[1] and "grace" in edited.ok("history").stdout
    edited.edit("connectors/crm.yaml", "Contacts.", "All contacts.")
    edited.ok("apply", "--yes")
    edited.ok("store", "check")
    write(edited.store, "UPDATE runs SET actor = 'ada' WHERE id = 2", keys=False, triggers=False)
    found = edited.run("store", "check")
    assert found.exit_code == 10 and "the entries before run 4 are not those that this repair acknowledged" in found.stdout  # fmt: skip
    edited.ok("store", "check", "--repair")
    edited.ok("store", "check")


def test_a_head_that_was_noted_behind_the_break_is_missed(edited: Workspace) -> None:
    """A repair makes nobody forget what was removed."""
    head = edited.ok("store", "check").stdout.split()[-1]
    write(edited.store, "DELETE FROM history WHERE run = 3", keys=False, triggers=False)
    edited.ok("store", "check", "--repair")
    assert f"the head {head} is not in the history" in edited.run("store", "check", "--head", head).stdout


def test_a_run_that_was_removed_is_no_other_run(edited: Workspace) -> None:
    """Its number is not given again, and what it did is not said to be another's."""
    write(edited.store, "DELETE FROM runs WHERE id = 3", keys=False, triggers=False)
    edited.ok("apply", "--yes")
    assert [line.split()[0] for line in edited.ok("history").stdout.splitlines()[1:-1]] == ["4", "2", "1"]
    edited.ok("store", "check", "--repair")
    lost = [line for line in edited.ok("history").stdout.splitlines() if line.startswith("3 ")]
    assert lost and "unknown" in lost[0] and "removed outside of a run" in lost[0]


def test_a_repair_is_a_super_admins(edited: Workspace) -> None:
    """Where there is one."""
    edited.write("policies/owners.yaml", "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\nspec: {subjects: [{user: margaret}], superAdmin: true}\n")  # fmt: skip
    edited.ok("apply", "--yes", "--as", "margaret")
    write(edited.store, "DELETE FROM meta WHERE key = 'store'", keys=False)
    assert edited.run("store", "check", "--repair", "--as", "ada").exit_code == 4
    edited.ok("store", "check", "--repair", "--as", "margaret")
    edited.ok("store", "check")


def test_a_repair_says_what_it_did(edited: Workspace) -> None:
    """As text and as JSON; where nothing is broken it does and notes nothing."""
    runs = sql(edited.store, "SELECT count(*) FROM runs")
    assert edited.ok("store", "check", "--repair").stdout.startswith("Nothing was mended.\n")
    assert sql(edited.store, "SELECT count(*) FROM runs") == runs
    write(edited.store, "DELETE FROM quarantine", keys=False)
    sql(edited.store, "DROP TRIGGER documents_updating")
    sql(edited.store, "DROP INDEX declared_odd")
    sql(edited.store, "DELETE FROM meta WHERE key = 'key_check'")
    said = edited.run("store", "check", "--repair", "-o", "json")
    content = json.loads(said.stdout)
    fits(content, "history.schema.json")
    assert content["repair"]["run"] == 4
    assert {item["what"]: item["count"] for item in content["repair"]["mended"]} == {"schema": 2, "notes": 1, "unkept": 1}  # fmt: skip
    assert "connector/gone" in said.stdout and "trigger documents_updating" in said.stdout
    assert "connector/gone" in edited.ok("restore").stdout
    edited.ok("store", "rotate-key", env={"RECONCILER_NEW_STORE_KEY": "a new key for the tests, longer than 32 characters"})  # fmt: skip


def test_a_key_that_nobody_noted_has_to_open_what_is_sealed(edited: Workspace) -> None:
    """Else secrets of two keys would be mixed in one store."""
    write(edited.store, "DELETE FROM meta WHERE key = 'key_check'", keys=False)
    other = {"RECONCILER_STORE_KEY": "quite another key for the tests, of more than thirty-two characters"}
    edited.edit("connectors/crm.yaml", "password: {env: CRM_PASSWORD}", "password: {env: OTHER}")
    for line in ("apply --yes", "store check --repair"):
        assert edited.run(*line.split(), env={**other, "OTHER": "secret"}).exit_code == 10
    assert edited.run("store", "rotate-key", env={"RECONCILER_NEW_STORE_KEY": "a new key for the tests, longer than 32 characters"}).exit_code == 10  # fmt: skip


def test_a_damaged_page_takes_a_backup(edited: Workspace, tmp_path: Path) -> None:
    """It is not mended in place, and not copied over a good backup."""
    backup = tmp_path / "backup.db"
    edited.ok("store", "backup", backup)
    good = backup.read_bytes()
    sql(edited.store, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(edited.store.read_bytes())
    root = sql(edited.store, "SELECT rootpage FROM sqlite_master WHERE name = 'history'")[0][0]
    data[(root - 1) * 4096 + 8 : (root - 1) * 4096 + 64] = b"\xff" * 56
    edited.store.write_bytes(data)
    assert edited.run("store", "check").exit_code == 10
    repair = edited.run("store", "check", "--repair")
    assert repair.exit_code == 10 and "restore it from a backup" in repair.output
    copied = edited.run("store", "backup", backup, "--force")
    assert copied.exit_code == 10 and backup.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir() if path.name != "repo"] == ["backup.db"]
