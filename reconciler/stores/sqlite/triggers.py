"""Triggers that see writes outside of a run, and keep the tables fitting to each other."""

from collections.abc import Iterator

from reconciler.kinds.registry import KINDS
from reconciler.stores.sql.columns import CHAINED, CHILDREN, COLUMNS, PICTURED

OUTSIDE = "NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing')"
NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
MOVE = "UPDATE meta SET value = value + 1 WHERE key = 'revision';"
MOVED = "version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision')"
_WRITER = "(SELECT value FROM meta WHERE key = 'writer')"
_TOUCHED = "UPDATE records SET fingerprint = NULL, " + MOVED + " WHERE uid"


PICTURE = """(SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied"""


def _keep(which: str) -> str:
    """Take a picture of the records that `which` is true of, unless there is one."""
    return f"""INSERT INTO drifts (uid, since, writer, {", ".join(PICTURED)})
    SELECT r.uid, {NOW}, {_WRITER}, {PICTURE}
    FROM records r WHERE {which} AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);"""


def _differs(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)


_NEW_RECORD = f"INSERT INTO drifts (uid, since, writer) SELECT NEW.uid, {NOW}, {_WRITER}"
_UNSEEN = "NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = NEW.uid);"
_PUSHED_OUT = "r.kind = NEW.kind AND (r.name = NEW.name OR r.display = NEW.display)"
_CHANGED = (
    _differs("uid", "kind", "name", "display", "owner", "applied")
    + " OR (NEW.fingerprint IS NOT OLD.fingerprint AND NEW.fingerprint IS NOT NULL)"
)

_RECORDS = f"""
CREATE TRIGGER records_inserting BEFORE INSERT ON records WHEN {OUTSIDE} BEGIN
  {_keep(f"(r.uid = NEW.uid OR {_PUSHED_OUT})")}
END;
CREATE TRIGGER records_inserted AFTER INSERT ON records WHEN {OUTSIDE} BEGIN
  {_NEW_RECORD} WHERE {_UNSEEN}
  {MOVE}
  {_TOUCHED} = NEW.uid;
END;
CREATE TRIGGER records_updating BEFORE UPDATE OF uid, kind, name, display, owner, applied, fingerprint ON records
    WHEN ({_CHANGED}) AND {OUTSIDE} BEGIN
  {_keep(f"(r.uid IN (OLD.uid, NEW.uid) OR {_PUSHED_OUT})")}
END;
CREATE TRIGGER records_updated AFTER UPDATE OF uid, kind, name, display, owner, applied, fingerprint ON records
    WHEN ({_CHANGED}) AND {OUTSIDE} BEGIN
  {_NEW_RECORD} WHERE NEW.uid IS NOT OLD.uid AND {_UNSEEN}
  {MOVE}
  {_TOUCHED} = NEW.uid;
END;
CREATE TRIGGER records_deleting BEFORE DELETE ON records WHEN {OUTSIDE} BEGIN
  {_keep("r.uid = OLD.uid")}
  {MOVE}
END;
"""

_BESIDE = {
    "documents": ("uid", "live"),
    "applied": ("uid", "body"),
    "refs": ("uid", "kind", "name"),
    "secrets": ("uid", "address", "reference", "fingerprint", "ciphertext"),
}
"""The tables beside `records`, and their columns."""


def _beside(table: str, columns: tuple[str, ...]) -> str:
    return f"""
CREATE TRIGGER {table}_inserting BEFORE INSERT ON {table} WHEN {OUTSIDE} BEGIN
  {_keep("r.uid = NEW.uid")}
  {MOVE}
  {_TOUCHED} = NEW.uid;
END;
CREATE TRIGGER {table}_updating BEFORE UPDATE ON {table} WHEN ({_differs(*columns)}) AND {OUTSIDE} BEGIN
  {_keep("r.uid IN (OLD.uid, NEW.uid)")}
  {MOVE}
  {_TOUCHED} IN (OLD.uid, NEW.uid);
END;
CREATE TRIGGER {table}_deleting BEFORE DELETE ON {table} WHEN {OUTSIDE} BEGIN
  {_keep("r.uid = OLD.uid")}
  {MOVE}
  {_TOUCHED} = OLD.uid;
END;
"""


WATCHING = _RECORDS + "".join(_beside(table, columns) for table, columns in _BESIDE.items())


_KINDS = ", ".join(f"'{name}'" for name in KINDS)


_TYPED = {table: columns for table, columns in COLUMNS.items() if table not in CHAINED}


def misfits() -> Iterator[tuple[str, str]]:
    """Of each table the SQL condition that is true of rows that hold what does not fit to their columns."""
    for table, columns in _TYPED.items():
        yield table, " OR ".join(_misfit(column, held) for column, held in columns.items())


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
    for table, columns in _TYPED.items():
        misfits = " OR ".join(_misfit(f"NEW.{column}", held) for column, held in columns.items())
        for name, when in (("adding", "INSERT"), ("altering", "UPDATE")):
            yield f"""
CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} WHEN {OUTSIDE} AND ({misfits}) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of {table}');
END;"""


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
