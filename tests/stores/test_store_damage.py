"""Stores that are damaged, shared, or changed at the wrong moment."""

import re
import random
from contextlib import closing
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace, clean_environment
from programs import needs_mounts
from live_state import InProcess, actions, sql

from reconciler.errors import RecordConflict, ReconcilerError, StoreUnavailable
from reconciler.render.records import records_json, records_table
from reconciler.services.apply import ApplyOptions, TokenOptions, apply_plan
from reconciler.services.records import Query, search
from reconciler.wiring.run import now, open_secrets, open_tokens

pytestmark = pytest.mark.store_file


@pytest.fixture
def bench(workspace: Workspace) -> InProcess:
    """The small repository, applied."""
    bench = InProcess(workspace.root, workspace.env)
    bench.apply()
    return bench


@pytest.mark.parametrize("stores", [100, pytest.param(3000, marks=pytest.mark.long)])
def test_every_damage_is_a_message_and_never_a_bug(bench: InProcess, workspace: Workspace, stores: int) -> None:
    """Hundreds of stores with flipped, cut, zeroed and shuffled bytes: it works, or says what is wrong."""
    whole = bench.path.read_bytes()
    chance = random.Random(11)
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    told = set()
    for number in range(stores):
        data = bytearray(whole)
        at = (
            chance.randrange(len(data))
            if number % 2
            else chance.choice([0, 100, 4096, 8192, 40960]) + chance.randrange(100)
        )
        match number % 5:
            case 0:
                del data[at:]
            case 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                data[at : at + 200] = bytes(200)
            case 3:
                data[at : at + 50] = chance.randbytes(50)
            case _:
                page = 4096 * chance.randrange(len(data) // 4096)
                data[page : page + 4096] = whole[4096:8192]
        for journal in bench.path.parent.glob("store.db-*"):
            journal.unlink()
        bench.path.write_bytes(data)
        try:
            bench.plan()
            with closing(bench.store()) as store:
                found = list(search(store, Query()))
            records_table(found, color=False), records_json(found)
            bench.apply()
        except ReconcilerError as failure:
            assert failure.exit_code in (6, 9, 10), failure
            told.add(failure.message.replace(str(bench.path), "STORE").partition(":")[0])
    assert {"the store STORE is damaged", "the store STORE is not a SQLite file"} <= told


def test_a_store_that_moves_between_plan_and_apply(bench: InProcess, workspace: Workspace) -> None:
    """What the plan rests on is checked in the transaction, also what it does not itself change."""
    workspace.write("connectors/more.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales"))
    bench.apply()
    new = CONNECTOR.replace("crm-contacts", "new").replace("Sales team's", "New").replace("[crm]", "[sales]")
    workspace.write(
        "connectors/more.yaml", CATEGORY.replace("crm", "sales").replace("Customer data", "Sales") + "---\n" + new
    )
    moves = {
        "DELETE FROM records WHERE name = 'sales'": "connector/new refers to category/sales",
        "INSERT INTO records (uid, kind, name, owner) VALUES ('u', 'Connector', 'new', 'acme/x')": "connector/new clashes with the live connector/new, which belongs to acme/x",
        "INSERT INTO records (uid, kind, name, display, owner) VALUES ('u', 'Connector', 'n', 'new contacts', 'acme/x')": "connector/new clashes with the live connector/n, which belongs to acme/x",
    }
    before = bench.path.read_bytes()
    for move, detail in moves.items():
        bench.path.write_bytes(before)
        store = bench.store()
        plan = bench.plan(store)
        sql(bench.path, move)
        with pytest.raises(RecordConflict) as caught:
            apply_plan(
                plan,
                store,
                ApplyOptions(
                    open_secrets(bench.settings, bench.environment),
                    TokenOptions(open_tokens(bench.settings, store), fetch=False),
                    "ada",
                    now,
                ),
            )
        store.close()
        assert caught.value.exit_code == 6
        assert caught.value.details == (detail,)
        assert sql(bench.path, "SELECT count(*) FROM runs") == [(2,)]


def test_one_plan_sees_one_state(bench: InProcess) -> None:
    """Reads of one run do not mix what was before a concurrent apply with what is after."""
    store = bench.store()
    records = store.records()
    sql(bench.path, "DELETE FROM records")
    assert store.records() == records
    assert set(store.bodies(record.uid for record in records.values())) == {record.uid for record in records.values()}
    store.close()
    assert store.records() == {}
    store.close()


def test_a_constraint_that_somebody_added_is_named(bench: InProcess, workspace: Workspace) -> None:
    """It is no clash of names."""
    sql(bench.path, "CREATE TRIGGER no BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'frozen by ops'); END")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    with pytest.raises(StoreUnavailable, match="refuses what is to be written: frozen by ops; nothing was changed"):
        bench.apply()
    sql(bench.path, "DROP TRIGGER no")
    bench.apply()


def test_the_store_in_a_repository_stays_out_of_git(workspace: Workspace) -> None:
    """With the key that it makes, from the first moment, and also where the folder was there before."""
    for prepare in (lambda folder: None, Path.mkdir):
        shutil.rmtree(workspace.store.parent, ignore_errors=True)
        prepare(workspace.store.parent)
        workspace.ok("apply", "--yes", "-q", env={"RECONCILER_STORE_KEY": ""})
        assert {path.name for path in workspace.store.parent.iterdir()} == {
            ".gitignore",
            "store.db",
            "store.db.made",
            "store.key",
        }
        workspace.commit()
        assert ".reconciler" not in workspace.git("ls-files")
    assert workspace.store.stat().st_mode & 0o777 == 0o600
    assert workspace.store.parent.stat().st_mode & 0o777 in (0o700, 0o755)


def test_many_first_applies_at_once(workspace: Workspace) -> None:
    """They agree on the store and its key; each either applies or finds that another did."""
    env = clean_environment({**workspace.env, "RECONCILER_STORE_KEY": ""})
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "--yes", "-q"],
            cwd=workspace.root,
            env=env,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert {code for _, code in ended} <= {0, 6}, ended
    assert sql(workspace.store, "SELECT count(*) FROM runs") == [(1,)]
    assert sorted(path.name for path in workspace.store.parent.iterdir() if not path.name.startswith("store.db-")) == [
        ".gitignore",
        "store.db",
        "store.db.made",
        "store.key",
    ]
    workspace.ok("apply", "--yes", "--secrets", "check", env={"RECONCILER_STORE_KEY": ""})


def test_a_full_disk(workspace: Workspace) -> None:
    """A real one of a megabyte, where mounting is permitted; else a limit on files stands for it, in test_faults."""
    needs_mounts()
    many = "---\n".join(
        CATEGORY.replace("crm", f"c{n}").replace("Customer data", f"C{n}, description: '{'x' * 3000}'")
        for n in range(500)
    )
    program = f'"{sys.executable}" -m reconciler'
    workspace.store.parent.mkdir()
    script = (
        f"mount -t tmpfs -o size=1m tmpfs {workspace.store.parent} || exit 99; {program} apply --yes -q || exit 98; "
        f'mv many.txt connectors/many.yaml; {program} apply --yes -q; echo code $?; {program} plan -q -o json | grep -c \'"action": "create"\'; '
        f"rm connectors/many.yaml; sed -i s/GET/PUT/ connectors/crm.yaml; {program} apply --yes; echo code $?; {program} plan"
    )
    workspace.write("many.txt", many)
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=workspace.root, env=clean_environment(workspace.env), capture_output=True, text=True, check=False)  # fmt: skip
    assert "code 10\n500\n" in done.stdout, done.stdout + done.stderr
    assert "the disk is full; nothing was changed" in done.stderr
    assert "Applied to local: 1 updated" in done.stdout
    assert done.stdout.endswith("Nothing to do: local is what the working tree says (4 records).\n")


def test_a_key_file_and_a_store_are_not_the_same_file(workspace: Workspace) -> None:
    """Whatever the store is called."""
    result = workspace.run(
        "--store", "sqlite:.reconciler/x.key", "apply", "--yes", "-q", env={"RECONCILER_STORE_KEY": ""}
    )
    assert result.exit_code == 0, result.output
    assert (workspace.root / ".reconciler/x.key").read_bytes().startswith(b"SQLite format 3\0")


def test_two_terminals(workspace: Workspace, make_workspace: Callable[[str], Workspace]) -> None:
    """Somebody hesitates at the question while somebody else applies: the answer comes too late."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "apply"))
    try:
        from test_terminal import Terminal
    finally:
        sys.path.pop(0)
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    terminal = Terminal(workspace, "apply")
    terminal.read_until("Apply to local?")
    workspace.edit("connectors/crm.yaml", "method: PUT", "method: POST")
    workspace.ok("apply", "--yes", "-q")
    terminal.type("y\n")
    assert terminal.end() == 6
    assert "the plan is stale: live records moved after planning; nothing was changed" in terminal.text.replace(
        "\x1b[0m", ""
    )
    line = r"connector/crm-contacts endpoints\.list\.method: [0-9a-f]{12} when it was planned, [0-9a-f]{12} now"
    assert re.search(line, terminal.text)
    assert "method: POST" in workspace.ok("get", "connector/crm-contacts").stdout


def test_reading_leaves_the_store_as_it_is(bench: InProcess, workspace: Workspace) -> None:
    """Not a byte of the file, and no journal with content."""
    before = bench.path.read_bytes()
    for line in ("plan", "get", "plan --secrets check", "get -o json"):
        workspace.ok(*line.split())
    assert bench.path.read_bytes() == before
    assert all(path.stat().st_size == 0 for path in bench.path.parent.glob("store.db-wal"))
    assert actions(bench.plan_json()) == []
    connection = sqlite3.connect(bench.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
