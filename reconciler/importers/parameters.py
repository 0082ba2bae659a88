"""Query, header, path and cookie parameters, and Swagger's parameters that are bodies."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from reconciler.importers.bodies import MediaContent, Placeholders
from reconciler.importers.document import ForeignDocument, Notebook, prose
from reconciler.importers.samples import examples, typical
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    holds_secret,
    is_true,
    mapping,
    names_secret,
    one_line,
    sequence,
    spell,
    text,
    variable,
)

MAX_NAME: Final = 255
MAX_VALUE: Final = 8192

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IGNORED: Final = ("accept", "content-type", "authorization")
_IN_BODY: Final = ("body", "formData")


class ForeignParameter(Struct, frozen=True):
    """One parameter of an operation.

    Attributes:
        place: query, header, path, cookie; in Swagger also body and formData.
        schema: what its value is; in Swagger the parameter itself.
        examples: values that the document gives for a call, the most telling first.
    """

    name: str
    place: str
    node: Object
    schema: Object
    examples: tuple[Json, ...]
    where: Pointer

    @property
    def required(self) -> bool:
        """Whether a call needs it."""
        return is_true(self.node.get("required"))

    @property
    def sample(self) -> str:
        """A value for a test call."""
        return spell(self.examples[0] if self.examples else typical(self.schema))


def read_parameters(source: ForeignDocument, lists: Sequence[tuple[Json, Pointer]]) -> list[ForeignParameter]:
    """The parameters of `lists`; one in a later list replaces one of the same name and place."""
    found: dict[tuple[str, str], ForeignParameter] = {}
    for items, where in lists:
        if items is not None and not isinstance(items, list):
            source.notes.add("malformed", where, "a list of parameters is expected here")
        for index, item in enumerate(sequence(items)):
            parameter = _read(source, item, (*where, index))
            if parameter is not None:
                found[parameter.name, parameter.place] = parameter
    return list(found.values())


def _read(source: ForeignDocument, item: Json, where: Pointer) -> ForeignParameter | None:
    node, where = source.object_at(item, where)
    name, place = clean(text(node.get("name"))), text(node.get("in"))
    if not name or place not in ("query", "header", "path", "cookie", *_IN_BODY):
        if node:
            source.notes.add("malformed", where, "a parameter needs a name and a place that it is sent in")
        return None
    given = node
    if "schema" not in node and mapping(node.get("content")):
        media, entry = next(iter(mapping(node.get("content")).items()))
        given, _ = source.object_at(entry, (*where, "content", media))
    is_inline = source.is_swagger and place != "body"
    schema = node if is_inline else mapping(source.follow(given.get("schema"), (*where, "schema")).value)
    return ForeignParameter(name, place, node, schema, tuple(_examples(source, given, where)), where)


def _examples(source: ForeignDocument, node: Object, where: Pointer) -> list[Json]:
    found = [node["example"]] if node.get("example") is not None else []
    for name, entry in mapping(node.get("examples")).items():
        inner, _ = source.object_at(entry, (*where, "examples", name))
        if inner.get("value") is not None:
            found.append(inner["value"])
    return found


class Sending(Struct, frozen=True):
    """What the entries of one endpoint share.

    Attributes:
        prefix: start of the names of environment variables.
        authorized: whether the connector sends authorization by other means.
    """

    notes: Notebook
    tags: Placeholders
    prefix: str
    authorized: bool


def query_entries(parameters: Sequence[ForeignParameter], sending: Sending) -> list[Object]:
    """The query parameters as an endpoint has them."""
    entries: list[Object] = []
    for parameter in parameters:
        if parameter.place == "query":
            if len(parameter.name) > MAX_NAME or "{{" in parameter.name or not parameter.name.strip():
                _skip(sending, parameter, "the name is too long, or mustache would read it as a tag")
            elif holds_secret(parameter.name):
                _skip(sending, parameter, "the name looks like a secret")
            else:
                entries.append(_entry(parameter, sending))
    return entries


def header_entries(parameters: Sequence[ForeignParameter], sending: Sending) -> list[Object]:
    """The request headers as an endpoint has them, one of each name."""
    found: dict[str, Object] = {}
    for parameter in parameters:
        lowered = parameter.name.strip().lower()
        if parameter.place != "header":
            continue
        if lowered in _IGNORED:
            message = f"{lowered} follows from the body, the responses and the authorization, not from parameters"
            sending.notes.add("ignored-header", parameter.where, message)
        elif not _HEADER.fullmatch(lowered) or len(lowered) > MAX_NAME or holds_secret(parameter.name):
            _skip(sending, parameter, "this is not the name of a header")
        elif lowered in found:
            _skip(sending, parameter, "a header of this name, in other letters, stands before it")
        else:
            found[lowered] = _entry(parameter, sending)
    return list(found.values())


def _skip(sending: Sending, parameter: ForeignParameter, message: str) -> None:
    sending.notes.add("parameter-skipped", parameter.where, message)


def _entry(parameter: ForeignParameter, sending: Sending) -> Object:
    entry: Object = {"name": parameter.name.strip()}
    value = _value(parameter, sending)
    if value:
        entry["value"] = value
    if parameter.required:
        entry["required"] = True
    description = prose(text(parameter.node.get("description")), parameter.where, sending.notes)
    if description:
        entry["description"] = description
    return entry


def _value(parameter: ForeignParameter, sending: Sending) -> Json:
    """The default; else, if required, the only choice or a placeholder; else nothing, so that nothing is sent."""
    if names_secret(parameter.name):
        return _secret_value(parameter, sending)
    default = parameter.schema.get("default")
    choices = sequence(parameter.schema.get("enum"))
    if default is not None:
        if isinstance(default, list) and len(default) > 1:
            sending.notes.add("list-joined", parameter.where, "the items of the default are joined with commas")
        literal = _literal(parameter, spell(default), sending)
    elif parameter.required and len(choices) == 1:
        literal = _literal(parameter, spell(choices[0]), sending)
    else:
        literal = ""
    if literal or not parameter.required:
        return literal
    return _placeholder(parameter, parameter.sample, sending)


def _literal(parameter: ForeignParameter, value: str, sending: Sending) -> str:
    """`value` where it can stand as it is; as the sample of a placeholder where mustache would read a tag in it."""
    value = one_line(value) if parameter.place == "header" else clean(value)
    if holds_secret(value):
        sending.notes.add("secret-removed", parameter.where, "a default that looks like a secret was not copied")
        return ""
    if len(value) > MAX_VALUE:
        sending.notes.add("text-cut", parameter.where, "the default is too long and was not copied")
        return ""
    if "{{" in value:
        sending.notes.add("value-moved", parameter.where, "the default holds mustache tags; it is now a sample")
        return _placeholder(parameter, value, sending)
    return value


def _placeholder(parameter: ForeignParameter, sample: str, sending: Sending) -> str:
    if holds_secret(sample):
        sending.notes.add("secret-removed", parameter.where, "an example that looks like a secret was not copied")
    return sending.tags.tag(parameter.place, parameter.name, sample)


def _secret_value(parameter: ForeignParameter, sending: Sending) -> Json:
    """A reference, unless the connector is authorized anyway: then the value belongs to the single call."""
    if examples(parameter.schema) or parameter.examples:
        sending.notes.add(
            "secret-removed", parameter.where, "the name says that it holds a secret; no example was copied"
        )
    if not parameter.required:
        return ""
    if sending.authorized:
        return sending.tags.tag(parameter.place, parameter.name, None)
    name = variable(sending.prefix, parameter.name)
    sending.notes.add("secret-reference", parameter.where, f"the value is read from {name}")
    return {"env": name}


def path_samples(parameters: Sequence[ForeignParameter], notes: Notebook) -> dict[str, str]:
    """Values for the path's templates in a test call."""
    found = {}
    for parameter in parameters:
        if parameter.place == "cookie":
            notes.add("cookie-parameter", parameter.where, "cookies cannot be sent")
        elif parameter.place == "path":
            found[parameter.name] = parameter.sample
            if holds_secret(parameter.sample):
                notes.add("secret-removed", parameter.where, "an example that looks like a secret was not copied")
    return found


def swagger_contents(
    parameters: Sequence[ForeignParameter], consumes: list[Json], where: Pointer
) -> list[MediaContent]:
    """The bodies that Swagger's `body` and `formData` parameters describe."""
    media = [clean(text(item)) for item in consumes if text(item)]
    for parameter in parameters:
        if parameter.place == "body":
            given = parameter.examples[:1]
            return [MediaContent(kind, parameter.node.get("schema"), given, parameter.where) for kind in media or [""]]
    fields = [parameter for parameter in parameters if parameter.place == "formData"]
    if not fields:
        return []
    schema: Object = {
        "type": "object",
        "properties": {parameter.name: parameter.node for parameter in fields},
    }
    forms = [kind for kind in media if "form" in kind]
    has_file = any(parameter.node.get("type") == "file" for parameter in fields)
    usual = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
    return [MediaContent(kind, schema, (), where) for kind in forms or [usual]]
