"""Whatever is written into the store outside of a run: a plan takes back just what `drift` tells, and then there is none."""

import random
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st
from live_state import InProcess, sql
from engines import Placed, translated
from test_convergence import FEW, Document, desired_states, lay_out

from reconciler.core.drift import DriftReport
from reconciler.kinds.registry import address
from reconciler.services.drift import DriftQuery, find_drift
from reconciler.wiring.run import now

ONE = "uid = (SELECT uid FROM records ORDER BY kind, name LIMIT 1 OFFSET :n % (SELECT max(1, count(*)) FROM records))"
_COLUMNS = "uid, kind, name, display, owner, fingerprint, applied"
WRITES = st.lists(
    st.tuples(
        st.sampled_from([
            f"UPDATE documents SET live = json_set(live, '$.spec.description', 'by hand') WHERE {ONE}",
            f"UPDATE documents SET live = json_set(live, '$.spec.displayName', 'By hand') WHERE {ONE}",
            f"UPDATE documents SET live = json_set(live, '$.spec.endpoints.list.timeoutSeconds', 7) WHERE {ONE}",
            f"UPDATE documents SET live = json_set(live, '$.spec.members.users', json('[\"zoe\",\"ada\"]')) WHERE {ONE}",
            f"UPDATE documents SET live = json_remove(live, '$.spec.lifecycle') WHERE {ONE}",
            f"REPLACE INTO documents SELECT uid, json_set(live, '$.spec.status', 'inactive') FROM documents WHERE {ONE}",
            f"UPDATE documents SET live = '[]' WHERE {ONE}", f"DELETE FROM documents WHERE {ONE}",
            f"UPDATE OR IGNORE records SET name = name || '-x' WHERE {ONE}", f"UPDATE OR REPLACE records SET name = 'k1' WHERE {ONE}",
            f"UPDATE records SET owner = '' WHERE {ONE}", f"UPDATE records SET display = NULL WHERE {ONE}",
            f"UPDATE records SET applied = 'x', fingerprint = 'x' WHERE {ONE}",
            f"DELETE FROM records WHERE {ONE}", f"DELETE FROM refs WHERE {ONE}", f"DELETE FROM secrets WHERE {ONE}",
            "UPDATE secrets SET ciphertext = x'00'", "UPDATE OR REPLACE refs SET name = 'c1'",
            "INSERT OR REPLACE INTO records (uid, kind, name, owner) VALUES (hex(randomblob(8)), 'Category', 'c' || (:n % 4), 'local')",
            f"REPLACE INTO records ({_COLUMNS}) SELECT {_COLUMNS} FROM records WHERE {ONE}",
            f"INSERT INTO applied SELECT uid, '{{}}' FROM records WHERE {ONE} ON CONFLICT DO UPDATE SET body = excluded.body",
        ]),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


ELSEWHERE = {
    "UPDATE OR IGNORE records SET name = name || '-x'": "UPDATE records SET name = name || '-x'",
    "UPDATE OR REPLACE records SET name = 'k1'": "UPDATE records SET name = 'k1'",
    "UPDATE OR REPLACE refs": "UPDATE refs",
    "INSERT OR REPLACE INTO records": "INSERT INTO records",
    "ON CONFLICT DO UPDATE": "ON CONFLICT (uid) DO UPDATE",
    "OFFSET :n % (SELECT max(1, count(*)) FROM records)": "OFFSET :n % (SELECT greatest(1, count(*)) FROM records)",
}
"""What PostgreSQL says otherwise; instead of replacing what is in the way it refuses."""
ITS_OWN = [
    "INSERT INTO documents SELECT uid, '{}' FROM records ON CONFLICT (uid) DO UPDATE SET live = excluded.live",
    "INSERT INTO documents SELECT uid, '{}' FROM records ON CONFLICT DO NOTHING",
    "INSERT INTO records (uid, kind, name, owner) VALUES ('n', 'Category', 'c1', 'local') ON CONFLICT (kind, name) DO UPDATE SET owner = ''",
    "INSERT INTO records (uid, kind, name, display, owner) VALUES ('m', 'Category', 'c9', 'Category 1', 'local') ON CONFLICT DO NOTHING",
    "MERGE INTO documents d USING records r ON d.uid = r.uid WHEN MATCHED AND r.kind = 'Category' THEN DELETE"
    " WHEN MATCHED THEN UPDATE SET live = '{\"spec\":{}}'",
    "MERGE INTO refs f USING records r ON f.uid = r.uid AND r.kind = 'Group' WHEN MATCHED THEN UPDATE SET name = 'g9'",
    f"WITH gone AS (DELETE FROM documents WHERE {ONE} RETURNING uid, live) INSERT INTO applied SELECT uid, live FROM gone"
    " ON CONFLICT (uid) DO UPDATE SET body = excluded.body",
    f"WITH gone AS (DELETE FROM records WHERE {ONE} RETURNING *) INSERT INTO records (uid, kind, name, display, owner)"
    " SELECT uid || '-', kind, name || '-', display || '-', owner FROM gone",
    f"UPDATE records SET uid = uid || '-' WHERE {ONE}", f"UPDATE records SET version = version + 1, revision = 1 WHERE {ONE}",
    f"UPDATE records SET fingerprint = 'x' WHERE {ONE}", "TRUNCATE documents", "TRUNCATE refs", "TRUNCATE secrets, applied",
    f"UPDATE documents SET uid = uid || '-' WHERE {ONE}", f"UPDATE secrets SET address = address || '-' WHERE {ONE}",
    f"UPDATE refs SET uid = (SELECT max(uid) FROM records) WHERE {ONE}",
]  # fmt: skip


def around(bench: InProcess, writes: list[tuple[str, int]], *, recursive: bool, foreign_keys: bool) -> None:
    """Write as other programs do."""
    if isinstance(bench.path, Placed):
        around_postgresql(bench.path, writes, together=recursive, foreign_keys=foreign_keys)
        return
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {recursive}")
    connection.execute(f"PRAGMA foreign_keys = {foreign_keys}")
    for statement, number in writes:
        connection.execute(statement, {"n": number})
    connection.close()


def around_postgresql(placed: Placed, writes: list[tuple[str, int]], *, together: bool, foreign_keys: bool) -> None:
    """As other programs do, and as what copies one database to another does; what is refused is not written."""
    import psycopg

    with placed.database.server.superuser(placed.database.name, autocommit=not together) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", [f"{placed.schema}, tests"])
        if not foreign_keys:
            connection.execute("SET session_replication_role = replica")
        for statement, number in writes:
            for theirs, ours in ELSEWHERE.items():
                statement = statement.replace(theirs, ours)
            text = translated(statement.replace(":n", str(number)))
            with suppress(psycopg.IntegrityError), connection.transaction():
                connection.execute(text, ())


def told(bench: InProcess) -> DriftReport:
    """What `drift` tells of our records, and of those that are nobody's now."""
    store = bench.store()
    try:
        return find_drift(store, DriftQuery("local", "local", (), everybody=True, now=now()))
    finally:
        store.close()


def pictures(bench: InProcess) -> dict[str, list[Any]]:
    """All that the store holds of each record."""
    found: dict[str, list[Any]] = {}
    for columns in ("uid, kind, name, display, owner, applied FROM records", "uid, live FROM documents",
                    "uid, kind, name FROM refs", "uid, address, reference, fingerprint, ciphertext FROM secrets"):  # fmt: skip
        for uid, *rest in sorted(sql(bench.path, f"SELECT {columns}"), key=repr):
            if "display" in columns:
                found[uid] = []
            if uid in found:  # or it is nobody's
                found[uid].append((columns, *rest))
    return found


def kept(bench: InProcess) -> list[tuple[Any, ...]]:
    """What the store keeps of its records beside their bodies, of which a part may be left to the live side."""
    return [
        *sql(bench.path, "SELECT kind, name, display, owner, applied FROM records ORDER BY 1, 2"),
        *sql(bench.path, "SELECT r.name, f.kind, f.name FROM refs f JOIN records r USING (uid) ORDER BY 1, 2, 3"),
        *sql(bench.path, "SELECT r.name, address, reference, s.fingerprint FROM secrets s JOIN records r USING (uid) ORDER BY 1, 2"),
    ]  # fmt: skip


def is_taken_back(state: list[Document], writes: list[tuple[str, int]], *, recursive: bool, foreign_keys: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), state, random.Random(0))
        bench = InProcess(Path(folder), {"S1": "s1", "S2": "s2"})
        bench.apply()
        before, there = kept(bench), pictures(bench)
        assert told(bench).drifted == ()
        around(bench, writes, recursive=recursive, foreign_keys=foreign_keys)
        now_there = pictures(bench)
        moved = {uid for uid in there.keys() | now_there.keys() if there.get(uid) != now_there.get(uid)}
        noted = {uid for (uid,) in sql(bench.path, "SELECT uid FROM drifts")}
        assert moved <= noted
        plan = bench.plan(max_deletes="100%", adopt=True)
        drifted = {address(*found.key) for found in told(bench).drifted}
        changed = {address(*change.key) for change in plan.changes}
        assert changed == drifted
        assert {change.origin.value for change in plan.changes} <= {"drift"}
        bench.apply(max_deletes="100%", adopt=True)
        assert bench.plan(adopt=True).is_empty
        assert told(bench).drifted == ()
        assert kept(bench) == before


@FEW
@given(state=desired_states(), writes=WRITES, recursive=st.booleans(), foreign_keys=st.booleans())
def test_a_plan_takes_back_what_drift_tells(
    state: list[Document], writes: list[tuple[str, int]], recursive: bool, foreign_keys: bool
) -> None:
    """The same records and no others, all of origin drift; after the apply the store is as if nothing had been."""
    is_taken_back(state, writes, recursive=recursive, foreign_keys=foreign_keys)


@pytest.mark.on_postgresql
@settings(FEW, max_examples=draws(8))
@given(
    state=desired_states(),
    writes=WRITES.flatmap(lambda some: st.lists(st.tuples(st.sampled_from(ITS_OWN), st.integers(0, 20)), min_size=2, max_size=4).map(lambda own: some[:1] + own)),
    together=st.booleans(),
    foreign_keys=st.booleans(),
)  # fmt: skip
def test_a_plan_takes_back_what_drift_tells_of_postgresql(
    state: list[Document], writes: list[tuple[str, int]], together: bool, foreign_keys: bool
) -> None:
    """The same, and with what only PostgreSQL can write."""
    is_taken_back(state, writes, recursive=together, foreign_keys=foreign_keys)
