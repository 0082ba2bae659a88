"""How the document writes lists and objects, in the words of an endpoint: only what differs from the usual."""

import re
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.media import bare, is_json
from reconciler.importers.parameters import ForeignParameter
from reconciler.importers.schemas import PLAIN, is_file, type_of
from reconciler.importers.values import Object, Pointer, clean, is_true, mapping, text

_USUAL: Final = {"query": "form", "path": "simple", "header": "simple"}
_STYLES: Final = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "path": ("simple", "label", "matrix"),
    "header": ("simple",),
}
_COLLECTIONS: Final[dict[str, Object]] = {
    "csv": {"explode": False},
    "ssv": {"style": "spaceDelimited"},
    "tsv": {"style": "tabDelimited"},
    "pipes": {"style": "pipeDelimited"},
    "multi": {},
}
"""Swagger's formats, as styles of a query or a form."""
_SEPARATORS: Final = {"ssv": " ", "tsv": "\t", "pipes": "|"}
_DOTTED_LABELS = re.compile(r"3\.0(?:\.[0-3])?|3\.1(?:\.0)?")
"""Versions in whose tables a label's items are told apart by dots even where they are not exploded."""
_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;[ -~]*)?")  # schemas/connector.schema.json


class WrittenStyle(Struct, frozen=True):
    """How one value is written.

    Attributes:
        keys: `style` and `explode` of the entry.
        separator: what has to stand between the items of a list, where no style of ours does that.
    """

    keys: Object = {}
    separator: str = ""


def parameter_style(source: ForeignDocument, parameter: ForeignParameter) -> WrittenStyle:
    """How a query, header or path parameter is written."""
    kind = type_of(parameter.schema)
    if source.is_swagger:
        return _collection(source, parameter, kind)
    _note_reserved(source, parameter)
    if parameter.media:
        if is_json(bare(parameter.media)):
            return WrittenStyle({"style": "json"})
        if kind not in PLAIN:
            message = "a parameter of this type has to be given as text"
            source.notes.add("style-changed", parameter.where, message, parameter.media)
        return WrittenStyle()
    usual = _USUAL[parameter.place]
    style = text(parameter.node.get("style")) or usual
    if style not in _STYLES[parameter.place]:
        message = f"this style is not for {parameter.place} parameters; {usual} is used instead of"
        source.notes.add("style-changed", parameter.where, message, style)
        style = usual
    explode = is_true(parameter.node.get("explode", style == "form"))
    if parameter.place == "query":
        return WrittenStyle(_query_keys(style, kind, explode=explode))
    if style == "label" and not explode and kind not in PLAIN and _has_dotted_labels(source):
        if kind == "object":
            message = "objects as labels that are not exploded are written with commas, not with dots"
            source.notes.add("style-changed", parameter.where, message)
        explode = kind != "object"
    keys: Object = {} if style == usual else {"style": style}
    matters = kind in ("object", "") or (kind == "array" and style != "simple")
    return WrittenStyle({**keys, "explode": True} if explode and matters else keys)


def _has_dotted_labels(source: ForeignDocument) -> bool:
    return _DOTTED_LABELS.fullmatch(text(source.root.get("openapi"))) is not None


def _query_keys(style: str, kind: str, *, explode: bool) -> Object:
    if kind in PLAIN:
        return {}
    if style == "deepObject":
        return {"style": style}
    if explode:  # repeated, whatever would stand between the items
        return {}
    return {"explode": False} if style == "form" else {"style": style}


def _note_reserved(source: ForeignDocument, parameter: ForeignParameter) -> None:
    if is_true(parameter.node.get("allowReserved")):
        message = "reserved characters of its value are percent-encoded, although the document allows them"
        source.notes.add("style-changed", parameter.where, message, parameter.name)


def _collection(source: ForeignDocument, parameter: ForeignParameter, kind: str) -> WrittenStyle:
    if kind != "array":
        return WrittenStyle()
    name = _collection_format(source, parameter.node, parameter.where)
    if parameter.place == "query":
        return WrittenStyle(_COLLECTIONS[name])
    if name == "multi":
        message = "multi is for queries and forms; csv is used"
        source.notes.add("style-changed", parameter.where, message)
    elif name in _SEPARATORS:
        message = "lists in headers and paths are written with commas: give others as text, joined as it says"
        source.notes.add("style-changed", parameter.where, message, name)
    return WrittenStyle({}, _SEPARATORS.get(name, ""))


def _collection_format(source: ForeignDocument, node: Object, where: Pointer) -> str:
    name = text(node.get("collectionFormat")) or "csv"
    if name not in _COLLECTIONS:
        source.notes.add("style-changed", where, "this is no collectionFormat; csv is used instead of", name)
        return "csv"
    return name


class FormFieldPlace(Struct, frozen=True):
    """Where a field of a form stands.

    Attributes:
        encoding: what the document says of its form, {} where nothing.
        where: the field's own place, or that of its encoding.
    """

    name: str
    schema: Object
    encoding: Object
    where: Pointer
    is_multipart: bool


def form_field(source: ForeignDocument, place: FormFieldPlace) -> Object | None:
    """The entry of `formFields`, or None where the usual form is right."""
    found = _swagger_field(source, place) if source.is_swagger else _openapi_field(source, place)
    if place.is_multipart and is_file(place.schema):
        message = "what is given for a file is sent as its content, and has to be text"
        source.notes.add("file-upload", place.where, message, place.name)
        found = {"contentType": "application/octet-stream", **found, "filename": clean(place.name)[:255] or "file"}
    if not found or not place.name or len(place.name) > 255:
        return None
    order = ("style", "explode", "contentType", "filename")
    return {"name": clean(place.name), **{key: found[key] for key in order if key in found}}


def _swagger_field(source: ForeignDocument, place: FormFieldPlace) -> Object:
    if type_of(place.schema) != "array":
        return {}
    return _COLLECTIONS[_collection_format(source, place.schema, place.where)]


def _openapi_field(source: ForeignDocument, place: FormFieldPlace) -> Object:
    kind, encoding = type_of(place.schema), place.encoding
    if mapping(encoding.get("headers")):
        message = "headers of its part cannot be sent"
        source.notes.add("part-headers", (*place.where, "headers"), message, place.name)
    if is_true(encoding.get("allowReserved")):
        message = "reserved characters of its value are percent-encoded, although the document allows them"
        source.notes.add("style-changed", place.where, message, place.name)
    is_styled = "style" in encoding or "explode" in encoding
    if is_styled and not (place.is_multipart and text(source.root.get("openapi")).startswith("3.0")):
        style = text(encoding.get("style")) or "form"
        if style in _STYLES["query"]:
            return _field_keys(style, kind, explode=is_true(encoding.get("explode", style == "form")))
        source.notes.add("style-changed", place.where, "this style is not for forms", style)
    media = clean(text(encoding.get("contentType"))).split(",")[0].strip()
    if place.is_multipart:
        if media and "*" not in media and len(media) <= 255 and _MEDIA.fullmatch(media):
            return {} if media == "text/plain" and kind in PLAIN else {"contentType": media}
        return {"contentType": "application/json"} if _holds_objects(place.schema) else {}
    return {"style": "json"} if media and is_json(bare(media)) and kind == "array" else {}


def _field_keys(style: str, kind: str, *, explode: bool) -> Object:
    keys = _query_keys(style, kind, explode=explode)
    if style == "form" and kind in ("object", ""):  # objects are JSON where no style is given
        return {"style": "form", **keys}
    return keys


def _holds_objects(schema: Object) -> bool:
    kind = type_of(schema)
    return kind == "object" or (kind == "array" and _holds_objects(mapping(schema.get("items"))))
