"""Tables, triggers and views of the SQL store.

`records` is narrow, because every full plan reads all of it; bodies live beside it. Each write moves
the store's revision. The triggers do that for writes made around this tool (`watching.py`), and keep what was
there until then. While an apply writes, `meta` holds the key `writing`, inside the apply's transaction, and they
keep quiet. `applied` holds a body only where it is not what `documents` holds, and `history` holds the
body before a change alone: the one after it is the next one's before, or live. Where others wrote in between,
the row says when first, and what there was until then; `drifts` holds that until the next apply takes it over.
`history.py` says what the hashes are made of.
"""

from reconciler.stores.sql.baselines import BASELINES
from reconciler.stores.sql.keeping import KEEPING
from reconciler.stores.sql.watching import MOVE, MOVED, NOW, OUTSIDE, WATCHING

VERSION = 5

TABLES = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE records (
  uid TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  display TEXT,
  owner TEXT NOT NULL DEFAULT '',
  fingerprint TEXT,
  applied TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 1,
  revision INTEGER,
  changed_at TEXT NOT NULL DEFAULT '',
  UNIQUE (kind, name),
  UNIQUE (kind, display)
);
CREATE TABLE documents (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  live TEXT NOT NULL CHECK (json_valid(live))
);
CREATE TABLE applied (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  body TEXT NOT NULL
);
CREATE TABLE refs (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (uid, kind, name)
) WITHOUT ROWID;
CREATE INDEX refs_by_target ON refs (kind, name);
CREATE TABLE secrets (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT NOT NULL,
  actor TEXT NOT NULL,
  owner TEXT NOT NULL,
  target TEXT NOT NULL,
  git_commit TEXT NOT NULL,
  changes INTEGER NOT NULL
);
CREATE TABLE history (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  before TEXT
);
CREATE INDEX history_by_record ON history (uid, seq);
"""

TOKENS = """
CREATE TABLE tokens (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  made_with TEXT NOT NULL,
  obtained TEXT NOT NULL,
  expires TEXT,
  scope TEXT NOT NULL,
  access BLOB NOT NULL,
  refresh BLOB
);
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires REAL NOT NULL
);
"""

TRIGGERS = f"""
CREATE TRIGGER record_inserted AFTER INSERT ON records WHEN {OUTSIDE} BEGIN
  {MOVE}
  UPDATE records SET fingerprint = NULL, {MOVED} WHERE uid = NEW.uid;
END;
CREATE TRIGGER record_updated AFTER UPDATE OF kind, name, display, owner ON records WHEN {OUTSIDE} BEGIN
  {MOVE}
  UPDATE records SET {MOVED} WHERE uid = NEW.uid;
END;
CREATE TRIGGER record_deleted AFTER DELETE ON records WHEN {OUTSIDE} BEGIN
  {MOVE}
END;
CREATE TRIGGER document_inserted AFTER INSERT ON documents WHEN {OUTSIDE} BEGIN
  {MOVE}
  UPDATE records SET fingerprint = NULL, {MOVED} WHERE uid = NEW.uid;
END;
CREATE TRIGGER document_updated AFTER UPDATE OF live ON documents WHEN NEW.live IS NOT OLD.live AND {OUTSIDE} BEGIN
  INSERT OR IGNORE INTO applied VALUES (OLD.uid, OLD.live);
  {MOVE}
  UPDATE records SET fingerprint = NULL, {MOVED} WHERE uid = NEW.uid;
END;
CREATE TRIGGER document_deleted AFTER DELETE ON documents WHEN {OUTSIDE} BEGIN
  INSERT OR IGNORE INTO applied SELECT OLD.uid, OLD.live FROM records WHERE uid = OLD.uid;
  {MOVE}
  UPDATE records SET fingerprint = NULL, {MOVED} WHERE uid = OLD.uid;
END;
"""

_KEEP = "INSERT OR IGNORE INTO drifts VALUES"

HISTORY = f"""
ALTER TABLE runs ADD COLUMN hash BLOB;
ALTER TABLE history ADD COLUMN was TEXT;
ALTER TABLE history ADD COLUMN drifted_at TEXT;
ALTER TABLE history ADD COLUMN drifted_from TEXT;
ALTER TABLE history ADD COLUMN hash BLOB;
CREATE TABLE drifts (
  uid TEXT PRIMARY KEY,
  since TEXT NOT NULL,
  body TEXT
);
CREATE TRIGGER drift_inserted AFTER INSERT ON records WHEN {OUTSIDE} BEGIN
  {_KEEP} (NEW.uid, {NOW}, NULL);
END;
CREATE TRIGGER drift_deleted BEFORE DELETE ON records WHEN {OUTSIDE} BEGIN
  {_KEEP} (OLD.uid, {NOW}, (SELECT live FROM documents WHERE uid = OLD.uid));
END;
CREATE TRIGGER drift_renamed AFTER UPDATE OF kind, name ON records
    WHEN (NEW.kind IS NOT OLD.kind OR NEW.name IS NOT OLD.name) AND {OUTSIDE} BEGIN
  {_KEEP} (OLD.uid, {NOW}, (SELECT live FROM documents WHERE uid = OLD.uid));
END;
CREATE TRIGGER drift_updated AFTER UPDATE OF live ON documents WHEN NEW.live IS NOT OLD.live AND {OUTSIDE} BEGIN
  {_KEEP} (OLD.uid, {NOW}, OLD.live);
END;
CREATE TRIGGER drift_emptied AFTER DELETE ON documents WHEN {OUTSIDE} BEGIN
  {_KEEP} (OLD.uid, {NOW}, OLD.live);
END;
CREATE TRIGGER history_inserted BEFORE INSERT ON history WHEN EXISTS (SELECT 1 FROM history WHERE seq = NEW.seq) BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER history_updated BEFORE UPDATE ON history WHEN OLD.hash IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER history_deleted BEFORE DELETE ON history BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_inserted BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.id) BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_updated BEFORE UPDATE ON runs WHEN OLD.hash IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_deleted BEFORE DELETE ON runs BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
"""
"""Rows without a hash may be changed, so that those of an older store can be given theirs."""

RUNS = """
ALTER TABLE runs ADD COLUMN verb TEXT;
ALTER TABLE runs ADD COLUMN outcome TEXT;
ALTER TABLE runs ADD COLUMN plan TEXT;
ALTER TABLE runs ADD COLUMN overrides TEXT;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT,
  verb TEXT NOT NULL,
  actor TEXT NOT NULL,
  holder TEXT NOT NULL,
  owner TEXT NOT NULL,
  target TEXT NOT NULL,
  git_commit TEXT NOT NULL,
  outcome TEXT NOT NULL,
  run INTEGER REFERENCES runs (id)
);
CREATE INDEX attempts_running ON attempts (id) WHERE outcome = 'running';
ALTER TABLE leases ADD COLUMN fence INTEGER;
ALTER TABLE leases ADD COLUMN seen TEXT;
ALTER TABLE leases ADD COLUMN boot TEXT;
ALTER TABLE leases ADD COLUMN uptime REAL;
CREATE TABLE quarantine (
  uid TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  live TEXT NOT NULL,
  applied TEXT,
  deleted_at TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs (id)
);
CREATE INDEX quarantine_by_name ON quarantine (kind, name);
CREATE TABLE declarations (
  uid TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs (id),
  body TEXT NOT NULL,
  PRIMARY KEY (uid, run)
) WITHOUT ROWID;
CREATE TABLE quarantined_secrets (
  uid TEXT NOT NULL REFERENCES quarantine (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('store', lower(hex(randomblob(16))));
"""
"""`attempts` are runs that took the lease, whatever became of them; `runs` are those that changed something. The fence
of a run's lease is the id of its attempt. A lease ends at `expires` by the wall clock, or at `uptime` by the clock that
counts from `boot`. What a delete took away is in `quarantine`, with its sealed secrets and without its tokens, until it
is restored or purged; its `applied` is as that of a live record, where it is not `live`. `declarations` holds what a run
declared where that is not what it wrote, which `history` has: a rollback declares it again."""

APPROVALS = """
ALTER TABLE runs ADD COLUMN approvals TEXT;
"""

MIGRATIONS = {2: TOKENS, 3: HISTORY, 4: RUNS + BASELINES + WATCHING, 5: APPROVALS + KEEPING}
"""What each version of the store adds to the one before."""

VIEWS = """
CREATE VIEW categories AS
  SELECT r.name, json_extract(d.live, '$.spec.displayName') AS display_name,
    coalesce(json_extract(d.live, '$.spec.description'), '') AS description,
    coalesce(json_extract(d.live, '$.spec.status'), 'active') AS status
  FROM records r JOIN documents d USING (uid) WHERE r.kind = 'Category';
CREATE VIEW connectors AS
  SELECT r.name, json_extract(d.live, '$.spec.displayName') AS display_name,
    coalesce(json_extract(d.live, '$.spec.description'), '') AS description,
    json_extract(d.live, '$.spec.categories') AS categories,
    coalesce(json_extract(d.live, '$.spec.authorization.method'), 'none') AS authorization_method,
    coalesce(json_extract(d.live, '$.spec.tls.verify'), 1) AS tls_verify,
    coalesce(json_extract(d.live, '$.spec.status'), 'active') AS status
  FROM records r JOIN documents d USING (uid) WHERE r.kind = 'Connector';
CREATE VIEW endpoints AS
  SELECT r.name AS connector, e.key AS purpose, json_extract(e.value, '$.method') AS method,
    json_extract(e.value, '$.url') AS url,
    coalesce(json_extract(e.value, '$.params'), '[]') AS params,
    coalesce(json_extract(e.value, '$.headers'), '[]') AS headers,
    coalesce(json_extract(e.value, '$.body'), '') AS body,
    coalesce(json_extract(e.value, '$.bodyType'), 'json') AS body_type,
    coalesce(json_extract(e.value, '$.timeoutSeconds'), 30) AS timeout_seconds,
    coalesce(json_extract(e.value, '$.retry.attempts'), 0) AS retry_attempts,
    coalesce(json_extract(e.value, '$.retry.waitSeconds'), 5) AS retry_wait_seconds
  FROM records r JOIN documents d USING (uid), json_each(d.live, '$.spec.endpoints') e WHERE r.kind = 'Connector';
"""
