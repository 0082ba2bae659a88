--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: reconciler; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA reconciler;


--
-- Name: append_only(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.append_only() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  RAISE EXCEPTION 'the history is append-only' USING ERRCODE = 'restrict_violation';
END
$$;


--
-- Name: end_all_baselines(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.end_all_baselines() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $_$
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
$_$;


--
-- Name: end_baselines(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.end_baselines() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN
    DELETE FROM baselines;
  ELSE
    DELETE FROM baselines WHERE owner IN (OLD.owner, NEW.owner);
  END IF;
  RETURN NULL;
END
$$;


--
-- Name: gone(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.gone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  IF TG_TABLE_NAME = 'quarantine' THEN
    DELETE FROM quarantined_secrets WHERE uid = OLD.uid;
  ELSE
    DELETE FROM documents WHERE uid = OLD.uid;
    DELETE FROM applied WHERE uid = OLD.uid;
    DELETE FROM refs WHERE uid = OLD.uid;
    DELETE FROM secrets WHERE uid = OLD.uid;
    DELETE FROM tokens WHERE uid = OLD.uid;
  END IF;
  RETURN NULL;
END
$$;


--
-- Name: guard(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.guard() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM writing WHERE xid = pg_current_xact_id_if_assigned()) THEN
    RAISE EXCEPTION 'reconciler.writing is set, and no apply is under way in this transaction'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;


--
-- Name: is_json(text); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.is_json(value text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  RETURN value IS NULL OR value::jsonb IS NOT NULL;
EXCEPTION WHEN others THEN
  RETURN false;
END
$$;


--
-- Name: pictured_of(text); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.pictured_of(of text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
  SELECT CASE WHEN d.secrets IS NOT NULL THEN (SELECT '[' || coalesce(string_agg('[' || (e.item -> 0)::text || ','
      || (e.item -> 1)::text || ',' || (e.item -> 2)::text || ',"' || encode(sha256(convert_to(coalesce(e.item ->> 3, ''), 'UTF8')), 'hex')
      || '"]', ',' ORDER BY e.place), '') || ']'
    FROM json_array_elements(d.secrets::json) WITH ORDINALITY e (item, place)) END
  FROM drifts d WHERE d.uid = of
$$;


--
-- Name: sealed_of(text); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.sealed_of(of text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
  SELECT (SELECT '[' || coalesce(string_agg('[' || to_json(s.address)::text || ',' || to_json(s.reference)::text
        || ',' || to_json(s.fingerprint)::text || ',"' || encode(sha256(convert_to(upper(encode(s.ciphertext, 'hex')), 'UTF8')), 'hex') || '"]', ',' ORDER BY s.address), '') || ']'
      FROM secrets s WHERE s.uid = of)
$$;


--
-- Name: watch_beside(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.watch_beside() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
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
    INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), session_user || coalesce(' as ' || nullif(nullif(current_setting('role'), 'none'), session_user), '')
      || coalesce(' (' || nullif(concat_ws(' ', nullif(current_setting('application_name'), ''),
        'at ' || host(inet_client_addr())), '') || ')', ''), (SELECT d.live FROM documents d WHERE d.uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT a.body FROM applied a WHERE a.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(f.kind)::text || ',' || to_json(f.name)::text || ']', ','
        ORDER BY f.kind, f.name), '') || ']' FROM refs f WHERE f.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(s.address)::text || ',' || to_json(s.reference)::text
        || ',' || to_json(s.fingerprint)::text || ',"' || upper(encode(s.ciphertext, 'hex')) || '"]', ',' ORDER BY s.address), '') || ']'
      FROM secrets s WHERE s.uid = r.uid), r.applied
    FROM records r WHERE r.uid = ANY (touched) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid)
    ON CONFLICT (uid) DO NOTHING;
    UPDATE records SET fingerprint = NULL, revision = NULL, version = version + 1 WHERE uid = ANY (touched);
  END IF;
  RETURN coalesce(NEW, OLD);
END
$$;


--
-- Name: watch_records(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.watch_records() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  touched text[] := ARRAY[OLD.uid];
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.fingerprint := NULL;
    NEW.revision := NULL;
    -- One that is in the way is updated instead, or nothing is inserted.
    IF NOT EXISTS (SELECT 1 FROM records r WHERE r.uid = NEW.uid
        OR (r.kind = NEW.kind AND (r.name = NEW.name OR r.display = NEW.display))) THEN
      INSERT INTO drifts (uid, since, writer) VALUES (NEW.uid, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), session_user || coalesce(' as ' || nullif(nullif(current_setting('role'), 'none'), session_user), '')
      || coalesce(' (' || nullif(concat_ws(' ', nullif(current_setting('application_name'), ''),
        'at ' || host(inet_client_addr())), '') || ')', '')) ON CONFLICT (uid) DO NOTHING;
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
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), session_user || coalesce(' as ' || nullif(nullif(current_setting('role'), 'none'), session_user), '')
      || coalesce(' (' || nullif(concat_ws(' ', nullif(current_setting('application_name'), ''),
        'at ' || host(inet_client_addr())), '') || ')', ''), (SELECT d.live FROM documents d WHERE d.uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT a.body FROM applied a WHERE a.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(f.kind)::text || ',' || to_json(f.name)::text || ']', ','
        ORDER BY f.kind, f.name), '') || ']' FROM refs f WHERE f.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(s.address)::text || ',' || to_json(s.reference)::text
        || ',' || to_json(s.fingerprint)::text || ',"' || upper(encode(s.ciphertext, 'hex')) || '"]', ',' ORDER BY s.address), '') || ']'
      FROM secrets s WHERE s.uid = r.uid), r.applied
    FROM records r WHERE r.uid = ANY (touched) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid)
    ON CONFLICT (uid) DO NOTHING;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  NEW.fingerprint := NULL;
  NEW.revision := NULL;
  NEW.version := OLD.version + 1;
  RETURN NEW;
END
$$;


--
-- Name: watch_truncate(); Type: FUNCTION; Schema: reconciler; Owner: -
--

CREATE FUNCTION reconciler.watch_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reconciler', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  touched text[];
BEGIN
  EXECUTE 'SELECT array_agg(DISTINCT t.uid) FROM ' || quote_ident(TG_TABLE_NAME) || ' t' INTO touched;
  INSERT INTO drifts (uid, since, writer, body, kind, name, display, owner, declared, refs, secrets, applied)
    SELECT r.uid, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), session_user || coalesce(' as ' || nullif(nullif(current_setting('role'), 'none'), session_user), '')
      || coalesce(' (' || nullif(concat_ws(' ', nullif(current_setting('application_name'), ''),
        'at ' || host(inet_client_addr())), '') || ')', ''), (SELECT d.live FROM documents d WHERE d.uid = r.uid), r.kind, r.name, r.display, r.owner,
      (SELECT a.body FROM applied a WHERE a.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(f.kind)::text || ',' || to_json(f.name)::text || ']', ','
        ORDER BY f.kind, f.name), '') || ']' FROM refs f WHERE f.uid = r.uid), (SELECT '[' || coalesce(string_agg('[' || to_json(s.address)::text || ',' || to_json(s.reference)::text
        || ',' || to_json(s.fingerprint)::text || ',"' || upper(encode(s.ciphertext, 'hex')) || '"]', ',' ORDER BY s.address), '') || ']'
      FROM secrets s WHERE s.uid = r.uid), r.applied
    FROM records r WHERE r.uid = ANY (touched) AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.uid = r.uid)
    ON CONFLICT (uid) DO NOTHING;
  IF TG_TABLE_NAME <> 'records' THEN
    UPDATE records SET fingerprint = NULL, revision = NULL, version = version + 1 WHERE uid = ANY (touched);
  END IF;
  RETURN NULL;
END
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: applied; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.applied (
    uid text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT applied_body_check CHECK (((body IS NULL) OR ((body)::jsonb IS NOT NULL)))
);


--
-- Name: attempts; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.attempts (
    id bigint NOT NULL,
    started text NOT NULL COLLATE pg_catalog."C",
    finished text COLLATE pg_catalog."C",
    verb text NOT NULL COLLATE pg_catalog."C",
    actor text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    git_commit text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    run bigint,
    CONSTRAINT attempts_finished_check CHECK ((finished ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text)),
    CONSTRAINT attempts_started_check CHECK ((started ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text))
);


--
-- Name: baselines; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.baselines (
    owner text NOT NULL COLLATE pg_catalog."C",
    connectors text NOT NULL COLLATE pg_catalog."C",
    policies text NOT NULL COLLATE pg_catalog."C",
    rules text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    total bigint NOT NULL,
    records text NOT NULL COLLATE pg_catalog."C",
    judged text NOT NULL COLLATE pg_catalog."C",
    warnings text NOT NULL COLLATE pg_catalog."C",
    dated text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT baselines_dated_check CHECK (((dated IS NULL) OR ((dated)::jsonb IS NOT NULL))),
    CONSTRAINT baselines_records_check CHECK (((records IS NULL) OR ((records)::jsonb IS NOT NULL))),
    CONSTRAINT baselines_warnings_check CHECK (((warnings IS NULL) OR ((warnings)::jsonb IS NOT NULL)))
);


--
-- Name: documents; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.documents (
    uid text NOT NULL COLLATE pg_catalog."C",
    live text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT documents_live_check CHECK (((live IS NULL) OR ((live)::jsonb IS NOT NULL)))
);


--
-- Name: records; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.records (
    uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    display text COLLATE pg_catalog."C",
    owner text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    fingerprint text COLLATE pg_catalog."C",
    applied text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    version bigint DEFAULT 1 NOT NULL,
    revision bigint,
    changed_at text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT records_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text])))
);


--
-- Name: categories; Type: VIEW; Schema: reconciler; Owner: -
--

CREATE VIEW reconciler.categories WITH (security_barrier='true') AS
 SELECT r.name,
    (b.spec ->> 'displayName'::text) AS display_name,
    COALESCE((b.spec ->> 'description'::text), ''::text) AS description,
    COALESCE((b.spec ->> 'status'::text), 'active'::text) AS status
   FROM ((reconciler.records r
     JOIN reconciler.documents d USING (uid))
     CROSS JOIN LATERAL ( SELECT ((d.live)::jsonb -> 'spec'::text) AS spec
         OFFSET 0) b)
  WHERE (r.kind = 'Category'::text);


--
-- Name: claimed; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.claimed (
    owner text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    file text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT claimed_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text])))
);


--
-- Name: connectors; Type: VIEW; Schema: reconciler; Owner: -
--

CREATE VIEW reconciler.connectors WITH (security_barrier='true') AS
 SELECT r.name,
    (b.spec ->> 'displayName'::text) AS display_name,
    COALESCE((b.spec ->> 'description'::text), ''::text) AS description,
    (b.spec -> 'categories'::text) AS categories,
    COALESCE((b.spec #>> '{authorization,method}'::text[]), 'none'::text) AS authorization_method,
    (COALESCE((b.spec #>> '{tls,verify}'::text[]), 'true'::text) = 'true'::text) AS tls_verify,
    COALESCE((b.spec ->> 'status'::text), 'active'::text) AS status
   FROM ((reconciler.records r
     JOIN reconciler.documents d USING (uid))
     CROSS JOIN LATERAL ( SELECT ((d.live)::jsonb -> 'spec'::text) AS spec
         OFFSET 0) b)
  WHERE (r.kind = 'Connector'::text);


--
-- Name: declarations; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.declarations (
    uid text NOT NULL COLLATE pg_catalog."C",
    run bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT declarations_body_check CHECK (((body IS NULL) OR ((body)::jsonb IS NOT NULL)))
);


--
-- Name: declared; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.declared (
    owner text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    file text NOT NULL COLLATE pg_catalog."C",
    odd boolean NOT NULL,
    token bigint NOT NULL,
    CONSTRAINT declared_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text])))
);


--
-- Name: drifts; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.drifts (
    uid text NOT NULL COLLATE pg_catalog."C",
    since text NOT NULL COLLATE pg_catalog."C",
    writer text COLLATE pg_catalog."C",
    body text COLLATE pg_catalog."C",
    kind text COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    display text COLLATE pg_catalog."C",
    owner text COLLATE pg_catalog."C",
    declared text COLLATE pg_catalog."C",
    refs text COLLATE pg_catalog."C",
    secrets text COLLATE pg_catalog."C",
    applied text COLLATE pg_catalog."C",
    settled bigint,
    CONSTRAINT drifts_body_check CHECK (((body IS NULL) OR ((body)::jsonb IS NOT NULL))),
    CONSTRAINT drifts_declared_check CHECK (((declared IS NULL) OR ((declared)::jsonb IS NOT NULL))),
    CONSTRAINT drifts_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text]))),
    CONSTRAINT drifts_refs_check CHECK (((refs IS NULL) OR ((refs)::jsonb IS NOT NULL))),
    CONSTRAINT drifts_secrets_check CHECK (((secrets IS NULL) OR ((secrets)::jsonb IS NOT NULL)))
);


--
-- Name: effective_grants; Type: VIEW; Schema: reconciler; Owner: -
--

CREATE VIEW reconciler.effective_grants WITH (security_barrier='true') AS
 WITH RECURSIVE bodies AS MATERIALIZED (
         SELECT r.kind,
            r.name,
            ((d.live)::jsonb -> 'spec'::text) AS spec
           FROM (reconciler.records r
             JOIN reconciler.documents d USING (uid))
          WHERE (r.kind = ANY (ARRAY['Group'::text, 'PermissionPolicy'::text]))
        ), teams AS MATERIALIZED (
         SELECT m.name,
            m.users,
            m.teams
           FROM ( SELECT bodies.name,
                    bodies.spec,
                    COALESCE((bodies.spec #> '{members,users}'::text[]), '[]'::jsonb) AS users,
                    COALESCE((bodies.spec #> '{members,groups}'::text[]), '[]'::jsonb) AS teams
                   FROM bodies
                  WHERE (bodies.kind = 'Group'::text)) m
          WHERE ((jsonb_typeof(m.spec) = 'object'::text) AND (COALESCE(jsonb_typeof((m.spec -> 'members'::text)), 'object'::text) = 'object'::text) AND ((jsonb_typeof(m.users) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof(m.users)
                            WHEN 'array'::text THEN m.users
                            ELSE '[]'::jsonb
                        END) t(item)
                  WHERE (jsonb_typeof(t.item) <> 'string'::text))))) AND ((jsonb_typeof(m.teams) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof(m.teams)
                            WHEN 'array'::text THEN m.teams
                            ELSE '[]'::jsonb
                        END) t(item)
                  WHERE (jsonb_typeof(t.item) <> 'string'::text))))))
        ), policies AS MATERIALIZED (
         SELECT bodies.name,
            bodies.spec
           FROM bodies
          WHERE ((bodies.kind = 'PermissionPolicy'::text) AND (jsonb_typeof((bodies.spec -> 'subjects'::text)) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof((bodies.spec -> 'subjects'::text))
                            WHEN 'array'::text THEN (bodies.spec -> 'subjects'::text)
                            ELSE '[]'::jsonb
                        END) s(item)
                  WHERE
                        CASE jsonb_typeof(s.item)
                            WHEN 'object'::text THEN ((COALESCE(jsonb_typeof((s.item -> 'user'::text)), 'string'::text) <> 'string'::text) OR (COALESCE(jsonb_typeof((s.item -> 'group'::text)), 'string'::text) <> 'string'::text))
                            WHEN 'array'::text THEN ((s.item @> '["user"]'::jsonb) OR (s.item @> '["group"]'::jsonb))
                            WHEN 'string'::text THEN ((strpos((s.item #>> '{}'::text[]), 'user'::text) + strpos((s.item #>> '{}'::text[]), 'group'::text)) > 0)
                            ELSE true
                        END))))
        ), subjects AS (
         SELECT p.name AS policy,
            (s.item ->> 'user'::text) AS user_name,
            (s.item ->> 'group'::text) AS team
           FROM (policies p
             CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof((p.spec -> 'subjects'::text))
                    WHEN 'array'::text THEN (p.spec -> 'subjects'::text)
                    ELSE '[]'::jsonb
                END) s(item))
        ), above AS MATERIALIZED (
         SELECT m.team,
            t.name AS parent
           FROM (teams t
             CROSS JOIN LATERAL jsonb_array_elements_text(t.teams) m(team))
        ), within AS (
         SELECT teams.name AS team,
            teams.name AS up
           FROM teams
        UNION
         SELECT w.team,
            a.parent
           FROM (within w
             JOIN above a ON ((a.team = w.up)))
        ), reached AS (
         SELECT subjects.policy,
            subjects.user_name,
            ''::text AS team
           FROM subjects
          WHERE (subjects.user_name IS NOT NULL)
        UNION
         SELECT s.policy,
            u.user_name,
            s.team
           FROM (((subjects s
             JOIN within w ON ((w.up = s.team)))
             JOIN teams t ON ((t.name = w.team)))
             CROSS JOIN LATERAL jsonb_array_elements_text(t.users) u(user_name))
        ), grants AS MATERIALIZED (
         SELECT p.name AS policy,
            g.item
           FROM (policies p
             CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof((p.spec -> 'grants'::text))
                    WHEN 'array'::text THEN (p.spec -> 'grants'::text)
                    ELSE '[]'::jsonb
                END) g(item))
          WHERE (
                CASE jsonb_typeof(g.item)
                    WHEN 'object'::text THEN ((g.item - ARRAY['permissions'::text, 'on'::text, 'expires'::text]) = '{}'::jsonb)
                    ELSE false
                END AND ((jsonb_typeof((g.item -> 'permissions'::text)) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof((g.item -> 'permissions'::text))
                            WHEN 'array'::text THEN (g.item -> 'permissions'::text)
                            ELSE '[]'::jsonb
                        END) t(item)
                  WHERE (jsonb_typeof(t.item) <> 'string'::text))))) AND (((g.item -> 'on'::text) IS NULL) OR (((g.item -> 'on'::text) <> '{}'::jsonb) AND
                CASE jsonb_typeof((g.item -> 'on'::text))
                    WHEN 'object'::text THEN (((g.item -> 'on'::text) - ARRAY['connectors'::text, 'categories'::text, 'labels'::text]) = '{}'::jsonb)
                    ELSE false
                END AND (((g.item #> '{on,connectors}'::text[]) IS NULL) OR ((jsonb_typeof((g.item #> '{on,connectors}'::text[])) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof((g.item #> '{on,connectors}'::text[]))
                            WHEN 'array'::text THEN (g.item #> '{on,connectors}'::text[])
                            ELSE '[]'::jsonb
                        END) t(item)
                  WHERE (jsonb_typeof(t.item) <> 'string'::text)))))) AND (((g.item #> '{on,categories}'::text[]) IS NULL) OR ((jsonb_typeof((g.item #> '{on,categories}'::text[])) = 'array'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM jsonb_array_elements(
                        CASE jsonb_typeof((g.item #> '{on,categories}'::text[]))
                            WHEN 'array'::text THEN (g.item #> '{on,categories}'::text[])
                            ELSE '[]'::jsonb
                        END) t(item)
                  WHERE (jsonb_typeof(t.item) <> 'string'::text)))))) AND (COALESCE(jsonb_typeof((g.item #> '{on,labels}'::text[])), 'object'::text) = 'object'::text))) AND (((g.item -> 'expires'::text) IS NULL) OR
                CASE
                    WHEN ((g.item ->> 'expires'::text) ~ '^(([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29|[0-9]{4}-(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6}|)(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$'::text) THEN (((g.item ->> 'expires'::text))::timestamp with time zone > statement_timestamp())
                    ELSE false
                END))
        )
 SELECT r.user_name,
    n.permission,
    (g.item #> '{on,connectors}'::text[]) AS connectors,
    (g.item #> '{on,categories}'::text[]) AS categories,
    (g.item #> '{on,labels}'::text[]) AS labels,
    r.policy,
    r.team AS group_name,
    (g.item ->> 'expires'::text) AS expires
   FROM ((reached r
     JOIN grants g USING (policy))
     CROSS JOIN LATERAL jsonb_array_elements_text((g.item -> 'permissions'::text)) n(permission))
UNION ALL
 SELECT r.user_name,
    n.permission,
    NULL::jsonb AS connectors,
    NULL::jsonb AS categories,
    NULL::jsonb AS labels,
    r.policy,
    r.team AS group_name,
    NULL::text AS expires
   FROM ((reached r
     JOIN policies p ON (((p.name = r.policy) AND ((p.spec -> 'superAdmin'::text) = 'true'::jsonb))))
     CROSS JOIN ( VALUES ('connectors:view'::text), ('connectors:create'::text), ('connectors:edit'::text), ('connectors:delete'::text), ('categories:view'::text), ('categories:create'::text), ('categories:edit'::text), ('categories:delete'::text), ('groups:view'::text), ('groups:create'::text), ('groups:edit'::text), ('groups:delete'::text), ('policies:view'::text), ('policies:create'::text), ('policies:edit'::text), ('policies:delete'::text), ('connectors:call'::text)) n(permission));


--
-- Name: endpoints; Type: VIEW; Schema: reconciler; Owner: -
--

CREATE VIEW reconciler.endpoints WITH (security_barrier='true') AS
 SELECT r.name AS connector,
    e.key AS purpose,
    (e.value ->> 'method'::text) AS method,
    (e.value ->> 'url'::text) AS url,
    COALESCE((e.value ->> 'authorization'::text), ''::text) AS "authorization",
    COALESCE((e.value -> 'params'::text), '[]'::jsonb) AS params,
    COALESCE((e.value -> 'headers'::text), '[]'::jsonb) AS headers,
    COALESCE((e.value ->> 'body'::text), ''::text) AS body,
    COALESCE((e.value ->> 'bodyType'::text), 'json'::text) AS body_type,
        CASE
            WHEN ((e.value ->> 'timeoutSeconds'::text) IS NULL) THEN (30)::bigint
            ELSE ("substring"((e.value ->> 'timeoutSeconds'::text), '^[0-9]{1,18}$'::text))::bigint
        END AS timeout_seconds,
        CASE
            WHEN (((e.value -> 'retry'::text) ->> 'attempts'::text) IS NULL) THEN (0)::bigint
            ELSE ("substring"(((e.value -> 'retry'::text) ->> 'attempts'::text), '^[0-9]{1,18}$'::text))::bigint
        END AS retry_attempts,
        CASE
            WHEN (((e.value -> 'retry'::text) ->> 'waitSeconds'::text) IS NULL) THEN (5)::bigint
            ELSE ("substring"(((e.value -> 'retry'::text) ->> 'waitSeconds'::text), '^[0-9]{1,18}$'::text))::bigint
        END AS retry_wait_seconds
   FROM (((reconciler.records r
     JOIN reconciler.documents d USING (uid))
     CROSS JOIN LATERAL ( SELECT ((d.live)::jsonb -> 'spec'::text) AS spec
         OFFSET 0) b)
     CROSS JOIN LATERAL jsonb_each(
        CASE jsonb_typeof((b.spec -> 'endpoints'::text))
            WHEN 'object'::text THEN (b.spec -> 'endpoints'::text)
            ELSE '{}'::jsonb
        END) e(key, value))
  WHERE (r.kind = 'Connector'::text);


--
-- Name: held_tokens; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.held_tokens (
    uid text NOT NULL COLLATE pg_catalog."C",
    "authorization" text NOT NULL COLLATE pg_catalog."C",
    obtained text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT held_tokens_obtained_check CHECK ((obtained ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text))
);


--
-- Name: history; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.history (
    seq bigint NOT NULL,
    run bigint NOT NULL,
    uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    before text COLLATE pg_catalog."C",
    was text COLLATE pg_catalog."C",
    drifted_at text COLLATE pg_catalog."C",
    drifted_from text COLLATE pg_catalog."C",
    hash bytea
);


--
-- Name: journal; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.journal (
    owner text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    change bigint NOT NULL,
    verb text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    sent text NOT NULL COLLATE pg_catalog."C",
    status bigint,
    made text COLLATE pg_catalog."C",
    CONSTRAINT journal_sent_check CHECK ((sent ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text))
);


--
-- Name: leases; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.leases (
    name text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL COLLATE pg_catalog."C",
    expires double precision NOT NULL,
    fence bigint,
    seen text COLLATE pg_catalog."C",
    boot text COLLATE pg_catalog."C",
    uptime double precision
);


--
-- Name: meta; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.meta (
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: notes; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.notes (
    uid text NOT NULL COLLATE pg_catalog."C",
    note text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: quarantine; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.quarantine (
    uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    live text NOT NULL COLLATE pg_catalog."C",
    applied text COLLATE pg_catalog."C",
    deleted_at text NOT NULL COLLATE pg_catalog."C",
    run bigint NOT NULL,
    CONSTRAINT quarantine_applied_check CHECK (((applied IS NULL) OR ((applied)::jsonb IS NOT NULL))),
    CONSTRAINT quarantine_deleted_at_check CHECK ((deleted_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text)),
    CONSTRAINT quarantine_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text]))),
    CONSTRAINT quarantine_live_check CHECK (((live IS NULL) OR ((live)::jsonb IS NOT NULL)))
);


--
-- Name: quarantined_secrets; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.quarantined_secrets (
    uid text NOT NULL COLLATE pg_catalog."C",
    address text NOT NULL COLLATE pg_catalog."C",
    reference text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    ciphertext bytea NOT NULL
);


--
-- Name: refs; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.refs (
    uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT refs_kind_check CHECK ((kind = ANY (ARRAY['Category'::text, 'Connector'::text, 'Group'::text, 'PermissionPolicy'::text, 'AccessTest'::text])))
);


--
-- Name: runs; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.runs (
    id bigint NOT NULL,
    started text NOT NULL COLLATE pg_catalog."C",
    finished text NOT NULL COLLATE pg_catalog."C",
    actor text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    target text NOT NULL COLLATE pg_catalog."C",
    git_commit text NOT NULL COLLATE pg_catalog."C",
    changes bigint NOT NULL,
    verb text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    plan text COLLATE pg_catalog."C",
    overrides text COLLATE pg_catalog."C",
    approvals text COLLATE pg_catalog."C",
    hash bytea
);


--
-- Name: secrets; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.secrets (
    uid text NOT NULL COLLATE pg_catalog."C",
    address text NOT NULL COLLATE pg_catalog."C",
    reference text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    ciphertext bytea NOT NULL
);


--
-- Name: tokens; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.tokens (
    uid text NOT NULL COLLATE pg_catalog."C",
    "authorization" text NOT NULL COLLATE pg_catalog."C",
    made_with text NOT NULL COLLATE pg_catalog."C",
    obtained text NOT NULL COLLATE pg_catalog."C",
    expires text COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    access bytea NOT NULL,
    refresh bytea,
    renewable boolean GENERATED ALWAYS AS ((refresh IS NOT NULL)) STORED NOT NULL,
    CONSTRAINT tokens_expires_check CHECK ((expires ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text)),
    CONSTRAINT tokens_obtained_check CHECK ((obtained ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+|)(Z|[+-][0-9]{2}:[0-9]{2})$'::text))
);


--
-- Name: unfinished; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.unfinished (
    owner text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    run text NOT NULL COLLATE pg_catalog."C",
    change text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT unfinished_change_check CHECK (((change IS NULL) OR ((change)::jsonb IS NOT NULL))),
    CONSTRAINT unfinished_run_check CHECK (((run IS NULL) OR ((run)::jsonb IS NOT NULL)))
);


--
-- Name: writing; Type: TABLE; Schema: reconciler; Owner: -
--

CREATE TABLE reconciler.writing (
    xid xid8 NOT NULL
);


--
-- Data for Name: applied; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: attempts; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.attempts VALUES (1, '2026-11-29T12:39:14.969Z', '2026-11-29T12:39:15.028Z', 'apply', 'ada', 'somewhere', 'local', 'local', '', 'applied', 1);
INSERT INTO reconciler.attempts VALUES (2, '2026-11-29T12:39:15.224Z', '2026-11-29T12:39:15.224Z', 'apply', 'ada', 'somewhere', 'local', 'local', '', 'applied', 2);


--
-- Data for Name: baselines; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: claimed; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: declarations; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: declared; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: documents; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.documents VALUES ('3de813907cd82de1671f837edde6058d', '{"spec":{"displayName":"Customer data"}}');
INSERT INTO reconciler.documents VALUES ('45ec5e487c831ff4ab5c74265748696c', '{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"All contacts.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}');
INSERT INTO reconciler.documents VALUES ('6ac61c6127f0034bfa68a8083961120e', '{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada"]}}}');
INSERT INTO reconciler.documents VALUES ('f61a97871e1f44ab11b8417b17dfc7e2', '{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}');


--
-- Data for Name: drifts; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: held_tokens; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: history; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.history VALUES (1, 1, '3de813907cd82de1671f837edde6058d', 'Category', 'crm', 'create', '19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2', NULL, NULL, NULL, NULL, '\x5aa03b774cf54342f57350f0573b0bf1ebe64f3e8453cc3cd0b96e28ce8c36ab');
INSERT INTO reconciler.history VALUES (2, 1, '45ec5e487c831ff4ab5c74265748696c', 'Connector', 'crm-contacts', 'create', 'eeca44200cb1a078cef395d22e66ae3703c5ea37dfa3854663cbbfc1fcd7d422', NULL, NULL, NULL, NULL, '\x8d8bfd1c9dac6baab6c7a4e70fe617bc835a5a38cee15c4087e8ce7eaba5c3bc');
INSERT INTO reconciler.history VALUES (3, 1, '5351bb9c4849f618e2f219e7623f92ef', 'Connector', 'old', 'create', '12854e79555a5dfcaeba1e31caea7dd3a4bf8030ac9c3012ea23a2ac39565854', NULL, NULL, NULL, NULL, '\x21dbb76e5c74cfa662003e4e6e3ec5e40b99c7d0888129fcafe0fb3a9b7c7e7c');
INSERT INTO reconciler.history VALUES (4, 1, '6ac61c6127f0034bfa68a8083961120e', 'Group', 'integrators', 'create', '883ace1579c37f5bff49ac304d41afeb41f0f0336a94144caa284302082e0036', NULL, NULL, NULL, NULL, '\x238d61006a456d25681597cdd27f628293ebedbc29de7b2b5f632e79132aa062');
INSERT INTO reconciler.history VALUES (5, 1, 'f61a97871e1f44ab11b8417b17dfc7e2', 'PermissionPolicy', 'integration-team', 'create', '43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b', NULL, NULL, NULL, NULL, '\x430691b07cc17b5b6c57d2fb172ea5395f504d0ef1c3c0fc80dff9983931c92a');
INSERT INTO reconciler.history VALUES (6, 2, '45ec5e487c831ff4ab5c74265748696c', 'Connector', 'crm-contacts', 'update', '351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a', '{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Sales team''s contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}', NULL, NULL, NULL, '\x0e38368b53cf228b6550a80c0d513eae58b84f8ddd6731c14f0ec749c8924237');
INSERT INTO reconciler.history VALUES (7, 2, '6ac61c6127f0034bfa68a8083961120e', 'Group', 'integrators', 'update', '08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6', '{"spec":{"displayName":"Integration team","members":{"mode":"authoritative","users":["ada","grace"]}}}', NULL, NULL, NULL, '\x71de7fd2d6854ecb43d84b4d4f616e76c00bd5c9d85a29e386948f9eb601819f');
INSERT INTO reconciler.history VALUES (8, 2, 'f61a97871e1f44ab11b8417b17dfc7e2', 'PermissionPolicy', 'integration-team', 'update', '43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b', '{"spec":{"description":"by hand","grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}', NULL, '2026-11-29T12:39:15.082Z', '{"spec":{"grants":[{"permissions":["connectors:edit","connectors:view"]}],"subjects":[{"group":"integrators"}]}}', '\xe91c0272716716853f8db507c76f16d5ecb6b20b2a01b49a19f8c865328079ea');
INSERT INTO reconciler.history VALUES (9, 2, '5351bb9c4849f618e2f219e7623f92ef', 'Connector', 'old', 'delete', '', '{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}', NULL, NULL, NULL, '\x141dc0c077186e41744476c9ecec65be3b5c96f20649ec4affc8b8ac412021d1');


--
-- Data for Name: journal; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: leases; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: meta; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.meta VALUES ('store', 'cdeccd4b5dc9a1dbcb9f2e9db0698650');
INSERT INTO reconciler.meta VALUES ('version', '4');
INSERT INTO reconciler.meta VALUES ('key_check', 'ffb7603fff8f3abd758126f0f1fe4505e04e6060036eb7670fa1b62e530cf75d');
INSERT INTO reconciler.meta VALUES ('revision', '2');
INSERT INTO reconciler.meta VALUES ('history_head', '141dc0c077186e41744476c9ecec65be3b5c96f20649ec4affc8b8ac412021d1');
INSERT INTO reconciler.meta VALUES ('history_count', '11');


--
-- Data for Name: notes; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: quarantine; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.quarantine VALUES ('5351bb9c4849f618e2f219e7623f92ef', 'Connector', 'old', 'local', '{"metadata":{"labels":{"team":"sales"}},"spec":{"authorization":{"method":"basic","password":{"env":"CRM_PASSWORD"},"username":"svc"},"categories":["crm"],"description":"Contacts of the CRM.","displayName":"Old contacts","endpoints":{"list":{"method":"GET","params":[{"name":"page","value":"1"}],"url":"https://crm.example.com/contacts/{{account}}"}}}}', NULL, '2026-11-29T12:39:15.224Z', 2);


--
-- Data for Name: quarantined_secrets; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.quarantined_secrets VALUES ('5351bb9c4849f618e2f219e7623f92ef', 'authorization.password', '{"env":"CRM_PASSWORD"}', '7666eb58278978be', '\x827112bf0c8872eea143854245e26e29cb47d46c5602f8d92b3ad04c20909ae476bf0d637a02e0ed63ebf537ff932895202856c6');


--
-- Data for Name: records; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.records VALUES ('3de813907cd82de1671f837edde6058d', 'Category', 'crm', 'customer data', 'local', '19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2', '19f24e96b97e85de8dd8589aca7bfe5b77a133187229daf37ccff18dccea8cc2', 1, 1, '2026-11-29T12:39:15.028Z');
INSERT INTO reconciler.records VALUES ('45ec5e487c831ff4ab5c74265748696c', 'Connector', 'crm-contacts', 'sales team''s contacts', 'local', '351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a', '351167121a01d1fb422ed1670ebc900f427dbce6ab55a764841cbb0121ed9d0a', 2, 2, '2026-11-29T12:39:15.224Z');
INSERT INTO reconciler.records VALUES ('6ac61c6127f0034bfa68a8083961120e', 'Group', 'integrators', 'integration team', 'local', '08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6', '08ce4963ea897f893966bf24caec024cf11229369198d4a740f5a7d0075d29c6', 2, 2, '2026-11-29T12:39:15.224Z');
INSERT INTO reconciler.records VALUES ('f61a97871e1f44ab11b8417b17dfc7e2', 'PermissionPolicy', 'integration-team', NULL, 'local', '43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b', '43b71fec8a28c595ce77c546caee8a6ba3c19c2f998c026be92bd06feecf284b', 3, 2, '2026-11-29T12:39:15.224Z');


--
-- Data for Name: refs; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.refs VALUES ('45ec5e487c831ff4ab5c74265748696c', 'Category', 'crm');
INSERT INTO reconciler.refs VALUES ('f61a97871e1f44ab11b8417b17dfc7e2', 'Group', 'integrators');


--
-- Data for Name: runs; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.runs VALUES (1, '2026-11-29T12:39:14.907Z', '2026-11-29T12:39:15.028Z', 'ada', 'local', 'local', '', 5, 'apply', 'applied', '50c461f847951981635285a618490da00533db76eb6ef407270dcc97b7978879', NULL, NULL, '\xb335024c0e77cca675fd70e8924a54b9b67d30249f5fa5612fd21ff3710748d0');
INSERT INTO reconciler.runs VALUES (2, '2026-11-29T12:39:15.216Z', '2026-11-29T12:39:15.224Z', 'ada', 'local', 'local', '', 4, 'apply', 'applied', 'e6abaacde8bb88c793665d2dad844f6935e389cc875b1f501f0588088508102b', NULL, NULL, '\xdd65783530c952ab79efca3a1e00640e4d6e18b794fffbbb6699fe9fee93784b');


--
-- Data for Name: secrets; Type: TABLE DATA; Schema: reconciler; Owner: -
--

INSERT INTO reconciler.secrets VALUES ('45ec5e487c831ff4ab5c74265748696c', 'authorization.password', '{"env":"CRM_PASSWORD"}', '7666eb58278978be', '\x1ff3738e2eddc1018ed20b9234427e2002e4523f65a659dc64a6758ed0881266bb998b3965e2c866114e449ce19dd68c63c67c04');


--
-- Data for Name: tokens; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: unfinished; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Data for Name: writing; Type: TABLE DATA; Schema: reconciler; Owner: -
--



--
-- Name: applied applied_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.applied
    ADD CONSTRAINT applied_pkey PRIMARY KEY (uid);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (id);


--
-- Name: baselines baselines_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.baselines
    ADD CONSTRAINT baselines_pkey PRIMARY KEY (owner);


--
-- Name: claimed claimed_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.claimed
    ADD CONSTRAINT claimed_pkey PRIMARY KEY (owner, kind, name, file);


--
-- Name: declarations declarations_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.declarations
    ADD CONSTRAINT declarations_pkey PRIMARY KEY (uid, run);


--
-- Name: declared declared_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.declared
    ADD CONSTRAINT declared_pkey PRIMARY KEY (owner, kind, name);


--
-- Name: documents documents_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (uid);


--
-- Name: drifts drifts_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.drifts
    ADD CONSTRAINT drifts_pkey PRIMARY KEY (uid);


--
-- Name: held_tokens held_tokens_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.held_tokens
    ADD CONSTRAINT held_tokens_pkey PRIMARY KEY (uid, "authorization");


--
-- Name: history history_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (seq);


--
-- Name: journal journal_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (owner, number);


--
-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);


--
-- Name: meta meta_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);


--
-- Name: notes notes_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (uid);


--
-- Name: quarantine quarantine_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (uid);


--
-- Name: quarantined_secrets quarantined_secrets_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.quarantined_secrets
    ADD CONSTRAINT quarantined_secrets_pkey PRIMARY KEY (uid, address);


--
-- Name: records records_kind_display_key; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.records
    ADD CONSTRAINT records_kind_display_key UNIQUE (kind, display);


--
-- Name: records records_kind_name_key; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.records
    ADD CONSTRAINT records_kind_name_key UNIQUE (kind, name);


--
-- Name: records records_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.records
    ADD CONSTRAINT records_pkey PRIMARY KEY (uid);


--
-- Name: refs refs_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.refs
    ADD CONSTRAINT refs_pkey PRIMARY KEY (uid, kind, name);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: secrets secrets_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (uid, address);


--
-- Name: tokens tokens_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (uid, "authorization");


--
-- Name: unfinished unfinished_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.unfinished
    ADD CONSTRAINT unfinished_pkey PRIMARY KEY (owner, number);


--
-- Name: writing writing_pkey; Type: CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.writing
    ADD CONSTRAINT writing_pkey PRIMARY KEY (xid);


--
-- Name: attempts_running; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX attempts_running ON reconciler.attempts USING btree (id) WHERE (outcome = 'running'::text);


--
-- Name: claimed_by_file; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX claimed_by_file ON reconciler.claimed USING btree (owner, file);


--
-- Name: declared_by_file; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX declared_by_file ON reconciler.declared USING btree (owner, file);


--
-- Name: declared_odd; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX declared_odd ON reconciler.declared USING btree (owner, file) WHERE odd;


--
-- Name: declared_with_token; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX declared_with_token ON reconciler.declared USING btree (owner) WHERE (token > 0);


--
-- Name: history_by_record; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX history_by_record ON reconciler.history USING btree (uid, seq);


--
-- Name: quarantine_by_name; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX quarantine_by_name ON reconciler.quarantine USING btree (kind, name);


--
-- Name: records_by_revision; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX records_by_revision ON reconciler.records USING btree (revision, owner, kind);


--
-- Name: refs_by_target; Type: INDEX; Schema: reconciler; Owner: -
--

CREATE INDEX refs_by_target ON reconciler.refs USING btree (kind, name);


--
-- Name: history append_only; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON reconciler.history FOR EACH STATEMENT EXECUTE FUNCTION reconciler.append_only();

ALTER TABLE reconciler.history ENABLE ALWAYS TRIGGER append_only;


--
-- Name: runs append_only; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON reconciler.runs FOR EACH STATEMENT EXECUTE FUNCTION reconciler.append_only();

ALTER TABLE reconciler.runs ENABLE ALWAYS TRIGGER append_only;


--
-- Name: baselines ends; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER ends AFTER INSERT OR UPDATE ON reconciler.baselines FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.end_baselines();

ALTER TABLE reconciler.baselines ENABLE ALWAYS TRIGGER ends;


--
-- Name: claimed ends; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER ends AFTER INSERT OR DELETE OR UPDATE ON reconciler.claimed FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.end_baselines();

ALTER TABLE reconciler.claimed ENABLE ALWAYS TRIGGER ends;


--
-- Name: declared ends; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER ends AFTER INSERT OR DELETE OR UPDATE ON reconciler.declared FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.end_baselines();

ALTER TABLE reconciler.declared ENABLE ALWAYS TRIGGER ends;


--
-- Name: claimed ends_all; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER ends_all BEFORE TRUNCATE ON reconciler.claimed FOR EACH STATEMENT EXECUTE FUNCTION reconciler.end_baselines();

ALTER TABLE reconciler.claimed ENABLE ALWAYS TRIGGER ends_all;


--
-- Name: declared ends_all; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER ends_all BEFORE TRUNCATE ON reconciler.declared FOR EACH STATEMENT EXECUTE FUNCTION reconciler.end_baselines();

ALTER TABLE reconciler.declared ENABLE ALWAYS TRIGGER ends_all;


--
-- Name: quarantine gone; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER gone AFTER DELETE ON reconciler.quarantine FOR EACH ROW WHEN ((current_setting('session_replication_role'::text) = 'replica'::text)) EXECUTE FUNCTION reconciler.gone();

ALTER TABLE reconciler.quarantine ENABLE ALWAYS TRIGGER gone;


--
-- Name: records gone; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER gone AFTER DELETE ON reconciler.records FOR EACH ROW WHEN ((current_setting('session_replication_role'::text) = 'replica'::text)) EXECUTE FUNCTION reconciler.gone();

ALTER TABLE reconciler.records ENABLE ALWAYS TRIGGER gone;


--
-- Name: applied guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.applied FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.applied ENABLE ALWAYS TRIGGER guard;


--
-- Name: baselines guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.baselines FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.baselines ENABLE ALWAYS TRIGGER guard;


--
-- Name: claimed guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.claimed FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.claimed ENABLE ALWAYS TRIGGER guard;


--
-- Name: declared guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.declared FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.declared ENABLE ALWAYS TRIGGER guard;


--
-- Name: documents guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.documents FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.documents ENABLE ALWAYS TRIGGER guard;


--
-- Name: records guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.records FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.records ENABLE ALWAYS TRIGGER guard;


--
-- Name: refs guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.refs FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.refs ENABLE ALWAYS TRIGGER guard;


--
-- Name: secrets guard; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON reconciler.secrets FOR EACH STATEMENT WHEN ((current_setting('reconciler.writing'::text, true) = '1'::text)) EXECUTE FUNCTION reconciler.guard();

ALTER TABLE reconciler.secrets ENABLE ALWAYS TRIGGER guard;


--
-- Name: meta revision; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER revision AFTER INSERT OR DELETE OR UPDATE ON reconciler.meta FOR EACH ROW EXECUTE FUNCTION reconciler.end_all_baselines();

ALTER TABLE reconciler.meta ENABLE ALWAYS TRIGGER revision;


--
-- Name: meta revision_lost; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER revision_lost BEFORE TRUNCATE ON reconciler.meta FOR EACH STATEMENT EXECUTE FUNCTION reconciler.end_all_baselines();

ALTER TABLE reconciler.meta ENABLE ALWAYS TRIGGER revision_lost;


--
-- Name: applied watch; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch BEFORE INSERT OR DELETE OR UPDATE ON reconciler.applied FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.watch_beside();

ALTER TABLE reconciler.applied ENABLE ALWAYS TRIGGER watch;


--
-- Name: documents watch; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch BEFORE INSERT OR DELETE OR UPDATE ON reconciler.documents FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.watch_beside();

ALTER TABLE reconciler.documents ENABLE ALWAYS TRIGGER watch;


--
-- Name: records watch; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch BEFORE INSERT OR DELETE OR UPDATE ON reconciler.records FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.watch_records();

ALTER TABLE reconciler.records ENABLE ALWAYS TRIGGER watch;


--
-- Name: refs watch; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch BEFORE INSERT OR DELETE OR UPDATE ON reconciler.refs FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.watch_beside();

ALTER TABLE reconciler.refs ENABLE ALWAYS TRIGGER watch;


--
-- Name: secrets watch; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch BEFORE INSERT OR DELETE OR UPDATE ON reconciler.secrets FOR EACH ROW WHEN (((current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text) OR (NOT has_table_privilege(('reconciler.writing'::regclass)::oid, 'INSERT'::text)))) EXECUTE FUNCTION reconciler.watch_beside();

ALTER TABLE reconciler.secrets ENABLE ALWAYS TRIGGER watch;


--
-- Name: applied watch_truncate; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch_truncate BEFORE TRUNCATE ON reconciler.applied FOR EACH STATEMENT EXECUTE FUNCTION reconciler.watch_truncate();

ALTER TABLE reconciler.applied ENABLE ALWAYS TRIGGER watch_truncate;


--
-- Name: documents watch_truncate; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch_truncate BEFORE TRUNCATE ON reconciler.documents FOR EACH STATEMENT EXECUTE FUNCTION reconciler.watch_truncate();

ALTER TABLE reconciler.documents ENABLE ALWAYS TRIGGER watch_truncate;


--
-- Name: records watch_truncate; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch_truncate BEFORE TRUNCATE ON reconciler.records FOR EACH STATEMENT EXECUTE FUNCTION reconciler.watch_truncate();

ALTER TABLE reconciler.records ENABLE ALWAYS TRIGGER watch_truncate;


--
-- Name: refs watch_truncate; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch_truncate BEFORE TRUNCATE ON reconciler.refs FOR EACH STATEMENT EXECUTE FUNCTION reconciler.watch_truncate();

ALTER TABLE reconciler.refs ENABLE ALWAYS TRIGGER watch_truncate;


--
-- Name: secrets watch_truncate; Type: TRIGGER; Schema: reconciler; Owner: -
--

CREATE TRIGGER watch_truncate BEFORE TRUNCATE ON reconciler.secrets FOR EACH STATEMENT EXECUTE FUNCTION reconciler.watch_truncate();

ALTER TABLE reconciler.secrets ENABLE ALWAYS TRIGGER watch_truncate;


--
-- Name: applied applied_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.applied
    ADD CONSTRAINT applied_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: attempts attempts_run_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.attempts
    ADD CONSTRAINT attempts_run_fkey FOREIGN KEY (run) REFERENCES reconciler.runs(id);


--
-- Name: declarations declarations_run_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.declarations
    ADD CONSTRAINT declarations_run_fkey FOREIGN KEY (run) REFERENCES reconciler.runs(id);


--
-- Name: documents documents_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.documents
    ADD CONSTRAINT documents_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: held_tokens held_tokens_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.held_tokens
    ADD CONSTRAINT held_tokens_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: history history_run_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.history
    ADD CONSTRAINT history_run_fkey FOREIGN KEY (run) REFERENCES reconciler.runs(id);


--
-- Name: notes notes_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.notes
    ADD CONSTRAINT notes_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: quarantine quarantine_run_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.quarantine
    ADD CONSTRAINT quarantine_run_fkey FOREIGN KEY (run) REFERENCES reconciler.runs(id);


--
-- Name: quarantined_secrets quarantined_secrets_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.quarantined_secrets
    ADD CONSTRAINT quarantined_secrets_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.quarantine(uid) ON DELETE CASCADE;


--
-- Name: refs refs_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.refs
    ADD CONSTRAINT refs_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: secrets secrets_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.secrets
    ADD CONSTRAINT secrets_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- Name: tokens tokens_uid_fkey; Type: FK CONSTRAINT; Schema: reconciler; Owner: -
--

ALTER TABLE ONLY reconciler.tokens
    ADD CONSTRAINT tokens_uid_fkey FOREIGN KEY (uid) REFERENCES reconciler.records(uid) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


