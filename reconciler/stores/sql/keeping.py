"""Triggers that keep the tables fitting to each other, whoever writes around this tool and however its connection is set.

SQLite looks at foreign keys only where a connection asks for it, and takes a value of any type. So what belongs to a
record goes with it, and a value of another type than its column's, which nothing here could read, is refused. What
the baselines rest on is not watched row by row: whoever writes to it, or sets the revision back, ends them, and the
next plan looks at everything.
"""

from collections.abc import Iterable, Iterator

from reconciler.kinds.registry import KINDS
from reconciler.stores.sql.watching import OUTSIDE

_TEXT, _NUMBER, _BLOB, _JSON, _TIME = "text", "integer", "blob", "json", "time"

_COLUMNS: dict[str, dict[str, str]] = {
    "meta": {"key": _TEXT, "value": _TEXT},
    "records": {"uid": _TEXT, "kind": "kind", "name": _TEXT, "display": "text?", "owner": _TEXT, "fingerprint": "text?", "applied": _TEXT, "version": _NUMBER, "revision": "integer?", "changed_at": _TEXT},
    "documents": {"uid": _TEXT, "live": _JSON},
    "applied": {"uid": _TEXT, "body": _JSON},
    "refs": {"uid": _TEXT, "kind": _TEXT, "name": _TEXT},
    "secrets": {"uid": _TEXT, "address": _TEXT, "reference": _TEXT, "fingerprint": _TEXT, "ciphertext": _BLOB},
    "tokens": {"uid": _TEXT, "made_with": _TEXT, "obtained": _TIME, "expires": "time?", "scope": _TEXT, "access": _BLOB, "refresh": "blob?"},
    "leases": {"name": _TEXT, "holder": _TEXT, "expires": "real", "fence": "integer?", "seen": "text?", "boot": "text?", "uptime": "real?"},
    "attempts": {"id": _NUMBER, "started": _TIME, "finished": "time?", "verb": _TEXT, "actor": _TEXT, "holder": _TEXT, "owner": _TEXT, "target": _TEXT, "git_commit": _TEXT, "outcome": _TEXT, "run": "integer?"},
    "drifts": {"uid": _TEXT, "since": _TIME, "body": "json?", "kind": "kind?", "name": "text?", "display": "text?", "owner": "text?", "declared": "json?", "refs": "json?", "secrets": "json?", "applied": "text?", "writer": "text?", "settled": "integer?"},
    "quarantine": {"uid": _TEXT, "kind": "kind", "name": _TEXT, "owner": _TEXT, "live": _JSON, "applied": "json?", "deleted_at": _TIME, "run": _NUMBER},
    "quarantined_secrets": {"uid": _TEXT, "address": _TEXT, "reference": _TEXT, "fingerprint": _TEXT, "ciphertext": _BLOB},
    "declarations": {"uid": _TEXT, "run": _NUMBER, "body": _JSON},
    "baselines": {"owner": _TEXT, "connectors": _TEXT, "policies": _TEXT, "rules": _TEXT, "revision": _NUMBER, "total": _NUMBER, "records": _JSON, "judged": _TEXT, "warnings": _JSON, "dated": _JSON},
    "declared": {"owner": _TEXT, "kind": "kind", "name": _TEXT, "file": _TEXT, "odd": _NUMBER, "token": _NUMBER},
    "claimed": {"owner": _TEXT, "kind": "kind", "name": _TEXT, "file": _TEXT},
}  # fmt: skip
"""What each column holds; "?" where it may be NULL. `runs` and `history` are append-only, and chained."""

_KINDS = ", ".join(f"'{name}'" for name in KINDS)


def misfits(tables: Iterable[str] = tuple(_COLUMNS)) -> Iterator[tuple[str, str]]:
    """Of each table the SQL condition that is true of rows that hold what does not fit to their columns."""
    for table in tables:
        yield table, " OR ".join(_misfit(column, held) for column, held in _COLUMNS[table].items())


def _misfit(value: str, held: str) -> str:
    """An SQL condition: what is or is to be in a column does not fit to it."""
    sort, optional, _ = held.partition("?")
    stored = {"json": "text", "kind": "text", "time": "text"}.get(sort, sort)
    wrong = f"typeof({value}) <> '{stored}'"
    if sort == "json":
        wrong += f" OR NOT json_valid({value})"
    elif sort == "kind":
        wrong += f" OR {value} NOT IN ({_KINDS})"
    elif sort == "time":
        wrong += f" OR julianday({value}) IS NULL"
    return f"({value} IS NOT NULL AND ({wrong}))" if optional else f"({wrong})"


def _typed() -> Iterator[str]:
    for table, columns in _COLUMNS.items():
        misfits = " OR ".join(_misfit(f"NEW.{column}", held) for column, held in columns.items())
        for name, when in (("adding", "INSERT"), ("altering", "UPDATE")):
            yield f"""
CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} WHEN {OUTSIDE} AND ({misfits}) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of {table}');
END;"""


CHILDREN = ("documents", "applied", "refs", "secrets", "tokens")
"""The tables whose rows belong to a record."""
_DROPPED = "\n  ".join(f"DELETE FROM {table} WHERE uid = OLD.uid;" for table in CHILDREN)

_BELONGING = f"""
CREATE TRIGGER records_gone AFTER DELETE ON records WHEN {OUTSIDE} BEGIN
  {_DROPPED}
END;
CREATE TRIGGER records_kept BEFORE UPDATE OF uid ON records WHEN NEW.uid IS NOT OLD.uid AND {OUTSIDE} BEGIN
  SELECT RAISE(ABORT, 'a record keeps its identity');
END;
CREATE TRIGGER quarantine_gone AFTER DELETE ON quarantine BEGIN
  DELETE FROM quarantined_secrets WHERE uid = OLD.uid;
END;
"""


def _ending(table: str) -> str:
    """Whoever writes to what a baseline rests on ends it."""
    events = {"INSERT": "(NEW.owner)", "UPDATE": "(OLD.owner, NEW.owner)", "DELETE": "(OLD.owner)"}
    return "".join(
        f"""
CREATE TRIGGER {table}_{event.lower()}_ends AFTER {event} ON {table} WHEN {OUTSIDE} BEGIN
  DELETE FROM baselines WHERE owner IN {owners};
END;"""
        for event, owners in events.items()
        if (table, event) != ("baselines", "DELETE")
    )


_BACK = """
CREATE TRIGGER revision_added AFTER INSERT ON meta WHEN NEW.key = 'revision' BEGIN
  DELETE FROM baselines;
END;
CREATE TRIGGER revision_set AFTER UPDATE ON meta WHEN (OLD.key = 'revision' OR NEW.key = 'revision')
    AND (OLD.key <> NEW.key OR CAST(NEW.value AS INTEGER) IS NOT CAST(OLD.value AS INTEGER) + 1) BEGIN
  DELETE FROM baselines;
END;
CREATE TRIGGER revision_lost AFTER DELETE ON meta WHEN OLD.key = 'revision' BEGIN
  DELETE FROM baselines;
END;
"""

_APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {name}_inserted BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER {name}_updated BEFORE UPDATE ON {table} BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER {name}_deleted BEFORE DELETE ON {table} BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
"""
    for name, table, key in (("history", "history", "seq"), ("run", "runs", "id"))
)
"""What runs and history hold is chained, and stays."""

KEEPING = (
    _APPEND_ONLY + "".join(_typed()) + _BELONGING + "".join(map(_ending, ("declared", "claimed", "baselines"))) + _BACK
)
