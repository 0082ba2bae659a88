"""Operations, servers and parameters become endpoints."""

from typing import Any

import pytest
from openapi_documents import SERVERS, endpoint_of, imported, notes_of, openapi, operation, spec_of, swagger

from reconciler.errors import ExitCode, UsageError
from reconciler.importers.openapi import NOTES, NotImportable, convert

GET = {"get": {"operationId": "get"}}


def url_of(document: dict[str, Any], **options: Any) -> str:
    found: str = endpoint_of(document, **options)["url"]
    return found


def test_a_document_becomes_one_connector() -> None:
    """The whole of it, once."""
    paths = {
        "/pets/{petId}": {
            "parameters": [{"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {"operationId": "showPet", "summary": "One pet", "description": "All about it."},
        }
    }
    document = openapi(paths, info={"title": "  Pet\tStore ", "description": "Pets.\r\n", "version": 1})
    (connector,) = imported(document).documents
    assert connector == {
        "apiVersion": "reconciler/v1",
        "kind": "Connector",
        "metadata": {"name": "pet-store"},
        "spec": {
            "displayName": "Pet Store",
            "description": "Pets.",
            "categories": ["pets"],
            "authorization": {"method": "none"},
            "endpoints": {
                "showPet": {
                    "description": "One pet\n\nAll about it.",
                    "method": "GET",
                    "url": "https://api.example.com/v1/pets/{{petId}}",
                    "sample": {"petId": 1},
                }
            },
        },
    }


def test_swagger_gives_the_same_as_openapi() -> None:
    """Server, parameters and body are told in other words there."""
    body = {"type": "object", "properties": {"name": {"type": "string", "example": "Rex"}}}
    old = swagger(
        {
            "/pets": {
                "post": {
                    "operationId": "add",
                    "parameters": [
                        {"name": "dry", "in": "query", "type": "boolean", "default": False},
                        {"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}},
                    ],
                }
            }
        },
        definitions={"Pet": body},
    )
    new = openapi(
        {
            "/pets": {
                "post": {
                    "operationId": "add",
                    "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean", "default": False}}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
                }
            }
        },
        components={"schemas": {"Pet": body}},
    )
    assert endpoint_of(old) == endpoint_of(new)
    assert endpoint_of(old)["params"] == [{"name": "dry", "value": "false"}]
    assert endpoint_of(old)["url"] == "https://api.example.com/v1/pets"


def test_endpoint_names_are_unique_and_tidy() -> None:
    """An operationId is kept where it can be; without one, method and path tell the endpoint."""
    paths = {
        "/a": {"get": {"operationId": "list"}, "post": {}},
        "/b": {
            "get": {"operationId": "list"},
            "put": {"operationId": " x \n y "},
            "delete": {"operationId": "z" * 300},
        },
    }
    document = openapi(paths)
    assert list(spec_of(document)["endpoints"]) == ["list", "POST /a", "list (2)", "x y", "z" * 255]
    (renamed,) = [note for note in imported(document).notes if note.code == "endpoint-renamed"]
    assert renamed.places == tuple(f"/paths/~1b/{method}/operationId" for method in ("get", "put", "delete"))
    assert renamed.message.endswith("(3 places)")


@pytest.mark.parametrize(
    ("servers", "base", "url"),
    [
        ([{"url": "http://a.example/x/"}, {"url": "https://a.example/x"}], None, "https://a.example/x/pets"),
        ([{"url": "/v2"}], "https://b.example/base", "https://b.example/v2/pets"),
        ([{"url": "v2"}], "https://b.example/base", "https://b.example/base/v2/pets"),
        ([], "https://b.example/base/", "https://b.example/base/pets"),
        (SERVERS, "https://b.example", "https://b.example/pets"),
        ([{"url": "//a.example"}], None, "https://a.example/pets"),
        ([{"url": "a.example:8080/x"}], None, "https://a.example:8080/x/pets"),
        ([{"url": "HTTPS://u:p@a.example/x?y#z"}], None, "https://a.example/x/pets"),
        ([{"url": "wss://a.example"}, {"url": "http://a.example"}], None, "http://a.example/pets"),
        ([{"url": "/v2"}], None, "/v2/pets"),
        (None, None, "/pets"),
        ([{"url": "{base}/x"}], None, "{{base}}/x/pets"),
        ([{"url": "not a url"}], None, "/not%20a%20url/pets"),
    ],
)
def test_the_server_is_chosen_and_completed(servers: Any, base: str | None, url: str) -> None:
    """https first; what is not absolute is joined to the base that the caller gives."""
    assert url_of(openapi({"/pets": GET}, servers=servers), server=base) == url


def test_server_variables_take_their_defaults() -> None:
    """A variable without one stays a placeholder, with a sample."""
    variables = {"env": {"default": "live"}, "region": {"enum": ["eu", "us"]}}
    document = openapi({"/a": GET}, servers=[{"url": "https://{env}.{region}.example.com", "variables": variables}])
    endpoint = endpoint_of(document)
    assert endpoint["url"] == "https://live.{{region}}.example.com/a"
    assert endpoint["sample"] == {"region": "eu"}


def test_an_operation_may_have_a_server_of_its_own() -> None:
    """So may a path; the nearest counts."""
    own, path = [{"url": "https://own.example"}], [{"url": "https://path.example"}]
    document = openapi(
        {"/a": {"servers": path, "get": {"operationId": "a", "servers": own}, "put": {"operationId": "b"}}}
    )
    found = spec_of(document)["endpoints"]
    assert [endpoint["url"] for endpoint in found.values()] == ["https://own.example/a", "https://path.example/a"]


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/a/{id}", "/a/{{id}}"),
        ("/a/{{id}}", "/a/{{id}}"),
        ("/a/{user.id}/{ x }", "/a/{{user_id}}/{{x}}"),
        ("/a/{+rest}/{list*}{?q,r}", "/a/{{rest}}/{{list}}"),
        ("/a b/{}/}{", "/a%20b/%7B%7D/%7D%7B"),
        ("/a#Action=x", "/a"),
        ("a?b=c", "/a?b=c"),
        ("/{id}/{id}", "/{{id}}/{{id}}"),
        ("https://other.example/x", None),
    ],
)
def test_path_templates_become_mustache(path: str, url: str | None) -> None:
    """And nothing else in a path can be read as a tag."""
    assert url_of(openapi({path: GET})) == (f"https://api.example.com/v1{url}" if url else path)


def test_query_parameters() -> None:
    """A default is sent; a required one without is a placeholder; an optional one without sends nothing."""
    parameters = [
        {"name": "a", "in": "query", "schema": {"default": 5}, "description": "First.", "required": True},
        {"name": "b", "in": "query", "required": True, "schema": {"enum": ["x", "y"]}},
        {"name": "c", "in": "query", "example": "z", "schema": {"type": "string"}},
        {"name": "d[e]", "in": "query", "required": True, "examples": {"one": {"value": [1, 2]}}},
        {"name": "f", "in": "query", "required": True, "schema": {"enum": ["only"]}},
        {"name": "g", "in": "query", "schema": {"type": "array", "default": ["p", "q"]}},
    ]
    endpoint = endpoint_of(operation({"parameters": parameters}))
    assert endpoint["params"] == [
        {"name": "a", "value": "5", "required": True, "description": "First."},
        {"name": "b", "value": "{{b}}", "required": True},
        {"name": "c"},
        {"name": "d[e]", "value": "{{d_e}}", "required": True},
        {"name": "f", "value": "only", "required": True},
        {"name": "g", "value": "{{g}}"},
    ]
    assert endpoint["sample"] == {"b": "x", "d_e": [1, 2], "g": ["p", "q"]}


def test_header_parameters() -> None:
    """Accept, Content-Type and Authorization are described elsewhere; one header of a name is sent."""
    names = ["X-Trace", "Accept", "content-type", "Authorization", "x-trace", "not a header", "X-Lang"]
    parameters = [{"name": name, "in": "header", "required": True} for name in names]
    document = operation({"parameters": parameters})
    endpoint = endpoint_of(document)
    assert [header["name"] for header in endpoint["headers"]] == ["X-Trace", "X-Lang"]
    codes = [note.code for note in imported(document).notes]
    assert codes.count("ignored-header") == 3
    assert codes.count("parameter-skipped") == 2


def test_an_operations_parameter_replaces_the_paths() -> None:
    """By name and place."""
    shared = [{"name": "a", "in": "query", "schema": {"default": 1}}, {"name": "b", "in": "query"}]
    own = [{"name": "a", "in": "query", "schema": {"default": 2}}]
    document = openapi({"/a": {"parameters": shared, "get": {"parameters": own}}})
    assert endpoint_of(document)["params"] == [{"name": "a", "value": "2"}, {"name": "b"}]


def test_placeholders_of_two_places_are_kept_apart() -> None:
    """An id in the path and one in the query need not be the same."""
    parameters = [
        {"name": "id", "in": place, "required": True, "example": place} for place in ("path", "query", "header")
    ]
    endpoint = endpoint_of(openapi({"/{id}": {"get": {"parameters": parameters}}}))
    assert endpoint["sample"] == {"id": "path", "query_id": "query", "header_id": "header"}


def test_literal_braces_are_no_tags() -> None:
    """What mustache would read as a tag moves into the sample, which is no template."""
    parameters = [
        {"name": "q", "in": "query", "schema": {"default": "{{#broken"}},
        {"name": "{{x", "in": "query", "schema": {"default": "a"}},
    ]
    document = operation({"parameters": parameters})
    endpoint = endpoint_of(document)
    assert endpoint["params"] == [{"name": "q", "value": "{{q}}"}]
    assert endpoint["sample"] == {"q": "{{#broken"}
    assert set(notes_of(document)) == {"value-moved", "parameter-skipped"}


@pytest.mark.parametrize(
    ("document", "code", "where"),
    [
        (operation({"callbacks": {"done": {}}}), "callbacks", "/paths/~1pets/post/callbacks"),
        (
            operation({"parameters": [{"name": "a", "in": "cookie"}]}),
            "cookie-parameter",
            "/paths/~1pets/post/parameters/0",
        ),
        (operation({"parameters": [{"name": "a"}]}), "malformed", "/paths/~1pets/post/parameters/0"),
        (operation({"parameters": {"name": "a"}}), "malformed", "/paths/~1pets/post/parameters"),
        (operation({"responses": {"200": {"links": {"a": {}}}}}), "links", "/paths/~1pets/post/responses/200/links"),
        (operation({}, webhooks={"a": {}}), "webhooks", "/webhooks"),
        (operation({"parameters": [{"$ref": "x.yaml#/a"}]}), "external-reference", "/paths/~1pets/post/parameters/0"),
        (operation({"parameters": [{"$ref": "#/a/b"}]}), "unresolved-reference", "/paths/~1pets/post/parameters/0"),
        (openapi({"/a": {**GET, "head": {}}}), "unsupported-method", "/paths/~1a/head"),
        (openapi({"/a": {**GET, "gte": {}}}), "malformed", "/paths/~1a/gte"),
        (openapi({"/a": GET, "/b": {"$ref": "other.yaml"}}), "external-reference", "/paths/~1b"),
        (operation({"description": "x" * 5000}), "text-cut", "/paths/~1pets/post"),
        (openapi({"/a": GET, "/" + "x" * 9000: GET}), "operation-skipped", f"/paths/~1{'x' * 9000}/get"),
        (openapi({"/a": GET}, servers=[{"url": "ftp://a.example"}]), "unsupported-server", "/servers/0"),
        (openapi({"/a": GET}, servers=[]), "no-server", "/servers"),
        (openapi({"/a": GET}, info={}), "name-changed", "/info"),
        (swagger({"/a": {"get": {"schemes": ["wss"]}}}), "unsupported-server", "/paths/~1a/get/schemes"),
    ],
)
def test_what_is_not_carried_over_is_noted(document: dict[str, Any], code: str, where: str) -> None:
    """With the place in the document that is imported."""
    assert notes_of(document)[code] == where


def test_references_that_go_in_circles_end() -> None:
    """A parameter that is itself, twice removed."""
    shared = {"a": {"$ref": "#/components/parameters/b"}, "b": {"$ref": "#/components/parameters/a"}}
    document = operation({"parameters": [{"$ref": "#/components/parameters/a"}]}, components={"parameters": shared})
    assert "unresolved-reference" in notes_of(document)


def test_references_are_unescaped() -> None:
    """JSON pointer's escapes and those of a URL."""
    document = operation(
        {"parameters": [{"$ref": "#/components/parameters/a~1b%20c"}]},
        components={"parameters": {"a/b c": {"name": "found", "in": "query"}}},
    )
    assert endpoint_of(document)["params"] == [{"name": "found"}]


def test_a_large_document_is_divided() -> None:
    """A connector holds 2,000 endpoints; names, display names and limits of the parts hold too."""
    document = openapi({f"/a{n}": {"get": {"operationId": f"get{n}"}} for n in range(4500)}, info={"title": "t" * 255})
    parts = imported(document).documents
    assert [len(part["spec"]["endpoints"]) for part in parts] == [2000, 2000, 500]
    assert [part["metadata"]["name"] for part in parts] == [f"{'t' * 61}-{n}" for n in (1, 2, 3)]
    assert parts[2]["spec"]["displayName"] == "t" * 246 + " (3 of 3)"
    assert "connector-split" in notes_of(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "this is neither an OpenAPI nor a Swagger document: it has no key openapi or swagger"),
        ({"openapi": "4.0.0"}, "version 4.0.0 of OpenAPI or Swagger cannot be imported"),
        ({"swaggerVersion": "1.2"}, "version 1.2 of OpenAPI or Swagger cannot be imported"),
        ({"openapi": "3.1.0"}, "the document has no operation that a connector can call"),
        (openapi({"/a": {"head": {}}}), "the document has no operation that a connector can call"),
        ({**openapi({}), "paths": [1]}, "the document has no operation that a connector can call"),
    ],
)
def test_other_documents_are_refused(document: dict[str, Any], message: str) -> None:
    """With a hint, and the exit code for invalid definitions."""
    with pytest.raises(NotImportable) as caught:
        convert(document, categories=["pets"])
    assert caught.value.message == message
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.INVALID


@pytest.mark.parametrize(
    "options",
    [
        {"name": "Pets"},
        {"categories": []},
        {"categories": ["a b"]},
        {"server": "a.example"},
        {"server": "https://u:p@a.example"},
        {"server": "https://a.example/{{x}}"},
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any]) -> None:
    """They are the caller's mistake, not the document's."""
    with pytest.raises(UsageError):
        convert(openapi({"/a": GET}), **{"categories": ["pets"], **options})


def test_the_name_can_be_given() -> None:
    """It also begins the names of the environment variables."""
    schemes = {"securitySchemes": {"t": {"type": "http", "scheme": "bearer"}}}
    document = openapi({"/a": GET}, components=schemes, security=[{"t": []}])
    (connector,) = imported(document, name="1-crm").documents
    assert connector["metadata"]["name"] == "1-crm"
    assert connector["spec"]["authorization"]["token"] == {"env": "_1_CRM_TOKEN"}


@pytest.mark.parametrize(
    ("title", "name"), [("Müller's Läden", "mullers-laden"), ("日本", "api-example-com-v1"), ("", "api-example-com-v1")]
)
def test_a_name_is_found_for_any_title(title: str, name: str) -> None:
    """From the title's letters, else from the server."""
    (connector,) = imported(openapi({"/a": GET}, info={"title": title})).documents
    assert connector["metadata"]["name"] == name


def test_codes_of_notes_are_slugs_with_a_summary() -> None:
    """They are part of the interface."""
    assert all(code == code.lower() and summary for code, (_, summary) in NOTES.items())
