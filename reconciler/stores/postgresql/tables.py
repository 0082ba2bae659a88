"""The tables, indexes and views of a store in PostgreSQL, as statements.

What each table is for stands in `stores/sqlite/schema.py`; names and meanings are the same. Texts are sorted by bytes
wherever the database is. Bodies are `text`, as `jsonb` alters them and `json` knows no equality; the tables refuse what
is no JSON that the views can decode.

No statement holds a question mark or a per cent sign, which elsewhere stand for values.
"""

import re
from collections.abc import Iterator

from reconciler.kinds.registry import KINDS
from reconciler.stores.postgresql.views import VIEWS

_LIVE = """
CREATE TABLE meta (
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  CONSTRAINT meta_pkey PRIMARY KEY (key)
);
CREATE TABLE records (
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  display TEXT,
  owner TEXT NOT NULL DEFAULT '',
  fingerprint TEXT,
  applied TEXT NOT NULL DEFAULT '',
  version bigint NOT NULL DEFAULT 1,
  revision bigint,
  changed_at TEXT NOT NULL DEFAULT '',
  CONSTRAINT records_pkey PRIMARY KEY (uid),
  CONSTRAINT records_kind_name_key UNIQUE (kind, name),
  CONSTRAINT records_kind_display_key UNIQUE (kind, display),
  CONSTRAINT records_kind_check CHECK (IS_KIND(kind))
);
CREATE INDEX records_by_revision ON records (revision, owner, kind);
CREATE TABLE documents (
  uid TEXT NOT NULL,
  live TEXT NOT NULL,
  CONSTRAINT documents_pkey PRIMARY KEY (uid),
  CONSTRAINT documents_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE,
  CONSTRAINT documents_live_check CHECK (IS_JSON(live))
);
CREATE TABLE applied (
  uid TEXT NOT NULL,
  body TEXT NOT NULL,
  CONSTRAINT applied_pkey PRIMARY KEY (uid),
  CONSTRAINT applied_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE,
  CONSTRAINT applied_body_check CHECK (IS_JSON(body))
);
CREATE TABLE refs (
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT refs_pkey PRIMARY KEY (uid, kind, name),
  CONSTRAINT refs_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE,
  CONSTRAINT refs_kind_check CHECK (IS_KIND(kind))
);
CREATE INDEX refs_by_target ON refs (kind, name);
CREATE TABLE secrets (
  uid TEXT NOT NULL,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext bytea NOT NULL,
  CONSTRAINT secrets_pkey PRIMARY KEY (uid, address),
  CONSTRAINT secrets_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE
);
CREATE TABLE tokens (
  uid TEXT NOT NULL,
  "authorization" TEXT NOT NULL,
  made_with TEXT NOT NULL,
  obtained TEXT NOT NULL,
  expires TEXT,
  scope TEXT NOT NULL,
  access bytea NOT NULL,
  refresh bytea,
  renewable boolean NOT NULL GENERATED ALWAYS AS (refresh IS NOT NULL) STORED,
  CONSTRAINT tokens_pkey PRIMARY KEY (uid, "authorization"),
  CONSTRAINT tokens_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE,
  CONSTRAINT tokens_obtained_check CHECK (IS_TIME(obtained)),
  CONSTRAINT tokens_expires_check CHECK (IS_TIME(expires))
);
CREATE TABLE drifts (
  uid TEXT NOT NULL,
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
  settled bigint,
  CONSTRAINT drifts_pkey PRIMARY KEY (uid),
  CONSTRAINT drifts_kind_check CHECK (IS_KIND(kind)),
  CONSTRAINT drifts_body_check CHECK (IS_JSON(body)),
  CONSTRAINT drifts_declared_check CHECK (IS_JSON(declared)),
  CONSTRAINT drifts_refs_check CHECK (IS_JSON(refs)),
  CONSTRAINT drifts_secrets_check CHECK (IS_JSON(secrets))
);
-- A row is there while an apply writes, inside its transaction alone; see triggers.py.
CREATE TABLE writing (
  xid xid8 NOT NULL,
  CONSTRAINT writing_pkey PRIMARY KEY (xid)
);
"""

_PAST = """
CREATE TABLE runs (
  id bigint NOT NULL,
  started TEXT NOT NULL,
  finished TEXT NOT NULL,
  actor TEXT NOT NULL,
  owner TEXT NOT NULL,
  target TEXT NOT NULL,
  git_commit TEXT NOT NULL,
  changes bigint NOT NULL,
  verb TEXT NOT NULL,
  outcome TEXT NOT NULL,
  plan TEXT,
  overrides TEXT,
  approvals TEXT,
  hash bytea,
  CONSTRAINT runs_pkey PRIMARY KEY (id)
);
CREATE TABLE history (
  seq bigint NOT NULL,
  run bigint NOT NULL,
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  before TEXT,
  was TEXT,
  drifted_at TEXT,
  drifted_from TEXT,
  hash bytea,
  CONSTRAINT history_pkey PRIMARY KEY (seq),
  CONSTRAINT history_run_fkey FOREIGN KEY (run) REFERENCES runs (id)
);
CREATE INDEX history_by_record ON history (uid, seq);
CREATE TABLE declarations (
  uid TEXT NOT NULL,
  run bigint NOT NULL,
  body TEXT NOT NULL,
  CONSTRAINT declarations_pkey PRIMARY KEY (uid, run),
  CONSTRAINT declarations_run_fkey FOREIGN KEY (run) REFERENCES runs (id),
  CONSTRAINT declarations_body_check CHECK (IS_JSON(body))
);
CREATE TABLE quarantine (
  uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  live TEXT NOT NULL,
  applied TEXT,
  deleted_at TEXT NOT NULL,
  run bigint NOT NULL,
  CONSTRAINT quarantine_pkey PRIMARY KEY (uid),
  CONSTRAINT quarantine_run_fkey FOREIGN KEY (run) REFERENCES runs (id),
  CONSTRAINT quarantine_kind_check CHECK (IS_KIND(kind)),
  CONSTRAINT quarantine_live_check CHECK (IS_JSON(live)),
  CONSTRAINT quarantine_applied_check CHECK (IS_JSON(applied)),
  CONSTRAINT quarantine_deleted_at_check CHECK (IS_TIME(deleted_at))
);
CREATE INDEX quarantine_by_name ON quarantine (kind, name);
CREATE TABLE quarantined_secrets (
  uid TEXT NOT NULL,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext bytea NOT NULL,
  CONSTRAINT quarantined_secrets_pkey PRIMARY KEY (uid, address),
  CONSTRAINT quarantined_secrets_uid_fkey FOREIGN KEY (uid) REFERENCES quarantine (uid) ON DELETE CASCADE
);
"""

_RUNNING = """
CREATE TABLE leases (
  name TEXT NOT NULL,
  holder TEXT NOT NULL,
  expires double precision NOT NULL,
  fence bigint,
  seen TEXT,
  boot TEXT,
  uptime double precision,
  CONSTRAINT leases_pkey PRIMARY KEY (name)
);
CREATE TABLE attempts (
  id bigint NOT NULL,
  started TEXT NOT NULL,
  finished TEXT,
  verb TEXT NOT NULL,
  actor TEXT NOT NULL,
  holder TEXT NOT NULL,
  owner TEXT NOT NULL,
  target TEXT NOT NULL,
  git_commit TEXT NOT NULL,
  outcome TEXT NOT NULL,
  run bigint,
  CONSTRAINT attempts_pkey PRIMARY KEY (id),
  CONSTRAINT attempts_run_fkey FOREIGN KEY (run) REFERENCES runs (id),
  CONSTRAINT attempts_started_check CHECK (IS_TIME(started)),
  CONSTRAINT attempts_finished_check CHECK (IS_TIME(finished))
);
CREATE INDEX attempts_running ON attempts (id) WHERE outcome = 'running';
CREATE TABLE notes (
  uid TEXT NOT NULL,
  note TEXT NOT NULL,
  CONSTRAINT notes_pkey PRIMARY KEY (uid),
  CONSTRAINT notes_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE
);
CREATE TABLE held_tokens (
  uid TEXT NOT NULL,
  "authorization" TEXT NOT NULL,
  obtained TEXT NOT NULL,
  CONSTRAINT held_tokens_pkey PRIMARY KEY (uid, "authorization"),
  CONSTRAINT held_tokens_uid_fkey FOREIGN KEY (uid) REFERENCES records (uid) ON DELETE CASCADE,
  CONSTRAINT held_tokens_obtained_check CHECK (IS_TIME(obtained))
);
CREATE TABLE unfinished (
  owner TEXT NOT NULL,
  number bigint NOT NULL,
  run TEXT NOT NULL,
  change TEXT NOT NULL,
  CONSTRAINT unfinished_pkey PRIMARY KEY (owner, number),
  CONSTRAINT unfinished_run_check CHECK (IS_JSON(run)),
  CONSTRAINT unfinished_change_check CHECK (IS_JSON(change))
);
CREATE TABLE journal (
  owner TEXT NOT NULL,
  number bigint NOT NULL,
  change bigint NOT NULL,
  verb TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  sent TEXT NOT NULL,
  status bigint,
  made TEXT,
  CONSTRAINT journal_pkey PRIMARY KEY (owner, number),
  CONSTRAINT journal_sent_check CHECK (IS_TIME(sent))
);
CREATE TABLE baselines (
  owner TEXT NOT NULL,
  connectors TEXT NOT NULL,
  policies TEXT NOT NULL,
  rules TEXT NOT NULL,
  revision bigint NOT NULL,
  total bigint NOT NULL,
  records TEXT NOT NULL,
  judged TEXT NOT NULL,
  warnings TEXT NOT NULL,
  dated TEXT NOT NULL,
  CONSTRAINT baselines_pkey PRIMARY KEY (owner),
  CONSTRAINT baselines_records_check CHECK (IS_JSON(records)),
  CONSTRAINT baselines_warnings_check CHECK (IS_JSON(warnings)),
  CONSTRAINT baselines_dated_check CHECK (IS_JSON(dated))
);
CREATE TABLE declared (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  odd boolean NOT NULL,
  token bigint NOT NULL,
  CONSTRAINT declared_pkey PRIMARY KEY (owner, kind, name),
  CONSTRAINT declared_kind_check CHECK (IS_KIND(kind))
);
CREATE INDEX declared_by_file ON declared (owner, file);
CREATE INDEX declared_odd ON declared (owner, file) WHERE odd;
CREATE INDEX declared_with_token ON declared (owner) WHERE token > 0;
CREATE TABLE claimed (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  CONSTRAINT claimed_pkey PRIMARY KEY (owner, kind, name, file),
  CONSTRAINT claimed_kind_check CHECK (IS_KIND(kind))
);
CREATE INDEX claimed_by_file ON claimed (owner, file);
"""

_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$"
_CONDITIONS = {
    "IS_JSON": "({0} IS NULL OR {0}::jsonb IS NOT NULL)",
    "IS_KIND": "({0} IN (" + ", ".join(f"'{kind}'" for kind in KINDS) + "))",
    "IS_TIME": "({0} ~ '" + _TIME.replace("{", "{{").replace("}", "}}") + "')",
}


def condition(name: str, column: str) -> str:
    """What the tables demand of a column; true or NULL where it holds."""
    return _CONDITIONS[name].format(column)


_WORD = re.compile(r"\bTEXT\b|\b(IS_[A-Z]+)\((\w+)\)")


def _put_in(found: re.Match[str]) -> str:
    return condition(found[1], found[2]) if found[1] else 'text COLLATE "C"'


Named = tuple[str, str]
"""Sort and name of a part of the schema."""


def _parts() -> Iterator[tuple[Named, str]]:
    script = _WORD.sub(_put_in, re.sub(r"--.*\n", "", _LIVE + _PAST + _RUNNING))
    for statement in (part.strip() for part in (script + VIEWS).split(";")):
        if found := re.match(r"CREATE (TABLE|INDEX|VIEW) (\w+)", statement):
            yield (found[1].lower(), found[2]), statement


PARTS = dict(_parts())
"""What makes tables, indexes and views, in the order in which they are made."""
TABLES = tuple(name for sort, name in PARTS if sort == "table")
VIEW_NAMES = tuple(name for sort, name in PARTS if sort == "view")
COLUMNS = {table: tuple(re.findall(r'^  "?([a-z_]+)"? ', PARTS["table", table], re.MULTILINE)) for table in TABLES}
CONSTRAINTS = {
    name: (table, f"ALTER TABLE {table} ADD {definition}")
    for table in TABLES
    for definition, name in re.findall(r"^  (CONSTRAINT (\w+) .*?),?$", PARTS["table", table], re.MULTILINE)
}
"""By name the table of each, and what adds it there where it was taken away."""
