"""Whatever is written into the store's tables outside of a run is seen, told and taken back."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
from conftest import CATEGORY, Workspace
from live_state import InProcess, actions, sql

from reconciler.core.drift import Drifted
from reconciler.kinds.drift import drifted, paired
from reconciler.wiring.run import now

UID = "(SELECT uid FROM records WHERE name = 'crm-contacts')"
TARGET = "connector/crm-contacts"


@pytest.fixture
def bench(workspace: Workspace) -> InProcess:
    """The small repository with a second category, applied."""
    workspace.write("connectors/more.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales"))
    bench = InProcess(workspace.root, workspace.env)
    bench.apply()
    return bench


def around(bench: InProcess, *statements: str, recursive: bool = False, foreign_keys: bool = True) -> None:
    """Run statements as another program does, in one transaction."""
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {'ON' if recursive else 'OFF'}")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()


def seen(bench: InProcess) -> list[Drifted]:
    """What the store says became of its records."""
    store = bench.store()
    try:
        return [found for one in paired(store.moved()) if (found := drifted(one, now()))]
    finally:
        store.close()


def said(found: Sequence[Drifted]) -> list[tuple[str, str, list[str], int]]:
    """Name, fate, dotted paths of the fields, and how many notes, of each."""
    return [
        (one.key.name, one.fate.value, [".".join(map(str, field.path)) for field in one.fields], len(one.notes))
        for one in found
    ]


def row(table: str, **values: str) -> str:
    """A statement that replaces the rows of the connector in a table, with some columns changed."""
    columns = {
        "documents": ("uid", "live"),
        "refs": ("uid", "kind", "name"),
        "secrets": ("uid", "address", "reference", "fingerprint", "ciphertext"),
        "records": ("uid", "kind", "name", "display", "owner", "fingerprint", "applied"),
    }[table]
    chosen = ", ".join(values.get(column, column) for column in columns)
    return f"REPLACE INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} WHERE uid = {UID}"


HAND = "json_set(live, '$.spec.description', 'by hand')"
DESCRIPTION = ["spec.description"]
BODY = [
    "metadata",
    *(f"spec.{key}" for key in ("authorization", "categories", "description", "displayName", "endpoints")),
]
PASSWORD = ["spec.authorization.password"]
WRITES: dict[str, tuple[str, tuple[str, list[str], int]]] = {
    "update a body": (f"UPDATE documents SET live = {HAND} WHERE uid = {UID}", ("changed", DESCRIPTION, 0)),
    "replace a body": (row("documents", live=HAND), ("changed", DESCRIPTION, 0)),
    "update or abort": (f"UPDATE OR ABORT documents SET live = {HAND} WHERE uid = {UID}", ("changed", DESCRIPTION, 0)),
    "upsert a body": (f"INSERT INTO documents VALUES ({UID}, '{{\"spec\":{{}}}}') ON CONFLICT (uid) DO UPDATE SET live = {HAND}", ("changed", DESCRIPTION, 0)),
    "delete a body": (f"DELETE FROM documents WHERE uid = {UID}", ("changed", BODY, 1)),
    "name": (f"UPDATE records SET name = 'other' WHERE uid = {UID}", ("changed", ["metadata.name"], 0)),
    "kind": (f"UPDATE records SET kind = 'Group' WHERE uid = {UID}", ("changed", ["kind"], 0)),
    "owner": (f"UPDATE records SET owner = 'acme/x' WHERE uid = {UID}", ("changed", ["metadata.owner"], 0)),
    "display": (f"UPDATE records SET display = 'x' WHERE uid = {UID}", ("changed", [], 1)),
    "applied": (f"UPDATE records SET applied = 'x' WHERE uid = {UID}", ("changed", [], 1)),
    "replace a record": (row("records", owner="'acme/x'"), ("changed", ["metadata.owner", *BODY, *PASSWORD], 2)),  # SQLite deletes what belongs to it
    "delete a record": (f"DELETE FROM records WHERE uid = {UID}", ("deleted", [], 0)),
    "declaration": (f"INSERT INTO applied VALUES ({UID}, '{{\"spec\":{{}}}}')", ("changed", [], 1)),
    "add a reference": (f"INSERT INTO refs VALUES ({UID}, 'Category', 'sales')", ("changed", [], 1)),
    "update a reference": (f"UPDATE refs SET name = 'sales' WHERE uid = {UID}", ("changed", [], 1)),
    "delete references": ("DELETE FROM refs WHERE kind = 'Category'", ("changed", [], 1)),
    "ciphertext": (f"UPDATE secrets SET ciphertext = x'00' WHERE uid = {UID}", ("changed", PASSWORD, 0)),
    "reference of a secret": (f"UPDATE secrets SET reference = '{{}}' WHERE uid = {UID}", ("changed", PASSWORD, 0)),
    "fingerprint of a secret": (f"UPDATE secrets SET fingerprint = '00' WHERE uid = {UID}", ("changed", PASSWORD, 0)),
    "replace a secret": (row("secrets", ciphertext="x'00'"), ("changed", PASSWORD, 0)),
    "delete secrets": ("DELETE FROM secrets", ("changed", PASSWORD, 0)),
    "add a secret": (f"INSERT INTO secrets SELECT uid, 'tls.clientKey', reference, fingerprint, ciphertext FROM secrets WHERE uid = {UID}", ("changed", ["spec.tls.clientKey"], 0)),
}  # fmt: skip
"""By what is done: a statement, and fate, fields and number of notes that it makes."""


@pytest.mark.parametrize("recursive", [False, True], ids=["", "recursive"])
@pytest.mark.parametrize("write", WRITES)
def test_every_write_around_the_tool_is_seen_and_taken_back(bench: InProcess, write: str, recursive: bool) -> None:
    """The store says so, the plan of what git declares takes it back, and then there is no drift."""
    statement, expected = WRITES[write]
    before = now()
    around(bench, statement, recursive=recursive)
    (found,) = seen(bench)
    assert said([found]) == [("crm-contacts", *expected)]
    assert before <= found.since <= now()
    plan = bench.plan_json(adopt=True)
    ((_, address),) = actions(plan)
    assert address == TARGET and plan["changes"][0]["origin"] == "drift"
    bench.apply(adopt=True)
    assert seen(bench) == []
    assert actions(bench.plan_json()) == []
    assert rows(bench) == intact(bench)


def rows(bench: InProcess) -> list[tuple[Any, ...]]:
    """What the store keeps beside the body."""
    return sql(
        bench.path,
        "SELECT r.kind, r.name, r.owner, r.display, s.address, s.reference, length(s.ciphertext), f.name,"
        " (SELECT count(*) FROM refs), (SELECT count(*) FROM secrets), (SELECT count(*) FROM applied)"
        " FROM records r JOIN secrets s USING (uid) JOIN refs f USING (uid) WHERE r.kind = 'Connector'",
    )


def intact(bench: InProcess) -> list[tuple[Any, ...]]:
    """The same as it is when the repository has just been applied."""
    sealed = len("a-password-for-the-tests") + 28  # nonce and tag
    reference = '{"env":"CRM_PASSWORD"}'
    row = ("Connector", "crm-contacts", bench.settings.owner, "sales team's contacts", "authorization.password")
    return [(*row, reference, sealed, "crm", 2, 1, 0)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET live = json_set(json_remove(live, '$.spec'), '$.spec', json_extract(live, '$.spec'))",
        "UPDATE documents SET live = ' ' || live",
        "UPDATE documents SET live = json_set(live, '$.spec.displayName', json_extract(live, '$.spec.displayName')) WHERE live LIKE '%displayName%'",
        "REPLACE INTO documents SELECT uid, live FROM documents",
        "REPLACE INTO refs SELECT * FROM refs",
        "REPLACE INTO secrets SELECT * FROM secrets",
        "UPDATE records SET name = name, owner = owner, display = display",
        "UPDATE records SET version = version + 7, changed_at = ''",
        f"INSERT OR IGNORE INTO documents VALUES ({UID}, '[]')",
        f"INSERT OR IGNORE INTO records (uid, kind, name) VALUES ('u', 'Connector', 'crm-contacts')",
    ],
)
def test_what_leaves_the_content_as_it_is_is_no_drift(bench: InProcess, statement: str) -> None:
    """Other key order, other white space, a write of the same."""
    around(bench, statement)
    assert seen(bench) == []
    assert actions(bench.plan_json()) == []


def test_what_moves_and_moves_back_is_no_drift(bench: InProcess) -> None:
    """However it went: body, name, owner, secret; deleted and put back."""
    statements = [
        f"UPDATE documents SET live = {HAND} WHERE uid = {UID}",
        "UPDATE documents SET live = json_set(live, '$.spec.description', 'Contacts of the CRM.') WHERE live LIKE '%by hand%'",
        "UPDATE records SET name = 'other', owner = 'acme/x' WHERE name = 'crm-contacts'",
        "UPDATE records SET name = 'crm-contacts', owner = 'local' WHERE name = 'other'",
        "UPDATE secrets SET fingerprint = fingerprint || 'x'",
        "UPDATE secrets SET fingerprint = rtrim(fingerprint, 'x')",
        "CREATE TEMP TABLE r AS SELECT * FROM records WHERE name = 'crm-contacts'",
        "CREATE TEMP TABLE d AS SELECT * FROM documents",
        "CREATE TEMP TABLE f AS SELECT * FROM refs",
        "CREATE TEMP TABLE s AS SELECT * FROM secrets",
        "DELETE FROM records WHERE name = 'crm-contacts'",
        "INSERT INTO records SELECT * FROM r",
        "INSERT INTO documents SELECT d.* FROM d JOIN r USING (uid)",
        "INSERT INTO refs SELECT f.* FROM f JOIN r USING (uid)",
        "INSERT INTO secrets SELECT s.* FROM s JOIN r USING (uid)",
    ]
    around(bench, *statements)
    assert sql(bench.path, "SELECT count(*) FROM drifts") == [(1,)]
    assert seen(bench) == []
    assert actions(bench.plan_json()) == []


def test_the_first_picture_is_kept_whatever_follows(bench: InProcess) -> None:
    """A REPLACE would replace it, if the triggers left it to OR IGNORE."""
    around(bench, row("documents", live=HAND))
    since = seen(bench)[0].since
    around(bench, row("documents", live="json_set(live, '$.spec.description', 'again')"), recursive=True)
    around(bench, f"UPDATE OR REPLACE records SET owner = 'x' WHERE uid = {UID}")
    (found,) = seen(bench)
    assert found.since == since
    assert [(field.before, field.after) for field in found.fields] == [
        ("local", "x"),
        ("Contacts of the CRM.", "again"),
    ]


def test_a_replace_pushes_others_out(bench: InProcess) -> None:
    """By name or by display name; no trigger fires for those, and they are missed all the same."""
    around(bench, f"UPDATE OR REPLACE records SET name = 'sales' WHERE name = 'crm'")
    assert said(seen(bench)) == [("crm", "changed", ["metadata.name"], 0), ("sales", "deleted", [], 0)]
    assert actions(bench.plan_json()) == [("rename", "category/crm"), ("create", "category/sales")]
    bench.apply()
    assert actions(bench.plan_json()) == []
    around(bench, "INSERT OR REPLACE INTO records (uid, kind, name, display) VALUES ('u', 'Category', 'x', 'sales')")
    assert said(seen(bench)) == [("sales", "deleted", [], 0), ("x", "created", [], 0)]


@pytest.mark.parametrize("foreign_keys", [True, False])
def test_a_record_that_stands_in_the_place_of_another(bench: InProcess, foreign_keys: bool) -> None:
    """The one that was applied is gone with its secrets, even when the other one holds the same."""
    copied = [
        "CREATE TEMP TABLE d AS SELECT live FROM documents WHERE uid = " + UID,
        f"INSERT OR REPLACE INTO records (uid, kind, name, display, owner) SELECT 'u', kind, name, display, owner FROM records WHERE uid = {UID}",
        "INSERT INTO documents SELECT 'u', live FROM d",
    ]
    around(bench, *copied, foreign_keys=foreign_keys)
    (found,) = seen(bench)
    assert (found.key.name, found.fate.value) == ("crm-contacts", "replaced")
    assert [".".join(map(str, field.path)) for field in found.fields] == PASSWORD
    plan = bench.plan_json()
    assert actions(plan) == [("update", TARGET)] and plan["changes"][0]["origin"] == "drift"
    bench.apply()
    assert actions(bench.plan_json()) == []
    assert sql(bench.path, "SELECT count(*) FROM secrets WHERE uid = 'u'") == [(1,)]


def test_a_record_made_around_the_tool(bench: InProcess) -> None:
    """One that claims to be ours goes, or is taken under management where git defines it."""
    sales = "INSERT INTO documents SELECT 'u', json_set(live, '$.spec.displayName', 'More') FROM documents LIMIT 1"
    around(bench, "INSERT INTO records (uid, kind, name, owner) VALUES ('u', 'Category', 'more', 'local')", sales)
    assert said(seen(bench)) == [("more", "created", [], 0)]
    plan = bench.plan_json()
    assert actions(plan) == [("delete", "category/more")] and plan["changes"][0]["origin"] == "drift"
    (bench.root / "connectors/yet.yaml").write_text(CATEGORY.replace("crm", "more").replace("Customer data", "More"))
    plan = bench.plan_json()
    assert actions(plan) == [("update", "category/more")]
    assert plan["changes"][0]["drift"]["fate"] == "created"
    bench.apply()
    assert actions(bench.plan_json()) == [] and seen(bench) == []


def test_who_writes_may_say_so(bench: InProcess) -> None:
    """By a key in the table `meta`."""
    around(bench, "INSERT INTO meta VALUES ('writer', 'crm-admin')", f"UPDATE documents SET live = {HAND} WHERE uid = {UID}", "DELETE FROM meta WHERE key = 'writer'")  # fmt: skip
    assert [found.by for found in seen(bench)] == ["crm-admin"]


def test_the_triggers_are_silent_for_an_apply_alone(bench: InProcess, workspace: Workspace) -> None:
    """A key that silences them and was left behind is told by the check, and goes with the next apply."""
    around(bench, "INSERT INTO meta VALUES ('writing', '')")
    result = workspace.run("store", "check")
    assert result.exit_code == 10 and "which silences the triggers" in result.stdout
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    bench.apply()
    assert workspace.ok("store", "check").stdout
