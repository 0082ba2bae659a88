"""Whatever passes `limits` is held by an instance: written and read back it is the same, on either version."""

from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pm_desk import Desk

from reconciler.core.model import Key, content_of
from reconciler.kinds import registry
from reconciler.kinds.canonical import canonical
from reconciler.stores.processmaker.forms.categories import category_body, category_fields, category_row
from reconciler.stores.processmaker.forms.connectors import connector_body, connector_fields, connector_row
from reconciler.stores.processmaker.facts import Facts
from reconciler.stores.processmaker.forms.groups import group_body, group_fields, group_row
from reconciler.stores.processmaker.forms.limits import objections
from reconciler.stores.processmaker.wire.options import read_options
from reconciler.stores.processmaker.forms.policies import PERMISSIONS, pairs, policy_bodies

OPTIONS = read_options({"tokenRenewal": "scheduled"})
OPEN = read_options({"allowSecretsInEndpoints": True})
PIECES = st.sampled_from(
    ["a", "Ä", "é", "ß", "1", "0", "-", "_", ".", "'", " ", "\t", "\n", "\u00a0", "\u200b", "\ufeff", "<", ">", "<b>", "</b>", "< ", "<!--",
     "&amp;", "{{", "}}", "{{x}}", "{", "}", '"', "\\", "/", "%", "(", "😀", "\u0301", "日本", "null", "[]", "{}", "1.0", "true"]
)  # fmt: skip


def texts(longest: int = 5, *, fewest: int = 0) -> st.SearchStrategy[str]:
    """Texts of what servers are known to stumble over."""
    return st.lists(PIECES, min_size=fewest, max_size=longest).map("".join)


def mostly(*usual: str, fewest: int = 0) -> st.SearchStrategy[str]:
    """Texts that are usual, and some that are not, so that most documents have no fault or one."""
    return st.sampled_from([*usual] * 8 + [None]).flatmap(
        lambda one: texts(fewest=fewest) if one is None else st.just(one)
    )


NAME = mostly("Ä b", "a-1_2.3'", "日本 x", "x\ty", fewest=1)
DESCRIPTION = mostly("", "a\n", " < > & {x}", "日本", "\u200b x")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(2), inner, max_size=3),
    max_leaves=5,
)


def some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of strategies."""
    return st.fixed_dictionaries(required, optional=optional)


REFERENCE = st.just({"env": "A"})
ENTRY = {
    "value": mostly("", "{{x}}", "<b>", "0", "null", "a  b", "{}", "https://u:p@h/?token=x", "x" * 40),
    "required": st.booleans(),
    "description": texts(3),
}
PARAMS = st.lists(
    some({"name": mostly("page", "a", "{{x}}", "0", "token", fewest=1)}, {**ENTRY, "style": st.just("form")}),
    max_size=3,
)
HEADERS = st.lists(some({"name": st.sampled_from(["A", "a", "X-B", "Accept"])}, ENTRY), max_size=3)
ENDPOINT = some(
    {"method": st.sampled_from(["GET", "POST", "DELETE"]), "url": mostly("", "{{x}}", "?a=1&b=<b>", "%20").map("https://a.example/".__add__)},
    {"description": texts(), "params": PARAMS, "headers": HEADERS, "body": texts(), "sample": st.dictionaries(texts(2), JSON, max_size=3),
     "bodyType": st.sampled_from(["json"] * 3 + ["form-urlencoded"] * 3 + ["raw"]), "timeoutSeconds": st.integers(1, 60),
     "retry": some({}, {"attempts": st.integers(0, 3), "waitSeconds": st.integers(0, 9)})},
)  # fmt: skip
AUTHORIZATION = st.sampled_from(
    [
        {"method": "none"},
        {"method": "basic", "username": "u", "password": {"env": "A"}},
        {"method": "bearer", "token": {"env": "A"}},
        {"method": "oauth2-client-credentials", "tokenUrl": "https://a.example", "clientId": "c", "clientSecret": {"env": "A"}},
        {"method": "oauth2-password", "tokenUrl": "https://a.example", "username": "u", "password": {"env": "A"}},
    ]
)  # fmt: skip
PURPOSE = st.sampled_from(
    ["0", "1", "1.5", "list", "2nd", "Ä b", "id", "view", "updated", "purpose", "a/b", "{{x}}", "<b>"]
)
CONNECTOR = some(
    {"displayName": NAME, "categories": st.sampled_from([["crm"], ["crm", "erp"]])},
    {"description": DESCRIPTION, "authorization": AUTHORIZATION, "status": st.sampled_from(["active", "inactive"]),
     "endpoints": st.dictionaries(PURPOSE, ENDPOINT, max_size=3), "tls": st.just({"verify": False, "reason": "r"}),
     "lifecycle": st.just({"protect": True})},
)  # fmt: skip
CATEGORY = some({"displayName": NAME}, {"description": mostly(""), "status": st.just("inactive")})
GROUP = some({"displayName": NAME}, {"description": DESCRIPTION})


@pytest.fixture(scope="module", params=["4.14", "2020"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """An instance that keeps keys in another order, with two categories."""
    desk = Desk(request.param, reorder_keys=True)
    for name in ("one", "two"):
        desk.ask("POST", "/data_source_categories", {"name": name, "status": "ACTIVE"})
    return desk


MANAGED = {word: f"name of {word}" for word in PERMISSIONS if word != "groups:delete"}
POLICY = some(
    {"subjects": st.lists(st.sampled_from([{"group": "a"}, {"group": "b"}, {"user": "ada"}]), min_size=1, max_size=2, unique_by=str)},
    {"superAdmin": st.booleans(), "description": DESCRIPTION,
     "grants": st.lists(some({"permissions": st.lists(st.sampled_from([*PERMISSIONS, "connectors:call", "policies:view"]), min_size=1, max_size=3, unique=True)},
                             {"on": st.just({"categories": ["crm"]})}), max_size=3)},
)  # fmt: skip


def facts_of(desk: Desk) -> Facts:
    """What is known of the instance."""
    return Facts(desk.simulator.profile.name, permissions=MANAGED)


def body_of(kind: str, spec: dict[str, Any], facts: Facts) -> dict[str, Any] | None:
    """The canonical body of a spec that a document may have and the instance is said to hold."""
    if not registry.is_definition(kind, spec, None):
        return None
    try:
        body = content_of(canonical({"metadata": {"labels": {"team": "x"}}, "spec": spec}, registry.KINDS[kind])).value
    except TypeError:  # numbers that no canonical body holds
        return None
    refused = [
        finding.code for _, finding in objections({Key(kind, "x"): body}, OPTIONS, facts) if finding.code != "RC915"
    ]
    for code in refused or ["held"]:
        event(f"{kind} {code}")
    return None if refused else body


CHEAP = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def create(desk: Desk, path: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Make a record, and give it as lists show it; it goes again, as others have its name."""
    made = desk.ask("POST", path, fields)
    shown = next(row for row in desk.listed(path) if row["id"] == made["id"])
    desk.ask("DELETE", f"{path}/{made['id']}")
    return shown


@CHEAP
@given(spec=CONNECTOR)
def test_connectors_that_pass_are_held(desk: Desk, spec: dict[str, Any]) -> None:
    """All that the instance holds of them, as it was declared."""
    body = body_of("Connector", spec, facts_of(desk))
    if body is not None:
        ids = {row["name"]: row["id"] for row in desk.listed("/data_source_categories")}
        names = {ids["one"]: "crm", ids["two"]: "erp"}
        ids = {name: number for number, name in names.items()}
        row = connector_row(create(desk, "/data_sources", connector_fields(body, ids)))
        assert connector_body(row, body, names) is body


@CHEAP
@given(spec=CONNECTOR)
def test_what_an_instance_holds_passes(desk: Desk, spec: dict[str, Any]) -> None:
    """Whoever writes down what is live there can apply it; but for names that are numbers, which somebody has to change."""
    ids = {row["name"]: row["id"] for row in desk.listed("/data_source_categories")}
    body = canonical({"spec": spec | {"displayName": "x"}}, registry.KINDS["Connector"])
    fields = connector_fields(body, {"crm": ids["one"], "erp": ids["two"]})
    row = connector_row(create(desk, "/data_sources", fields))
    live = connector_body(row, None, {ids["one"]: "crm", ids["two"]: "erp"})
    found = {finding.code for _, finding in objections({Key("Connector", "x"): live}, OPEN, facts_of(desk))}
    assert found <= {"RC906", "RC909", "RC910", "RC915"}  # the first: a token URL cannot be read


@CHEAP
@given(spec=CATEGORY)
def test_categories_that_pass_are_held(desk: Desk, spec: dict[str, Any]) -> None:
    """A name and a status."""
    body = body_of("Category", spec, facts_of(desk))
    if body is not None:
        row = category_row(create(desk, "/data_source_categories", category_fields(body)))
        assert category_body(row, body) is body


@CHEAP
@given(spec=GROUP)
def test_groups_that_pass_are_held(desk: Desk, spec: dict[str, Any]) -> None:
    """But for their members, who are told one by one."""
    body = body_of("Group", spec, facts_of(desk))
    if body is not None:
        row = group_row(create(desk, "/groups", group_fields(body)))
        assert group_body(row, body, {}, {}) is body


@CHEAP
@given(specs=st.lists(POLICY, min_size=1, max_size=3))
def test_policies_that_pass_are_held(specs: list[dict[str, Any]]) -> None:
    """By the names that their groups hold, beside names that others gave."""
    bodies = [
        body
        for spec in specs
        if (body := body_of("PermissionPolicy", spec, Facts("4.14", permissions=MANAGED))) is not None
    ]
    known = {f"policy:{number}": (f"p{number}", body) for number, body in enumerate(bodies)}
    given_names = frozenset().union(*(pairs(body, MANAGED) for body in bodies))
    held = {group: {"edit-users", *(name for whose, name in given_names if whose == group)} for group in ("a", "b")}
    live = policy_bodies(known, held, MANAGED)
    assert all(live[uid] is body for uid, (_, body) in known.items())
