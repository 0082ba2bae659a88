"""Triggers that see whatever is written to the records around this tool.

Before the first such write to a record since its last apply, `drifts` takes a picture of all that the store holds
of it; each write moves the store's revision and the record's version, and blanks its fingerprint. While an apply
writes they keep quiet; see `schema.py`.

They do without OR IGNORE: inside of a trigger the conflict clause of the outer statement counts, so that a REPLACE
would replace the picture too. What a REPLACE pushes out fires no trigger of its own unless the connection asks for
recursive triggers: the triggers before an insert or update look for it. The conditions end a recursion.

Of a record that is new the picture is empty: all of its row in `drifts` but `uid`, `since` and `writer` is NULL.
`writer` is who `meta` says that writes, if whoever wrote has put it there.
"""

OUTSIDE = "NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing')"
NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
MOVE = "UPDATE meta SET value = value + 1 WHERE key = 'revision';"
MOVED = "version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision')"
_WRITER = "(SELECT value FROM meta WHERE key = 'writer')"
_TOUCHED = "UPDATE records SET fingerprint = NULL, " + MOVED + " WHERE uid"


PICTURED = ("body", "kind", "name", "display", "owner", "declared", "refs", "secrets", "applied")
"""The columns of `drifts` that hold the picture of a record `r`, as the next text takes it."""
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
