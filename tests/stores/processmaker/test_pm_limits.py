"""What a ProcessMaker instance cannot hold of a definition, and what it can: by the function that says so."""

from typing import Any

import pytest
import yaml

from reconciler.core.model import Key
from reconciler.core.secret import Secret
from reconciler.kinds import registry
from reconciler.kinds.canonical import canonical
from reconciler.stores.processmaker.forms.connector_limits import MAX_BYTES, secret_objection, secret_objections
from reconciler.stores.processmaker.facts import Facts
from reconciler.stores.processmaker.forms.limits import ends_by_apply, objections
from reconciler.stores.processmaker.wire.options import Options, read_options

KNOWN = {"connectors:view": "view-data-sources", "connectors:edit": "edit-data-sources"}


def connector(text: str = "", endpoint: str = "") -> dict[str, Any]:
    """The spec of a connector that can be held, but for what is said here."""
    spec = {"displayName": "Kundendaten Übersicht_2.0 d'été", "categories": ["crm"]} | (yaml.safe_load(text) or {})
    fields = {"method": "GET", "url": "https://crm.example.com/{{id}}"} | (yaml.safe_load(endpoint) or {})
    return {"endpoints": {"list": fields}, **spec}


def told(kind: str, spec: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    """Codes and dotted paths of what is said of a definition, which is a valid one."""
    assert registry.is_definition(kind, spec, None), spec
    facts = Facts("4.14", permissions=options.pop("known")) if "known" in options else Facts()
    found = [
        (finding.code, ".".join(map(str, finding.place.path[1:])))
        for body in ({"spec": spec}, canonical({"spec": spec}, registry.KINDS[kind]))
        for _, finding in objections({Key(kind, "x"): body}, read_options(options), facts)
    ]
    assert found[: len(found) // 2] == found[len(found) // 2 :], "a document and its canonical form are judged alike"
    return found[: len(found) // 2]


@pytest.mark.parametrize(
    "spec",
    [
        connector(),
        connector("authorization: {method: none}", "authorization: none"),
        connector("authorization: {method: basic, username: svc, password: {env: A}}"),
        connector("authorization: {method: bearer, token: {env: A}}\nlifecycle: {protect: true}\ncontract: crm.yaml"),
        connector(
            "authorization: {method: oauth2-password, tokenUrl: 'https://a.example/t', clientId: c, clientSecret: {env: A},"
            " clientAuthentication: body, username: u, password: {env: B}, lifetimeSeconds: 60, scopes: []}"
        ),
        connector(
            "authorization: {method: oauth2-password, tokenUrl: 'https://a.example/t', username: u, password: {env: B}}"
        ),
        connector(
            "tls: {verify: false, reason: old, allowPlainHttp: true}\ndescription: |\n  1 < 2, {a}, a > b & c.\n"
        ),
        connector(endpoint="{bodyType: form-urlencoded, body: '{}', params: [{name: a, style: form, explode: true}]}"),
        connector(endpoint="{headers: [{name: A, style: simple, explode: false, value: '<b>{{x}}</b>'}]}"),
        connector(endpoint="{pathParams: [{name: id, description: The account.}], sample: {id: 1.5, list: [1]}}"),
        connector(endpoint="{method: POST, body: '  <a>{{x}}</a>\n', timeoutSeconds: 5, retry: {attempts: 2}}"),
        connector("endpoints: {'1': {method: GET, url: /a}, list: {method: GET, url: /b}}"),
    ],
    ids=range(12),
)
def test_what_can_be_held_passes(spec: dict[str, Any]) -> None:
    """Nothing is said of it."""
    assert told("Connector", spec) == []


@pytest.mark.parametrize(
    ("spec", "code", "path"),
    [
        (connector("displayName: CRM (old)"), "RC901", "displayName"),
        (connector("displayName: 'R&D'"), "RC901", "displayName"),
        (connector("displayName: A😀"), "RC901", "displayName"),
        (connector("description: see <b>this</b>"), "RC902", "description"),
        (connector("description: 'less than <5'"), "RC902", "description"),
        (connector("description: '{{id}} of it'"), "RC902", "description"),
        (connector("description: 'a}}'"), "RC902", "description"),
        (connector("authorization: {method: basic, username: ' svc', password: {env: A}}"), "RC902", "authorization.username"),
        (connector("authorization: {method: basic, username: '', password: {env: A}}"), "RC902", "authorization.username"),
        (connector("authorizations: {b: {method: bearer, token: {env: B}}}"), "RC906", "authorizations"),
        (connector("tls: {ca: {file: ca.pem}}"), "RC908", "tls.ca"),
        (connector("endpoints: {'0': {method: GET, url: /a}, '1.5': {method: GET, url: /b}}"), "RC909", "endpoints.0"),
        (connector("endpoints: {\"a\\u200b\": {method: GET, url: /a}}"), "RC909", "endpoints.a\u200b"),
        (connector(endpoint="bodyType: multipart"), "RC910", "endpoints.list.bodyType"),
        (connector(endpoint="{body: '{}', bodyType: form-urlencoded, formFields: [{name: a, style: json}]}"), "RC910", "endpoints.list.formFields"),
        (connector(endpoint="pathParams: [{name: id, style: matrix}]"), "RC910", "endpoints.list.pathParams.0.style"),
        (connector(endpoint="params: [{name: a}, {name: b, explode: false}]"), "RC910", "endpoints.list.params.1.explode"),
        (connector(endpoint="params: [{name: a, style: form, explode: false}]"), "RC910", "endpoints.list.params.0.explode"),
        (connector(endpoint="headers: [{name: A, style: json}]"), "RC910", "endpoints.list.headers.0.style"),
        (connector(endpoint="params: [{name: a, value: ' b'}]"), "RC902", "endpoints.list.params.0.value"),
        (connector(endpoint="params: [{name: ' '}]"), "RC902", "endpoints.list.params.0.name"),
        (connector(endpoint="url: '{{url}}\u00a0'"), "RC902", "endpoints.list.url"),
        (connector(endpoint="headers: [{name: X-Key, value: {env: A}}]"), "RC914", "endpoints.list.headers.0.value"),
    ],
)  # fmt: skip
def test_what_cannot_be_held_is_told_where_it_stands(spec: dict[str, Any], code: str, path: str) -> None:
    """One finding, with what to do."""
    assert told("Connector", spec) == [(code, path)]
    ((_, finding),) = objections({Key("Connector", "x"): {"spec": spec}}, Options(), Facts())
    assert finding.hint


def test_versions_differ_in_what_they_take_for_markup() -> None:
    """What all versions keep passes before the instance was asked; what its own keeps once it was."""
    spec = connector("description: 6> 5<6 & 6")
    assert told("Connector", spec) == [("RC902", "description")]
    assert told("Connector", spec, known=KNOWN) == []
    spec = connector("description: '{{x}}'")
    assert list(objections({Key("Connector", "x"): {"spec": spec}}, Options(), Facts("2020"))) == []
    for text in ("a<b>c", "</b>", "<?x?>", "<!--x-->", "{{x}}"):
        assert told("Connector", connector(f"description: '{text}'"), known=KNOWN) == [("RC902", "description")]


def test_what_an_early_version_does_not_go_by_is_warned_of() -> None:
    """Timeouts, retries, and groups in groups."""
    spec = connector(endpoint="{timeoutSeconds: 5, retry: {attempts: 2}}")
    group = {"displayName": "Team", "members": {"mode": "additive", "groups": ["other"]}}
    for kind, one, paths in (
        ("Connector", spec, ["endpoints.list.timeoutSeconds", "endpoints.list.retry"]),
        ("Group", group, ["members.groups"]),
    ):
        found = objections({Key(kind, "x"): {"spec": one}}, Options(), Facts("2020"))
        assert [(item.code, ".".join(item.place.path[1:])) for _, item in found] == [("RC915", path) for path in paths]
        assert told(kind, one, known=KNOWN) == [] == told(kind, one)


def test_one_authorization_for_all_endpoints() -> None:
    """Neither another one nor none."""
    spec = connector(
        "authorization: {method: bearer, token: {env: A}}\nauthorizations: {b: {method: bearer, token: {env: B}}}"
    )
    spec["endpoints"] = {
        "a": {"method": "GET", "url": "/a", "authorization": "b"},
        "b": {"method": "GET", "url": "/b", "authorization": "none"},
    }
    assert told("Connector", spec) == [
        ("RC906", "authorizations"),
        ("RC906", "endpoints.a.authorization"),
        ("RC906", "endpoints.b.authorization"),
    ]


def test_the_password_grant_sends_user_password_and_client_alone() -> None:
    """All that goes beyond it is told, each where it stands."""
    spec = connector(
        "authorization: {method: oauth2-password, tokenUrl: 'https://a.example/t', clientId: c, clientSecret: {env: A},"
        " username: u, password: {env: B}, scopes: [a], audience: x, resource: ['urn:a'], fields: [{name: a, value: b}],"
        " headers: [{name: A, value: b}]}"
    )
    places = ("method", "scopes", "audience", "resource", "fields", "headers")
    assert told("Connector", spec) == [("RC906", f"authorization.{place}") for place in places]
    asked = connector("authorization: {method: oauth2-password, tokenUrl: '{{tokenUrl}}', username: u, password: {env: B}}")  # fmt: skip
    assert told("Connector", asked) == [("RC906", "authorization.tokenUrl")]


@pytest.mark.parametrize(
    "block",
    [
        "{method: oauth2-client-credentials, tokenUrl: 'https://a.example/t', clientId: c, clientSecret: {env: A}, scopes: [a]}",
        "{method: bearer, tokenRequest: {url: 'https://a.example/t', username: u, password: {env: A}}}",
    ],
)
def test_a_token_that_we_fetch_wants_somebody_who_renews_it(block: str) -> None:
    """Whatever its request is like, as it is ours."""
    spec = connector(f"authorization: {block}")
    assert told("Connector", spec) == [("RC907", "authorization.method")]
    assert told("Connector", spec, tokenRenewal="scheduled") == []


def test_secrets_that_all_viewers_read_are_accepted_by_the_target_alone() -> None:
    """In parameters as in headers."""
    spec = connector(endpoint="{params: [{name: key, value: {env: A}}], headers: [{name: X-Key, value: {env: A}}]}")
    assert [code for code, _ in told("Connector", spec)] == ["RC914", "RC914"]
    assert told("Connector", spec, allowSecretsInEndpoints=True) == []


def test_categories_and_groups() -> None:
    """Descriptions that nobody would see, names that nobody can have."""
    assert told("Category", {"displayName": "Kunden-Daten"}) == []
    assert told("Category", {"displayName": "A/B", "description": "x"}) == [
        ("RC901", "displayName"),
        ("RC903", "description"),
    ]
    group = {"displayName": "Team", "members": {"mode": "additive", "users": ["ada", "a", "x/y", "grace@x.org", "ADA"]}}
    assert told("Group", {**group, "members": {"mode": "additive", "users": ["ada", "x+y@z"]}}) == []
    assert sorted(told("Group", {**group, "description": "{{x}}"}))[0] == ("RC902", "description")
    found = objections({Key("Group", "x"): {"spec": group}}, Options(), Facts())
    assert [(finding.code, finding.place.path[-1]) for _, finding in found] == [
        ("RC904", 1),
        ("RC904", 2),
        ("RC904", 4),
    ]


def policy(grant: str, subjects: str = "[{group: team}]", **more: Any) -> dict[str, Any]:
    """The spec of a policy with one grant."""
    return {"subjects": yaml.safe_load(subjects), "grants": [yaml.safe_load(grant)], **more}


@pytest.mark.parametrize(
    ("spec", "code", "path"),
    [
        (policy("{permissions: ['connectors:view'], 'on': {connectors: [crm]}}"), "RC911", "grants.0.on"),
        (policy("{permissions: ['connectors:view'], expires: '2030-01-01T00:00:00Z'}"), "RC912", "grants.0.expires"),
        (policy("{permissions: ['connectors:call']}"), "RC911", "grants.0.permissions.0"),
        (policy("{permissions: ['policies:view']}"), "RC911", "grants.0.permissions.0"),
        (policy("{permissions: ['connectors:view']}", "[{group: team}, {user: ada}]"), "RC911", "subjects.1.user"),
        (policy("{permissions: ['connectors:delete', 'connectors:view']}"), "RC913", "grants.0.permissions.0"),
    ],
)
def test_grants_that_cannot_be_given(spec: dict[str, Any], code: str, path: str) -> None:
    """Each is told at what is too much."""
    assert told("PermissionPolicy", spec, known=KNOWN) == [(code, path)]


def test_grants_that_can_be_given() -> None:
    """What the instance has is not asked for before it was probed; who is a super admin is not written."""
    assert told("PermissionPolicy", policy("{permissions: ['connectors:view']}"), known=KNOWN) == []
    assert told("PermissionPolicy", policy("{permissions: ['categories:view']}")) == []
    assert told("PermissionPolicy", {"subjects": [{"user": "ada"}], "superAdmin": True}, known=KNOWN) == []
    ends = policy("{permissions: ['connectors:view'], expires: '2030-01-01T00:00:00Z'}", description="<b>ours</b>")
    assert told("PermissionPolicy", ends, expiry="byApply") == []


def test_what_ends_by_an_apply_alone_is_said() -> None:
    """How much of what is written, and when first."""
    one, other = (
        {"spec": policy(f"{{permissions: ['connectors:view'], expires: '{year}-01-01T00:00:00Z'}}")}
        for year in (2031, 2030)
    )
    assert ends_by_apply([{"spec": {"displayName": "x"}}, {"spec": policy("{permissions: ['connectors:view']}")}]) == ()
    assert ends_by_apply([one])[0].startswith("a grant ends by an apply alone, on 2031-01-01T00:00:00Z:")
    assert ends_by_apply([one, other])[0].startswith(
        "2 grants end by an apply alone, the first on 2030-01-01T00:00:00Z:"
    )


@pytest.mark.parametrize(("first", "second"), [("Æther", "AETHER"), ("Œuvre", "oeuvre"), ("\U00010330", "\U00010331")])
def test_names_that_the_server_takes_for_the_same(first: str, second: str) -> None:
    """Of one kind; the later one is told, and which it is taken for."""
    names = {"a": first, "b": second, "c": "Aether 2"}
    declared = {Key("Group", name): {"spec": {"displayName": shown}} for name, shown in names.items()}
    declared[Key("Category", "a")] = {"spec": {"displayName": first}}
    found = list(objections(declared, Options(), Facts()))
    assert [(key.name, finding.code) for key, finding in found] == [("b", "RC905")]
    assert "group/a" in found[0][1].message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("s3cret", ""),
        ("a b", ""),
        ("", "is empty"),
        (" \t", "is empty"),
        ("s3cret\n", "begins or ends with blanks"),
        ("\u200bs3cret", "begins or ends with blanks"),
        ("\0s3cret", "begins or ends with blanks"),
        ("x" * MAX_BYTES, "is longer than"),
        ("x" * (MAX_BYTES - 2), ""),
    ],
)
def test_secrets_that_would_not_be_kept(value: str, said: str) -> None:
    """Why, without the value."""
    found = secret_objection(value)
    assert found.startswith(said) and bool(found) is bool(said) and "s3cret" not in found


def test_secrets_of_a_connector() -> None:
    """Those that are sent are looked at, and all of its credentials together."""
    basic = {"spec": connector("authorization: {method: basic, username: {env: U}, password: {env: A}}")}
    half = Secret("x" * (MAX_BYTES // 2))
    assert secret_objections(basic, {"authorization.password": Secret("a ")}).keys() == {"authorization.password"}
    assert secret_objections(basic, {"authorization.username": half, "authorization.password": half}).keys() == {
        "authorization.username",
        "authorization.password",
    }
    fetched = {"spec": connector("authorization: {method: oauth2-client-credentials, tokenUrl: 'https://a.example/t', clientId: c, clientSecret: {env: A}}")}  # fmt: skip
    assert secret_objections(fetched, {"authorization.clientSecret": Secret("a ")}) == {}
    assert secret_objections(fetched, {"endpoints.list.headers.A.value": Secret("a ")}).keys() == {
        "endpoints.list.headers.A.value"
    }
