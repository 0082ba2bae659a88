"""Security schemes become authorization, or headers and parameters with references."""

from typing import Any

import pytest
from openapi_documents import endpoint_of, imported, notes_of, openapi, spec_of, swagger

ENV = {name: {"env": f"PETS_{name}"} for name in ("USERNAME", "PASSWORD", "TOKEN", "CLIENT_ID", "CLIENT_SECRET")}
TOKEN_URL = "https://auth.example.com/token"
BEARER = {"method": "bearer", "token": ENV["TOKEN"]}
CLIENT = {
    "method": "oauth2-client-credentials",
    "tokenUrl": TOKEN_URL,
    "clientId": ENV["CLIENT_ID"],
    "clientSecret": ENV["CLIENT_SECRET"],
}
GET = {"get": {"operationId": "get"}}


def oauth(**flows: Any) -> dict[str, Any]:
    return {"type": "oauth2", "flows": flows}


def secured(*schemes: Any, **more: Any) -> dict[str, Any]:
    """A document with the schemes s0, s1 and so on, any of which is enough."""
    named = {f"s{index}": scheme for index, scheme in enumerate(schemes)}
    more = {"security": [{name: []} for name in named], **more}
    return openapi({"/a": GET}, components={"securitySchemes": named}, **more)


@pytest.mark.parametrize(
    ("scheme", "authorization", "note"),
    [
        ({"type": "http", "scheme": "Basic"}, {"method": "basic", "username": ENV["USERNAME"], "password": ENV["PASSWORD"]}, None),
        ({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, BEARER, None),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://a.example"}, BEARER, "token-by-hand"),
        (oauth(implicit={"authorizationUrl": "https://a.example"}), BEARER, "token-by-hand"),
        (oauth(authorizationCode={"tokenUrl": TOKEN_URL}), BEARER, "token-by-hand"),
        (oauth(), BEARER, "token-by-hand"),
        (oauth(clientCredentials={"tokenUrl": TOKEN_URL}), CLIENT, None),
        (oauth(clientCredentials={"tokenUrl": "/token"}), {**CLIENT, "tokenUrl": "https://api.example.com/token"}, None),
        (oauth(clientCredentials={"tokenUrl": "ftp://x"}, implicit={}), BEARER, "malformed"),
        (
            oauth(password={"tokenUrl": TOKEN_URL, "scopes": {"b": "", "a": "", "no good": ""}}),
            {**CLIENT, "method": "oauth2-password", "username": ENV["USERNAME"], "password": ENV["PASSWORD"], "scopes": ["a", "b"]},
            None,
        ),
        ({"type": "http", "scheme": "digest"}, {"method": "none"}, "unsupported-security"),
        ({"type": "mutualTLS"}, {"method": "none"}, "unsupported-security"),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, {"method": "none"}, "unsupported-security"),
        ({"type": "apiKey", "in": "header", "name": "not a header"}, {"method": "none"}, "unsupported-security"),
        ({"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"}, {"method": "none"}, "unsupported-security"),
        ({"$ref": "other.yaml"}, {"method": "none"}, "external-reference"),
    ],
)  # fmt: skip
def test_each_scheme(scheme: dict[str, Any], authorization: dict[str, Any], note: str | None) -> None:
    """Secrets, and user names too, are references that begin with the connector's name."""
    document = secured(scheme)
    assert spec_of(document)["authorization"] == authorization
    assert note is None or note in notes_of(document)


@pytest.mark.parametrize(
    ("scheme", "authorization"),
    [
        ({"type": "basic"}, {"method": "basic", "username": ENV["USERNAME"], "password": ENV["PASSWORD"]}),
        ({"type": "oauth2", "flow": "application", "tokenUrl": TOKEN_URL}, CLIENT),
        ({"type": "oauth2", "flow": "accessCode", "tokenUrl": TOKEN_URL}, BEARER),
    ],
)
def test_swagger_schemes(scheme: dict[str, Any], authorization: dict[str, Any]) -> None:
    """The older words for the same."""
    document = swagger({"/a": GET}, securityDefinitions={"s": scheme}, security=[{"s": []}])
    assert spec_of(document)["authorization"] == authorization


def test_keys_become_headers_and_parameters_with_references() -> None:
    """On every endpoint; a parameter that stands for the key gives way to it."""
    header = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    query = {"type": "apiKey", "in": "query", "name": "key"}
    parameters = [{"name": "x-api-key", "in": "header"}, {"name": "page", "in": "query"}]
    document = openapi(
        {"/a": {"get": {"parameters": parameters}}},
        components={"securitySchemes": {"h": header, "q": query}},
        security=[{"h": [], "q": []}],
    )
    assert spec_of(document)["authorization"] == {"method": "none"}
    endpoint = endpoint_of(document)
    assert endpoint["headers"] == [{"name": "X-API-Key", "value": {"env": "PETS_X_API_KEY"}, "required": True}]
    assert endpoint["params"] == [{"name": "key", "value": {"env": "PETS_KEY"}, "required": True}, {"name": "page"}]


def test_of_alternatives_the_one_that_works_unattended_is_chosen() -> None:
    """The others are noted."""
    document = secured(
        oauth(implicit={}), {"type": "http", "scheme": "basic"}, oauth(clientCredentials={"tokenUrl": TOKEN_URL})
    )
    assert spec_of(document)["authorization"] == CLIENT
    (note,) = [note for note in imported(document).notes if note.code == "security-chosen"]
    assert note.message == "s2 is used; there are also: s0; s1"


def test_what_serves_most_operations_is_chosen() -> None:
    """Even where another would need less care."""
    schemes = {"b": {"type": "http", "scheme": "basic"}, "t": {"type": "http", "scheme": "bearer"}}
    paths = {f"/{n}": {"get": {"security": [{"b": []}]}} for n in range(3)}
    document = openapi({**paths, "/t": {"get": {"security": [{"t": []}]}}}, components={"securitySchemes": schemes})
    spec = spec_of(document)
    assert spec["authorization"]["method"] == "basic"
    assert spec["authorizations"] == {"t": {"method": "bearer", "token": {"env": "PETS_T_TOKEN"}}}
    assert [endpoint.get("authorization") for endpoint in spec["endpoints"].values()] == [None, None, None, "t"]
    assert not notes_of(document)


def test_scopes_are_those_that_operations_ask_for() -> None:
    """Not all that the flow knows."""
    scheme = oauth(clientCredentials={"tokenUrl": TOKEN_URL, "scopes": {"a": "", "b": "", "c": ""}})
    paths = {"/1": {"get": {"security": [{"s": ["b"]}]}}, "/2": {"get": {"security": [{"s": ["a"]}]}}}
    document = openapi(paths, components={"securitySchemes": {"s": scheme}})
    assert spec_of(document)["authorization"]["scopes"] == ["a", "b"]


def test_operations_that_differ_say_so() -> None:
    """One that anybody may call, and one that takes a key instead."""
    schemes = {"t": {"type": "http", "scheme": "bearer"}, "k": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    paths = {
        "/1": GET,
        "/2": GET,
        "/open": {"get": {"operationId": "open", "security": []}},
        "/key": {"get": {"operationId": "key", "security": [{"k": []}]}},
    }
    document = openapi(paths, components={"securitySchemes": schemes}, security=[{"t": []}])
    found = imported(document)
    endpoints = found.documents[0]["spec"]["endpoints"]
    assert [header["name"] for header in endpoints["key"]["headers"]] == ["X-Key"]
    assert "headers" not in endpoints["open"]
    assert [endpoint.get("authorization") for endpoint in endpoints.values()] == [None, None, "none", "none"]


def test_schemes_that_nobody_asks_for_are_used_all_the_same() -> None:
    """Many documents forget to say so."""
    document = secured({"type": "http", "scheme": "bearer"}, security=None)
    assert spec_of(document)["authorization"] == BEARER
    assert "security-assumed" in notes_of(document)
    assert spec_of(secured({"type": "http", "scheme": "bearer"}, security=[{}]))["authorization"] == {"method": "none"}


def test_a_scheme_that_is_not_described_is_noted() -> None:
    """Its name stands in the note."""
    assert notes_of(secured(security=[{"nobody": []}]))["unresolved-reference"] == "/security"


@pytest.mark.parametrize(
    ("server", "warned"),
    [("http://a.example", True), ("http://localhost:8080", False), ("https://a.example", False)],
)
def test_credentials_over_plain_http_are_noted(server: str, warned: bool) -> None:
    """Not where they stay on this machine."""
    document = secured({"type": "http", "scheme": "basic"}, servers=[{"url": server}])
    assert ("plain-http" in notes_of(document)) is warned


def test_a_token_url_over_plain_http_is_noted() -> None:
    """The client's secret is sent there."""
    document = secured(oauth(clientCredentials={"tokenUrl": "http://a.example/token"}))
    assert "plain-http" in notes_of(document)


def test_a_required_credential_in_a_parameter_is_a_reference() -> None:
    """Unless the connector is authorized anyway: then it belongs to the single call."""
    parameters = [{"name": "access_token", "in": "query", "required": True}, {"name": "api_key", "in": "query"}]
    paths = {"/a": {"get": {"parameters": parameters}}}
    reference = {"name": "access_token", "value": {"env": "PETS_ACCESS_TOKEN"}, "required": True}
    assert endpoint_of(openapi(paths))["params"] == [reference, {"name": "api_key"}]
    schemes = {"t": {"type": "http", "scheme": "bearer"}}
    document = openapi(paths, components={"securitySchemes": schemes}, security=[{"t": []}])
    assert endpoint_of(document)["params"][0]["value"] == "{{access_token}}"
