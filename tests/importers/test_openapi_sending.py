"""What an endpoint says of how values are written and which credentials go along, as the document has it."""

from typing import Any

import pytest
from openapi_documents import endpoint_of, imported, notes_of, openapi, operation, spec_of, swagger

from reconciler.importers.openapi import read

LIST = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
TEXT = {"type": "string"}


def written(document: dict[str, Any], group: str) -> dict[str, Any]:
    """The first entry of a group, its name, value and whether it is required aside."""
    (entry, *_) = endpoint_of(document).get(group, [{}])
    return {key: value for key, value in entry.items() if key not in ("name", "value", "required")}


QUERY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"schema": LIST}, {}),
    ({"schema": LIST, "explode": False}, {"explode": False}),
    ({"schema": TEXT, "explode": False}, {}),
    ({"schema": OBJECT}, {}),
    ({"schema": LIST, "style": "spaceDelimited", "explode": False}, {"style": "spaceDelimited"}),
    ({"schema": LIST, "style": "pipeDelimited"}, {"style": "pipeDelimited"}),
    ({"schema": LIST, "style": "pipeDelimited", "explode": True}, {}),
    ({"schema": OBJECT, "style": "deepObject", "explode": True}, {"style": "deepObject"}),
    ({"content": {"application/json": {"schema": OBJECT}}}, {"style": "json"}),
]
PATH: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("3.0.3", {"schema": LIST}, {}),
    ("3.0.3", {"schema": TEXT, "style": "label"}, {"style": "label"}),
    ("3.0.3", {"schema": LIST, "style": "label"}, {"style": "label", "explode": True}),
    ("3.1.0", {"schema": LIST, "style": "label"}, {"style": "label", "explode": True}),
    ("3.0.4", {"schema": LIST, "style": "label"}, {"style": "label"}),
    ("3.1.1", {"schema": LIST, "style": "label"}, {"style": "label"}),
    ("3.0.3", {"schema": LIST, "style": "matrix", "explode": True}, {"style": "matrix", "explode": True}),
    ("3.0.3", {"schema": OBJECT, "explode": True}, {"explode": True}),
    ("3.0.3", {"schema": TEXT, "description": "Which."}, {"description": "Which."}),
    ("3.0.3", {"content": {"application/json": {"schema": OBJECT}}}, {"style": "json"}),
]


@pytest.mark.parametrize(("node", "expected"), QUERY)
def test_styles_of_queries(node: dict[str, Any], expected: dict[str, Any]) -> None:
    """Only what differs from repeated names is said."""
    document = operation({"parameters": [{"name": "q", "in": "query", "required": True, **node}]})
    assert written(document, "params") == expected
    assert not notes_of(document)


@pytest.mark.parametrize(("version", "node", "expected"), PATH)
def test_styles_of_paths(version: str, node: dict[str, Any], expected: dict[str, Any]) -> None:
    """A label that is not exploded has dots between its items in the tables of the older versions."""
    parameter = {"name": "p", "in": "path", "required": True, **node}
    document = openapi({"/{p}": {"get": {"parameters": [parameter]}}}, openapi=version)
    assert written(document, "pathParams") == expected
    assert not notes_of(document)


def test_styles_of_headers() -> None:
    """There explode makes a difference for objects alone."""
    for schema, explode, expected in ((OBJECT, True, {"explode": True}), (LIST, True, {}), (OBJECT, False, {})):
        node = {"name": "X-A", "in": "header", "required": True, "schema": schema, "explode": explode}
        assert written(operation({"parameters": [node]}), "headers") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, {"explode": False}),
        ("csv", {"explode": False}),
        ("ssv", {"style": "spaceDelimited"}),
        ("tsv", {"style": "tabDelimited"}),
        ("pipes", {"style": "pipeDelimited"}),
        ("multi", {}),
    ],
)
def test_collection_formats(name: str | None, expected: dict[str, Any]) -> None:
    """Of Swagger, in a query and in a form."""
    more = {"collectionFormat": name} if name else {}
    for place, group in (("query", "params"), ("formData", "formFields")):
        node = {"name": "a", "in": place, "required": True, "type": "array", "items": TEXT, **more}
        document = swagger({"/a": {"post": {"parameters": [node]}}}, schemes=["https"])
        assert written(document, group) == expected
        assert endpoint_of(document)["sample"] == {"a": ["example"]}
        assert not notes_of(document)


def test_what_no_style_writes_is_joined_in_the_sample_and_noted() -> None:
    """Pipes in a header and in a path."""
    nodes = [
        {"name": name, "in": place, "required": True, "type": "array", "items": TEXT, "collectionFormat": "pipes", "default": ["a", "b"]}
        for name, place in (("p", "path"), ("X-A", "header"))
    ]  # fmt: skip
    document = swagger({"/{p}": {"get": {"parameters": nodes}}})
    assert endpoint_of(document)["sample"] == {"p": "a|b", "X-A": "a|b"}
    (note,) = [note for note in imported(document).notes if note.code == "style-changed"]
    assert note.places == tuple(f"/paths/~1{{p}}/get/parameters/{index}" for index in (0, 1))


def test_styles_that_a_place_does_not_have_are_noted() -> None:
    """The usual one is used."""
    document = operation({"parameters": [{"name": "q", "in": "query", "style": "simple", "schema": LIST}]})
    assert notes_of(document) == {"style-changed": "/paths/~1pets/post/parameters/0"}
    document = operation({"parameters": [{"name": "q", "in": "query", "allowReserved": True, "schema": TEXT}]})
    assert notes_of(document) == {"style-changed": "/paths/~1pets/post/parameters/0"}
    document = operation({"parameters": [{"name": "q", "in": "query", "allowEmptyValue": True, "schema": TEXT}]})
    assert notes_of(document) == {"empty-value": "/paths/~1pets/post/parameters/0"}


@pytest.mark.parametrize(
    ("version", "media", "encoding", "expected"),
    [
        ("3.0.3", "application/x-www-form-urlencoded", {}, None),
        ("3.0.3", "application/x-www-form-urlencoded", {"style": "pipeDelimited"}, {"style": "pipeDelimited"}),
        ("3.0.3", "application/x-www-form-urlencoded", {"explode": False}, {"explode": False}),
        ("3.0.3", "application/x-www-form-urlencoded", {"contentType": "application/json"}, {"style": "json"}),
        ("3.0.3", "multipart/form-data", {"style": "pipeDelimited"}, None),
        ("3.1.0", "multipart/form-data", {"style": "pipeDelimited"}, {"style": "pipeDelimited"}),
        ("3.0.3", "multipart/form-data", {"contentType": "text/csv"}, {"contentType": "text/csv"}),
    ],
)
def test_encodings_of_forms(
    version: str, media: str, encoding: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """As each version has it: 3.0 styles no parts."""
    content = {"schema": {"type": "object", "properties": {"tags": LIST}}, "encoding": {"tags": encoding}}
    endpoint = endpoint_of(operation({"requestBody": {"content": {media: content}}}, openapi=version))
    assert endpoint["body"] == '{\n  "tags": {{tags}}\n}'
    assert endpoint["sample"] == {"tags": ["example"]}
    assert "headers" not in endpoint
    assert endpoint.get("formFields") == ([{"name": "tags", **expected}] if expected else None)


def test_fields_that_are_required_or_only_read() -> None:
    """An example lacks the first and has the second; both are set right, at any depth, and told."""
    item = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}, "y": TEXT}}
    schema = {"type": "object", "required": ["id", "name", "item"],
              "properties": {"id": {"type": "integer", "readOnly": True}, "name": TEXT, "item": item}}  # fmt: skip
    content = {"schema": schema, "example": {"id": 7, "item": {"y": "z"}}}
    document = operation({"requestBody": {"content": {"application/json": content}}})
    endpoint = endpoint_of(document)
    assert endpoint["sample"] == {"item_y": "z", "item_x": 1, "name": "example"}
    told = [note.message for note in imported(document).notes if note.code == "example-completed"]
    assert told == [
        "an example holds fields that are only read; they are not sent: id",
        "an example leaves out fields that are required; they were added from the schema: x, name",
    ]


def test_an_example_of_a_later_alternative_gets_no_fields_of_the_first() -> None:
    """Which of them it is, nobody knows."""
    schema = {"oneOf": [{"required": ["a"], "properties": {"a": TEXT}}, {"required": ["b"], "properties": {"b": TEXT}}]}
    content = {"application/json": {"schema": schema, "example": {"b": "x"}}}
    assert endpoint_of(operation({"requestBody": {"content": content}}))["sample"] == {"b": "x"}


KEY = {"type": "apiKey", "in": "query", "name": "key"}
TOKEN = {"type": "apiKey", "in": "query", "name": "token"}
BEARER = {"type": "http", "scheme": "bearer"}


def test_a_described_key_is_a_reference_wherever_it_stands() -> None:
    """Also where an operation lists it, and also one that asks for nothing; where it is optional, nothing is sent."""
    listed = [{"name": name, "in": "query", "required": True, "type": "string"} for name in ("key", "token")]
    paths = {
        "/secured": {"get": {"operationId": "s", "security": [{"k": []}, {"t": []}], "parameters": listed}},
        "/open": {"get": {"operationId": "o", "security": [], "parameters": listed}},
        "/optional": {"get": {"operationId": "p", "security": [], "parameters": [{**listed[1], "required": False}]}},
    }
    endpoints = spec_of(swagger(paths, securityDefinitions={"k": KEY, "t": TOKEN}))["endpoints"]
    both = [{"name": name, "value": {"env": f"PETS_{name.upper()}"}, "required": True} for name in ("key", "token")]
    assert [endpoint["params"] for endpoint in endpoints.values()] == [both, both, [{"name": "token"}]]


def test_two_schemes_at_once_are_both_sent() -> None:
    """A key with a token; its variable is not that of the token, however it is called."""
    schemes = {"t": TOKEN, "b": BEARER}
    spec = spec_of(openapi({"/a": {"get": {}}}, components={"securitySchemes": schemes}, security=[{"t": [], "b": []}]))
    assert spec["authorization"] == {"method": "bearer", "token": {"env": "PETS_TOKEN"}}
    (endpoint,) = spec["endpoints"].values()
    assert endpoint["params"] == [{"name": "token", "value": {"env": "PETS_T_KEY"}, "required": True}]


def test_an_operation_says_that_it_sends_no_credentials() -> None:
    """One note where the document is silent, however many operations that are."""
    paths = {f"/{number}": {"get": {"operationId": f"o{number}"}} for number in range(30)}
    secured: dict[str, Any] = {"get": {"operationId": "secured", "security": [{"b": []}]}}
    document = openapi({**paths, "/s": secured}, components={"securitySchemes": {"b": BEARER}})
    endpoints = spec_of(document)["endpoints"]
    assert {name: endpoint.get("authorization") for name, endpoint in endpoints.items()} == {
        **{f"o{number}": "none" for number in range(30)},
        "secured": None,
    }
    assert notes_of(document) == {"security-silent": "/paths/~10/get"}


def test_alternatives_take_what_the_connector_sends_already() -> None:
    """And each further scheme has a block of its own, with its scopes."""
    flow = {"tokenUrl": "https://a.example/token", "scopes": {}}
    schemes = {"o": {"type": "oauth2", "flows": {"clientCredentials": flow}}, "b": BEARER}
    asked: list[list[dict[str, Any]]] = [
        [{"b": []}],
        [{"b": []}],
        [{"b": []}],
        [{"o": ["z"]}, {"b": []}],
        [{"o": ["y"]}],
        [{"o": ["x"]}],
    ]
    paths = {f"/{index}": {"get": {"security": options}} for index, options in enumerate(asked)}
    spec = spec_of(openapi(paths, components={"securitySchemes": schemes}))
    assert spec["authorization"]["method"] == "bearer"
    assert spec["authorizations"]["o"]["scopes"] == ["x", "y"]
    assert [endpoint.get("authorization") for endpoint in spec["endpoints"].values()] == [None] * 4 + ["o", "o"]


def test_names_that_look_like_secrets_are_none() -> None:
    """A page token, and the key of a map in a path or a body."""
    parameters = [
        {"name": "pageToken", "in": "query", "required": True, "example": "p1", "schema": TEXT},
        {"name": "key", "in": "path", "required": True, "example": "colour", "schema": TEXT},
    ]
    body = {"content": {"application/json": {"example": {"key": "a", "apiSecretariat": "b"}}}}
    document = openapi({"/{key}": {"put": {"parameters": parameters, "requestBody": body}}})
    assert endpoint_of(document)["sample"] == {
        "key": "colour",
        "pageToken": "p1",
        "body_key": "a",
        "apiSecretariat": "b",
    }
    assert not notes_of(document)


GET = {"get": {"operationId": "get"}}


@pytest.mark.parametrize(
    ("servers", "fetched", "url"),
    [
        (None, "https://a.example/docs/openapi.json", "https://a.example/get"),
        ([{"url": "/v2"}], "https://a.example/docs/openapi.json?x=1", "https://a.example/v2/get"),
        ([{"url": "v2/"}], "https://a.example/docs/openapi.json", "https://a.example/docs/v2/get"),
        ([{"url": "../v2"}], "https://u:p@a.example:8443/docs/1/openapi.json", "https://a.example:8443/docs/v2/get"),
        ([{"url": "https://b.example"}], "https://a.example/x", "https://b.example/get"),
        ([{"url": "https://https://b.example/v1"}], None, "https://b.example/v1/get"),
        ([{"url": "{s}://b.example:{p}/{v}", "variables": {"s": {"default": "https"}, "p": {"default": 8443}, "v": {"default": ""}}}], None, "https://b.example:8443/get"),
    ],
)  # fmt: skip
def test_servers_are_resolved(servers: Any, fetched: str | None, url: str) -> None:
    """Against the document's own URL, where it was fetched."""
    assert endpoint_of(openapi({"/get": GET}, servers=servers), fetched_from=fetched)["url"] == url


@pytest.mark.parametrize(
    ("place", "fetched", "url"),
    [
        ({"host": "https://a.example/", "basePath": "/v1", "schemes": ["https"]}, None, "https://a.example/v1/get"),
        ({"host": "http://localhost:1", "basePath": None, "schemes": None}, None, "http://localhost:1/get"),
        ({"host": "a.example:8443", "basePath": "v1/", "schemes": ["https"]}, None, "https://a.example:8443/v1/get"),
        ({"host": "a.example", "basePath": "https://a.example/v2", "schemes": ["https"]}, None, "https://a.example/v2/get"),
        ({"host": None, "basePath": "/v1", "schemes": None}, "http://localhost:2/swagger.json", "http://localhost:2/v1/get"),
        ({"host": None, "basePath": "/v1", "schemes": ["https"]}, "http://b.example/swagger.json", "https://b.example/v1/get"),
        ({"host": "b.example", "basePath": "/", "schemes": None}, "http://b.example/swagger.json", "http://b.example/get"),
        ({"host": None, "basePath": "/v1", "schemes": ["https"]}, None, "/v1/get"),
    ],
)  # fmt: skip
def test_servers_of_swagger(place: dict[str, Any], fetched: str | None, url: str) -> None:
    """Host, base path and schemes, in the odd forms that are found."""
    document = swagger({"/get": GET}, **place)
    assert endpoint_of(document, fetched_from=fetched)["url"] == url


def test_schemes_of_an_operation_are_its_own() -> None:
    """They count where the document's differ, and cause no note where there is no host."""
    own = {"get": {"operationId": "get", "schemes": ["http"]}}
    assert (
        endpoint_of(swagger({"/get": own}, schemes=["https"], host="localhost:3"))["url"] == "http://localhost:3/v1/get"
    )
    assert notes_of(swagger({"/get": own}, host=None, schemes=None)) == {"no-server": "/basePath"}


def test_what_the_specification_forbids_is_told_with_its_place() -> None:
    """A second body, a form beside a body, a second parameter of a name, and paths that do not agree with theirs."""
    body = {"in": "body", "schema": {"type": "object", "properties": {"a": TEXT}}}
    post = [{"name": "a", **body}, {"name": "b", **body}, {"name": "f", "in": "formData", "type": "string"}]
    twice = [{"name": "q", "in": "query", "type": "string", "required": True, "default": "one"}, {"name": "q", "in": "query", "type": "string"}]  # fmt: skip
    elsewhere = [{"name": "elsewhere", "in": "path", "type": "string", "required": True}]
    paths = {"/a": {"post": {"parameters": post}}, "/q": {"get": {"parameters": twice}}, "/{p}": {"get": {"parameters": elsewhere}}}  # fmt: skip
    document = swagger(paths)
    assert [(note.code, note.where) for note in imported(document).notes if note.code != "not-represented"] == [
        ("server-chosen", "/host"),
        ("body-skipped", "/paths/~1a/post/parameters/1"),
        ("body-skipped", "/paths/~1a/post/parameters/2"),
        ("duplicate-parameter", "/paths/~1q/get/parameters/1"),
        ("undeclared-placeholder", "/paths/~1{p}/get"),
        ("unused-path-parameter", "/paths/~1{p}/get/parameters/0"),
    ]
    assert spec_of(document)["endpoints"]["GET /q"]["params"] == [{"name": "q", "value": "one", "required": True}]


def test_a_cause_has_one_note() -> None:
    """However many operations have it; the note counts them, and names some."""
    paths = {f"/{n}": {"get": {"parameters": [{"name": f"c{n}", "in": "cookie"}]}} for n in range(9)}
    (note,) = [note for note in imported(openapi(paths)).notes if note.code == "cookie-parameter"]
    assert note.message == "cookies cannot be sent: c0, c1, c2, c3, c4 and 4 more (9 places)"
    assert len(note.places) == 9


def test_references_to_anchors_are_followed() -> None:
    """JSON Schema's, which OpenAPI has since 3.1; before, they led to the whole document."""
    schemas = {"Pet": {"$anchor": "pet", "type": "object", "properties": {"name": TEXT}}}
    document = operation(
        {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#pet"}}}}},
        openapi="3.1.0",
        components={"schemas": schemas},
    )
    assert endpoint_of(document)["sample"] == {"name": "example"}
    assert not notes_of(document)
    lost = operation({"parameters": [{"$ref": "#nowhere"}]})
    assert notes_of(lost) == {"unresolved-reference": "/paths/~1pets/post/parameters/0"}


def test_numbers_keep_a_sensible_spelling() -> None:
    """Whether JSON or YAML says 1e10, and wherever it stands."""
    text = """{"openapi": "3.0.3", "info": {"title": "n"}, "servers": [{"url": "https://a.example"}], "paths": {"/a": {"post": {
      "parameters": [{"name": "n", "in": "query", "schema": {"type": "integer", "default": 1e10}}],
      "requestBody": {"content": {"application/json": {"schema": {"properties": {
        "i": {"type": "integer", "example": 1e10}, "x": {"type": "number", "example": 2.5}}}}}}}}}}"""
    for file in ("a.json", "a.yaml"):
        endpoint = endpoint_of(read(text.encode(), file))
        assert endpoint["sample"] == {"i": 10_000_000_000, "x": 2.5}
        assert endpoint["params"][0]["value"] in ("10000000000", "1e10")


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://docker.example/v1/get"),
        ({"fetched_from": "https://a.example/docs/api.json"}, "https://a.example/v1.33/get"),
        ({"fetched_from": "http://a.example/docs/api.json"}, "https://docker.example/v1/get"),
        ({"server": "http://127.0.0.1:80"}, "http://127.0.0.1:80/v1.33/get"),
    ],
)
def test_a_server_that_is_not_absolute_stands_before_later_ones(options: dict[str, str], url: str) -> None:
    """The first server is the document's choice, where it is known and on https."""
    servers = [{"url": "/v1.33"}, {"url": "https://docker.example/v1"}]
    assert endpoint_of(openapi({"/get": GET}, servers=servers), **options)["url"] == url


def _answering(*types: str) -> dict[str, Any]:
    good = {"description": "", "content": {kind: {} for kind in types}}
    return {"responses": {"200": good, "400": {"description": "", "content": {"application/json": {}}}}}


@pytest.mark.parametrize(
    ("types", "accept"),
    [
        ([], None),
        (["text/csv", "application/json; charset=utf-8"], None),
        (["*/*"], None),
        (["application/xml"], "application/xml"),
        (["image/*"], "image/*"),
        (["text/html", "application/vnd.pets+json"], "application/vnd.pets+json"),
        (["no type", "{{x}}/y"], None),
    ],
)
@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_the_type_of_answer_is_asked_for(version: str, types: list[str], accept: str | None) -> None:
    """Calls ask for JSON of themselves: a header says so where the document has no such answer."""
    node = {"operationId": "a", "produces": types} if version == "2.0" else {"operationId": "a", **_answering(*types)}
    paths = {"/a": {"get": node}}
    document = swagger(paths, schemes=["https"]) if version == "2.0" else openapi(paths)
    wanted = [{"name": "Accept", "value": accept, "required": True}] if accept else None
    assert endpoint_of(document).get("headers") == wanted
    assert notes_of(document).keys() == ({"media-type-chosen"} if accept and len(types) > 1 else set())
