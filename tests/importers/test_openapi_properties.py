"""Whatever goes in: valid connectors come out, or a refusal."""

import copy
from typing import Any

from draws import draws
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openapi_checks import check
from openapi_documents import openapi, swagger

from reconciler.importers.openapi import NotImportable, convert

TEXTS = st.text(max_size=12) | st.sampled_from(
    "{{ }} {{#a}} {{{ {a} {} {{a}} https://u:p@h/ http:// https://h //h /p #/components/schemas/A #/paths #/ # "
    "query header path cookie body formData object array string integer null apiKey http oauth2 basic bearer "
    "application/json multipart/form-data text/xml 010 12:30 token Authorization true GET \x00 \u2028 \ud800 \ufeff".split(
        " "
    )
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
WORDS = (
    "paths parameters name in schema required requestBody content example examples default enum items properties allOf "
    "oneOf anyOf $ref type format servers url variables security components securitySchemes schemas flows "
    "clientCredentials tokenUrl scopes scheme get post /a /{id} application/json operationId description value links "
    "responses callbacks consumes host basePath schemes securityDefinitions info title version"
).split()
SHAPED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | TEXTS, inner, max_size=5),
    max_leaves=20,
)

A = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}, "b": {"type": "string"}}}
FULL = openapi(
    {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "post": {
                "operationId": "a",
                "summary": "s",
                "parameters": [{"name": "q", "in": "query", "required": True, "schema": {"default": "d"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                "security": [{"o": ["x"]}, {"k": []}],
                "responses": {"200": {"description": "ok", "links": {}}},
            },
        },
        "/b": {
            "put": {
                "requestBody": {"content": {"multipart/form-data": {"schema": {"allOf": [A]}, "example": {"b": 1}}}}
            }
        },
    },
    components={
        "schemas": {"A": A},
        "securitySchemes": {
            "o": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/t", "scopes": {"x": "y"}}}},
            "k": {"type": "apiKey", "in": "header", "name": "X-K"},
        },
    },
)
OLD = swagger(
    {
        "/a": {
            "post": {
                "consumes": ["application/json"],
                "parameters": [
                    {"name": "b", "in": "body", "schema": A},
                    {"name": "f", "in": "formData", "type": "file"},
                ],
            }
        }
    },
    securityDefinitions={
        "s": {"type": "oauth2", "flow": "application", "tokenUrl": "https://a.example/t", "scopes": {}}
    },
)


def assert_valid_or_refused(document: dict[str, Any], server: str | None) -> None:
    before = copy.deepcopy(document)
    try:
        check(convert(document, categories=["a"], server=server), document)
    except NotImportable as refusal:
        assert refusal.hint
    assert document == before, "the import changed what it was given"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in `value` but its root."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, item in items for found in [(*path, step), *places(item, (*path, step))]]


SERVERS = st.none() | st.just("https://b.example/base")
RELAXED = settings(max_examples=draws(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.dictionaries(st.sampled_from(WORDS), SHAPED, max_size=8), st.sampled_from(["3.0.0", "3.1.0", None]), SERVERS)
def test_any_json(parts: dict[str, Any], version: str | None, server: str | None) -> None:
    """Made of the format's own words, in any order."""
    assert_valid_or_refused({**parts, **({"openapi": version} if version else {"swagger": "2.0"})}, server)


@RELAXED
@given(st.sampled_from([FULL, OLD]), st.data(), SERVERS)
def test_any_damage(document: dict[str, Any], data: st.DataObject, server: str | None) -> None:
    """A sound document with one to four of its values replaced by others, or its keys by others."""
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(places(document)))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        if isinstance(parent, dict) and data.draw(st.booleans()):
            parent[data.draw(TEXTS)] = parent.pop(path[-1])
        else:
            parent[path[-1]] = data.draw(JSON | st.sampled_from([{"$ref": "#/paths"}, {"$ref": "#"}]))
    assert_valid_or_refused(document, server)


@RELAXED
@given(st.lists(TEXTS, min_size=1, max_size=4), st.dictionaries(TEXTS, JSON, max_size=4), SHAPED)
@example(["a", "a"], {"a": {"a": 1}, "a_a": 1}, {"properties": {"a": {"properties": {"a": {}}}, "a_a": {}}})
def test_any_names(names: list[str], value: dict[str, Any], schema: Any) -> None:
    """Names, examples and schemas of any kind give templates that parse."""
    parameters = [
        {"name": name, "in": place, "required": True, "example": value, "description": name}
        for name in names
        for place in ("query", "header", "path")
    ]
    paths = {
        "".join(f"/{{{name}}}" for name in names): {"get": {"parameters": parameters, "operationId": names[0]}},
        "/e": {"post": {"requestBody": {"content": {"application/json": {"example": value}}}}},
        "/s": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}},
        "/r": {"post": {"requestBody": {"content": {names[0]: {"schema": schema, "example": value}}}}},
    }
    document = openapi(paths, info={"title": names[0], "description": names[-1]})
    check(convert(document, categories=["a"]), document)
