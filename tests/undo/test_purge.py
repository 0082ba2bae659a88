"""What is destroyed is gone: access tokens when their connector goes, sealed secrets when it is purged."""

import random
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import connected, database_at, plan_of, file_bytes, sql, tamper
from undo_world import ADDRESS, BOTH, FILE, UndoBench, answer, delete, records

from reconciler.stores.sql.transaction import writing

OWNERS = (
    "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\n"
    "spec: {subjects: [{user: margaret}], superAdmin: true}\n"
)


def connectors(count: int) -> list[str]:
    """Definitions, each with a secret of its own."""
    return [
        CONNECTOR.replace("crm-contacts", f"c{number}")
        .replace("Sales team's contacts", f"C {number}")
        .replace("CRM_PASSWORD", f"P{number}")
        for number in range(count)
    ]


def found(pieces: list[bytes], store: Path) -> list[int]:
    """Which of the sealed values the file or its journal holds a part of."""
    data = file_bytes(store)
    return [
        number
        for number, piece in enumerate(pieces)
        if any(piece[start : start + 12] in data for start in range(0, len(piece) - 11, 12))
    ]


def test_tokens_of_deleted_connectors_leave_no_trace(workspace: Workspace) -> None:
    """Not in the file, not in its journal, also where rows had moved between pages, and another connection is open."""
    chance = random.Random(2)  # with which rows move so that copies stay behind, were the table not written anew
    documents = connectors(60)
    bench = UndoBench(workspace.root, {f"P{number}": f"secret {number}" for number in range(60)})
    workspace.write(FILE, "---\n".join([CATEGORY, *documents]))
    bench.apply()
    uids = {name: uid for name, uid in sql(bench.path, "SELECT name, uid FROM records WHERE kind = 'Connector'")}
    tokens = [chance.randbytes(chance.randrange(60, 1500)) for _ in documents]
    with writing(database_at(bench.path), 1) as connection:
        for number in chance.sample(range(60), 60):
            row = (uids[f"c{number}"], "", "m", "2026-01-01T00:00:00Z", None, "", tokens[number], None)
            connection.execute("INSERT INTO tokens VALUES (?,?,?,?,?,?,?,?)", row)
    assert found(tokens, bench.path) == list(range(60))
    left = list(range(60))
    with connected(bench.path) as idle:
        idle.execute("SELECT count(*) FROM records").fetchall()  # so that the last to close is somebody else
        while len(left) > 10:
            left = sorted(chance.sample(left, len(left) * 3 // 4))
            workspace.write(FILE, "---\n".join([CATEGORY, *(documents[number] for number in left)]))
            bench.apply(max_deletes="100%")
            assert found(tokens, bench.path) == left
    bench.restore(*(item.key for item in bench.store().deleted()))
    assert found(tokens, bench.path) == left, "a token does not come back"


def test_purged_secrets_leave_no_trace(workspace: Workspace) -> None:
    """Nor is there a plaintext anywhere, at any time."""
    chance = random.Random(1)
    canaries = [
        f"Pcanary{number}x{'%030x' % chance.getrandbits(120) * chance.randrange(1, 60)}" for number in range(40)
    ]
    bench = UndoBench(workspace.root, {f"P{number}": canary for number, canary in enumerate(canaries)})
    workspace.env |= bench.environment
    documents = connectors(40)
    workspace.write(FILE, "---\n".join([CATEGORY, *documents]))
    bench.apply()
    query = "SELECT ciphertext FROM secrets JOIN records USING (uid) ORDER BY CAST(substr(name, 2) AS INTEGER)"
    sealed = [text for (text,) in sql(bench.path, query)]
    held = list(range(40))
    for left in (range(25), range(10), range(3)):
        workspace.write(FILE, "---\n".join([CATEGORY, *(documents[number] for number in left)]))
        bench.apply(max_deletes="100%")
        assert found(sealed, bench.path) == held, "quarantine keeps them"
        workspace.ok("store", "purge", "--older-than", "0", "--yes")
        held = list(left)
        assert found(sealed, bench.path) == held
        assert not sql(bench.path, "SELECT * FROM drifts"), "and is no write outside of a run"
    assert not found([canary.encode() for canary in canaries], bench.path)


def test_purging_is_a_run_of_its_own(workspace: Workspace) -> None:
    """Only what was deleted long enough ago; the body stays in the history, and the record cannot be restored."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    early = answer(workspace, "store", "purge", "--yes", schema="history")
    assert (early["records"], early["head"]) == ([], None)
    assert workspace.ok("store", "purge").stdout == "Nothing to purge: no record was deleted 30 days ago or longer.\n"
    sql(workspace.store, "UPDATE quarantine SET deleted_at = '2020-01-01T00:00:00.000Z'")
    noticed = plan_of(workspace)["notices"]
    assert noticed == ["1 record was deleted 30 days ago or longer; to destroy for good: reconciler store purge"]
    workspace.edit(FILE, "Customer data", "Customers")
    workspace.ok("apply", "--yes", "-q")
    would = answer(workspace, "store", "purge", "--dry-run", schema="history")
    assert [item["address"] for item in would["records"]] == [ADDRESS] and would["head"] is None
    assert ADDRESS in workspace.ok("restore").stdout, "neither an apply nor a dry run purges"
    asked = workspace.run("store", "purge")
    assert asked.exit_code == 64 and "pass --yes" in asked.stderr
    done = answer(workspace, "store", "purge", "--yes", schema="history")
    assert [item["secrets"] for item in done["records"]] == [1]
    assert plan_of(workspace)["changes"] == []
    run = answer(workspace, "history", schema="history")["runs"][0]
    assert (run["counts"], run["head"], run["actor"]) == ({"purge": 1}, done["head"], "ada")
    versions = answer(workspace, "history", ADDRESS, schema="history")["versions"]
    assert [version["action"] for version in versions] == ["purge", "delete", "create"]
    assert versions[2]["body"]["spec"]["displayName"] == "Sales team's contacts"
    assert workspace.run("restore", ADDRESS, "--yes").exit_code == 64
    assert "There is no deleted record." in workspace.ok("restore").stdout
    assert answer(workspace, "store", "check", schema="history")["fine"]


def test_the_target_says_how_long(workspace: Workspace) -> None:
    """By `quarantineDays`; the command line wins. Others' deleted records are theirs to purge."""
    project = "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:.reconciler/store.db', quarantineDays: 2}}\n"
    workspace.write("reconciler.yaml", project)
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    sql(workspace.store, "UPDATE quarantine SET deleted_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-3 days')")
    assert "3 days ago  2    1        now\n" in workspace.ok("store", "purge", "--dry-run").stdout
    assert "Nothing to purge" in workspace.ok("store", "purge", "--older-than", "4", "--dry-run").stdout
    sql(workspace.store, "UPDATE quarantine SET owner = 'acme/other'")
    assert "Nothing to purge" in workspace.ok("store", "purge", "--older-than", "0", "--yes").stdout


def test_it_takes_the_permission_to_delete(workspace: Workspace) -> None:
    """Of every record that is purged; who is refused purges nothing."""
    workspace.write("policies/owners.yaml", OWNERS)
    workspace.write("policies/team.yaml", (workspace.root / "policies/team.yaml").read_text("utf-8").replace(
        "connectors:edit]", "connectors:delete, categories:view]"
    ))  # fmt: skip
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    workspace.write("policies/more.yaml", "# nothing\n")
    (workspace.root / FILE).unlink()
    workspace.ok("apply", "--yes", "-q", "--as", "margaret")
    purge = ("store", "purge", "--older-than", "0", "--yes")
    nobody = workspace.run(*purge)
    assert nobody.exit_code == 4 and "who purges has to be known" in nobody.stderr
    refused = workspace.run(*purge, "--as", "ada")
    assert refused.exit_code == 4
    assert "'ada' may not purge 1 of 2 deleted records" in refused.stderr
    assert "purge category/crm takes categories:delete" in refused.stderr
    assert len(answer(workspace, "restore", schema="history")["records"]) == 2
    workspace.ok(*purge, "--as", "margaret")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("UPDATE quarantine SET live = '{\"spec\":{}}'", "what quarantine holds of connector/crm-contacts is not what was deleted"),
        ("INSERT INTO quarantine SELECT 'u', kind, 'x', owner, live, applied, deleted_at, run FROM quarantine",
         "connector/x is in quarantine, and the history does not know of its deletion"),
        ("INSERT INTO quarantined_secrets SELECT 'nobody', address, reference, fingerprint, ciphertext FROM quarantined_secrets",
         "a secret in quarantine belongs to a deleted record that is not there"),
    ],
)  # fmt: skip
def test_store_check_looks_it_over(workspace: Workspace, script: str, message: str) -> None:
    """Keys and bodies, and that the history knows of it."""
    workspace.ok("apply", "--yes", "-q")
    delete(workspace)
    tamper(workspace.store, script)
    checked = answer(workspace, "store", "check", schema="history", code=10)
    assert message in [fault["message"] for fault in checked["faults"]]
