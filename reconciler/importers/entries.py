"""Parameters as an endpoint has them: entries for the query, the headers and the path, with values and samples."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument, prose
from reconciler.importers.parameters import ForeignParameter, harmless
from reconciler.importers.placeholders import Placeholders, harmless_sample
from reconciler.importers.schemas import examples, type_of
from reconciler.importers.styles import WrittenStyle, parameter_style
from reconciler.importers.values import (
    Json,
    Object,
    clean,
    holds_secret,
    is_true,
    one_line,
    sequence,
    spell,
    text,
    typed,
    variable,
)
from reconciler.kinds.plain_endpoints import OF_THE_TRANSPORT

MAX_NAME: Final = 255
MAX_VALUE: Final = 8192
MAX_PATH_PARAMS: Final = 100  # maxItems of pathParams in schemas/connector.schema.json

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IGNORED: Final = ("accept", "content-type", "authorization")
_IN_SWAGGER: Final = ("content-type",)


class Sending(Struct, frozen=True):
    """What the entries of one endpoint share.

    Attributes:
        prefix: start of the names of environment variables.
        authorized: whether the endpoint sends credentials by other means.
        keys: by place and lower-case name the variables of the keys that the document describes.
    """

    source: ForeignDocument
    tags: Placeholders
    prefix: str
    authorized: bool
    keys: Mapping[tuple[str, str], str]


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
    ignored = _IN_SWAGGER if sending.source.is_swagger else _IGNORED
    for parameter in parameters:
        lowered = parameter.name.strip().lower()
        if parameter.place != "header":
            continue
        if lowered in ignored or (lowered == "authorization" and sending.authorized):
            message = f"{lowered} follows from the body, the responses and the authorization, not from parameters"
            sending.source.notes.add("ignored-header", parameter.where, message)
        elif lowered in OF_THE_TRANSPORT:
            _skip(sending, parameter, f"{lowered} is set by the transport")
        elif not _HEADER.fullmatch(lowered) or len(lowered) > MAX_NAME or holds_secret(parameter.name):
            _skip(sending, parameter, "this is not the name of a header")
        elif lowered in found:
            _skip(sending, parameter, "a header of this name, in other letters, stands before it")
        else:
            found[lowered] = _entry(parameter, sending)
    return list(found.values())


def path_entries(
    parameters: Sequence[ForeignParameter], placeholders: Mapping[str, str], source: ForeignDocument
) -> list[Object]:
    """What there is to say of the placeholders of a URL, which `placeholders` has by the document's names."""
    found: list[Object] = []
    for parameter in parameters:
        if parameter.place == "path" and parameter.name in placeholders:
            description = prose(text(parameter.node.get("description")), parameter.where, source.notes)
            keys = parameter_style(source, parameter).keys
            if keys.get("style") == "matrix" and placeholders[parameter.name] != parameter.name:
                message = (
                    "a matrix names its values as the placeholder is called, which cannot be as the document has it"
                )
                source.notes.add("style-changed", parameter.where, message, parameter.name)
            said = {**keys, **({"description": description} if description else {})}
            if said:
                found.append({"name": placeholders[parameter.name], **said})
    return found[:MAX_PATH_PARAMS]


def path_samples(parameters: Sequence[ForeignParameter], source: ForeignDocument) -> dict[str, Json]:
    """Values for the path's templates in a test call; notes on cookies, which have no place at all."""
    found = {}
    for parameter in parameters:
        if parameter.place == "cookie":
            source.notes.add("cookie-parameter", parameter.where, "cookies cannot be sent", parameter.name)
        elif parameter.place == "path":
            found[parameter.name] = _sample(parameter, parameter_style(source, parameter), source)
    return found


def _skip(sending: Sending, parameter: ForeignParameter, message: str) -> None:
    sending.source.notes.add("parameter-skipped", parameter.where, message)


def _entry(parameter: ForeignParameter, sending: Sending) -> Object:
    entry: Object = {"name": parameter.name.strip()}
    style = parameter_style(sending.source, parameter)
    value = _value(parameter, style, sending)
    if value:
        entry["value"] = value
    if parameter.required:
        entry["required"] = True
    elif is_true(parameter.node.get("allowEmptyValue")):
        message = "parameters are sent without a value only where they are required"
        sending.source.notes.add("empty-value", parameter.where, message, parameter.name)
    entry |= style.keys
    description = prose(text(parameter.node.get("description")), parameter.where, sending.source.notes)
    if description:
        entry["description"] = description
    return entry


def _value(parameter: ForeignParameter, style: WrittenStyle, sending: Sending) -> Json:
    """The default; else, if required, the only choice or a placeholder; else nothing, so that nothing is sent."""
    described = sending.keys.get((parameter.place, parameter.name.strip().lower()))
    if described is not None:
        return {"env": described} if parameter.required else ""
    if parameter.is_secret:
        return _secret_value(parameter, sending)
    default = typed(parameter.schema.get("default"), type_of(parameter.schema))
    choices = sequence(parameter.schema.get("enum"))
    if default is None and parameter.required and len(choices) == 1:
        default = choices[0]
    if isinstance(default, list | dict):
        if not default:
            return "" if not parameter.required else _placeholder(parameter, parameter.sample, style, sending)
        return _placeholder(parameter, default, style, sending)
    if default is not None:
        return _literal(parameter, default, style, sending)
    return _placeholder(parameter, parameter.sample, style, sending) if parameter.required else ""


def _literal(parameter: ForeignParameter, default: Json, style: WrittenStyle, sending: Sending) -> str:
    """`default` where it can stand as it is; as the sample of a placeholder where mustache would read a tag in it."""
    notes = sending.source.notes
    value = json.dumps(default) if style.keys.get("style") == "json" else spell(default)
    value = one_line(value) if parameter.place == "header" else clean(value)
    if holds_secret(value):
        notes.add("secret-removed", parameter.where, "a default that looks like a secret was not copied")
    elif len(value) > MAX_VALUE:
        notes.add("default-dropped", parameter.where, "the default is too long and was not copied")
    elif "{{" in value:
        notes.add("value-moved", parameter.where, "the default holds mustache tags; it is now a sample")
        return _placeholder(parameter, value, style, sending)
    else:
        return value
    return _placeholder(parameter, harmless(parameter), style, sending) if parameter.required else ""


def _placeholder(parameter: ForeignParameter, sample: Json, style: WrittenStyle, sending: Sending) -> str:
    kept = _sample(parameter, style, sending.source, sample)
    return sending.tags.tag(parameter.place, parameter.name, kept)


def _sample(parameter: ForeignParameter, style: WrittenStyle, source: ForeignDocument, sample: Json = None) -> Json:
    """The sample of a placeholder: no secret, and joined where the separator is none that a style writes."""
    given = parameter.sample if sample is None else sample
    found = harmless_sample(given, (parameter.name,), parameter.place)
    if found != given and (parameter.examples or examples(parameter.schema)):
        message = "examples of what may be secret were not copied"
        source.notes.add("secret-removed", parameter.where, message, parameter.name)
    if style.separator and isinstance(found, list):
        return style.separator.join(spell(item) for item in found)
    return found


def _secret_value(parameter: ForeignParameter, sending: Sending) -> Json:
    """A reference, unless the endpoint is authorized anyway: then the value belongs to the single call."""
    notes = sending.source.notes
    if examples(parameter.schema) or parameter.examples:
        message = "the name says that it holds a secret; no example and no default was copied"
        notes.add("secret-removed", parameter.where, message, parameter.name)
    if not parameter.required:
        return ""
    if sending.authorized:
        return sending.tags.tag(parameter.place, parameter.name, harmless(parameter))
    name = variable(sending.prefix, parameter.name)
    notes.add("secret-reference", parameter.where, "values of required credentials are read from", name)
    return {"env": name}
