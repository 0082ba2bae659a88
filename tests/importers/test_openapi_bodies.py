"""Request bodies: from examples and schemas to templates with samples."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openapi_documents import endpoint_of, imported, notes_of, openapi, operation, swagger, with_body

from reconciler.kinds.requests import GivenData, build
from reconciler.kinds.requests import gather

PET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "example": 'Rex "the\ndog"'},
        "age": {"type": "integer", "minimum": 3},
        "tame": {"type": "boolean"},
        "born": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        "owner": {"type": "object", "properties": {"name": {"type": "string"}}},
        "extra": {"type": "object", "additionalProperties": True},
    },
}

EXAMPLES = st.dictionaries(
    st.sampled_from(["a", "b", "c d", "é"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text("abc\"\\/{} \n\té7", max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
)  # fmt: skip


def filled(endpoint: dict[str, Any]) -> Any:
    """The body that a call with the sample sends, as JSON."""
    body = build("post", endpoint, GivenData(gather(endpoint.get("sample", {}), {}, ())), {}).body
    return json.loads(body.content) if body.form is None else body.form


def test_a_schema_becomes_a_template() -> None:
    """Texts are quoted, numbers are not; read-only fields are left out."""
    endpoint = endpoint_of(with_body(PET))
    assert endpoint["body"].splitlines() == [
        "{",
        '  "name": "{{name}}",',
        '  "age": {{age}},',
        '  "tame": {{tame}},',
        '  "born": "{{born}}",',
        '  "tags": {{tags}},',
        '  "owner": {',
        '    "name": "{{owner_name}}"',
        "  },",
        '  "extra": {{extra}}',
        "}",
    ]
    assert "bodyType" not in endpoint
    assert "headers" not in endpoint


def test_the_sample_makes_the_body_whole() -> None:
    """The test call sends valid JSON, whatever characters the examples hold."""
    assert filled(endpoint_of(with_body(PET))) == {
        "name": 'Rex "the\ndog"',
        "age": 3,
        "tame": True,
        "born": "2024-01-31",
        "tags": ["a"],
        "owner": {"name": "example"},
        "extra": {},
    }


@pytest.mark.parametrize(
    "example",
    [
        {"a": 1, "b": [True, None, "x"], "c": {"d": -1.5, "e": []}, "f g": "{{h}} }}"},
        [{"a": 1}, {"a": 2}],
        {"a": {"b": "x\ty\\"}},
        "text",
        7,
        {},
    ],
)
def test_an_example_is_what_the_test_call_sends(example: Any) -> None:
    """Its values become placeholders, and samples of the same."""
    document = operation({"requestBody": {"content": {"application/json": {"example": example}}}})
    assert filled(endpoint_of(document)) == example


@given(EXAMPLES)
@example({"a": [[None, False], True], "a_2": 1, "b": {"c": 1}, "b_c": 2})
@example({"a": 2**70, "b": 1e300, "c": -0.5, "d": "", "e": 'say "hi"\nto C:\\x', "f": "7", "g": "true"})
def test_samples_keep_their_types_and_texts_are_escaped_once(sent: Any) -> None:
    """Whatever the example holds, the test call sends it; numbers that readers of YAML spoil stand in the body itself."""
    assert filled(endpoint_of(operation({"requestBody": {"content": {"application/json": {"example": sent}}}}))) == sent


def test_a_sample_of_the_wrong_type_is_read_as_the_schema_has_it() -> None:
    """Documents often quote the examples of numbers."""
    properties = {"n": {"type": "integer", "example": "7"}, "on": {"type": "boolean", "default": "false"},
                  "text": {"type": "string", "example": 7}, "meta": {"type": "object"}, "odd": {"type": "integer", "example": "x"}}  # fmt: skip
    assert filled(endpoint_of(with_body({"properties": properties}))) == {"n": 7, "on": False, "text": "7", "meta": {}, "odd": "x"}  # fmt: skip


def test_named_examples_and_examples_in_texts() -> None:
    """The first named one is used, through references; JSON in a text is read."""
    examples = {"one": {"$ref": "#/components/examples/one"}, "two": {"value": {"b": 2}}}
    document = operation(
        {"requestBody": {"content": {"application/json": {"schema": {}, "examples": examples}}}},
        components={"examples": {"one": {"value": '{"a": "x"}'}}},
    )
    assert filled(endpoint_of(document)) == {"a": "x"}


def test_all_of_is_put_together() -> None:
    """Through references, and with what stands beside it."""
    base = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"b": {"type": "integer"}}}]}
    document = with_body(schema, components={"schemas": {"Base": base}})
    assert filled(endpoint_of(document)) == {"a": "example", "b": 1}
    assert not notes_of(document)


def test_the_first_alternative_is_used_and_noted() -> None:
    """One that only says null is none."""
    cat, dog = ({"type": "object", "properties": {name: {"type": "string"}}} for name in ("cat", "dog"))
    document = with_body({"oneOf": [{"type": "null"}, cat, dog]}, openapi="3.1.0")
    assert filled(endpoint_of(document)) == {"cat": "example"}
    where = "/paths/~1pets/post/requestBody/content/application~1json/schema/oneOf"
    assert notes_of(document) == {"alternative-chosen": where}
    assert not notes_of(with_body({"anyOf": [cat, {"type": "object", "nullable": True}]}))


def test_types_of_openapi_3_1() -> None:
    """A list of types, const, and booleans in a schema's place."""
    properties = {"a": {"type": ["null", "integer"]}, "b": {"const": "x"}, "c": True, "d": {"examples": ["y"]}}
    assert filled(endpoint_of(with_body({"properties": properties}, openapi="3.1.0"))) == {
        "a": 1,
        "b": "x",
        "c": {},
        "d": "y",
    }


def test_recursion_is_cut() -> None:
    """A schema that holds itself, directly, in a list and through another."""
    node = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "next": {"$ref": "#/components/schemas/Node"},
            "all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "other": {"$ref": "#/components/schemas/Other"},
        },
    }
    other = {"allOf": [{"$ref": "#/components/schemas/Node"}]}
    document = with_body({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node, "Other": other}})
    assert filled(endpoint_of(document)) == {"name": "example", "all": [], "other": {}}
    assert "recursion" in notes_of(document)


def test_schemas_that_multiply_are_bounded() -> None:
    """Each of forty schemas holds the next one ten times: ten to the fortieth fields."""
    schemas: dict[str, Any] = {"S40": {"type": "string"}}
    for n in range(40):
        schemas[f"S{n}"] = {"properties": {f"f{k}": {"$ref": f"#/components/schemas/S{n + 1}"} for k in range(10)}}
    document = with_body({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})
    assert "body-cut" in notes_of(document)
    schemas = {f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 10} for n in range(40)}
    assert "body-cut" in notes_of(with_body({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas}))


@pytest.mark.parametrize("wrap", [lambda inner: {"type": "array", "items": inner}, lambda inner: {"allOf": [inner]}])
def test_schemas_nested_in_each_other_are_bounded(wrap: Any) -> None:
    """Nine hundred levels, which is all that the JSON parser lets through."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(900):
        schema = wrap(schema)
    assert "body-cut" in notes_of(with_body(schema))


def test_a_wide_object_keeps_its_own_fields_before_inner_ones() -> None:
    """An inner object that fills the room must not push out its neighbours."""
    inner = {"type": "object", "properties": {f"i{n}": {"type": "string"} for n in range(300)}}
    schema = {"type": "object", "properties": {"inner": inner, "last": {"type": "string"}}}
    document = with_body(schema)
    body = filled(endpoint_of(document))
    assert len(body["inner"]) == 60
    assert body["last"] == "example"
    assert "body-cut" in notes_of(document)


def test_a_large_example_gives_way_to_the_schema() -> None:
    """Three thousand values are no template."""
    content = {"schema": {"type": "array", "items": {"type": "integer"}}, "example": list(range(3000))}
    document = operation({"requestBody": {"content": {"application/json": content}}})
    assert filled(endpoint_of(document)) == [1]
    assert "body-cut" in notes_of(document)


@pytest.mark.parametrize(
    ("media", "kind", "header"),
    [
        ("application/json", None, None),
        ("application/json; charset=utf-8", None, None),
        ("*/*", None, None),
        ("application/merge-patch+json", None, "application/merge-patch+json"),
        ("application/x-www-form-urlencoded", "form-urlencoded", None),
        ("multipart/form-data", "multipart", None),
        ("application/xml", "raw", "application/xml"),
        ("text/plain", "raw", "text/plain"),
    ],
)
def test_media_types(media: str, kind: str | None, header: str | None) -> None:
    """What is neither JSON nor a form names its type."""
    endpoint = endpoint_of(with_body(PET, media))
    assert endpoint.get("bodyType") == kind
    headers = endpoint.get("headers", [])
    assert headers == ([{"name": "Content-Type", "value": header, "required": True}] if header else [])


def test_json_is_preferred_and_the_others_noted() -> None:
    """Whatever their order."""
    content = {media: {"schema": PET} for media in ("text/xml", "multipart/form-data", "application/json")}
    document = operation({"requestBody": {"content": content}})
    assert "bodyType" not in endpoint_of(document)
    assert "media-type-chosen" in notes_of(document)


def test_a_form_has_a_key_for_each_field() -> None:
    """Scalars are texts, lists and objects stand as such; what a part is, its entry says."""
    file = {"type": "string", "format": "binary"}
    document = with_body({"properties": {**PET["properties"], "photo": file}}, "multipart/form-data")  # type: ignore[dict-item]
    endpoint = endpoint_of(document)
    assert '"age": "{{age}}"' in endpoint["body"]
    assert '"tags": {{tags}}' in endpoint["body"]
    assert endpoint["sample"]["tags"] == ["a"]
    assert endpoint["sample"]["age"] == 3
    assert endpoint["formFields"] == [
        {"name": "owner", "contentType": "application/json"},
        {"name": "extra", "contentType": "application/json"},
        {"name": "photo", "contentType": "application/octet-stream", "filename": "photo"},
    ]
    assert set(notes_of(document)) == {"file-upload"}


def test_a_form_without_fields_is_no_body() -> None:
    """Some documents declare one for every operation."""
    document = with_body({"type": "object", "properties": {}}, "application/x-www-form-urlencoded")
    assert set(endpoint_of(document)) == {"method", "url"}
    assert not notes_of(document)


def test_swagger_forms_and_types() -> None:
    """`formData` fields with the types that `consumes` names, or those that they need."""
    fields = [{"name": "a", "in": "formData", "type": "integer", "default": 5}]
    upload = [*fields, {"name": "f", "in": "formData", "type": "file"}]
    form = endpoint_of(swagger({"/a": {"post": {"parameters": fields}}}, consumes=["application/json"]))
    assert form["body"] == '{\n  "a": "{{a}}"\n}'
    assert form["bodyType"] == "form-urlencoded"
    assert form["sample"] == {"a": 5}
    assert "headers" not in endpoint_of(swagger({"/a": {"post": {"parameters": upload}}}))
    body = {"name": "b", "in": "body", "schema": {"type": "string"}}
    raw = endpoint_of(swagger({"/a": {"post": {"consumes": ["text/csv"], "parameters": [body]}}}))
    assert raw["bodyType"] == "raw"


def test_raw_examples_are_kept_and_their_braces_are_no_tags() -> None:
    """A text that mustache would misread becomes the sample of one placeholder."""
    for example, body in (("<a>1</a>", "<a>1</a>"), ("{{#a", "{{body}}")):
        document = operation({"requestBody": {"content": {"application/xml": {"example": example}}}})
        assert endpoint_of(document)["body"] == body
    assert endpoint_of(document)["sample"] == {"body": "{{#a"}


def test_an_external_schema_leaves_a_placeholder_for_the_whole_body() -> None:
    """The note tells which reference was not followed."""
    document = with_body({"$ref": "other.json#/Pet"})
    assert endpoint_of(document)["body"] == "{{body}}"
    assert set(notes_of(document)) == {"external-reference"}


def test_multi_line_bodies_are_literal_blocks() -> None:
    """A person has to read and edit them."""
    from reconciler.importers.openapi import dump

    text = dump(imported(openapi({"/a": {"post": with_body(PET)["paths"]["/pets"]["post"]}})))
    assert '      body: |-\n        {\n          "name": "{{name}}",\n' in text
