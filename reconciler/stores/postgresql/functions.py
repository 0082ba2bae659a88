"""The functions of a store in PostgreSQL: what its triggers do, and what readers are told of sealed secrets.

They run with the rights of the schema's owner, so that others need none on what is noted of them, and nobody may call
them but those to whom that is granted. No statement holds a question mark or a per cent sign.
"""

from hashlib import sha256

from msgspec import Struct

from reconciler.stores.sql.columns import CHILDREN, PICTURED

_NOW = """to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
_WRITER = """session_user || coalesce(' as ' || nullif(nullif(current_setting('role'), 'none'), session_user), '')
      || coalesce(' (' || nullif(concat_ws(' ', nullif(current_setting('application_name'), ''),
        'at ' || host(inet_client_addr())), '') || ')', '')"""
"""Who writes: ``alice as app (psql at 10.0.0.7)``."""

_REFS = """(SELECT '[' || coalesce(string_agg('[' || to_json(f.kind)::text || ',' || to_json(f.name)::text || ']', ','
        ORDER BY f.kind, f.name), '') || ']' FROM refs f WHERE f.uid = r.uid)"""


def _sealed(ciphertext: str) -> str:
    """The secrets of the record `of`, each with what stands for its ciphertext, an expression."""
    return f"""(SELECT '[' || coalesce(string_agg('[' || to_json(s.address)::text || ',' || to_json(s.reference)::text
        || ',' || to_json(s.fingerprint)::text || ',"' || {ciphertext} || '"]', ',' ORDER BY s.address), '') || ']'
      FROM secrets s WHERE s.uid = of)"""


_HEX = "upper(encode(s.ciphertext, 'hex'))"


def _picture(secrets: str) -> str:
    """The columns `PICTURED` of a record `r`: the same texts that SQLite makes."""
    return f"""(SELECT d.live FROM documents d WHERE d.uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT a.body FROM applied a WHERE a.uid = r.uid), {_REFS}, {secrets}, r.applied"""


PICTURE = _picture("sealed_of(r.uid)")
"""With a digest in the place of each ciphertext: what has changed is seen by whoever may not read those."""
KEPT_PICTURE = ", ".join("pictured_of(uid)" if column == "secrets" else column for column in PICTURED)
"""The same of a row of `drifts`."""

_KEEP = f"""INSERT INTO drifts (uid, since, writer, {", ".join(PICTURED)})
    SELECT r.uid, {_NOW}, {_WRITER}, {_picture(_sealed(_HEX).replace("= of", "= r.uid"))}
    FROM records r WHERE r.uid = ANY (touched) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid)
    ON CONFLICT (uid) DO NOTHING;"""
_TOUCH = """UPDATE records SET fingerprint = NULL, revision = NULL, version = version + 1 WHERE uid = ANY (touched);"""

_WATCH_RECORDS = f"""
DECLARE
  touched text[] := ARRAY[OLD.uid];
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.fingerprint := NULL;
    NEW.revision := NULL;
    -- One that is in the way is updated instead, or nothing is inserted.
    IF NOT EXISTS (SELECT 1 FROM records r WHERE r.uid = NEW.uid
        OR (r.kind = NEW.kind AND (r.name = NEW.name OR r.display = NEW.display))) THEN
      INSERT INTO drifts (uid, since, writer) VALUES (NEW.uid, {_NOW}, {_WRITER}) ON CONFLICT (uid) DO NOTHING;
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.uid IS DISTINCT FROM OLD.uid THEN
      RAISE EXCEPTION 'a record keeps its identity' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.kind, NEW.name, NEW.display, NEW.owner, NEW.applied)
        IS NOT DISTINCT FROM (OLD.kind, OLD.name, OLD.display, OLD.owner, OLD.applied)
        AND (NEW.fingerprint IS NULL OR NEW.fingerprint IS NOT DISTINCT FROM OLD.fingerprint) THEN
      IF NEW.revision IS DISTINCT FROM OLD.revision THEN
        NEW.revision := NULL; -- only an apply gives numbers, by which the next plan finds what moved
      END IF;
      RETURN NEW;
    END IF;
  END IF;
  {_KEEP}
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  NEW.fingerprint := NULL;
  NEW.revision := NULL;
  NEW.version := OLD.version + 1;
  RETURN NEW;
END
"""

_WATCH_BESIDE = f"""
DECLARE
  touched text[] := ARRAY[OLD.uid, NEW.uid];
  there boolean := false;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    there := NEW IS NOT DISTINCT FROM OLD;
  ELSIF TG_OP = 'INSERT' THEN -- one that is in the way is updated instead, or nothing is inserted
    CASE TG_TABLE_NAME
      WHEN 'documents' THEN there := EXISTS (SELECT 1 FROM documents t WHERE t.uid = NEW.uid);
      WHEN 'applied' THEN there := EXISTS (SELECT 1 FROM applied t WHERE t.uid = NEW.uid);
      WHEN 'refs' THEN
        there := EXISTS (SELECT 1 FROM refs t WHERE (t.uid, t.kind, t.name) = (NEW.uid, NEW.kind, NEW.name));
      WHEN 'secrets' THEN
        there := EXISTS (SELECT 1 FROM secrets t WHERE (t.uid, t.address) = (NEW.uid, NEW.address));
    END CASE;
  END IF;
  IF NOT there THEN
    {_KEEP}
    {_TOUCH}
  END IF;
  RETURN coalesce(NEW, OLD);
END
"""

_WATCH_TRUNCATE = f"""
DECLARE
  touched text[];
BEGIN
  EXECUTE 'SELECT array_agg(DISTINCT t.uid) FROM ' || quote_ident(TG_TABLE_NAME) || ' t' INTO touched;
  {_KEEP}
  IF TG_TABLE_NAME <> 'records' THEN
    {_TOUCH}
  END IF;
  RETURN NULL;
END
"""

_GUARD = """
BEGIN
  IF NOT EXISTS (SELECT 1 FROM writing WHERE xid = pg_current_xact_id_if_assigned()) THEN
    RAISE EXCEPTION 'reconciler.writing is set, and no apply is under way in this transaction'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
"""

_APPEND_ONLY = """
BEGIN
  RAISE EXCEPTION 'the history is append-only' USING ERRCODE = 'restrict_violation';
END
"""

_ENDS = """
BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN
    DELETE FROM baselines;
  ELSE
    DELETE FROM baselines WHERE owner IN (OLD.owner, NEW.owner);
  END IF;
  RETURN NULL;
END
"""

_REVISION = """
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    IF OLD.key IS DISTINCT FROM 'revision' AND NEW.key IS DISTINCT FROM 'revision' THEN
      RETURN NULL;
    END IF;
    IF OLD.key = NEW.key
        AND NEW.value = (CASE WHEN OLD.value ~ '^[0-9]{1,18}$' THEN (OLD.value::bigint + 1)::text END) THEN
      RETURN NULL;
    END IF;
  END IF;
  DELETE FROM baselines;
  RETURN NULL;
END
"""

_DROPPED = "\n    ".join(f"DELETE FROM {table} WHERE uid = OLD.uid;" for table in CHILDREN)
_GONE = f"""
BEGIN
  IF TG_TABLE_NAME = 'quarantine' THEN
    DELETE FROM quarantined_secrets WHERE uid = OLD.uid;
  ELSE
    {_DROPPED}
  END IF;
  RETURN NULL;
END
"""

_DIGEST = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"
_SEALED_OF = f"\n  SELECT {_sealed(_DIGEST.format(_HEX))}\n"
_PICTURED_OF = f"""
  SELECT CASE WHEN d.secrets IS NOT NULL THEN (SELECT '[' || coalesce(string_agg('[' || (e.item -> 0)::text || ','
      || (e.item -> 1)::text || ',' || (e.item -> 2)::text || ',"' || {_DIGEST.format("coalesce(e.item ->> 3, '')")}
      || '"]', ',' ORDER BY e.place), '') || ']'
    FROM json_array_elements(d.secrets::json) WITH ORDINALITY e (item, place)) END
  FROM drifts d WHERE d.uid = of
"""
_IS_JSON = """
BEGIN
  RETURN value IS NULL OR value::jsonb IS NOT NULL;
EXCEPTION WHEN others THEN
  RETURN false;
END
"""


_RIGHTS = "SECURITY DEFINER SET search_path = {}, pg_temp SET enable_seqscan = off"
"""What every function runs with. A plan is kept from when a table had a few rows: in one that fills up by the statement
that is watched it would read all of them for each (10,000 bodies: 16 s of processor time, with indexes 4 s)."""


class Function(Struct, frozen=True):
    """A function of the schema.

    Attributes:
        arguments: their names and types.
        kind: what it returns, its language, and what else is said of it.
        body: without the dollars around it.
    """

    name: str
    arguments: str
    kind: str
    body: str

    @property
    def signature(self) -> str:
        """As statements name it."""
        return f"{self.name}({self.arguments.partition(' ')[2]})"

    @property
    def digest(self) -> str:
        """What tells its body."""
        return sha256(self.body.encode()).hexdigest()

    def statements(self, schema: str) -> tuple[str, ...]:
        """Make it, for whoever it is granted to.

        Args:
            schema: quoted.
        """
        head = f"CREATE OR REPLACE FUNCTION {self.name}({self.arguments}) RETURNS {self.kind}"
        made = f"{head} {_RIGHTS.format(schema)} AS $body${self.body}$body$"
        return made, f"REVOKE ALL ON FUNCTION {self.signature} FROM PUBLIC"


def _trigger_function(name: str, body: str) -> Function:
    return Function(name, "", "trigger LANGUAGE plpgsql", body)


FUNCTIONS = {
    function.name: function
    for function in (
        _trigger_function("watch_records", _WATCH_RECORDS),
        _trigger_function("watch_beside", _WATCH_BESIDE),
        _trigger_function("watch_truncate", _WATCH_TRUNCATE),
        _trigger_function("guard", _GUARD),
        _trigger_function("append_only", _APPEND_ONLY),
        _trigger_function("end_baselines", _ENDS),
        _trigger_function("end_all_baselines", _REVISION),
        _trigger_function("gone", _GONE),
        Function("sealed_of", "of text", "text LANGUAGE sql STABLE", _SEALED_OF),
        Function("pictured_of", "of text", "text LANGUAGE sql STABLE", _PICTURED_OF),
        Function("is_json", "value text", "boolean LANGUAGE plpgsql IMMUTABLE", _IS_JSON),
    )
}
SEALED = {
    "secrets": ("ciphertext",),
    "quarantined_secrets": ("ciphertext",),
    "tokens": ("access", "refresh"),
    "drifts": ("secrets",),
}
"""By table the columns that hold what is sealed."""
FOR_READERS = ("sealed_of", "pictured_of", "is_json")
"""What the writing and the reading role call themselves."""
