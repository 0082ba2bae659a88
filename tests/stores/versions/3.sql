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
INSERT INTO "attempts" VALUES(1,'2026-11-29T09:27:10.017Z','2026-11-29T09:27:10.029Z','apply','ada','somewhere','local','local','','applied',1);
INSERT INTO "attempts" VALUES(2,'2026-11-29T09:27:10.083Z','2026-11-29T09:27:10.094Z','apply','ada','somewhere','local','local','','applied',2);
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
INSERT INTO "documents" VALUES('2b40f27558dc196fefdead9c6a8c72a6','{"spec":{"displayName":"Customer data"}}');
INSERT INTO "documents" VALUES('57c3ac7a25db2ec580e404d3192c2f61','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"All contacts.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}');
INSERT INTO "documents" VALUES('9bbb500420f90bd55bf5501160f32e8b','{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada"]}}}');
INSERT INTO "documents" VALUES('b5dd763804afae56401092b090fad651','{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}');
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
INSERT INTO "history" VALUES(1,1,'2b40f27558dc196fefdead9c6a8c72a6','Category','crm','create','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2',NULL,NULL,NULL,NULL,X'DA856153421F44A8BEC6083C26F246ED03A41260898A0C9AC8C3E0B7DB79C3F6');
INSERT INTO "history" VALUES(2,1,'57c3ac7a25db2ec580e404d3192c2f61','Connector','crm-contacts','create','eeca44200cb1a078cef395d22e66ae3703c5ea37dfa3854663cbbfc1fcd7d422',NULL,NULL,NULL,NULL,X'02AD0670D5282067846DA98A02302EEF06003BD04EA459F0575389B5B49970EE');
INSERT INTO "history" VALUES(3,1,'7c15681027b66b08324c67c17e490501','Connector','old','create','12854e79555a5dfcaeba1e31caea7dd3a4bf8030ac9c3012ea23a2ac39565854',NULL,NULL,NULL,NULL,X'2F39FD3DDB139B5186756038F845F83AB18A9EB0B2C8F4938F7835AC3C339CF0');
INSERT INTO "history" VALUES(4,1,'9bbb500420f90bd55bf5501160f32e8b','Group','integrators','create','883ace1579c37f5bff49ac304d41afeb41f0f0336a94144caa284302082e0036',NULL,NULL,NULL,NULL,X'6DCBDE1D5D56EB8C82871EEF06E96692663817A890A69CFFF21CDE48DE6D5E31');
INSERT INTO "history" VALUES(5,1,'b5dd763804afae56401092b090fad651','PermissionPolicy','integration-team','create','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b',NULL,NULL,NULL,NULL,X'1438889EDF63B8D5254B98C45C8770E3DC46D79F1BB73996964908785B1BE8D2');
INSERT INTO "history" VALUES(6,2,'57c3ac7a25db2ec580e404d3192c2f61','Connector','crm-contacts','update','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,NULL,NULL,X'E007EB4BEE4C379EB20D807B509E6C20CEEB8B934459D4817510C7FC2393454B');
INSERT INTO "history" VALUES(7,2,'9bbb500420f90bd55bf5501160f32e8b','Group','integrators','update','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6','{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada","grace"]}}}',NULL,NULL,NULL,X'615B9ABE8DF293724F96DA3F19E5AD231F19624B8988EFA25DDF7B2427795648');
INSERT INTO "history" VALUES(8,2,'b5dd763804afae56401092b090fad651','PermissionPolicy','integration-team','update','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b','{"spec":{"description":"by hand","grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}',NULL,'2026-11-29T09:27:10.048Z','{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}',X'BD1751097C54C8C2A17F24B721B11056BB7C323A8AB090B4D8487DB69A7CD3C3');
INSERT INTO "history" VALUES(9,2,'7c15681027b66b08324c67c17e490501','Connector','old','delete','','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,NULL,NULL,X'04862201E102744D9B5F5943D382AFADB41108B9A7D1F917C8FAEA107EA7F4CA');
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
INSERT INTO "meta" VALUES('store','614a335a0286aaad194f61133bca58d7');
INSERT INTO "meta" VALUES('revision','3');
INSERT INTO "meta" VALUES('key_check','ffb7603fff8f3abd758126f0f1fe4505e04e6060036eb7670fa1b62e530cf75d');
INSERT INTO "meta" VALUES('history_head','04862201e102744d9b5f5943d382afadb41108b9a7d1f917c8faea107ea7f4ca');
INSERT INTO "meta" VALUES('history_count','11');
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
INSERT INTO "quarantine" VALUES('7c15681027b66b08324c67c17e490501','Connector','old','local','{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}',NULL,'2026-11-29T09:27:10.094Z',2);
CREATE TABLE quarantined_secrets (
  uid TEXT NOT NULL REFERENCES quarantine (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
INSERT INTO "quarantined_secrets" VALUES('7c15681027b66b08324c67c17e490501','authorization.password','{"env":"CRM_PASSWORD"}','7666eb58278978be',X'D1975321256E48F09E96A23B6EFB805FB67AD9AAE8587622C723B955F2EFDE3F62E02EC56F6C277A93056A603F3DD3EF361BD3E8');
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
INSERT INTO "records" VALUES('2b40f27558dc196fefdead9c6a8c72a6','Category','crm','customer data','local','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2','19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2',1,1,'2026-11-29T09:27:10.029Z');
INSERT INTO "records" VALUES('57c3ac7a25db2ec580e404d3192c2f61','Connector','crm-contacts','sales team''s contacts','local','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a','351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a',2,3,'2026-11-29T09:27:10.094Z');
INSERT INTO "records" VALUES('9bbb500420f90bd55bf5501160f32e8b','Group','integrators','integration team','local','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6','08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6',2,3,'2026-11-29T09:27:10.094Z');
INSERT INTO "records" VALUES('b5dd763804afae56401092b090fad651','PermissionPolicy','integration-team',NULL,'local','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b','43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b',3,3,'2026-11-29T09:27:10.094Z');
CREATE TABLE refs (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (uid, kind, name)
) WITHOUT ROWID;
INSERT INTO "refs" VALUES('57c3ac7a25db2ec580e404d3192c2f61','Category','crm');
INSERT INTO "refs" VALUES('b5dd763804afae56401092b090fad651','Group','integrators');
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
INSERT INTO "runs" VALUES(1,'2026-11-29T09:27:09.990Z','2026-11-29T09:27:10.029Z','ada','local','local','',5,'apply','applied','50c461f847951981635285a618490da00533db76eb6ef407270dcc97b7978879',NULL,NULL,X'F6F099827C949381D24FF3365C9B7356F8B31FB46E64865C6F4BB4AB36D50E15');
INSERT INTO "runs" VALUES(2,'2026-11-29T09:27:10.080Z','2026-11-29T09:27:10.094Z','ada','local','local','',4,'apply','applied','761d548dd8874204fe6dc849f42ed3dd457963fad65218b36396981dc73f88d2',NULL,NULL,X'11A4B59E8201E7ADB9BC4D70F9DC1DC781FE1FBF25017315748C86237E21977C');
CREATE TABLE secrets (
  uid TEXT NOT NULL REFERENCES records (uid) ON DELETE CASCADE,
  address TEXT NOT NULL,
  reference TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (uid, address)
) WITHOUT ROWID;
INSERT INTO "secrets" VALUES('57c3ac7a25db2ec580e404d3192c2f61','authorization.password','{"env":"CRM_PASSWORD"}','7666eb58278978be',X'2A7BA11B2E91BF706379FD276BB0FB978C6AF882C7E70FB66CAE62066DC817723D1A08452193584F60EF8CEE22B0FA081463B959');
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
PRAGMA user_version = 3;
