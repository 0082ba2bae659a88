"""What ProcessMaker instances export."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_checks import check
from processmaker_exports import (
    UUID,
    category,
    connector,
    copy_of,
    endpoint,
    package,
    pair,
    screens,
    template,
)
from test_openapi_properties import SCALARS, TEXTS

from reconciler.core.secret import Secret
from reconciler.importers.processmaker import Choice, convert
from reconciler.importers.processmaker_seal import opened, sealed
from reconciler.importers.syntax import Imported, NotImportable

OPAQUE = "a1B2c3D4e5F6g7H8i9J0"
PASSWORD = "an export's password"  # noqa: S105 (of a file that the test makes)


def imported(document: dict[str, Any], **choice: Any) -> Imported:
    """The import of an export; what is true of every import is checked on the way."""
    found = convert(document, Choice(**choice))
    check(found, rules=False)
    return found


def specs(document: dict[str, Any], **choice: Any) -> dict[str, dict[str, Any]]:
    """The specs of its connectors by name."""
    return {found["metadata"]["name"]: found["spec"] for found in imported(document, **choice).documents}


def spec_of(document: dict[str, Any]) -> dict[str, Any]:
    """The spec of its one connector."""
    (found,) = specs(document).values()
    return found


def endpoint_of(item: dict[str, Any]) -> dict[str, Any]:
    """What becomes of one endpoint."""
    (found,) = spec_of(package(connector(endpoints={"list": item})))["endpoints"].values()
    made: dict[str, Any] = found
    return made


def notes_of(document: dict[str, Any], **choice: Any) -> dict[str, str]:
    """Code to place of all notes."""
    return {note.code: note.where for note in imported(document, **choice).notes}


def test_an_endpoint_is_carried_over_as_it_is() -> None:
    """Mustache, samples, how long is waited; what only the instance's screens use is left out without a word."""
    given_endpoint = endpoint(
        "/api/{{version}}/orders/{{id}}?page=1",
        purpose="list",
        method="post",
        description="All orders",
        params=[pair("q", "{{query}}", required=True), pair("empty")],
        headers=[pair("X-Tenant", "acme", description="who"), pair("Accept-Language", "{{language}}")],
        body='  {"a": {{#b}}1{{/b}}, "c": "<p>{{d}}</p>"}\n',
        body_type="form-data",
        testData='{"id": 7}',
        timeout=12,
        retry_attempts="3",
        retry_wait_time=0,
    )
    assert endpoint_of(given_endpoint) == {
        "description": "All orders",
        "method": "POST",
        "url": "/api/{{version}}/orders/{{id}}?page=1",
        "params": [{"name": "q", "value": "{{query}}", "required": True}, {"name": "empty"}],
        "headers": [
            {"name": "X-Tenant", "value": "acme", "description": "who"},
            {"name": "Accept-Language", "value": "{{language}}"},
        ],
        "body": '{"a": {{#b}}1{{/b}}, "c": "<p>{{d}}</p>"}',
        "bodyType": "form-urlencoded",
        "sample": {"id": 7},
        "timeoutSeconds": 12,
        "retry": {"attempts": 3, "waitSeconds": 0},
    }
    assert notes_of(package(connector(endpoints={"list": given_endpoint}))) == {}


AUTHORIZATIONS = [
    ("NONE", {}, {"method": "none"}),
    ("BASIC", {"username": "u", "password": "p"}, {"method": "basic", "username": {"env": "CRM_CONTACTS_USERNAME"}, "password": {"env": "CRM_CONTACTS_PASSWORD"}}),
    ("OAUTH2_BEARER", {"token": "t", "password_type": "None", "verify_certificate": True}, {"method": "bearer", "token": {"env": "CRM_CONTACTS_TOKEN"}}),
    (
        "OAUTH2_PASSWORD",
        {"url": "https://crm.example.com/token", "client_id": "i", "client_secret": "s", "username": "u", "password": "p"},
        {
            "method": "oauth2-password", "tokenUrl": "https://crm.example.com/token",
            "clientId": {"env": "CRM_CONTACTS_CLIENT_ID"}, "clientSecret": {"env": "CRM_CONTACTS_CLIENT_SECRET"}, "clientAuthentication": "body",
            "username": {"env": "CRM_CONTACTS_USERNAME"}, "password": {"env": "CRM_CONTACTS_PASSWORD"},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("authtype", "credentials", "expected"), AUTHORIZATIONS, ids=lambda one: str(one)[:15])
def test_authorizations(authtype: str, credentials: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each credential becomes a reference; that certificates are not verified stays, and is told."""
    document = package(connector(authtype=authtype, credentials={**credentials, "verify_certificate": False}))
    spec = spec_of(document)
    assert spec["authorization"] == expected
    assert spec["tls"]["verify"] is False
    assert notes_of(document)["tls-unverified"] == f"/export/{UUID(0)}/references/credentials"
    assert "tls" not in spec_of(package(connector(authtype=authtype, credentials=credentials)))


def test_an_oauth_connector_without_a_usable_token_url_needs_a_token() -> None:
    """One below the instance itself cannot be asked from elsewhere."""
    document = package(connector(authtype="OAUTH2_PASSWORD", credentials={"url": "/oauth/token", "password": "p"}))
    assert spec_of(document)["authorization"] == {"method": "bearer", "token": {"env": "CRM_CONTACTS_TOKEN"}}
    assert notes_of(document)["token-by-hand"] == f"/export/{UUID(0)}/references/credentials/url"


def test_connectors_keep_their_categories() -> None:
    """By the categories' own entries, by the names that the connector has for them; else they are uncategorized."""
    by_name = connector("By name")
    by_name["references"]["uncategorized-category"] = False
    by_name["dependents"] = [{"type": "categories", "uuid": "gone", "fallbackMatches": {"name": "Büro"}}]
    document = package(
        connector("Filed", categories=("sales", "old")),
        by_name,
        connector("Loose"),
        sales=category("Sales & more"),
        old=category("Old", "INACTIVE"),
    )
    found = imported(document)
    assert {item["metadata"]["name"]: item["spec"]["categories"] for item in found.documents} == {
        "filed": ["sales-more", "old"],
        "by-name": ["buro"],
        "loose": ["uncategorized"],
    }
    assert {item["metadata"]["name"]: item["spec"] for item in found.categories} == {
        "sales-more": {"displayName": "Sales & more"},
        "old": {"displayName": "Old", "status": "inactive"},
        "buro": {"displayName": "Büro"},
        "uncategorized": {"displayName": "Uncategorized"},
    }


def test_what_cannot_be_carried_over_is_named() -> None:
    """SOAP, authorizations that nobody knows, templates, and what the instance generated for collections."""
    generated = {"ListAll": endpoint("/api/1.0/collections/3/records")}
    document = package(
        connector("Right"),
        connector("A soap", type="SOAP", authtype="WSDL_FILE"),
        connector("Old soap", authtype="LOCAL_CERTIFICATE"),
        connector("Odd", authtype="KERBEROS"),
        connector("Pattern", is_template=1),
        connector("Students", endpoints=generated, authtype="OAUTH2_BEARER"),
        connector("Persons", categories=("g",)),
        g=category("Generated"),
    )
    found = imported(document)
    assert [item["metadata"]["name"] for item in found.documents] == ["right"]
    assert [note.message for note in found.notes if note.code == "connector-skipped"] == [
        "connectors that were left out, as SOAP is not supported: A soap, Old soap (2 places)",
        "connectors that were left out, as the authorization KERBEROS is not known: Odd",
        "connectors that were left out, as it is a template: Pattern",
        "connectors that the instance generated for collections were left out; --collections takes them over: Students, Persons (2 places)",
    ]
    assert sorted(specs(document, collections=True)) == ["persons", "right", "students"]


@pytest.mark.parametrize(
    "document",
    [
        package(connector()),
        template(connector()),
        template(connector(), text=False),
        {"payloads": [package(connector()), package(connector())]},
        screens(copy_of(), copy_of()),
        screens(copy_of(), text=True),
    ],
    ids=["format 2", "template", "template's object", "bundle", "format 1", "format 1 text"],
)
def test_a_connector_is_found_wherever_it_stands(document: dict[str, Any]) -> None:
    """And once, however many copies there are."""
    assert specs(document)["crm-contacts"]["endpoints"] == {"list": {"method": "GET", "url": "https://crm.example.com/contacts"}}  # fmt: skip


def test_of_copies_that_differ_the_newest_is_taken() -> None:
    """Screens keep the copy of the day on which they were saved."""
    old, new = (copy_of(description=day, updated_at=f"2021-01-0{day}") for day in "12")
    for document in (screens(old, new), screens(new, old)):
        assert spec_of(document)["description"] == "2"
        assert "copy-chosen" in notes_of(document)
    assert notes_of(screens(old))["category-chosen"] == "/screens/1/watchers/0/script"
    basic = copy_of(authtype="BASIC", credentials="eyJpdiI6ImNpcGhlcnRleHQifQ==")
    assert spec_of(screens(basic))["authorization"]["password"] == {"env": "CRM_CONTACTS_PASSWORD"}


def test_names_are_kept_apart() -> None:
    """Two connectors of one name, a name that says nothing, endpoints that an instance shows as a list."""
    listed = [endpoint(purpose="first"), endpoint(), "none"]
    document = package(connector("A"), connector("Á"), connector("日本"), connector("", endpoints=listed))
    found = specs(document)
    assert {name: spec["displayName"] for name, spec in found.items()} == {
        "a": "A",
        "a-2": "Á (2)",
        "imported": "日本",
        "imported-2": "Imported",
    }
    assert list(found["imported-2"]["endpoints"]) == ["first", "1"]


def test_variables_of_two_connectors_are_never_the_same() -> None:
    """Though what their names are made of is."""
    one = connector("CRM", endpoints={"a": endpoint(headers=[pair("Api-Token", "first one")])})
    two = connector("CRM api", authtype="OAUTH2_BEARER", credentials={"token": "second"})
    found = specs(package(one, two))
    assert found["crm"]["endpoints"]["a"]["headers"] == [{"name": "Api-Token", "value": {"env": "CRM_API_TOKEN"}}]
    assert found["crm-api"]["authorization"]["token"] == {"env": "CRM_API_TOKEN_2"}


def test_what_no_request_can_be_made_of_is_left_out_and_told() -> None:
    """Endpoints without a URL, entries without a name, numbers out of bounds, texts that are no JSON."""
    odd = {
        "none": endpoint(""),
        "soap": endpoint(method="SOAP"),
        "no object": 7,
        "right": endpoint(
            params=[pair("", "x"), pair("{{name}}", "x")],
            headers=[pair("a b", "x"), pair("Host", "x"), pair("A", "1")],
            testData="{broken",
            timeout=100_000,
            retry_attempts="many",
            body="<a/>",
            body_type="raw",
            futureKey={"a": 1},
        ),
    }
    document = package(connector(endpoints=odd))
    assert spec_of(document)["endpoints"] == {
        "right": {
            "method": "GET",
            "url": "https://crm.example.com/contacts",
            "params": [{"name": "{{name}}", "value": "x"}],
            "headers": [{"name": "A", "value": "1"}],
            "body": "<a/>",
            "timeoutSeconds": 3600,
        }
    }
    place = f"/export/{UUID(0)}/attributes/endpoints"
    assert notes_of(document) == {
        "operation-skipped": f"{place}/none",
        "unsupported-method": f"{place}/soap",
        "malformed": f"{place}/right/testData",
        "parameter-skipped": f"{place}/right/headers/1",
        "media-type-chosen": f"{place}/right/body_type",
        "default-dropped": f"{place}/right/retry_attempts",
        "not-represented": f"{place}/right/futureKey",
    }


# secrets


def secretive(secret: Iterator[str]) -> dict[str, Any]:
    """Secrets in every credential, in headers, URLs, bodies and samples, and in texts about them."""
    kept = next(secret)
    endpoints = {
        f"with {kept}": endpoint(
            f"https://u:{next(secret)}@crm.example.com/s/{OPAQUE}/{kept}?api_key={next(secret)}&q={kept}&page=1#access_token={next(secret)}",
            description=f"sends {kept}",
            params=[pair("access_token", next(secret)), pair("q", kept), pair("n", "1", description=kept)],
            headers=[pair("X-Api-Key", next(secret)), pair("Authorization", f"Bearer {next(secret)}"), pair("X-Odd", OPAQUE), pair(kept, "1")],
            body=json.dumps({"client_secret": next(secret), "note": f"the key {kept}", "deep": [{"password": next(secret), "pin": 12}]}),
            testData=json.dumps({"password": next(secret), "a": {"b": [f"x {kept}"]}, kept: 1}),
            outboundConfig=[{"key": "a", "value": next(secret)}],
            futureKey=next(secret),
        ),
        "xml": endpoint(method="POST", headers=[pair("Content-Type", "application/xml")], body=f"<a><password>{next(secret)}</password></a>", testData=f"[{json.dumps(kept)}]"),
        "form": endpoint(method="POST", headers=[pair("Content-Type", "text/plain")], body=f"user=a&password={next(secret)}&x={kept}"),
        "template": endpoint(method="POST", body='{"a": {{a}}, "token": "' + next(secret) + '", "b": "' + kept + '{{c}}"}'),
    }  # fmt: skip
    cipher = f"eyJpdiI6{next(secret)}"
    oauth = {
        "url": f"https://u:{next(secret)}@crm.example.com/token?api_key={next(secret)}", "client_id": next(secret),
        "client_secret": next(secret), "username": next(secret), "password": next(secret), "token": next(secret), "scope": next(secret),
    }  # fmt: skip
    return package(
        connector(f"Knows {kept}", endpoints, {"token": kept}, ("c",), authtype="OAUTH2_BEARER", description=f"see {kept}", cipher=cipher),
        connector("Basic", endpoints, {"username": next(secret), "password": next(secret)}, authtype="BASIC"),
        connector("OAuth", {}, oauth, authtype="OAUTH2_PASSWORD"),
        connector("Soap", {}, {"passphrase": next(secret)}, type="SOAP", authtype="LOCAL_CERTIFICATE", wsdlFile=next(secret)),
        connector(f"Odd {kept}", {}, {"key": next(secret)}, authtype=kept),
        c=category(f"Of {kept}"),
    )  # fmt: skip


FORMS = {
    "plain": lambda document: document,
    "sealed": lambda document: sealed(document, Secret(PASSWORD)),
    "template": lambda document: package({"type": "ProcessTemplates", "attributes": {"manifest": json.dumps(document)}}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("output", ["text", "json"])
def test_no_secret_of_an_export_comes_out(workspace: Workspace, form: str, output: str) -> None:
    """Neither in a file nor on a stream; and what is written is valid and canonical."""
    made: list[str] = [OPAQUE]

    def counted() -> Iterator[str]:
        while True:
            made.append(f"canary-{len(made)}-words")
            yield made[-1]

    workspace.write("export.json", json.dumps(FORMS[form](secretive(counted()))))
    environment = {"EXPORT_PASSWORD": PASSWORD}
    done = workspace.run("import", "processmaker", "export.json", "-o", output, "--all-notes", "--password", "env:EXPORT_PASSWORD", env=environment)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    (workspace.root / "export.json").unlink()
    written = "".join(path.read_text() for path in (workspace.root / "connectors").iterdir())
    assert [secret for secret in [*made, PASSWORD] if secret in written + done.stdout + done.stderr] == []
    assert len(made) > 25 and "env: OAUTH_CLIENT_SECRET" in written
    assert workspace.run("validate").exit_code == 0
    assert workspace.run("fmt", "--check").exit_code == 0


# as people run it


def test_the_repositorys_own_names_are_kept(workspace: Workspace) -> None:
    """A connector or category that it has under the same display name is that one; what it has not comes along."""
    document = package(connector("sales TEAM'S contacts", categories=("c", "n")), c=category("Customer Data"), n=category("New"))  # fmt: skip
    workspace.write("export.json", json.dumps(document))
    done = workspace.run("import", "processmaker", "export.json", "--out", "-", "-C", ".")
    assert done.exit_code == 3 and "crm-contacts" in done.stderr.partition("validate will find:\n")[2]
    kinds = [line for line in done.stdout.splitlines() if line.startswith(("kind:", "  name:", "    - "))]
    assert kinds == ["kind: Category", "  name: new", "kind: Connector", "  name: crm-contacts", "    - crm", "    - new"]  # fmt: skip


def test_again_with_force_the_categories_are_still_there(workspace: Workspace) -> None:
    """Though the file that is replaced had them; and a category of ours takes the place of theirs."""
    workspace.write("export.json", json.dumps(package(connector("Orders", categories=("c",)), c=category("Fresh"))))
    for more in ((), ("--force",)):
        done = workspace.ok("import", "processmaker", "export.json", *more)
        assert "wrote connectors/orders.yaml\n1 endpoint from ProcessMaker export, format 2, 0 notes.\n" in done.stderr
        workspace.ok("validate")
    (workspace.root / "connectors/orders.yaml").unlink()
    workspace.ok("import", "processmaker", "export.json", "--category", "crm", "--name", "other")
    assert "    - crm\n" in (workspace.root / "connectors/other.yaml").read_text()
    assert "kind: Category" not in (workspace.root / "connectors/other.yaml").read_text()


def test_a_password_protects_the_file(workspace: Workspace) -> None:
    """It is read from a variable or a file, and never stands on the command line; a wrong one is told."""
    workspace.write("export.json", json.dumps(sealed(package(connector()), Secret(PASSWORD))))
    workspace.write("right", PASSWORD + "\n")
    workspace.write("wrong", "another")

    def run(*options: str) -> Any:
        done = workspace.run("import", "processmaker", "export.json", *options, env={"P": PASSWORD})
        assert PASSWORD not in done.output
        return done

    assert run("--password", "env:P", "--out", "-").exit_code == 0
    assert run("--password", "file:right").exit_code == 0
    told = {
        ("--password", "file:wrong"): (3, "error: the password does not open this file\n"),
        (): (64, "error: the file is protected by a password, and there is nobody to ask for it\n  hint: pass --password env:NAME"),
        ("--password", PASSWORD): (64, "error: --password takes where the password is, and never the password\n"),
        ("--password", "env:NOT_SET"): (64, "error: --password: the variable NOT_SET is not set\n"),
        ("--password", "file:nowhere"): (64, "error: --password: nowhere cannot be read: No such file or directory\n"),
    }  # fmt: skip
    for options, (code, message) in told.items():
        done = run(*options)
        assert (done.exit_code, done.stderr[: len(message)]) == (code, message)


def test_of_many_notes_those_of_weight_are_shown(workspace: Workspace) -> None:
    """Whatever comes before them: what is a risk, then what is lost."""
    items = [connector(f"C{number}", credentials={"token": "t"}, authtype="OAUTH2_BEARER") for number in range(25)]
    items += [connector("Last", credentials={"verify_certificate": False}), connector("Wsdl", type="SOAP")]
    workspace.write("export.json", json.dumps(package(**{f"u{number}": item for number, item in enumerate(items)})))
    lines = workspace.ok("import", "processmaker", "export.json").stderr.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == ["risk", "risk", "lost", "changed"]
    assert lines[20] == "... and 8 more; --all-notes lists them. In all:"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "export.json:1:1: the file holds no mapping"),
        ({"a": 1}, "this is no export of a ProcessMaker instance"),
        ({"export": {}}, "the export holds no connector that can be imported"),
        ({"export": "!", "encrypted": True}, "and its contents are not"),
        ({"export": "aGVsbG8=", "encrypted": True}, "are not whole"),
        (package(connector("Wsdl", type="SOAP")), "SOAP is not supported: Wsdl"),
    ],
)
def test_what_holds_no_connector_is_refused(workspace: Workspace, document: Any, message: str) -> None:
    """With what it holds instead."""
    workspace.write("export.json", json.dumps(document))
    done = workspace.run("import", "processmaker", "export.json", "--password", "env:P", env={"P": "p"})
    assert done.exit_code == 3 and message in done.stderr


# whatever is in it

WORDS = (
    "export type DataConnector model attributes references credentials dependents categories uuid name title endpoints "
    "manifest screens watchers script authtype status token password username client_id client_secret url purpose method params "
    "headers key value required description body body_type testData timeout retry_attempts retry_wait_time payloads verify_certificate"
).split()
VALUES = st.sampled_from(
    'DataConnector REST NONE BASIC OAUTH2_BEARER OAUTH2_PASSWORD GET post SOAP ACTIVE categories json form-data {"a":1} '
    'https://a.example/{{b}}?c={{d}}#e /api/1.0/x {{url}}/a https://u:p@a.example/1 {"a":{{b}},"password":"x"} }} {{#a}} [1] 99999'.split()
)  # fmt: skip
SHAPED = st.recursive(
    SCALARS | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | TEXTS, inner, max_size=6),
    max_leaves=25,
)
PARTS = (
    st.dictionaries(st.sampled_from(["attributes", "references", "dependents", "type", "name"]), SHAPED, max_size=4),
    st.dictionaries(st.sampled_from(WORDS) | TEXTS, SHAPED, max_size=5),
    st.dictionaries(st.sampled_from(WORDS), SHAPED, max_size=4),
)
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


def is_valid_or_refused(entry: dict[str, Any], item: dict[str, Any], payload: dict[str, Any]) -> None:
    """Assert it of an entry, an endpoint and a payload of any form, beside what is right."""
    odd = {**connector(endpoints={"odd": item}), **entry}
    right = connector("Right", endpoints={"right": endpoint(), "odd": item})
    bundle = {"payloads": [payload, package(odd, right)]}
    for document in (bundle, screens(copy_of(), {**copy_of(), **item}), payload):
        try:
            imported(document, collections=True)
        except NotImportable as refused:
            assert str(refused)


@settings(suppress_health_check=SLOW, deadline=None, max_examples=40)
@given(*PARTS)
def test_any_export_is_valid_or_refused(entry: dict[str, Any], item: dict[str, Any], payload: dict[str, Any]) -> None:
    """Whatever it holds."""
    is_valid_or_refused(entry, item, payload)


@pytest.mark.long
@settings(suppress_health_check=SLOW, deadline=None, max_examples=600)
@given(*PARTS)
def test_many_exports_are_valid_or_refused(
    entry: dict[str, Any], item: dict[str, Any], payload: dict[str, Any]
) -> None:
    """The same, for as long as it takes to be sure."""
    is_valid_or_refused(entry, item, payload)


def test_what_another_program_sealed_is_opened() -> None:
    """Made by openssl enc -aes-256-cbc, its key the SHA-256 of the password, the vector before what it gave."""
    contents = "AAECAwQFBgcICQoLDA0OD1yeVlf7vvzx52oqME/ijtujE6YO6hwszrVBgRAS70eY"
    document = {"version": "2", "encrypted": True, "export": contents}
    assert opened(document, Secret("the words of an export"))["export"] == {"u": {"type": "Screen"}}


@given(st.binary(max_size=200), st.text(min_size=1, max_size=20))
@settings(deadline=None)
def test_what_is_sealed_opens_with_its_password_alone(contents: bytes, password: str) -> None:
    """Whatever the password is; and damage is told."""
    document = {"export": {"a": contents.hex()}, "version": "2"}
    made = sealed(document, Secret(password))
    assert made["encrypted"] is True
    assert opened(made, Secret(password))["export"] == document["export"]
    with pytest.raises(Exception, match="password|whole") as refused:
        opened({**made, "export": made["export"][:20] + "AAAA" + made["export"][24:]}, Secret(password + "!"))
    assert password == "" or len(password) < 4 or password not in str(refused.value)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_ends_in_a_message(workspace: Workspace, depth: int) -> None:
    """In the file, and in the JSON texts within it."""
    deep = "[" * depth + "]" * depth
    entry = connector(endpoints={"a": endpoint(testData=deep, body=deep, params=[pair("a", "b")])})
    entry["attributes"]["mappings"] = "[]"
    workspace.write("export.json", json.dumps(package(entry, connector("Broken") | {"name": "x"})))
    workspace.ok("import", "processmaker", "export.json")
    text = json.dumps(package(connector())).replace('"mappings": null', f'"mappings": {deep}')
    workspace.write("export.json", text)
    done = workspace.run("import", "processmaker", "export.json", "--out", "-")
    assert done.exit_code in (0, 3) and (done.exit_code == 0 or "too many levels of nesting" in done.stderr)
