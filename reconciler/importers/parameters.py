"""The parameters of an operation as the document describes them, and Swagger's parameters that are bodies."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.media import MediaContent
from reconciler.importers.samples import Sampler, value_of
from reconciler.importers.schemas import is_file, type_of, typical, typical_of_type
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    is_true,
    mapping,
    names_secret,
    sequence,
    text,
    typed,
)

PLACES: Final = ("query", "header", "path", "cookie")
_IN_BODY: Final = ("body", "formData")


class ForeignParameter(Struct, frozen=True):
    """One parameter of an operation.

    Attributes:
        place: query, header, path, cookie; in Swagger also body and formData.
        schema: what its value is; in Swagger the parameter itself.
        examples: values that the document gives for a call, the most telling first.
        media: the media type that its value has, or "" where a style says how it is written.
        sample: a value for a test call, in its own type.
    """

    name: str
    place: str
    node: Object
    schema: Object
    examples: tuple[Json, ...]
    where: Pointer
    media: str
    sample: Json

    @property
    def required(self) -> bool:
        """Whether a call needs it."""
        return is_true(self.node.get("required"))

    @property
    def is_secret(self) -> bool:
        """Whether its name says that it is a credential."""
        return names_secret(self.name.strip(), self.place)


def read_parameters(source: ForeignDocument, lists: Sequence[tuple[Json, Pointer]]) -> list[ForeignParameter]:
    """The parameters of `lists`; one in a later list replaces one of the same name and place."""
    found: dict[tuple[str, str], ForeignParameter] = {}
    for items, where in lists:
        if items is not None and not isinstance(items, list):
            source.notes.add("malformed", where, "a list of parameters is expected here")
        own: set[tuple[str, str]] = set()
        for index, item in enumerate(sequence(items)):
            parameter = _read(source, item, (*where, index))
            if parameter is None:
                continue
            key = (parameter.name, parameter.place)
            if key in own:
                message = "its name and place are those of a parameter before it, which is used"
                source.notes.add("duplicate-parameter", (*where, index), message, parameter.name)
            else:
                found[key] = parameter
            own.add(key)
    return list(found.values())


def _read(source: ForeignDocument, item: Json, where: Pointer) -> ForeignParameter | None:
    node, where = source.object_at(item, where)
    name, place = clean(text(node.get("name"))), text(node.get("in"))
    if not name or place not in (PLACES + _IN_BODY if source.is_swagger else PLACES):
        if node:
            message = "a parameter needs a name and a place that it is sent in"
            source.notes.add("malformed", where, message, name and f"{name} in {place or 'nothing'}")
        return None
    if source.is_swagger:
        schema = {} if place == "body" else node
        examples = tuple(_examples(source, node, where))
        return ForeignParameter(
            name, place, node, schema, examples, where, "", _sample(source, schema, examples, where)
        )
    given, given_where, media = node, where, ""
    if "schema" not in node and mapping(node.get("content")):
        media, entry = next(iter(mapping(node.get("content")).items()))
        if len(mapping(node.get("content"))) > 1:
            message = "the first of several types of a parameter is used"
            source.notes.add("media-type-chosen", (*where, "content"), message, media)
        given, given_where = source.object_at(entry, (*where, "content", media))
    found = Sampler(source, where).expand(given.get("schema"), (*given_where, "schema")) if "schema" in given else None
    schema, schema_where = found or ({}, given_where)
    examples = tuple(typed(value, type_of(schema)) for value in _examples(source, given, given_where))
    sample = _sample(source, schema, examples, schema_where)
    return ForeignParameter(name, place, node, schema, examples, where, media, sample)


def _examples(source: ForeignDocument, node: Object, where: Pointer) -> list[Json]:
    found = [node["example"]] if node.get("example") is not None else []
    named = mapping(node.get("examples"))
    if len(named) + len(found) > 1:
        source.notes.add("example-chosen", (*where, "examples"), "the first of several examples is used")
    for name, entry in named.items():
        inner, _ = source.object_at(entry, (*where, "examples", name))
        if inner.get("value") is not None:
            found.append(inner["value"])
    return found


def _sample(source: ForeignDocument, schema: Object, examples: tuple[Json, ...], where: Pointer) -> Json:
    if examples:
        return examples[0]
    if type_of(schema) not in ("array", "object"):
        return typical(schema)
    tree = Sampler(source, where).from_schema(schema, where)
    return typical_of_type({}) if tree is None else value_of(tree)


def harmless(parameter: ForeignParameter) -> Json:
    """A value for a test call that says nothing of what the document has."""
    kind = type_of(parameter.schema)
    return [] if kind == "array" else {} if kind == "object" else typical_of_type(parameter.schema)


def swagger_contents(
    source: ForeignDocument, parameters: Sequence[ForeignParameter], consumes: Json, where: Pointer
) -> list[MediaContent]:
    """The bodies that Swagger's `body` and `formData` parameters describe. A body wins over a form."""
    media = [clean(text(item)) for item in sequence(consumes) if text(item)]
    bodies = [parameter for parameter in parameters if parameter.place == "body"]
    fields = [parameter for parameter in parameters if parameter.place == "formData"]
    for other in bodies[1:]:
        source.notes.add("body-skipped", other.where, "an operation has one body; what is left out", other.name)
    if bodies:
        for field in fields:
            source.notes.add("body-skipped", field.where, "beside a body no form is sent; what is left out", field.name)
        given = bodies[0].examples[:1]
        schema, place = bodies[0].node.get("schema"), bodies[0].where
        return [MediaContent(kind, schema, given, place) for kind in media or [""]]
    return _form_contents(fields, media, where) if fields else []


def _form_contents(fields: list[ForeignParameter], media: list[str], where: Pointer) -> list[MediaContent]:
    schema: Object = {"type": "object", "properties": {field.name: field.node for field in fields}}
    forms = [kind for kind in media if "form" in kind]
    has_file = any(is_file(field.node) for field in fields)
    usual = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
    if has_file:  # nothing else can carry one
        forms = [kind for kind in forms if "multipart" in kind]
    places = {field.name: field.where for field in fields}
    return [MediaContent(kind, schema, (), where, {}, places) for kind in forms or [usual]]
