"""What one schema tells, its references followed: its type, its examples, and a value that fits."""

from typing import Final

from reconciler.importers.values import Json, Object, is_true, mapping, sequence, text, typed

FORMATS: Final[dict[str, str]] = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "ZXhhbXBsZQ==",
}
PLAIN: Final = ("string", "integer", "number", "boolean")
"""Types of values that are one text, whatever the style."""


def examples(schema: Object) -> list[Json]:
    """The values that a schema itself gives, the most telling first, in the type that it asks for."""
    found = [schema[key] for key in ("example", "x-example", "default", "const") if schema.get(key) is not None]
    found += [*sequence(schema.get("examples"))[:1], *sequence(schema.get("enum"))[:1]]
    return [typed(value, type_of(schema)) for value in found if value is not None]


def type_of(schema: Object) -> str:
    """The JSON type that a schema asks for: of several the first but null, or what its keywords imply."""
    declared = schema.get("type")
    names = [text(name) for name in declared] if isinstance(declared, list) else [text(declared)]
    named = next((name for name in names if name and name != "null"), "")
    if named:
        return named
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def typical(schema: Object) -> Json:
    """A value for a test call, from the schema's examples or else its type."""
    given = examples(schema)
    return given[0] if given else typical_of_type(schema)


def typical_of_type(schema: Object) -> Json:
    """A value that says nothing but the type."""
    kind = type_of(schema)
    if kind in ("integer", "number"):
        minimum = schema.get("minimum")
        is_number = isinstance(minimum, int | float) and not isinstance(minimum, bool)
        return typed(minimum, kind) if is_number else 1
    if kind == "boolean":
        return True
    return FORMATS.get(text(schema.get("format")), "example")


def is_file(schema: Object) -> bool:
    """Whether the value is the content of a file, or each item of it is."""
    if type_of(schema) == "array":
        return is_file(mapping(schema.get("items")))
    return schema.get("type") == "file" or schema.get("format") == "binary" or "contentMediaType" in schema


def is_null(schema: Json) -> bool:
    """Whether an alternative only says that there may be no value; OpenAPI 3.0 has no other words for it."""
    node = mapping(schema)
    return node.get("type") == "null" or (is_true(node.get("nullable")) and node.keys() <= {"type", "nullable"})


def is_composite(schema: Json) -> bool:
    """Whether values may have others in them."""
    return not isinstance(schema, dict) or type_of(schema) in ("object", "array", "")


def merge(first: Object, second: Object) -> Object:
    """Both schemas together; where they disagree, `first` wins, which stands nearer to the body."""
    merged = {**second, **first}
    merged["properties"] = {**mapping(second.get("properties")), **mapping(first.get("properties"))}
    merged["required"] = [*sequence(first.get("required")), *sequence(second.get("required"))]
    for key in ("properties", "required"):
        if not merged[key]:
            del merged[key]
    return merged
