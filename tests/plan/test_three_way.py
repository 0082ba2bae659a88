"""Field by field: what git declares, what is live, and what was last applied."""

import json
from contextlib import closing

import pytest
from conftest import CATEGORY, Workspace
from engines import Placed
from live_state import InProcess, actions, drift, fields, live_spec, sql

from reconciler.wiring.run import now
from reconciler.render.plan_formats import plan_json
from reconciler.render.plan_formats import plan_markdown
from reconciler.render.plan import plan_text
from reconciler.render.records import records_json, records_table, records_yaml
from reconciler.services.records import Query, search


@pytest.fixture
def bench(workspace: Workspace) -> InProcess:
    """The small repository, applied, with plans made in this process."""
    bench = InProcess(workspace.root, workspace.env)
    bench.apply()
    return bench


@pytest.fixture
def applied(bench: InProcess, workspace: Workspace) -> Workspace:
    """The small repository, applied."""
    return workspace


@pytest.mark.parametrize(
    ("path", "value", "name", "seen"),
    [
        ("$.spec.description", '"by hand"', "description", ("by hand", "Contacts of the CRM.", "drift")),
        ("$.spec.authorization.username", '"root"', "authorization.username", ("root", "svc", "drift")),
        ("$.spec.authorization.password", '{"env":"OTHER"}', "authorization.password", ({"env": "OTHER"}, {"env": "CRM_PASSWORD"}, "drift")),
        ("$.spec.endpoints.list.params[0].value", '"9"', "endpoints.list.params.page.value", ("9", "1", "drift")),
        ("$.spec.endpoints.extra", '{"method":"GET","url":"https://e"}', "endpoints.extra", ({"method": "GET", "url": "https://e"}, None, "drift")),
        ("$.spec.categories", '["crm","x"]', "categories", (["crm", "x"], ["crm"], "drift")),
        ("$.spec.status", '"inactive"', "status", ("inactive", None, "drift")),
        ("$.spec.endpoints.list.timeoutSeconds", "31", "endpoints.list.timeoutSeconds", (31, None, "drift")),
        ("$.metadata.labels.team", '"ops"', "labels.team", ("ops", "sales", "drift")),
        ("$.spec.unknown", "true", "unknown", (True, None, "drift")),
    ],
)  # fmt: skip
def test_a_field_changed_around_the_tool_is_drift(
    bench: InProcess, applied: Workspace, path: str, value: str, name: str, seen: object
) -> None:
    """It is named, alone, and the next apply takes it back."""
    drift(applied, "crm-contacts", path, value)
    assert fields(bench.plan_json()) == {name: seen}
    bench.apply()
    assert actions(bench.plan_json()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [("$.spec.status", '"active"'), ("$.spec.endpoints.list.timeoutSeconds", "30.0"), ("$.spec.tls", '{"verify":true}'),
     ("$.spec.endpoints.list.headers", "[]"), ("$.spec.endpoints.list.params[0].required", "false"), ("$.metadata.annotations", '{"seen":"yes"}')],
)  # fmt: skip
def test_defaults_written_into_the_live_record_are_no_drift(
    bench: InProcess, applied: Workspace, path: str, value: str
) -> None:
    """And do not show beside a change of something else either."""
    drift(applied, "crm-contacts", path, value)
    assert actions(bench.plan_json()) == []
    drift(applied, "crm-contacts", "$.spec.description", '"by hand"')
    assert list(fields(bench.plan_json())) == ["description"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("1", "true"), ("1", "1.5"), ("1", '"1"'), ("true", "1"), ("[1]", "[true]"), ("{b: 0}", "{b: false}")],
)
def test_numbers_texts_and_truth_values_are_told_apart(empty: Workspace, old: str, new: str) -> None:
    """Python finds 1 and True equal, JSON does not."""
    text = "---\napiVersion: reconciler/v1\nkind: Connector\nmetadata: {name: c}\nspec:\n  displayName: C\n  categories: [crm]\n  endpoints: {e: {method: GET, url: 'https://e', sample: {a: VALUE}}}\n"
    empty.write("connectors/c.yaml", CATEGORY + text.replace("VALUE", old))
    bench = InProcess(empty.root, {})
    bench.apply()
    empty.write("connectors/c.yaml", CATEGORY + text.replace("VALUE", new))
    (path,) = fields(bench.plan_json())
    assert path.startswith("endpoints.e.sample.a")
    assert "    ~ endpoints.e.sample.a" in plan_text(bench.plan(), now(), color=False)


def test_lines_of_a_long_text_are_shown_whatever_they_begin_with(bench: InProcess, applied: Workspace) -> None:
    """Also those that look like the head of a unified diff."""
    before = "      bodyType: raw\n      body: |\n        -- first\n        same\n"
    applied.edit("connectors/crm.yaml", "      params:", before + "      params:")
    text = applied.ok("plan").stdout
    assert "        + -- first\n        + same" in text, "of a new text every line is shown"
    bench.apply()
    applied.edit("connectors/crm.yaml", "-- first", "++ second")
    text = applied.ok("plan").stdout
    assert "        - -- first\n        + ++ second\n" in text
    assert "same" not in text
    markdown = applied.ok("plan", "-o", "markdown").stdout
    assert "-     -- first\n+     ++ second" in markdown


def test_an_additive_member_that_was_live_already_can_be_undeclared(bench: InProcess, applied: Workspace) -> None:
    """Declaring somebody who is a member is noted, so that removing the line removes the member."""
    applied.edit("policies/team.yaml", "mode: authoritative", "mode: additive")
    bench.apply()
    drift(applied, "integrators", "$.spec.members.users", '["grace","hedy","ada"]')
    assert actions(bench.plan_json()) == [], "the order of a set is no difference"
    applied.edit("policies/team.yaml", "[ada, grace]", "[ada, grace, hedy]")
    (change,) = bench.plan_json()["changes"]
    assert (change["fields"], change["notes"]) == (
        [],
        ["who is declared has changed; the live members stay as they are"],
    )
    bench.apply()
    assert actions(bench.plan_json()) == []
    applied.edit("policies/team.yaml", "[ada, grace, hedy]", "[ada, grace]")
    assert "~ members.users: -hedy" in applied.ok("plan").stdout
    bench.apply()
    assert live_spec(applied, "group/integrators")["members"]["users"] == ["ada", "grace"]


def test_ignored_fields_can_be_named_as_plans_name_them(bench: InProcess, applied: Workspace) -> None:
    """Parameters by name, optional parents, and nothing that git does not declare is brought back."""
    applied.edit(
        "connectors/crm.yaml",
        "  endpoints:\n",
        "  lifecycle: {ignore: [endpoints.list.params.page.value, endpoints.list.retry.attempts, tls.verify, tls.reason, endpoints.old.timeoutSeconds]}\n  endpoints:\n    old: {method: GET, url: 'https://crm.example.com/old'}\n",
    )
    bench.apply()
    drift(applied, "crm-contacts", "$.spec.endpoints.list.params[0].value", '"50"')
    drift(applied, "crm-contacts", "$.spec.endpoints.list.retry", '{"attempts":3}')
    drift(applied, "crm-contacts", "$.spec.endpoints.old.timeoutSeconds", "7")
    drift(applied, "crm-contacts", "$.spec.tls", '{"verify":false,"reason":"a lab"}')
    assert actions(bench.plan_json()) == []
    applied.edit("connectors/crm.yaml", "    old: {method: GET, url: 'https://crm.example.com/old'}\n", "")
    plan = bench.plan_json()
    assert list(fields(plan)) == ["endpoints.old"]
    assert plan["changes"][0]["notes"] == ["TLS verification is off: a lab"], (
        "what is live counts, also when it is ignored"
    )
    bench.apply()
    spec = live_spec(applied, "connector/crm-contacts")
    assert spec["endpoints"]["list"]["params"][0]["value"] == "50"
    assert spec["endpoints"]["list"]["retry"] == {"attempts": 3}
    assert actions(bench.plan_json()) == []


GARBAGE = ['[]', '"text"', "5", "null", "{}", '{"spec":5}', '{"spec":{}}', '{"spec":{"displayName":5,"categories":"crm"}}',
           '{"spec":{"displayName":"x","categories":["crm"],"endpoints":{"a":"text"}}}', '{"spec":{"displayName":"x","categories":[1,"a"]}}',
           '{"spec":{"lifecycle":"no","categories":[],"displayName":null}}', '{"spec":{"displayName":"\\ud800","categories":["crm"]}}',
           '{"spec":{"displayName":"x","categories":["crm"],"n":99999999999999999999}}', '{"metadata":5,"spec":{"displayName":"x","categories":["crm"]}}',
           '{"spec":{"displayName":"x","categories":["crm"],"authorization":5,"tls":[],"members":7}}']  # fmt: skip


def test_live_records_that_are_no_records_are_written_anew(bench: InProcess, applied: Workspace) -> None:
    """Whatever others have put there: plan, get and apply work, and say so."""
    for name in ("crm-contacts", "integrators"):
        for body in GARBAGE:
            if "\\ud800" in body and isinstance(bench.path, Placed):
                continue  # it takes no text that is none
            sql(
                bench.path,
                "UPDATE documents SET live = ? WHERE uid = (SELECT uid FROM records WHERE name = ?)",
                body,
                name,
            )
            plan = bench.plan()
            (change,) = plan.changes
            for text in (plan_text(plan, now(), color=False), plan_markdown(plan), plan_json(plan)):
                assert name in text, body
            if body in GARBAGE[:6]:
                assert change.notes == ("the live record is not as a record should be; it is written anew",)
            for query in (Query(), Query(kind=change.key.kind), Query(text="x")):
                with closing(bench.store()) as store:
                    found = list(search(store, query))
                records_table(found, color=False), records_json(found), records_yaml(found)
        assert "1 to update (1 with drift).\n" in applied.ok("plan").stdout
        assert applied.ok("get", "connector").stdout and applied.ok("get").stdout
        bench.apply()
        assert actions(bench.plan_json()) == []


def test_a_literal_secret_in_a_live_record_is_not_shown(bench: InProcess, applied: Workspace) -> None:
    """Nobody but the store holds it, and a plan must not pass it on."""
    canary = "Literal-7Hq2"
    drift(applied, "crm-contacts", "$.spec.authorization.password", f'"{canary}"')
    drift(applied, "crm-contacts", "$.spec.authorization.token", f'"{canary}"')
    drift(applied, "crm-contacts", "$.spec.endpoints.list.headers", f'[{{"name":"X-Api-Key","value":"{canary}"}}]')
    drift(
        applied,
        "crm-contacts",
        "$.spec.endpoints.more",
        f'{{"method":"GET","url":"https://e","params":[{{"name":"api_key","value":"{canary}"}}]}}',
    )
    for line in (
        "plan",
        "plan -o json",
        "plan -o markdown",
        "get",
        "get connector",
        "get -o json",
        "get connector/crm-contacts",
    ):
        result = applied.ok(*line.split())
        assert canary not in result.output, line
    assert "~ authorization.password: (a text) -> {env: CRM_PASSWORD}" in applied.ok("plan").stdout
    applied.write("connectors/crm.yaml", CATEGORY)
    for line in ("plan", "plan -o json", "plan -o markdown", "apply --yes"):
        assert canary not in applied.ok(*line.split()).output, line


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE documents SET live = json_set(live, '$.spec.description', 'x') WHERE uid = :uid", [("update", "connector/crm-contacts")]),
        ("REPLACE INTO documents SELECT uid, json_set(live, '$.spec.description', 'x') FROM documents WHERE uid = :uid", [("update", "connector/crm-contacts")]),
        ("DELETE FROM documents WHERE uid = :uid", [("update", "connector/crm-contacts")]),
        ("DELETE FROM records WHERE uid = :uid", [("create", "connector/crm-contacts")]),
        ("UPDATE records SET name = 'other' WHERE uid = :uid", [("rename", "connector/crm-contacts")]),
        ("UPDATE records SET owner = '' WHERE uid = :uid", [("adopt", "connector/crm-contacts")]),
        ("UPDATE records SET display = NULL WHERE uid = :uid", [("update", "connector/crm-contacts")]),
    ],
)  # fmt: skip
def test_every_way_to_write_around_the_tool_is_seen(
    bench: InProcess, applied: Workspace, statement: str, expected: list[tuple[str, str]]
) -> None:
    """The store's triggers see it and note it, and the next apply puts it right."""
    ((uid,),) = sql(applied.store, "SELECT uid FROM records WHERE name = 'crm-contacts'")
    ((before,),) = sql(applied.store, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'")
    sql(applied.store, statement.replace(":uid", f"'{uid}'"))
    ((after,),) = sql(applied.store, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'")
    assert after > before or isinstance(applied.store, Placed)  # which keeps others from waiting for that one row
    assert sql(applied.store, "SELECT count(*) FROM drifts WHERE uid = ?", uid) == [(1,)]
    plan = bench.plan_json(adopt=True)
    assert actions(plan) == expected
    if expected == [("update", "connector/crm-contacts")]:
        assert plan["changes"][0]["origin"] == "drift"
    bench.apply(adopt=True)
    assert actions(bench.plan_json()) == []
    assert sql(applied.store, "SELECT count(*) FROM meta WHERE key = 'writing'") == [(0,)]


def test_the_origin_of_one_change(bench: InProcess, applied: Workspace) -> None:
    """Git moved, live moved, or both, field by field; moved to the same value is no change."""
    drift(applied, "crm-contacts", "$.spec.displayName", '"By hand"')
    applied.edit("connectors/crm.yaml", "displayName: Sales team's contacts", "displayName: By hand")
    assert actions(bench.plan_json()) == []
    applied.edit("connectors/crm.yaml", "displayName: By hand", "displayName: By git")
    drift(applied, "crm-contacts", "$.spec.endpoints.list.method", '"POST"')
    applied.edit("connectors/crm.yaml", "Contacts of the CRM.", "Contacts.")
    plan = bench.plan_json()
    assert {name: origin for name, (_, _, origin) in fields(plan).items()} == {
        "displayName": "both", "endpoints.list.method": "drift", "description": "git"
    }  # fmt: skip
    assert plan["changes"][0]["origin"] == "both"
    assert json.dumps(plan).count('"origin": "both"') == 2


def test_what_is_left_of_an_ignored_field_is_canonical(bench: InProcess, applied: Workspace) -> None:
    """A block whose only key the live side has not is no block, and a required key stays git's."""
    ignored = "  lifecycle: {ignore: [endpoints.list.retry.attempts, displayName, endpoints.list.url]}\n  endpoints:\n"
    applied.edit("connectors/crm.yaml", "  endpoints:\n", ignored)
    applied.edit("connectors/crm.yaml", "      method: GET\n", "      method: GET\n      retry: {attempts: 2}\n")
    assert list(fields(bench.plan_json())) == ["lifecycle"], "the live side has no retry"
    bench.apply()
    assert bench.plan_json()["changes"] == []
    sql(
        bench.path,
        "UPDATE documents SET live = json_remove(live, '$.spec.displayName', '$.spec.endpoints.list.url') WHERE live LIKE '%CRM_PASSWORD%'",
    )
    assert sorted(fields(bench.plan_json())) == ["displayName", "endpoints.list.url"]
    bench.apply()
    assert bench.plan_json()["changes"] == []
