"""What became of the runs that took the lease."""

import sqlite3

from reconciler.core.lease import Attempt, Holder, holder_of
from reconciler.core.ports.runs import RunInfo

RUNNING = "running"
_COLUMNS = "id, started, finished, verb, actor, holder, git_commit, outcome, run"


def begin(connection: sqlite3.Connection, run: RunInfo, holder: Holder, now: str) -> int:
    """Note that a run has begun; returns the attempt's id, which is greater than all before."""
    values = (now, run.verb, run.actor, str(holder), run.owner, run.target, run.commit, RUNNING)
    done = connection.execute(
        "INSERT INTO attempts (started, verb, actor, holder, owner, target, git_commit, outcome)"
        " VALUES (?,?,?,?,?,?,?,?)",
        values,
    )
    assert done.lastrowid is not None
    return done.lastrowid


def end(connection: sqlite3.Connection, attempt: int, outcome: str, now: str, run: int | None = None) -> None:
    """Note how it ended.

    Args:
        run: what it wrote, in the history.
    """
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = ?, run = ? WHERE id = ?", (outcome, now, run, attempt)
    )


def end_running(connection: sqlite3.Connection, outcome: str, seen: str) -> None:
    """Note of all that seem to run, of which there can be one at most, that they do not."""
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = max(started, ?) WHERE outcome = 'running'", (outcome, seen)
    )


def last(connection: sqlite3.Connection) -> Attempt | None:
    """The latest."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM attempts ORDER BY id DESC LIMIT 1").fetchone()
    if row is None:
        return None
    number, started, finished, verb, actor, holder, commit, outcome, run = row
    return Attempt(number, started, finished, verb, actor, holder_of(holder), commit, outcome, run)
