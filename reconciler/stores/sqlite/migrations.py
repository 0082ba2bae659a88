"""What brings a store of one version to the next; a version that was released is never changed again."""

MIGRATIONS: dict[int, str] = {
    2: """
CREATE TABLE IF NOT EXISTS tokens (uid, made_with, obtained, expires, scope, access, refresh);
CREATE TABLE tokens_before AS SELECT * FROM tokens;
DROP TABLE tokens;
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
INSERT INTO tokens SELECT uid, '', made_with, obtained, expires, scope, access, refresh FROM tokens_before;
DROP TABLE tokens_before;
CREATE TRIGGER tokens_adding BEFORE INSERT ON tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.made_with) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL) OR (NEW.expires IS NOT NULL AND (typeof(NEW.expires) <> 'text' OR julianday(NEW.expires) IS NULL)) OR (typeof(NEW.scope) <> 'text') OR (typeof(NEW.access) <> 'blob') OR (NEW.refresh IS NOT NULL AND (typeof(NEW.refresh) <> 'blob'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of tokens');
END;
CREATE TRIGGER tokens_altering BEFORE UPDATE ON tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.made_with) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL) OR (NEW.expires IS NOT NULL AND (typeof(NEW.expires) <> 'text' OR julianday(NEW.expires) IS NULL)) OR (typeof(NEW.scope) <> 'text') OR (typeof(NEW.access) <> 'blob') OR (NEW.refresh IS NOT NULL AND (typeof(NEW.refresh) <> 'blob'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of tokens');
END;
DROP VIEW IF EXISTS endpoints;
CREATE VIEW endpoints AS
  SELECT r.name AS connector, e.key AS purpose, json_extract(e.value, '$.method') AS method,
    json_extract(e.value, '$.url') AS url,
    coalesce(json_extract(e.value, '$.authorization'), '') AS authorization,
    coalesce(json_extract(e.value, '$.params'), '[]') AS params,
    coalesce(json_extract(e.value, '$.headers'), '[]') AS headers,
    coalesce(json_extract(e.value, '$.body'), '') AS body,
    coalesce(json_extract(e.value, '$.bodyType'), 'json') AS body_type,
    coalesce(json_extract(e.value, '$.timeoutSeconds'), 30) AS timeout_seconds,
    coalesce(json_extract(e.value, '$.retry.attempts'), 0) AS retry_attempts,
    coalesce(json_extract(e.value, '$.retry.waitSeconds'), 5) AS retry_wait_seconds
  FROM records r JOIN documents d USING (uid), json_each(d.live, '$.spec.endpoints') e WHERE r.kind = 'Connector';
""",
    3: """
DROP INDEX IF EXISTS declared_with_token;
CREATE INDEX declared_with_token ON declared (owner) WHERE token > 0;
DROP VIEW IF EXISTS effective_grants;
CREATE VIEW effective_grants AS
  WITH RECURSIVE bodies AS (
      SELECT r.kind, r.name, d.live FROM records r JOIN documents d USING (uid)
      WHERE r.kind IN ('Group', 'PermissionPolicy') AND json_type(d.live, '$.spec') = 'object'),
    teams AS (
      SELECT name, live FROM bodies WHERE kind = 'Group'
        AND coalesce(json_type(live, '$.spec.members'), 'object') = 'object'
        AND coalesce(json_type(live, '$.spec.members.users'), 'array') = 'array'
        AND coalesce(json_type(live, '$.spec.members.groups'), 'array') = 'array'
        AND NOT EXISTS (SELECT 1 FROM json_each(live, '$.spec.members.users') WHERE type <> 'text')
        AND NOT EXISTS (SELECT 1 FROM json_each(live, '$.spec.members.groups') WHERE type <> 'text')),
    policies AS (
      SELECT name, live FROM bodies WHERE kind = 'PermissionPolicy' AND json_type(live, '$.spec.subjects') = 'array'
        AND NOT EXISTS (SELECT 1 FROM json_each(live, '$.spec.subjects') s WHERE CASE s.type
          WHEN 'object' THEN coalesce(json_type(live, s.fullkey || '.user'), 'text') <> 'text'
            OR coalesce(json_type(live, s.fullkey || '.group'), 'text') <> 'text'
          WHEN 'array' THEN EXISTS (SELECT 1 FROM json_each(live, s.fullkey) WHERE value IN ('user', 'group'))
          WHEN 'text' THEN instr(s.value, 'user') + instr(s.value, 'group') > 0
          ELSE 1 END)),
    subjects AS (
      SELECT p.name AS policy, json_extract(p.live, s.fullkey || '.user') AS user_name,
        json_extract(p.live, s.fullkey || '.group') AS team FROM policies p, json_each(p.live, '$.spec.subjects') s),
    above AS (SELECT g.value AS team, t.name AS parent FROM teams t, json_each(t.live, '$.spec.members.groups') g),
    within AS (
      SELECT name AS team, name AS up FROM teams
      UNION SELECT w.team, a.parent FROM within w JOIN above a ON a.team = w.up),
    reached AS (
      SELECT policy, user_name, '' AS team FROM subjects WHERE user_name IS NOT NULL
      UNION SELECT s.policy, u.value, s.team FROM subjects s JOIN within w ON w.up = s.team
        JOIN teams t ON t.name = w.team, json_each(t.live, '$.spec.members.users') u),
    grants AS (
      SELECT p.name AS policy, p.live, g.fullkey AS at, json_extract(p.live, g.fullkey || '.expires') AS expires
      FROM policies p, json_each(p.live, '$.spec.grants') g
      WHERE json_type(p.live, '$.spec.grants') = 'array' AND g.type = 'object'
        AND NOT EXISTS (SELECT 1 FROM json_each(p.live, g.fullkey) WHERE key NOT IN ('permissions', 'on', 'expires'))
        AND json_type(p.live, g.fullkey || '.permissions') = 'array'
        AND NOT EXISTS (SELECT 1 FROM json_each(p.live, g.fullkey || '.permissions') WHERE type <> 'text')
        AND coalesce(json_type(p.live, g.fullkey || '.on'), 'object') = 'object'
        AND (json_type(p.live, g.fullkey || '.on') IS NULL OR EXISTS (SELECT 1 FROM json_each(p.live, g.fullkey || '.on')))
        AND NOT EXISTS (SELECT 1 FROM json_each(p.live, g.fullkey || '.on') o
          WHERE o.key NOT IN ('connectors', 'categories', 'labels')
            OR o.type <> CASE o.key WHEN 'labels' THEN 'object' ELSE 'array' END
            OR (o.key <> 'labels' AND EXISTS (SELECT 1 FROM json_each(p.live, o.fullkey) WHERE type <> 'text')))),
    lasting AS (
      SELECT policy, live, at, expires FROM grants WHERE json_type(live, at || '.expires') IS NULL
        OR (json_type(live, at || '.expires') = 'text' AND date(substr(expires, 1, 10)) = substr(expires, 1, 10)
          AND expires GLOB '????-??-??T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'
          AND (expires GLOB '*Z' OR expires GLOB '*[+-][0-9][0-9]:[0-9][0-9]')
          AND julianday(expires) > julianday('now')))
  SELECT r.user_name, n.value AS permission, json_extract(l.live, l.at || '.on.connectors') AS connectors,
    json_extract(l.live, l.at || '.on.categories') AS categories, json_extract(l.live, l.at || '.on.labels') AS labels,
    r.policy, r.team AS group_name, l.expires
  FROM reached r JOIN lasting l USING (policy), json_each(l.live, l.at || '.permissions') n
  UNION ALL
  SELECT r.user_name, n.permission, NULL, NULL, NULL, r.policy, r.team, NULL
  FROM reached r JOIN policies p ON p.name = r.policy AND json_type(p.live, '$.spec.superAdmin') = 'true'
    CROSS JOIN (SELECT a.column1 || ':' || v.column1 AS permission
      FROM (VALUES ('connectors'), ('categories'), ('groups'), ('policies')) a
      CROSS JOIN (VALUES ('view'), ('create'), ('edit'), ('delete')) v
      UNION ALL SELECT 'connectors:call') n;
""",
    4: """
CREATE TABLE notes (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  note TEXT NOT NULL
);
CREATE TABLE held_tokens (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  authorization TEXT NOT NULL,
  obtained TEXT NOT NULL,
  PRIMARY KEY (uid, authorization)
) WITHOUT ROWID;
CREATE TABLE unfinished (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  run TEXT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (owner, number)
) WITHOUT ROWID;
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
CREATE TRIGGER notes_adding BEFORE INSERT ON notes WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.note) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of notes');
END;
CREATE TRIGGER notes_altering BEFORE UPDATE ON notes WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.note) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of notes');
END;
CREATE TRIGGER held_tokens_adding BEFORE INSERT ON held_tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL)) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of held_tokens');
END;
CREATE TRIGGER held_tokens_altering BEFORE UPDATE ON held_tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL)) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of held_tokens');
END;
CREATE TRIGGER unfinished_adding BEFORE INSERT ON unfinished WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.number) <> 'integer') OR (typeof(NEW.run) <> 'text' OR NOT json_valid(NEW.run)) OR (typeof(NEW.change) <> 'text' OR NOT json_valid(NEW.change))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of unfinished');
END;
CREATE TRIGGER unfinished_altering BEFORE UPDATE ON unfinished WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.number) <> 'integer') OR (typeof(NEW.run) <> 'text' OR NOT json_valid(NEW.run)) OR (typeof(NEW.change) <> 'text' OR NOT json_valid(NEW.change))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of unfinished');
END;
CREATE TRIGGER journal_adding BEFORE INSERT ON journal WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.number) <> 'integer') OR (typeof(NEW.change) <> 'integer') OR (typeof(NEW.verb) <> 'text') OR (typeof(NEW.path) <> 'text') OR (typeof(NEW.digest) <> 'text') OR (typeof(NEW.sent) <> 'text' OR julianday(NEW.sent) IS NULL) OR (NEW.status IS NOT NULL AND (typeof(NEW.status) <> 'integer')) OR (NEW.made IS NOT NULL AND (typeof(NEW.made) <> 'text'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of journal');
END;
CREATE TRIGGER journal_altering BEFORE UPDATE ON journal WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.number) <> 'integer') OR (typeof(NEW.change) <> 'integer') OR (typeof(NEW.verb) <> 'text') OR (typeof(NEW.path) <> 'text') OR (typeof(NEW.digest) <> 'text') OR (typeof(NEW.sent) <> 'text' OR julianday(NEW.sent) IS NULL) OR (NEW.status IS NOT NULL AND (typeof(NEW.status) <> 'integer')) OR (NEW.made IS NOT NULL AND (typeof(NEW.made) <> 'text'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of journal');
END;
""",
}
"""By version the statements that make a store of it from one of the version before.

2: a connector has a token for each of its authorizations, and an endpoint says which one it carries.
3: other engines say what is true as a comparison; and who may do what can be read.
"""

READING: dict[int, str] = {
    2: """
CREATE TEMP VIEW tokens AS
  SELECT uid, '' AS authorization, made_with, obtained, expires, scope, access, refresh FROM main.tokens;
""",
    4: """
CREATE TEMP TABLE notes (uid TEXT, note TEXT);
CREATE TEMP TABLE held_tokens (uid TEXT, authorization TEXT, obtained TEXT);
CREATE TEMP TABLE unfinished (owner TEXT, number INTEGER, run TEXT, change TEXT);
CREATE TEMP TABLE journal (
  owner TEXT, number INTEGER, change INTEGER, verb TEXT, path TEXT, digest TEXT, sent TEXT, status INTEGER, made TEXT);
""",
}
"""By version the statements by which whoever reads an older store sees it as one of this version."""
