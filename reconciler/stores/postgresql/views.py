"""What other programs may read: the fields of live records as columns.

Each body is decoded once a row: the subquery with OFFSET stays a subquery, or each column would decode it. What others
have written into a body makes no view fail. No statement holds a question mark or a per cent sign.
"""

from reconciler.core.access import PERMISSIONS


def _array(value: str) -> str:
    """A value where it is an array, or an empty one."""
    return f"CASE jsonb_typeof({value}) WHEN 'array' THEN {value} ELSE '[]' END"


def _is_texts(value: str) -> str:
    """Whether a value is an array of texts."""
    texts = f"SELECT 1 FROM jsonb_array_elements({_array(value)}) t (item) WHERE jsonb_typeof(t.item) <> 'string'"
    return f"(jsonb_typeof({value}) = 'array' AND NOT EXISTS ({texts}))"


def _is_object(value: str, *keys: str) -> str:
    """Whether a value is an object, with none but these keys."""
    known = ", ".join(f"'{key}'" for key in keys)
    rest = f"({value}) - ARRAY[{known}]"
    return f"(CASE jsonb_typeof({value}) WHEN 'object' THEN {rest} = '{{}}' ELSE false END)"


def _number(value: str, key: str, default: int) -> str:
    """A whole number; NULL for something else that others have written."""
    text = f"{value} ->> '{key}'"
    return f"CASE WHEN {text} IS NULL THEN {default} ELSE substring({text} FROM '^[0-9]{{1,18}}$')::bigint END"


_SPEC = "CROSS JOIN LATERAL (SELECT d.live::jsonb -> 'spec' AS spec OFFSET 0) b"

_DAY = "(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))"
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_MOMENT = (
    f"^({_LEAP}|[0-9]{{4}}-{_DAY})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}}|)"
    "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)
"""What casts to a time: a cast of anything else would make the whole view fail."""

_CATEGORIES = f"""
CREATE VIEW categories WITH (security_barrier = true) AS
  SELECT r.name, b.spec ->> 'displayName' AS display_name, coalesce(b.spec ->> 'description', '') AS description,
    coalesce(b.spec ->> 'status', 'active') AS status
  FROM records r JOIN documents d USING (uid) {_SPEC} WHERE r.kind = 'Category'
"""

_CONNECTORS = f"""
CREATE VIEW connectors WITH (security_barrier = true) AS
  SELECT r.name, b.spec ->> 'displayName' AS display_name, coalesce(b.spec ->> 'description', '') AS description,
    b.spec -> 'categories' AS categories,
    coalesce(b.spec #>> '{{authorization,method}}', 'none') AS authorization_method,
    coalesce(b.spec #>> '{{tls,verify}}', 'true') = 'true' AS tls_verify,
    coalesce(b.spec ->> 'status', 'active') AS status
  FROM records r JOIN documents d USING (uid) {_SPEC} WHERE r.kind = 'Connector'
"""

_ENDPOINTS = f"""
CREATE VIEW endpoints WITH (security_barrier = true) AS
  SELECT r.name AS connector, e.key AS purpose, e.value ->> 'method' AS method, e.value ->> 'url' AS url,
    coalesce(e.value ->> 'authorization', '') AS "authorization",
    coalesce(e.value -> 'params', '[]') AS params, coalesce(e.value -> 'headers', '[]') AS headers,
    coalesce(e.value ->> 'body', '') AS body, coalesce(e.value ->> 'bodyType', 'json') AS body_type,
    {_number("e.value", "timeoutSeconds", 30)} AS timeout_seconds,
    {_number("e.value -> 'retry'", "attempts", 0)} AS retry_attempts,
    {_number("e.value -> 'retry'", "waitSeconds", 5)} AS retry_wait_seconds
  FROM records r JOIN documents d USING (uid) {_SPEC}
  CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(b.spec -> 'endpoints') WHEN 'object' THEN b.spec -> 'endpoints'
    ELSE '{{}}' END) e WHERE r.kind = 'Connector'
"""

_IS_SUBJECTS = f"""jsonb_typeof(spec -> 'subjects') = 'array' AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements({_array("spec -> 'subjects'")}) s (item) WHERE CASE jsonb_typeof(s.item)
          WHEN 'object' THEN coalesce(jsonb_typeof(s.item -> 'user'), 'string') <> 'string'
            OR coalesce(jsonb_typeof(s.item -> 'group'), 'string') <> 'string'
          WHEN 'array' THEN s.item @> '["user"]' OR s.item @> '["group"]'
          WHEN 'string' THEN strpos(s.item #>> '{{}}', 'user') + strpos(s.item #>> '{{}}', 'group') > 0
          ELSE true END)"""
_ON, _CONNECTORS_OF, _CATEGORIES_OF = "g.item -> 'on'", "g.item #> '{on,connectors}'", "g.item #> '{on,categories}'"
_IS_GRANT = f"""{_is_object("g.item", "permissions", "on", "expires")} AND {_is_texts("g.item -> 'permissions'")}
        AND (g.item -> 'on' IS NULL OR (g.item -> 'on' <> '{{}}' AND {_is_object(_ON, "connectors", "categories", "labels")}
          AND (g.item #> '{{on,connectors}}' IS NULL OR {_is_texts(_CONNECTORS_OF)})
          AND (g.item #> '{{on,categories}}' IS NULL OR {_is_texts(_CATEGORIES_OF)})
          AND coalesce(jsonb_typeof(g.item #> '{{on,labels}}'), 'object') = 'object'))
        AND (g.item -> 'expires' IS NULL OR CASE WHEN g.item ->> 'expires' ~ '{_MOMENT}'
          THEN (g.item ->> 'expires')::timestamptz > statement_timestamp() ELSE false END)"""
_EVERY = ", ".join(f"('{permission}')" for permission in PERMISSIONS)

_EFFECTIVE_GRANTS = f"""
CREATE VIEW effective_grants WITH (security_barrier = true) AS
  WITH RECURSIVE bodies AS MATERIALIZED (
      SELECT r.kind, r.name, d.live::jsonb -> 'spec' AS spec FROM records r JOIN documents d USING (uid)
      WHERE r.kind IN ('Group', 'PermissionPolicy')),
    teams AS MATERIALIZED (
      SELECT m.name, m.users, m.teams FROM (SELECT name, spec, coalesce(spec #> '{{members,users}}', '[]') AS users,
        coalesce(spec #> '{{members,groups}}', '[]') AS teams FROM bodies WHERE kind = 'Group') m
      WHERE jsonb_typeof(m.spec) = 'object' AND coalesce(jsonb_typeof(m.spec -> 'members'), 'object') = 'object'
        AND {_is_texts("m.users")} AND {_is_texts("m.teams")}),
    policies AS MATERIALIZED (
      SELECT name, spec FROM bodies WHERE kind = 'PermissionPolicy' AND {_IS_SUBJECTS}),
    subjects AS (
      SELECT p.name AS policy, s.item ->> 'user' AS user_name, s.item ->> 'group' AS team
      FROM policies p CROSS JOIN LATERAL jsonb_array_elements({_array("p.spec -> 'subjects'")}) s (item)),
    above AS MATERIALIZED (
      SELECT m.team, t.name AS parent FROM teams t CROSS JOIN LATERAL jsonb_array_elements_text(t.teams) m (team)),
    within AS (
      SELECT name AS team, name AS up FROM teams
      UNION SELECT w.team, a.parent FROM within w JOIN above a ON a.team = w.up),
    reached AS (
      SELECT policy, user_name, '' AS team FROM subjects WHERE user_name IS NOT NULL
      UNION SELECT s.policy, u.user_name, s.team FROM subjects s JOIN within w ON w.up = s.team
        JOIN teams t ON t.name = w.team CROSS JOIN LATERAL jsonb_array_elements_text(t.users) u (user_name)),
    grants AS MATERIALIZED (
      SELECT p.name AS policy, g.item FROM policies p
        CROSS JOIN LATERAL jsonb_array_elements({_array("p.spec -> 'grants'")}) g (item) WHERE {_IS_GRANT})
  SELECT r.user_name, n.permission, g.item #> '{{on,connectors}}' AS connectors, g.item #> '{{on,categories}}' AS categories,
    g.item #> '{{on,labels}}' AS labels, r.policy, r.team AS group_name, g.item ->> 'expires' AS expires
  FROM reached r JOIN grants g USING (policy) CROSS JOIN LATERAL jsonb_array_elements_text(g.item -> 'permissions') n (permission)
  UNION ALL
  SELECT r.user_name, n.permission, NULL, NULL, NULL, r.policy, r.team, NULL
  FROM reached r JOIN policies p ON p.name = r.policy AND p.spec -> 'superAdmin' = 'true'
    CROSS JOIN (VALUES {_EVERY}) n (permission)
"""
"""Who may do what: a user, a permission, and what it is narrowed to by names, categories and labels, NULL for not at all;
the policy that grants it, the group that this names, or '' where it names the user, and when it ends. Grants that have
ended are left out, and so is what `kinds/access.py` takes for no grant. To create, edit, delete or call takes a row
with `view` as well."""

VIEWS = _CATEGORIES + ";" + _CONNECTORS + ";" + _ENDPOINTS + ";" + _EFFECTIVE_GRANTS
