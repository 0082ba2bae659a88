"""Postman collections."""

from typing import Any

import pytest
from openapi_checks import check

from reconciler.importers.openapi import Imported
from reconciler.importers.postman import convert
from reconciler.importers.syntax import NotImportable

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(*items: Any, **more: Any) -> dict[str, Any]:
    """A collection called Pets."""
    return {"info": {"name": "Pets", "schema": SCHEMA}, "item": list(items), **more}


def request(url: Any = "https://api.example.com/pets", **more: Any) -> dict[str, Any]:
    """A collection's item: one request."""
    return {"name": "one", "request": {"method": "GET", "url": url, **more}}


def imported(document: dict[str, Any], **options: Any) -> Imported:
    """The import of a collection; what is true of every import is checked on the way."""
    found = convert(document, **{"categories": ["pets"], **options})
    check(found)
    return found


def spec_of(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The spec of its connector."""
    (connector,) = imported(document, **options).documents
    found: dict[str, Any] = connector["spec"]
    return found


def endpoint_of(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Its one endpoint."""
    (endpoint,) = spec_of(document, **options)["endpoints"].values()
    found: dict[str, Any] = endpoint
    return found


def notes_of(document: dict[str, Any]) -> dict[str, str]:
    """Code to place of all notes."""
    return {note.code: note.where for note in imported(document).notes}


def attributes(**values: Any) -> list[dict[str, Any]]:
    """As v2.1 writes them."""
    return [{"key": key, "value": value, "type": "string"} for key, value in values.items()]


def test_folders_name_their_requests() -> None:
    """So that each endpoint's name is its own."""
    folder = {"name": "Shop", "item": [request(), {"name": "Deep", "item": [request()]}]}
    assert list(spec_of(collection(folder, request(), request()))["endpoints"]) == [
        "Shop / one",
        "Shop / Deep / one",
        "one",
        "one (2)",
    ]


def test_variables() -> None:
    """What a URL begins with is filled in; others are placeholders with samples; `:id` has its own value."""
    url = {
        "raw": "{{base}}/pets/:id/{{part}}/{{unknown}}?q={{part}}&off=1",
        "query": [{"key": "q", "value": "{{part}}", "description": {"content": "what"}}, {"key": "off", "value": "1", "disabled": True}],
        "variable": [{"key": "id", "value": "7"}],
    }  # fmt: skip
    variables = [{"key": "base", "value": "https://{{host}}/v1"}, {"key": "host", "value": "api.example.com"}, {"key": "part", "value": "a b"}]  # fmt: skip
    endpoint = endpoint_of(collection(request(url), variable=variables))
    assert endpoint["url"] == "https://api.example.com/v1/pets/{{id}}/{{part}}/{{unknown}}"
    assert endpoint["params"] == [{"name": "q", "value": "{{part}}", "description": "what"}, {"name": "off"}]
    assert endpoint["sample"] == {"id": "7", "part": "a b", "unknown": "example"}


def test_a_folders_variable_hides_the_collections_and_a_disabled_one_is_none() -> None:
    """As Postman has it."""
    inner = {
        "name": "f",
        "variable": [{"key": "a", "value": "inner"}],
        "item": [request("https://h.example/{{a}}/{{b}}")],
    }
    variables = [{"key": "a", "value": "outer"}, {"key": "b", "value": "x", "disabled": True}]
    assert endpoint_of(collection(inner, variable=variables))["sample"] == {"a": "inner", "b": "example"}


def test_a_base_url_without_a_value() -> None:
    """Is left to callers, with a note, or named by --server."""
    document = collection(request("{{url}}/pets"))
    assert endpoint_of(document)["url"] == "{{url}}/pets"
    assert {"no-server", "variable-left"} <= notes_of(document).keys()
    assert endpoint_of(document, server="https://a.example/v1/")["url"] == "https://a.example/v1/pets"


def test_dynamic_variables() -> None:
    """Are values that callers give; the sample has their type."""
    body = {"mode": "raw", "raw": '{"id": "{{$guid}}", "at": {{$timestamp}}}', "options": {"raw": {"language": "json"}}}
    endpoint = endpoint_of(collection(request(method="POST", body=body)))
    assert endpoint["body"] == '{\n  "id": "{{guid}}",\n  "at": {{timestamp}}\n}'
    assert endpoint["sample"] == {"guid": "00000000-0000-4000-8000-000000000000", "timestamp": 1767225600}


@pytest.mark.parametrize(
    ("auth", "block"),
    [
        ({"type": "basic", "basic": attributes(username="u", password="{{pw}}")}, {"method": "basic", "username": {"env": "PETS_USERNAME"}, "password": {"env": "PETS_PW"}}),
        ({"type": "basic", "basic": {"username": "u", "password": "p"}}, {"method": "basic", "username": {"env": "PETS_USERNAME"}, "password": {"env": "PETS_PASSWORD"}}),
        ({"type": "bearer", "bearer": attributes(token="{{tok}}")}, {"method": "bearer", "token": {"env": "PETS_TOK"}}),
        (
            {"type": "oauth2", "oauth2": attributes(grant_type="client_credentials", accessTokenUrl="https://a.example/token", clientId="i", clientSecret="s", scope="b a", client_authentication="body", audience="x")},
            {"method": "oauth2-client-credentials", "tokenUrl": "https://a.example/token", "clientId": {"env": "PETS_CLIENT_ID"}, "clientSecret": {"env": "PETS_CLIENT_SECRET"}, "clientAuthentication": "body", "scopes": ["a", "b"], "audience": "x"},
        ),
        ({"type": "oauth2", "oauth2": attributes(grant_type="authorization_code", accessToken="abc")}, {"method": "bearer", "token": {"env": "PETS_TOKEN"}}),
        ({"type": "noauth"}, {"method": "none"}),
        ({"type": "hawk", "hawk": attributes(authKey="k")}, {"method": "none"}),
    ],
)  # fmt: skip
def test_authorizations(auth: dict[str, Any], block: dict[str, Any]) -> None:
    """Of the collection, inherited by its request; each secret is a reference."""
    assert spec_of(collection(request(), auth=auth))["authorization"] == block


def test_a_password_grant_has_all_four() -> None:
    """Client and user."""
    auth = {
        "type": "oauth2",
        "oauth2": attributes(grant_type="password_credentials", accessTokenUrl="https://a.example/t"),
    }
    block = spec_of(collection(request(), auth=auth))["authorization"]
    assert block.keys() == {"method", "tokenUrl", "clientId", "clientSecret", "username", "password"}


def test_requests_that_are_authorized_differently() -> None:
    """Say so: by none, or by the name of another block."""
    bearer = {"type": "bearer", "bearer": attributes(token="x")}
    folder = {
        "name": "f",
        "auth": {"type": "basic", "basic": attributes(username="u", password="p")},
        "item": [request()],
    }
    spec = spec_of(collection(request(), request(), folder, request(auth={"type": "noauth"}), auth=bearer))
    assert spec["authorizations"].keys() == {"basic"}
    assert [endpoint.get("authorization") for endpoint in spec["endpoints"].values()] == [None, None, "basic", "none"]


@pytest.mark.parametrize("place", ["header", "query"])
def test_keys_are_entries(place: str) -> None:
    """Of the header or the query, by reference, whatever they are called."""
    auth = {"type": "apikey", "apikey": attributes(key="X-Who", value="abc", **{"in": place})}
    endpoint = endpoint_of(collection(request(auth=auth)))
    entries = endpoint["headers" if place == "header" else "params"]
    assert entries == [{"name": "X-Who", "value": {"env": "PETS_X_WHO"}, "required": True}]


def test_bodies() -> None:
    """Each mode has its type; what was sent is the sample."""
    modes: dict[str, Any] = {
        "json": {"mode": "raw", "raw": '{"a": {{n}}, "b": "x {{t}} y", "c": 1 /* one */}'},
        "xml": {"mode": "raw", "raw": "<a>{{t}}</a>", "options": {"raw": {"language": "xml"}}},
        "url": {"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "1"}, {"key": "b", "value": "2", "disabled": True}]},
        "form": {"mode": "formdata", "formdata": [{"key": "a", "value": "{{t}}"}, {"key": "f", "type": "file", "src": "/etc/passwd"}]},
        "graphql": {"mode": "graphql", "graphql": {"query": "query Q($n: Int) { a(n: $n) { b } }", "variables": '{"n": 5}'}},
    }  # fmt: skip
    items = [{"name": name, "request": {"method": "POST", "url": "https://h.example/a", "body": body}} for name, body in modes.items()]  # fmt: skip
    found = spec_of(collection(*items, variable=[{"key": "n", "value": "5"}, {"key": "t", "value": "hi"}]))["endpoints"]
    assert {name: (one.get("bodyType", "json"), one["body"], one.get("sample")) for name, one in found.items()} == {
        "json": ("json", '{\n  "a": {{n}},\n  "b": "x {{t}} y",\n  "c": {{c}}\n}', {"n": 5, "t": "hi", "c": 1}),
        "xml": ("raw", "<a>{{t}}</a>", {"t": "hi"}),
        "url": ("form-urlencoded", '{\n  "a": "{{a}}"\n}', {"a": "1"}),
        "form": ("multipart", '{\n  "a": "{{t}}",\n  "f": "{{f}}"\n}', {"t": "hi", "f": "example"}),
        "graphql": (
            "json",
            '{\n  "query": "query Q($n: Int) { a(n: $n) { b } }",\n  "variables": {\n    "n": {{variables_n}}\n  }\n}',
            {"variables_n": 5},
        ),
    }


def test_notes_have_places() -> None:
    """One of a cause, where it is met first."""
    item = {
        **request(header=[{"key": "Cookie", "value": "a=b"}, {"key": "X-A", "value": "b", "disabled": True}]),
        "event": [{"listen": "test", "script": {"exec": ["x"]}}],
        "response": [{"name": "ok"}],
    }
    head = request(method="HEAD")
    places = notes_of(collection(item, item, head, auth={"type": "ntlm", "ntlm": []}))
    assert places["script"] == "/item/0/event"
    assert places["saved-answer"] == "/item/0/response"
    assert places["cookie-parameter"] == "/item/0/request/header/0"
    assert places["entry-disabled"] == "/item/0/request/header/1"
    assert places["unsupported-method"] == "/item/2/request"
    assert places["unsupported-security"] == "/auth"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"id": "x", "name": "old", "requests": []}, "this is a Postman collection v1, which cannot be imported"),
        ({"values": [], "_postman_variable_scope": "environment"}, "this is a Postman environment and no collection"),
        ({"openapi": "3.0.0"}, "this is no Postman collection: it has no list item"),
        (collection(), "the collection holds no request that a connector can send"),
    ],
)
def test_refusals(document: dict[str, Any], message: str) -> None:
    """Say what the file is."""
    with pytest.raises(NotImportable) as refused:
        convert(document, categories=["pets"])
    assert str(refused.value) == message


def test_a_collection_of_the_interface_is_wrapped() -> None:
    """In a key of its own."""
    assert endpoint_of({"collection": collection(request())})["url"] == "https://api.example.com/pets"
