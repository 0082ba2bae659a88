"""What each run, and a repair, notes of itself in the history."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from reconciler.core.care import Mended
from reconciler.core.history import GONE, LOST, REPAIR
from reconciler.core.model import encode
from reconciler.core.ports.store import RunInfo
from reconciler.kinds.canonical import readable
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql.chain import Chain, Row, acknowledging, content_of, follow
from reconciler.stores.sql.columns import LARGEST
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.records import decoded
from reconciler.stores.sql.repair import is_json, mend


def record_run(chain: Chain, run: RunInfo, now: str, changes: int) -> int:
    """Add a run to the history; its number."""
    outcome = "partly" if run.partly else "applied"
    overrides, approvals = (encode(list(said)).decode() if said else None for said in (run.overrides, run.approvals))
    kept = (run.started, now, run.actor, run.owner, run.target, run.commit, changes)
    return chain.add_run((*kept, run.verb, outcome, run.plan or None, overrides, approvals))


LAST_REVISION = (
    "SELECT coalesce(max(revision), 0) FROM (SELECT max(revision) AS revision FROM records"
    " UNION ALL SELECT max(revision) FROM baselines"
    " UNION ALL SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'revision') known"
)


def next_revision(connection: Connection) -> int:
    """Move the store's revision on: higher than any that a record or a baseline has, whatever others have made of it."""
    (last,) = connection.execute(LAST_REVISION).fetchone()
    connection.execute(
        "INSERT INTO meta VALUES ('revision', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (str(int(last) + 1),),
    )
    return int(last) + 1


_FEW = 5
_RUNS_OF = ("history", "attempts", "quarantine", "declarations")


def add_lost_runs(connection: Connection, now: str) -> list[int]:
    """Put in the runs that something belongs to and that are not there, by number alone; no hash makes them look whole.

    A number that no run can have had is no run's: what names it belongs to none.
    """
    used = " UNION ".join(f"SELECT run FROM {table} WHERE run <= {LARGEST}" for table in _RUNS_OF)
    possible = "run BETWEEN 1 AND (SELECT coalesce(max(id), 0) FROM runs) + (SELECT count(*) FROM attempts)"
    history = "run IN (SELECT run FROM history)"
    query = f"SELECT run FROM ({used}) known WHERE ({possible} OR {history}) AND run NOT IN (SELECT id FROM runs) ORDER BY 1"
    missing = [run for (run,) in connection.execute(query)]
    for run in missing:
        row = connection.execute("SELECT started FROM runs WHERE id > ? ORDER BY id LIMIT 1", (run,)).fetchone()
        at = row[0] if row else now
        connection.execute(
            "INSERT INTO runs (id, started, finished, actor, owner, target, git_commit, changes, verb, outcome)"
            " SELECT ?, ?, ?, 'unknown', '', '', '', count(*), ?, 'applied' FROM history WHERE run = ?",
            (run, at, at, LOST, run),
        )
    connection.execute("UPDATE attempts SET run = NULL WHERE run NOT IN (SELECT id FROM runs)")
    connection.execute("DELETE FROM declarations WHERE run NOT IN (SELECT id FROM runs)")
    return missing


def unknown_records(connection: Connection) -> Iterator[Row]:
    """For each record that is not what its last change left the entry that says what it is; all but sequence and run."""
    rows = connection.execute(
        "SELECT r.uid, r.kind, r.name, r.fingerprint, r.applied, d.live, h.action, h.fingerprint FROM records r"
        " JOIN documents d USING (uid) LEFT JOIN history h ON h.seq = (SELECT max(seq) FROM history WHERE uid = r.uid)"
        " ORDER BY r.kind, r.name"
    )
    for uid, kind, name, printed, applied, live, action, last in rows:
        if kind not in KINDS or not is_json(live):
            continue
        unknown = bool(applied) if action is None else action in GONE or (printed is not None and printed != last)
        if unknown:
            yield (uid, kind, name, REPAIR, printed or "", live, None, None, None)


def unknown_deletions(connection: Connection) -> Iterator[Row]:
    """The same for each deleted record of whose deletion the history does not know."""
    rows = connection.execute(
        "SELECT q.uid, q.kind, q.name, q.live FROM quarantine q WHERE NOT EXISTS (SELECT 1 FROM history h"
        " WHERE h.seq = (SELECT max(seq) FROM history WHERE uid = q.uid) AND h.action = 'delete' AND h.run = q.run)"
    )
    for uid, kind, name, live in rows:
        if kind in KINDS and is_json(live):
            yield (uid, kind, name, "delete", "", readable(kind, decoded(live))[0].body.decode(), None, None, None)


def tie_deletions(connection: Connection, run: int, rows: Sequence[Row]) -> None:
    """Have the deletions that a repair has noted be those of the quarantine."""
    gone = [(run, row[0]) for row in rows if row[3] == "delete"]
    connection.executemany("UPDATE quarantine SET run = ? WHERE uid = ?", gone)


def described(rows: Sequence[Row], lost: Sequence[int], broken: str) -> Iterator[Mended]:
    """What is mended of the history."""
    if broken:
        yield Mended("chain", 1, f"acknowledged where the history is broken, and went on behind it: {broken}")
    if lost:
        numbers = ", ".join(map(str, lost[:_FEW])) + (f" and {len(lost) - _FEW} more" if len(lost) > _FEW else "")
        yield Mended("runs", len(lost), f"put in runs that were removed, by number alone: {numbers}")
    if rows:
        named = [address(str(row[1]), str(row[2])) for row in rows]
        more = f" and {len(named) - _FEW} more" if len(named) > _FEW else ""
        message = "noted what is there and the history does not know"
        yield Mended("history", len(rows), f"{message}: {', '.join(named[:_FEW])}{more}")


def repair(connection: Connection, run: RunInfo, now: str, key_check: str) -> tuple[tuple[Mended, ...], int | None]:
    """Mend what can be mended; what was mended, and the number of the run that notes it.

    Args:
        key_check: what tells the key of what is sealed, where the store does not say so; "" for nothing.
    """
    silenced = list(connection.engine.unsilence(connection))
    connection.ignore()
    mended = [Mended("writing", 1, f"removed what had silenced the triggers: {what}") for what in silenced]
    mended += mend(connection, key_check)
    rows = [*unknown_records(connection), *unknown_deletions(connection)]
    broken = follow(connection).fault
    lost = add_lost_runs(connection, now)
    broken = broken or follow(connection).fault
    mended += described(rows, lost, broken)
    number = _note(connection, run, now, mended, rows, broken) if mended else None
    connection.watch()
    return tuple(mended), number


def _note(
    connection: Connection, run: RunInfo, now: str, mended: Sequence[Mended], rows: Sequence[Row], broken: str
) -> int:
    revision = next_revision(connection)
    connection.execute("UPDATE records SET revision = ? WHERE revision IS NULL", (revision,))
    for table in ("baselines", "declared", "claimed"):
        connection.execute(f"DELETE FROM {table}")  # the next plan looks at everything
    said = (*(f"{one.what}={one.count}" for one in mended), *acknowledging(broken, content_of(connection)))
    chain = Chain(connection)
    chain.take_up_what_is_there()
    number = record_run(chain, replace(run, overrides=said), now, len(rows))
    chain.add_rows((number, *row) for row in rows)
    tie_deletions(connection, number, rows)
    chain.keep()
    return number
