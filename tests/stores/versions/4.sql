BEGIN TRANSACTION;
CREATE TABLE applied (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  body TEXT NOT NULL
);
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
INSERT INTO "attempts" VALUES(1,'2026-11-29T12:39:11.320Z','2026-11-29T12:39:11.341Z','apply','ada','somewhere','local','local','','applied',1);
INSERT INTO "attempts" VALUES(2,'2026-11-29T12:39:11.469Z','2026-11-29T12:39:11.469Z','apply','ada','somewhere','local','local','','applied',2);
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
CREATE TABLE claimed (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  PRIMARY KEY (owner, kind, name, file)
) WITHOUT ROWID;
CREATE TABLE declarations (
  uid TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES runs (id),
  body TEXT NOT NULL,
  PRIMARY KEY (uid, run)
) WITHOUT ROWID;
CREATE TABLE declared (
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  odd INTEGER NOT NULL,
  token INTEGER NOT NULL,
  PRIMARY KEY (owner, kind, name)
) WITHOUT ROWID;
CREATE TABLE documents (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  live TEXT NOT NULL CHECK (json_valid(live))
);
INSERT INTO "documents" VALUES('10c822c4f05c5bd6a5b7ba960a1a65d1','{"spec":{"displayName":"Customer data"}}');
INSERT INTO "documents" VALUES('12043948002eee97a75a73215528867e','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"All contacts.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}');
INSERT INTO "documents" VALUES('a5feff34cc255ee8b75146e242e47a5d','{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada"]}}}');
INSERT INTO "documents" VALUES('ad3735c5460676cd96abf550322b5db7','{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}');
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
CREATE TABLE held_tokens (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  authorization TEXT NOT NULL,
  obtained TEXT NOT NULL,
  PRIMARY KEY (uid, authorization)
) WITHOUT ROWID;
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
INSERT INTO "history" VALUES(1,1,'10c822c4f05c5bd6a5b7ba960a1a65d1','Category','crm','create','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2',NULL,NULL,NULL,NULL,X'DE13B08F1785E2D9C61B7ACB0B53D3EC2E1C93206C3211803473032072949E20');
INSERT INTO "history" VALUES(2,1,'12043948002eee97a75a73215528867e','Connector','crm-contacts','create','eeca44200cb1a078cef395d22e66ae3703c5ea37dfa3854663cbbfc1fcd7d422',NULL,NULL,NULL,NULL,X'C2F84E21EC00B6BFBA767A52C6FE9DA4FB9881332418D65ABD75EE15379756BF');
INSERT INTO "history" VALUES(3,1,'9c065fe5a38ddd3a26463213bdebfb91','Connector','old','create','12854e79555a5dfcaeba1e31caea7dd3a4bf8030ac9c3012ea23a2ac39565854',NULL,NULL,NULL,NULL,X'D95045421FB8D4A8E375CEBDE27E842A444A7BAF72FB0AE20E8AA79CDA9ED953');
INSERT INTO "history" VALUES(4,1,'a5feff34cc255ee8b75146e242e47a5d','Group','integrators','create','883ace1579c37f5bff49ac304d41afeb41f0f0336a94144caa284302082e0036',NULL,NULL,NULL,NULL,X'676BFF62A012000544A404396422BE417FC98AFB0D75C43DF732EE8C6151EF7F');
INSERT INTO "history" VALUES(5,1,'ad3735c5460676cd96abf550322b5db7','PermissionPolicy','integration-team','create','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b',NULL,NULL,NULL,NULL,X'22A437A5449C3552A10A07A7CD66ED09BEDFAAC8B190A01C803D1A54BE084772');
INSERT INTO "history" VALUES(6,2,'12043948002eee97a75a73215528867e','Connector','crm-contacts','update','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,NULL,NULL,X'5914E32B0C4C8DD339542432A2DEBA1AFA6E7381D2F7CACA77F1C470F56A6FA6');
INSERT INTO "history" VALUES(7,2,'a5feff34cc255ee8b75146e242e47a5d','Group','integrators','update','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6','{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada","grace"]}}}',NULL,NULL,NULL,X'3178EFB57CD12F969793A45B71A91C167FEA62EBC6359B64DD1E63D446E4E0AB');
INSERT INTO "history" VALUES(8,2,'ad3735c5460676cd96abf550322b5db7','PermissionPolicy','integration-team','update','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b','{"spec":{"description":"by hand","grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}',NULL,'2026-11-29T12:39:11.382Z','{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}',X'877F1F4BDD58B3C0C8B22AFF79360F42DDF43160E8D146CFE6D0B7907A8D2B4F');
INSERT INTO "history" VALUES(9,2,'9c065fe5a38ddd3a26463213bdebfb91','Connector','old','delete','','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,NULL,NULL,X'459A945EB8DD72893B9B6A003916D3F6595F9B041DEC84068428FB5CAC712BB3');
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
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires REAL NOT NULL,
  fence INTEGER,
  seen TEXT,
  boot TEXT,
  uptime REAL
);
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
INSERT INTO "meta" VALUES('store','d16fde78c9de67076f8cf5bf353dc59e');
INSERT INTO "meta" VALUES('revision','3');
INSERT INTO "meta" VALUES('key_check','ffb7603fff8f3abd758126f0f1fe4505e04e6060036eb7670fa1b62e530cf75d');
INSERT INTO "meta" VALUES('history_head','459a945eb8dd72893b9b6a003916d3f6595f9b041dec84068428fb5cac712bb3');
INSERT INTO "meta" VALUES('history_count','11');
CREATE TABLE notes (
  uid TEXT PRIMARY KEY REFERENCES records (uid) ON DELETE CASCADE,
  note TEXT NOT NULL
);
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
INSERT INTO "quarantine" VALUES('9c065fe5a38ddd3a26463213bdebfb91','Connector','old','local','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,'2026-11-29T12:39:11.469Z',2);
CREATE TABLE quarantined_secrets (
  uid TEXT NOT NULL REFERENCES quarantine (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
INSERT INTO "quarantined_secrets" VALUES('9c065fe5a38ddd3a26463213bdebfb91','authorization.password','{"env":"CRM_PASSWORD"}','7666eb58278978be',X'11E5279F86208D4EA594ECD91DBEA12A61BA54C4D4270690D7AE3ADBFE3CB6F345CEB4EAFFEA20F6B2042EDA00101F09E61EFE4E');
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
INSERT INTO "records" VALUES('10c822c4f05c5bd6a5b7ba960a1a65d1','Category','crm','customer data','local','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2',1,1,'2026-11-29T12:39:11.341Z');
INSERT INTO "records" VALUES('12043948002eee97a75a73215528867e','Connector','crm-contacts','sales team''s contacts','local','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a',2,3,'2026-11-29T12:39:11.469Z');
INSERT INTO "records" VALUES('a5feff34cc255ee8b75146e242e47a5d','Group','integrators','integration team','local','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6',2,3,'2026-11-29T12:39:11.469Z');
INSERT INTO "records" VALUES('ad3735c5460676cd96abf550322b5db7','PermissionPolicy','integration-team',NULL,'local','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b',3,3,'2026-11-29T12:39:11.469Z');
CREATE TABLE refs (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (uid, kind, name)
) WITHOUT ROWID;
INSERT INTO "refs" VALUES('12043948002eee97a75a73215528867e','Category','crm');
INSERT INTO "refs" VALUES('ad3735c5460676cd96abf550322b5db7','Group','integrators');
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
INSERT INTO "runs" VALUES(1,'2026-11-29T12:39:11.290Z','2026-11-29T12:39:11.341Z','ada','local','local','',5,'apply','applied','50c461f847951981635285a618490da00533db76eb6ef407270dcc97b7978879',NULL,NULL,X'CD0707070F165D197AD14706B00539E131D48791812360339397AB4684531BEA');
INSERT INTO "runs" VALUES(2,'2026-11-29T12:39:11.454Z','2026-11-29T12:39:11.469Z','ada','local','local','',4,'apply','applied','819fd2754461e9149a39f6f9acc9a083240dc016dd46c145bccc22cba3e8d118',NULL,NULL,X'DC882A18753323194D58DED01E5B9F55C95B00ED09882A1DC5E22A56D0F33A7C');
CREATE TABLE secrets (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
INSERT INTO "secrets" VALUES('12043948002eee97a75a73215528867e','authorization.password','{"env":"CRM_PASSWORD"}','7666eb58278978be',X'DD9F10F6ADCC8951618A2D5D00508F53428E0832C578C9D5CF2193C38FC88FCB0E17304BC5AC1007DB22DB1FED8074C1C0BC34A0');
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
CREATE TABLE unfinished (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  run TEXT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (owner, number)
) WITHOUT ROWID;
CREATE INDEX records_by_revision ON records (revision, owner, kind);
CREATE INDEX refs_by_target ON refs (kind, name);
CREATE INDEX history_by_record ON history (uid, seq);
CREATE INDEX quarantine_by_name ON quarantine (kind, name);
CREATE INDEX attempts_running ON attempts (id) WHERE outcome = 'running';
CREATE INDEX declared_by_file ON declared (owner, file);
CREATE INDEX declared_odd ON declared (owner, file) WHERE odd;
CREATE INDEX declared_with_token ON declared (owner) WHERE token > 0;
CREATE INDEX claimed_by_file ON claimed (owner, file);
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
    coalesce(json_extract(e.value, '$.authorization'), '') AS authorization,
    coalesce(json_extract(e.value, '$.params'), '[]') AS params,
    coalesce(json_extract(e.value, '$.headers'), '[]') AS headers,
    coalesce(json_extract(e.value, '$.body'), '') AS body,
    coalesce(json_extract(e.value, '$.bodyType'), 'json') AS body_type,
    coalesce(json_extract(e.value, '$.timeoutSeconds'), 30) AS timeout_seconds,
    coalesce(json_extract(e.value, '$.retry.attempts'), 0) AS retry_attempts,
    coalesce(json_extract(e.value, '$.retry.waitSeconds'), 5) AS retry_wait_seconds
  FROM records r JOIN documents d USING (uid), json_each(d.live, '$.spec.endpoints') e WHERE r.kind = 'Connector';
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
CREATE TRIGGER records_inserting BEFORE INSERT ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE (r.uid = NEW.uid OR r.kind = NEW.kind AND (r.name = NEW.name OR r.display = NEW.display)) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
END;
CREATE TRIGGER records_inserted AFTER INSERT ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer) SELECT NEW.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer') WHERE NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = NEW.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER records_updating BEFORE UPDATE OF uid, kind, name, display, owner, applied, fingerprint ON records
    WHEN (NEW.uid IS NOT OLD.uid OR NEW.kind IS NOT OLD.kind OR NEW.name IS NOT OLD.name OR NEW.display IS NOT OLD.display OR NEW.owner IS NOT OLD.owner OR NEW.applied IS NOT OLD.applied OR (NEW.fingerprint IS NOT OLD.fingerprint AND NEW.fingerprint IS NOT NULL)) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE (r.uid IN (OLD.uid, NEW.uid) OR r.kind = NEW.kind AND (r.name = NEW.name OR r.display = NEW.display)) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
END;
CREATE TRIGGER records_updated AFTER UPDATE OF uid, kind, name, display, owner, applied, fingerprint ON records
    WHEN (NEW.uid IS NOT OLD.uid OR NEW.kind IS NOT OLD.kind OR NEW.name IS NOT OLD.name OR NEW.display IS NOT OLD.display OR NEW.owner IS NOT OLD.owner OR NEW.applied IS NOT OLD.applied OR (NEW.fingerprint IS NOT OLD.fingerprint AND NEW.fingerprint IS NOT NULL)) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer) SELECT NEW.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer') WHERE NEW.uid IS NOT OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = NEW.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER records_deleting BEFORE DELETE ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
END;
CREATE TRIGGER documents_inserting BEFORE INSERT ON documents WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = NEW.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER documents_updating BEFORE UPDATE ON documents WHEN (NEW.uid IS NOT OLD.uid OR NEW.live IS NOT OLD.live) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid IN (OLD.uid, NEW.uid) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid IN (OLD.uid, NEW.uid);
END;
CREATE TRIGGER documents_deleting BEFORE DELETE ON documents WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = OLD.uid;
END;
CREATE TRIGGER applied_inserting BEFORE INSERT ON applied WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = NEW.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER applied_updating BEFORE UPDATE ON applied WHEN (NEW.uid IS NOT OLD.uid OR NEW.body IS NOT OLD.body) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid IN (OLD.uid, NEW.uid) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid IN (OLD.uid, NEW.uid);
END;
CREATE TRIGGER applied_deleting BEFORE DELETE ON applied WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = OLD.uid;
END;
CREATE TRIGGER refs_inserting BEFORE INSERT ON refs WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = NEW.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER refs_updating BEFORE UPDATE ON refs WHEN (NEW.uid IS NOT OLD.uid OR NEW.kind IS NOT OLD.kind OR NEW.name IS NOT OLD.name) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid IN (OLD.uid, NEW.uid) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid IN (OLD.uid, NEW.uid);
END;
CREATE TRIGGER refs_deleting BEFORE DELETE ON refs WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = OLD.uid;
END;
CREATE TRIGGER secrets_inserting BEFORE INSERT ON secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = NEW.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = NEW.uid;
END;
CREATE TRIGGER secrets_updating BEFORE UPDATE ON secrets WHEN (NEW.uid IS NOT OLD.uid OR NEW.address IS NOT OLD.address OR NEW.reference IS NOT OLD.reference OR NEW.fingerprint IS NOT OLD.fingerprint OR NEW.ciphertext IS NOT OLD.ciphertext) AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid IN (OLD.uid, NEW.uid) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid IN (OLD.uid, NEW.uid);
END;
CREATE TRIGGER secrets_deleting BEFORE DELETE ON secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), (SELECT value FROM meta WHERE key = 'writer'), (SELECT live FROM documents WHERE uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT body FROM applied WHERE uid = r.uid),
      (SELECT json_group_array(json_array(kind, name)) FROM refs WHERE uid = r.uid),
      (SELECT json_group_array(json_array(address, reference, fingerprint, hex(ciphertext))) FROM secrets
        WHERE uid = r.uid), r.applied
    FROM records r WHERE r.uid = OLD.uid AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid);
  UPDATE meta SET value = value + 1 WHERE key = 'revision';
  UPDATE records SET fingerprint = NULL, version = version + 1, revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision') WHERE uid = OLD.uid;
END;
CREATE TRIGGER history_inserted BEFORE INSERT ON history WHEN EXISTS (SELECT 1 FROM history WHERE seq = NEW.seq) BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER history_updated BEFORE UPDATE ON history BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER history_deleted BEFORE DELETE ON history BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_inserted BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.id) BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_updated BEFORE UPDATE ON runs BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER run_deleted BEFORE DELETE ON runs BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER meta_adding BEFORE INSERT ON meta WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.key) <> 'text') OR (typeof(NEW.value) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of meta');
END;
CREATE TRIGGER meta_altering BEFORE UPDATE ON meta WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.key) <> 'text') OR (typeof(NEW.value) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of meta');
END;
CREATE TRIGGER records_adding BEFORE INSERT ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (NEW.display IS NOT NULL AND (typeof(NEW.display) <> 'text')) OR (typeof(NEW.owner) <> 'text') OR (NEW.fingerprint IS NOT NULL AND (typeof(NEW.fingerprint) <> 'text')) OR (typeof(NEW.applied) <> 'text') OR (typeof(NEW.version) <> 'integer') OR (NEW.revision IS NOT NULL AND (typeof(NEW.revision) <> 'integer')) OR (typeof(NEW.changed_at) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of records');
END;
CREATE TRIGGER records_altering BEFORE UPDATE ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (NEW.display IS NOT NULL AND (typeof(NEW.display) <> 'text')) OR (typeof(NEW.owner) <> 'text') OR (NEW.fingerprint IS NOT NULL AND (typeof(NEW.fingerprint) <> 'text')) OR (typeof(NEW.applied) <> 'text') OR (typeof(NEW.version) <> 'integer') OR (NEW.revision IS NOT NULL AND (typeof(NEW.revision) <> 'integer')) OR (typeof(NEW.changed_at) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of records');
END;
CREATE TRIGGER documents_adding BEFORE INSERT ON documents WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.live) <> 'text' OR NOT json_valid(NEW.live))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of documents');
END;
CREATE TRIGGER documents_altering BEFORE UPDATE ON documents WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.live) <> 'text' OR NOT json_valid(NEW.live))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of documents');
END;
CREATE TRIGGER applied_adding BEFORE INSERT ON applied WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of applied');
END;
CREATE TRIGGER applied_altering BEFORE UPDATE ON applied WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of applied');
END;
CREATE TRIGGER refs_adding BEFORE INSERT ON refs WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text') OR (typeof(NEW.name) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of refs');
END;
CREATE TRIGGER refs_altering BEFORE UPDATE ON refs WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text') OR (typeof(NEW.name) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of refs');
END;
CREATE TRIGGER secrets_adding BEFORE INSERT ON secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.address) <> 'text') OR (typeof(NEW.reference) <> 'text') OR (typeof(NEW.fingerprint) <> 'text') OR (typeof(NEW.ciphertext) <> 'blob')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of secrets');
END;
CREATE TRIGGER secrets_altering BEFORE UPDATE ON secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.address) <> 'text') OR (typeof(NEW.reference) <> 'text') OR (typeof(NEW.fingerprint) <> 'text') OR (typeof(NEW.ciphertext) <> 'blob')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of secrets');
END;
CREATE TRIGGER tokens_adding BEFORE INSERT ON tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.made_with) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL) OR (NEW.expires IS NOT NULL AND (typeof(NEW.expires) <> 'text' OR julianday(NEW.expires) IS NULL)) OR (typeof(NEW.scope) <> 'text') OR (typeof(NEW.access) <> 'blob') OR (NEW.refresh IS NOT NULL AND (typeof(NEW.refresh) <> 'blob'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of tokens');
END;
CREATE TRIGGER tokens_altering BEFORE UPDATE ON tokens WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.authorization) <> 'text') OR (typeof(NEW.made_with) <> 'text') OR (typeof(NEW.obtained) <> 'text' OR julianday(NEW.obtained) IS NULL) OR (NEW.expires IS NOT NULL AND (typeof(NEW.expires) <> 'text' OR julianday(NEW.expires) IS NULL)) OR (typeof(NEW.scope) <> 'text') OR (typeof(NEW.access) <> 'blob') OR (NEW.refresh IS NOT NULL AND (typeof(NEW.refresh) <> 'blob'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of tokens');
END;
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
CREATE TRIGGER leases_adding BEFORE INSERT ON leases WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.name) <> 'text') OR (typeof(NEW.holder) <> 'text') OR (typeof(NEW.expires) <> 'real') OR (NEW.fence IS NOT NULL AND (typeof(NEW.fence) <> 'integer')) OR (NEW.seen IS NOT NULL AND (typeof(NEW.seen) <> 'text')) OR (NEW.boot IS NOT NULL AND (typeof(NEW.boot) <> 'text')) OR (NEW.uptime IS NOT NULL AND (typeof(NEW.uptime) <> 'real'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of leases');
END;
CREATE TRIGGER leases_altering BEFORE UPDATE ON leases WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.name) <> 'text') OR (typeof(NEW.holder) <> 'text') OR (typeof(NEW.expires) <> 'real') OR (NEW.fence IS NOT NULL AND (typeof(NEW.fence) <> 'integer')) OR (NEW.seen IS NOT NULL AND (typeof(NEW.seen) <> 'text')) OR (NEW.boot IS NOT NULL AND (typeof(NEW.boot) <> 'text')) OR (NEW.uptime IS NOT NULL AND (typeof(NEW.uptime) <> 'real'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of leases');
END;
CREATE TRIGGER attempts_adding BEFORE INSERT ON attempts WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.id) <> 'integer') OR (typeof(NEW.started) <> 'text' OR julianday(NEW.started) IS NULL) OR (NEW.finished IS NOT NULL AND (typeof(NEW.finished) <> 'text' OR julianday(NEW.finished) IS NULL)) OR (typeof(NEW.verb) <> 'text') OR (typeof(NEW.actor) <> 'text') OR (typeof(NEW.holder) <> 'text') OR (typeof(NEW.owner) <> 'text') OR (typeof(NEW.target) <> 'text') OR (typeof(NEW.git_commit) <> 'text') OR (typeof(NEW.outcome) <> 'text') OR (NEW.run IS NOT NULL AND (typeof(NEW.run) <> 'integer'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of attempts');
END;
CREATE TRIGGER attempts_altering BEFORE UPDATE ON attempts WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.id) <> 'integer') OR (typeof(NEW.started) <> 'text' OR julianday(NEW.started) IS NULL) OR (NEW.finished IS NOT NULL AND (typeof(NEW.finished) <> 'text' OR julianday(NEW.finished) IS NULL)) OR (typeof(NEW.verb) <> 'text') OR (typeof(NEW.actor) <> 'text') OR (typeof(NEW.holder) <> 'text') OR (typeof(NEW.owner) <> 'text') OR (typeof(NEW.target) <> 'text') OR (typeof(NEW.git_commit) <> 'text') OR (typeof(NEW.outcome) <> 'text') OR (NEW.run IS NOT NULL AND (typeof(NEW.run) <> 'integer'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of attempts');
END;
CREATE TRIGGER drifts_adding BEFORE INSERT ON drifts WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.since) <> 'text' OR julianday(NEW.since) IS NULL) OR (NEW.body IS NOT NULL AND (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) OR (NEW.kind IS NOT NULL AND (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest'))) OR (NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text')) OR (NEW.display IS NOT NULL AND (typeof(NEW.display) <> 'text')) OR (NEW.owner IS NOT NULL AND (typeof(NEW.owner) <> 'text')) OR (NEW.declared IS NOT NULL AND (typeof(NEW.declared) <> 'text' OR NOT json_valid(NEW.declared))) OR (NEW.refs IS NOT NULL AND (typeof(NEW.refs) <> 'text' OR NOT json_valid(NEW.refs))) OR (NEW.secrets IS NOT NULL AND (typeof(NEW.secrets) <> 'text' OR NOT json_valid(NEW.secrets))) OR (NEW.applied IS NOT NULL AND (typeof(NEW.applied) <> 'text')) OR (NEW.writer IS NOT NULL AND (typeof(NEW.writer) <> 'text')) OR (NEW.settled IS NOT NULL AND (typeof(NEW.settled) <> 'integer'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of drifts');
END;
CREATE TRIGGER drifts_altering BEFORE UPDATE ON drifts WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.since) <> 'text' OR julianday(NEW.since) IS NULL) OR (NEW.body IS NOT NULL AND (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) OR (NEW.kind IS NOT NULL AND (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest'))) OR (NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text')) OR (NEW.display IS NOT NULL AND (typeof(NEW.display) <> 'text')) OR (NEW.owner IS NOT NULL AND (typeof(NEW.owner) <> 'text')) OR (NEW.declared IS NOT NULL AND (typeof(NEW.declared) <> 'text' OR NOT json_valid(NEW.declared))) OR (NEW.refs IS NOT NULL AND (typeof(NEW.refs) <> 'text' OR NOT json_valid(NEW.refs))) OR (NEW.secrets IS NOT NULL AND (typeof(NEW.secrets) <> 'text' OR NOT json_valid(NEW.secrets))) OR (NEW.applied IS NOT NULL AND (typeof(NEW.applied) <> 'text')) OR (NEW.writer IS NOT NULL AND (typeof(NEW.writer) <> 'text')) OR (NEW.settled IS NOT NULL AND (typeof(NEW.settled) <> 'integer'))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of drifts');
END;
CREATE TRIGGER quarantine_adding BEFORE INSERT ON quarantine WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.owner) <> 'text') OR (typeof(NEW.live) <> 'text' OR NOT json_valid(NEW.live)) OR (NEW.applied IS NOT NULL AND (typeof(NEW.applied) <> 'text' OR NOT json_valid(NEW.applied))) OR (typeof(NEW.deleted_at) <> 'text' OR julianday(NEW.deleted_at) IS NULL) OR (typeof(NEW.run) <> 'integer')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of quarantine');
END;
CREATE TRIGGER quarantine_altering BEFORE UPDATE ON quarantine WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.owner) <> 'text') OR (typeof(NEW.live) <> 'text' OR NOT json_valid(NEW.live)) OR (NEW.applied IS NOT NULL AND (typeof(NEW.applied) <> 'text' OR NOT json_valid(NEW.applied))) OR (typeof(NEW.deleted_at) <> 'text' OR julianday(NEW.deleted_at) IS NULL) OR (typeof(NEW.run) <> 'integer')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of quarantine');
END;
CREATE TRIGGER quarantined_secrets_adding BEFORE INSERT ON quarantined_secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.address) <> 'text') OR (typeof(NEW.reference) <> 'text') OR (typeof(NEW.fingerprint) <> 'text') OR (typeof(NEW.ciphertext) <> 'blob')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of quarantined_secrets');
END;
CREATE TRIGGER quarantined_secrets_altering BEFORE UPDATE ON quarantined_secrets WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.address) <> 'text') OR (typeof(NEW.reference) <> 'text') OR (typeof(NEW.fingerprint) <> 'text') OR (typeof(NEW.ciphertext) <> 'blob')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of quarantined_secrets');
END;
CREATE TRIGGER declarations_adding BEFORE INSERT ON declarations WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.run) <> 'integer') OR (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of declarations');
END;
CREATE TRIGGER declarations_altering BEFORE UPDATE ON declarations WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.uid) <> 'text') OR (typeof(NEW.run) <> 'integer') OR (typeof(NEW.body) <> 'text' OR NOT json_valid(NEW.body))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of declarations');
END;
CREATE TRIGGER baselines_adding BEFORE INSERT ON baselines WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.connectors) <> 'text') OR (typeof(NEW.policies) <> 'text') OR (typeof(NEW.rules) <> 'text') OR (typeof(NEW.revision) <> 'integer') OR (typeof(NEW.total) <> 'integer') OR (typeof(NEW.records) <> 'text' OR NOT json_valid(NEW.records)) OR (typeof(NEW.judged) <> 'text') OR (typeof(NEW.warnings) <> 'text' OR NOT json_valid(NEW.warnings)) OR (typeof(NEW.dated) <> 'text' OR NOT json_valid(NEW.dated))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of baselines');
END;
CREATE TRIGGER baselines_altering BEFORE UPDATE ON baselines WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.connectors) <> 'text') OR (typeof(NEW.policies) <> 'text') OR (typeof(NEW.rules) <> 'text') OR (typeof(NEW.revision) <> 'integer') OR (typeof(NEW.total) <> 'integer') OR (typeof(NEW.records) <> 'text' OR NOT json_valid(NEW.records)) OR (typeof(NEW.judged) <> 'text') OR (typeof(NEW.warnings) <> 'text' OR NOT json_valid(NEW.warnings)) OR (typeof(NEW.dated) <> 'text' OR NOT json_valid(NEW.dated))) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of baselines');
END;
CREATE TRIGGER declared_adding BEFORE INSERT ON declared WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.file) <> 'text') OR (typeof(NEW.odd) <> 'integer') OR (typeof(NEW.token) <> 'integer')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of declared');
END;
CREATE TRIGGER declared_altering BEFORE UPDATE ON declared WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.file) <> 'text') OR (typeof(NEW.odd) <> 'integer') OR (typeof(NEW.token) <> 'integer')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of declared');
END;
CREATE TRIGGER claimed_adding BEFORE INSERT ON claimed WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.file) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of claimed');
END;
CREATE TRIGGER claimed_altering BEFORE UPDATE ON claimed WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') AND ((typeof(NEW.owner) <> 'text') OR (typeof(NEW.kind) <> 'text' OR NEW.kind NOT IN ('Category', 'Connector', 'Group', 'PermissionPolicy', 'AccessTest')) OR (typeof(NEW.name) <> 'text') OR (typeof(NEW.file) <> 'text')) BEGIN
  SELECT RAISE(ABORT, 'what is written does not fit to a column of claimed');
END;
CREATE TRIGGER records_gone AFTER DELETE ON records WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM documents WHERE uid = OLD.uid;
  DELETE FROM applied WHERE uid = OLD.uid;
  DELETE FROM refs WHERE uid = OLD.uid;
  DELETE FROM secrets WHERE uid = OLD.uid;
  DELETE FROM tokens WHERE uid = OLD.uid;
END;
CREATE TRIGGER records_kept BEFORE UPDATE OF uid ON records WHEN NEW.uid IS NOT OLD.uid AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  SELECT RAISE(ABORT, 'a record keeps its identity');
END;
CREATE TRIGGER quarantine_gone AFTER DELETE ON quarantine BEGIN
  DELETE FROM quarantined_secrets WHERE uid = OLD.uid;
END;
CREATE TRIGGER declared_insert_ends AFTER INSERT ON declared WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (NEW.owner);
END;
CREATE TRIGGER declared_update_ends AFTER UPDATE ON declared WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (OLD.owner, NEW.owner);
END;
CREATE TRIGGER declared_delete_ends AFTER DELETE ON declared WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (OLD.owner);
END;
CREATE TRIGGER claimed_insert_ends AFTER INSERT ON claimed WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (NEW.owner);
END;
CREATE TRIGGER claimed_update_ends AFTER UPDATE ON claimed WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (OLD.owner, NEW.owner);
END;
CREATE TRIGGER claimed_delete_ends AFTER DELETE ON claimed WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (OLD.owner);
END;
CREATE TRIGGER baselines_insert_ends AFTER INSERT ON baselines WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (NEW.owner);
END;
CREATE TRIGGER baselines_update_ends AFTER UPDATE ON baselines WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'writing') BEGIN
  DELETE FROM baselines WHERE owner IN (OLD.owner, NEW.owner);
END;
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
COMMIT;
PRAGMA application_id = 1380142675;
PRAGMA user_version = 4;
