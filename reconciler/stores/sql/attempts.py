"""What became of the runs that took a lease."""

from reconciler.core.lease import Attempt, Holder, holder_of
from reconciler.core.ports.store import RunInfo
from reconciler.stores.sql.database import Connection

RUNNING = "running"
_COLUMNS = "id, started, finished, verb, actor, holder, git_commit, outcome, run"


LAST = "SELECT coalesce(max(id), 0) FROM attempts"


def next_id(connection: Connection) -> int:
    """The next attempt's, which is greater than all before."""
    (last,) = connection.execute(LAST).fetchone()
    return int(last) + 1


def begin(connection: Connection, run: RunInfo, holder: Holder, now: str) -> int:
    """Note that a run has begun; returns the attempt's id."""
    attempt = next_id(connection)
    note(connection, attempt, run, holder, now)
    return attempt


def note(connection: Connection, attempt: int, run: RunInfo, holder: Holder, now: str) -> None:
    """The same of an attempt whose id is known."""
    values = (now, run.verb, run.actor, str(holder), run.owner, run.target, run.commit, RUNNING)
    connection.execute(
        "INSERT INTO attempts (id, started, verb, actor, holder, owner, target, git_commit, outcome)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (attempt, *values),
    )


def end(connection: Connection, attempt: int, outcome: str, now: str, run: int | None = None) -> None:
    """Note how it ended.

    Args:
        run: what it wrote, in the history.
    """
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = ?, run = ? WHERE id = ?", (outcome, now, run, attempt)
    )


def outcome(connection: Connection, attempt: int, holder: str) -> str:
    """How an attempt of a holder ended, or `RUNNING`; "" where there is none."""
    row = connection.execute("SELECT outcome FROM attempts WHERE id = ? AND holder = ?", (attempt, holder)).fetchone()
    return str(row[0]) if row else ""


def touch(connection: Connection, attempt: int) -> None:
    """Write an attempt as it is, so that the transaction has something to commit."""
    connection.execute("UPDATE attempts SET outcome = outcome WHERE id = ?", (attempt,))


def end_running(connection: Connection, owner: str, outcome: str, seen: str) -> None:
    """Note of all of an owner that seem to run, of which there can be one at most, that they do not."""
    connection.execute(
        "UPDATE attempts SET outcome = ?, finished = CASE WHEN started > ? THEN started ELSE ? END"
        " WHERE outcome = 'running' AND owner = ?",
        (outcome, seen, seen, owner),
    )


def last(connection: Connection, owner: str) -> Attempt | None:
    """The latest of an owner."""
    query = f"SELECT {_COLUMNS} FROM attempts WHERE owner = ? ORDER BY id DESC LIMIT 1"
    row = connection.execute(query, (owner,)).fetchone()
    if row is None:
        return None
    number, started, finished, verb, actor, holder, commit, outcome, run = row
    return Attempt(number, started, finished, verb, actor, holder_of(holder), commit, outcome, run)
