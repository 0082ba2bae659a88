"""The tables of a store in SQLite, indexes, views and triggers, and what brings an older store up to date.

A new store gets all of it at once. Whoever changes anything here raises `VERSION`, says in `migrations.py` what turns a
store of the version before into the same, and keeps a store of the new version below `tests/stores/versions/`; a
version that was released is never changed again.
"""

import sqlite3
from collections.abc import Iterator

from reconciler.stores.sqlite.migrations import MIGRATIONS, READING
from reconciler.stores.sqlite.triggers import KEEPING, WATCHING
from reconciler.stores.sqlite.views import VIEWS

VERSION = 4

_LIVE = """
-- What the store notes of itself: 'store' is its identity and 'revision' grows with each write; 'key_check' tells the
-- key that seals, 'history_head' and 'history_count' where the chain ends. While an apply writes, its transaction
-- holds 'writing', and the triggers keep quiet. Others may say who they are with 'writer'.
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
-- What is live, without bodies, as every full plan reads all of it. `fingerprint` is that of the live body, or NULL
-- since others wrote to the record; `applied` that of the body that was last declared, or ''.
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
CREATE INDEX records_by_revision ON records (revision, owner, kind);
-- The bodies of live records, as canonical JSON.
CREATE TABLE documents (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  live TEXT NOT NULL CHECK (json_valid(live))
);
-- The bodies that were last declared, where they are not what `documents` holds.
CREATE TABLE applied (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  body TEXT NOT NULL
);
-- What live records refer to.
CREATE TABLE refs (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (uid, kind, name)
) WITHOUT ROWID;
CREATE INDEX refs_by_target ON refs (kind, name);
-- Secrets of live records, sealed, by their place in the body; with the reference that each was resolved from, and a
-- keyed fingerprint of its value.
CREATE TABLE secrets (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
-- Access tokens of live connectors, sealed, by the name of the authorization that obtained one, '' for the connector's
-- own; `made_with` is its fingerprint.
CREATE TABLE tokens (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  authorization TEXT NOT NULL,
  made_with TEXT NOT NULL,
  obtained TEXT NOT NULL,
  expires TEXT,
  scope TEXT NOT NULL,
  access BLOB NOT NULL,
  refresh BLOB,
  PRIMARY KEY (uid, authorization)
);
-- Records that others wrote to since their last apply: when first, and all that there was until then (`triggers.py`).
-- `settled` is the run after which a record that is gone need not be spoken of any more.
CREATE TABLE drifts (
  uid TEXT PRIMARY KEY,
  since TEXT NOT NULL,
  writer TEXT,
  body TEXT,
  kind TEXT,
  name TEXT,
  display TEXT,
  owner TEXT,
  declared TEXT,
  refs TEXT,
  secrets TEXT,
  applied TEXT,
  settled INTEGER
);
"""

_PAST = """
-- Runs that changed something. They and their rows in `history` form a chain of hashes (`chain.py`).
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT NOT NULL,
  actor TEXT NOT NULL,
  owner TEXT NOT NULL,
  target TEXT NOT NULL,
  git_commit TEXT NOT NULL,
  changes INTEGER NOT NULL,
  verb TEXT NOT NULL,
  outcome TEXT NOT NULL,
  plan TEXT,
  overrides TEXT,
  approvals TEXT,
  hash BLOB
);
-- What runs changed. `before` is the body that a change found; the one that it left is what the next one of the record
-- found, or is live. `was` is the name that it found, where that is another one. Where others wrote in between,
-- `drifted_at` says when first, and `drifted_from` what there was until then.
CREATE TABLE history (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  before TEXT,
  was TEXT,
  drifted_at TEXT,
  drifted_from TEXT,
  hash BLOB
);
CREATE INDEX history_by_record ON history (uid, seq);
-- What runs declared where that is not what they wrote, which `history` has: a rollback declares it again.
CREATE TABLE declarations (
  uid TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs (id),
  body TEXT NOT NULL,
  PRIMARY KEY (uid, run)
) WITHOUT ROWID;
-- What deletes took away, until it is restored or purged; `applied` where it is not `live`.
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
-- Its secrets, still sealed; access tokens are gone.
CREATE TABLE quarantined_secrets (
  uid TEXT NOT NULL REFERENCES quarantine (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
"""

_RUNNING = """
-- Who may write: runs, and whoever fetches an access token. A lease ends at `expires` by the wall clock, or at `uptime`
-- by the clock that counts from `boot`. The fence of a run's lease is the id of its attempt.
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires REAL NOT NULL,
  fence INTEGER,
  seen TEXT,
  boot TEXT,
  uptime REAL
);
-- Runs that took the lease, whatever became of them.
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
-- Beside a live store that is none of ours: what its driver noted of its records.
CREATE TABLE notes (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  note TEXT NOT NULL
);
-- Of the access tokens that it was given, when the one that it has was obtained.
CREATE TABLE held_tokens (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  authorization TEXT NOT NULL,
  obtained TEXT NOT NULL,
  PRIMARY KEY (uid, authorization)
) WITHOUT ROWID;
-- What a run is about to change there, which the state does not say yet; gone once it does. `number` counts within the
-- run, of which an owner has one at a time.
CREATE TABLE unfinished (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  run TEXT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (owner, number)
) WITHOUT ROWID;
-- Its requests: each is noted before it is sent, and with `status` once it was answered; `made` is what it made.
-- `change` is the number in `unfinished`.
CREATE TABLE journal (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  change INTEGER NOT NULL,
  verb TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  sent TEXT NOT NULL,
  status INTEGER,
  made TEXT,
  PRIMARY KEY (owner, number)
) WITHOUT ROWID;
"""

_PROVEN = """
-- Of each owner the last time when live was just what git declared (`core/baseline.py`): trees, rules and revision, and
-- what was found then.
CREATE TABLE baselines (
  owner TEXT PRIMARY KEY,
  connectors TEXT NOT NULL,
  policies TEXT NOT NULL,
  rules TEXT NOT NULL,
  revision INTEGER NOT NULL,
  total INTEGER NOT NULL,
  records TEXT NOT NULL,
  judged TEXT NOT NULL,
  warnings TEXT NOT NULL,
  dated TEXT NOT NULL
);
-- Which file declared what then; whether it leaves fields to the live side, and how many access tokens it needs.
CREATE TABLE declared (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  odd INTEGER NOT NULL,
  token INTEGER NOT NULL,
  PRIMARY KEY (owner, kind, name)
) WITHOUT ROWID;
CREATE INDEX declared_by_file ON declared (owner, file);
CREATE INDEX declared_odd ON declared (owner, file) WHERE odd;
CREATE INDEX declared_with_token ON declared (owner) WHERE token > 0;
-- Which file claimed which earlier names then.
CREATE TABLE claimed (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  PRIMARY KEY (owner, kind, name, file)
) WITHOUT ROWID;
CREATE INDEX claimed_by_file ON claimed (owner, file);
"""

EVERYTHING = _LIVE + _PAST + _RUNNING + _PROVEN + VIEWS + WATCHING + KEEPING


def statements(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if statement.strip() and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def create(connection: sqlite3.Connection) -> None:
    """Make all of it, in a database that is empty."""
    for statement in statements(EVERYTHING):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def show_as_present(connection: sqlite3.Connection) -> None:
    """Let a connection that only reads see an older store as one of the present version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in range(version + 1, VERSION + 1):
        for statement in statements(READING.get(step, "")):
            connection.execute(statement)


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether a store is of an older version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version < VERSION)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an older store to the present version, inside the transaction that is going to write."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in range(version + 1, VERSION + 1):
        for statement in statements(MIGRATIONS[step]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step}")
