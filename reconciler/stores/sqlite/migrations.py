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
""",
}
"""By version the statements that make a store of it from one of the version before.

2: a connector has a token for each of its authorizations, and an endpoint says which one it carries.
3: other engines say what is true as a comparison.
"""

READING: dict[int, str] = {
    2: """
CREATE TEMP VIEW tokens AS
  SELECT uid, '' AS authorization, made_with, obtained, expires, scope, access, refresh FROM main.tokens;
""",
}
"""By version the statements by which whoever reads an older store sees it as one of this version."""
