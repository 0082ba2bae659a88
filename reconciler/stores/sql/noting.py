"""What each run notes of itself: its entry in the history, and the store's next revision."""

import sqlite3

from reconciler.core.model import encode
from reconciler.core.ports.runs import RunInfo
from reconciler.stores.sql.chain import Chain


def record_run(chain: Chain, run: RunInfo, now: str, changes: int) -> int:
    """Add a run to the history; its number."""
    outcome = "partly" if run.partly else "applied"
    overrides, approvals = (encode(list(said)).decode() if said else None for said in (run.overrides, run.approvals))
    kept = (run.started, now, run.actor, run.owner, run.target, run.commit, changes)
    return chain.add_run((*kept, run.verb, outcome, run.plan or None, overrides, approvals))


def next_revision(connection: sqlite3.Connection) -> int:
    """Move the store's revision on: higher than any that a record or a baseline has, whatever others have made of it."""
    (last,) = connection.execute(
        "SELECT max((SELECT coalesce(max(revision), 0) FROM records), (SELECT coalesce(max(revision), 0) FROM baselines),"
        " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'), 0))"
    ).fetchone()
    connection.execute(
        "INSERT INTO meta VALUES ('revision', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (str(int(last) + 1),),
    )
    return int(last) + 1
