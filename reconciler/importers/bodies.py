"""Request bodies: the form of the schema or example, with a placeholder for every field."""

import re
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.forms import FORMS, form_body
from reconciler.importers.media import MediaContent, SampleBody, bare, is_json
from reconciler.importers.placeholders import Placeholders, render
from reconciler.importers.samples import Sampler, Slot, Tree
from reconciler.importers.schemas import examples, type_of, typical
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    holds_secret,
    is_small,
    mapping,
    parsed,
    spell,
    without_secrets,
)

MAX_BODY: Final = 256 * 1024

_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*;[\x20-\x7e]*)?")
_PLAIN_JSON = re.compile(r"application/json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)


def make_body(source: ForeignDocument, contents: list[MediaContent], tags: Placeholders, where: Pointer) -> SampleBody:
    """The body of the type that connectors can do most with."""
    if not contents:
        return SampleBody()
    chosen = min(contents, key=lambda content: _rank(bare(content.media)))
    if len(contents) > 1:
        others = ", ".join(sorted(clean(content.media) for content in contents if content is not chosen)[:5])
        message = f"{clean(chosen.media)} is used as type of the body; there are also"
        source.notes.add("media-type-chosen", where, message, others)
    name = bare(chosen.media)
    sampler = Sampler(source, where)
    if name in FORMS:
        body = form_body(sampler, chosen, tags)
    elif is_json(name):
        body = _json_body(sampler, chosen, tags)
    else:
        body = _raw_body(sampler, chosen, tags)
    if sampler.cut:
        source.notes.add("body-cut", where, "the schema is larger than is of use; inner or late fields were left out")
    return body


def _rank(name: str) -> int:
    if is_json(name):
        return 0 if name == "application/json" else 1
    if name in FORMS:
        return 2 + FORMS.index(name)
    return 5 if name.startswith("text/") or name.endswith("xml") else 6


def _content_type(source: ForeignDocument, content: MediaContent) -> str:
    """The header's value, or "" where application/json is right."""
    media = clean(content.media).strip()
    name = bare(media)
    if name == "" or _PLAIN_JSON.fullmatch(media) or (is_json(name) and "*" in name):
        return ""
    if (
        _MEDIA.fullmatch(media)
        and "*" not in name
        and len(media) <= 255
        and "{{" not in media
        and not holds_secret(media)
    ):
        return media
    usual = "" if is_json(name) else "text/plain" if name.startswith("text/") else "application/octet-stream"
    message = f"this is no media type that can be sent; {usual or 'application/json'} is sent instead of"
    source.notes.add("media-type-chosen", content.where, message, media)
    return usual


def _json_body(sampler: Sampler, content: MediaContent, tags: Placeholders) -> SampleBody:
    tree = _tree(sampler, content)
    text = render(tree, tags, sampler.source, content.where)
    if len(text) > MAX_BODY:
        sampler.cut = True
        text = tags.tag("body", "body", None)
    return SampleBody(text, "json", _content_type(sampler.source, content))


def _tree(sampler: Sampler, content: MediaContent) -> Tree:
    """From the example if there is a usable one, else from the schema."""
    place = (*content.where, "schema")
    for given in content.example:
        value = parsed(given)
        if not is_small(value):
            sampler.source.notes.add("body-cut", content.where, "the example is too large; the schema is used instead")
        elif not isinstance(value, str) or content.schema is None or _is_text(sampler, content):
            return sampler.from_example(value, ("item",) if isinstance(value, list) else (), content.schema, place)
        else:
            sampler.source.notes.add("example-dropped", content.where, "the example is a text that is not JSON")
    found = sampler.from_schema(content.schema, place) if content.schema is not None else None
    if found is None:
        sampler.source.notes.add("body-unknown", content.where, "the document does not tell what the body holds")
        return Slot((), None, quoted=False)
    return found


def _is_text(sampler: Sampler, content: MediaContent) -> bool:
    return type_of(mapping(sampler.source.follow(content.schema, (*content.where, "schema")).value)) == "string"


class _Raw(Struct, frozen=True):
    """Where a raw body's text comes from: an example, or what its schema says of a text."""

    text: Json
    is_example: bool


def _raw_body(sampler: Sampler, content: MediaContent, tags: Placeholders) -> SampleBody:
    source = sampler.source
    kind = _content_type(source, content)
    for given in _raw_texts(sampler, content):
        text = clean(spell(given.text)) if isinstance(given.text, str) or is_small(given.text) else ""
        if holds_secret(text):
            text = without_secrets(text)
            source.notes.add("secret-removed", content.where, "a literal that looks like a secret was taken out")
        if not 0 < len(text) <= MAX_BODY:
            continue
        if given.is_example and "{{" not in text:
            return SampleBody(text, "raw", kind)
        if given.is_example:
            source.notes.add("value-moved", content.where, "the example holds mustache tags; it is now a sample")
        return SampleBody(tags.tag("body", "body", text), "raw", kind)
    message = "no body can be made up for this type; give it whole"
    source.notes.add("body-unknown", content.where, message, content.media)
    return SampleBody(tags.tag("body", "body", None), "raw", kind)


def _raw_texts(sampler: Sampler, content: MediaContent) -> list[_Raw]:
    found = [_Raw(value, is_example=True) for value in content.example]
    schema = sampler.expand(content.schema, (*content.where, "schema")) if content.schema is not None else None
    if schema is None or is_xml(bare(content.media)):
        return found
    found += [_Raw(value, is_example=True) for value in examples(schema.node)]
    if type_of(schema.node) in ("string", "file"):
        found.append(_Raw(typical(schema.node), is_example=False))
    return found


def is_xml(name: str) -> bool:
    """Whether a body of this type has a form that a text of the schema is not."""
    return name.endswith("xml")


def openapi_contents(source: ForeignDocument, body: Json, where: Pointer) -> list[MediaContent]:
    """The types of body that an OpenAPI 3 request body offers."""
    node, where = source.object_at(body, where)
    found = []
    if node and not mapping(node.get("content")):
        source.notes.add("body-unknown", where, "the document does not tell what the body holds")
    for media, entry in mapping(node.get("content")).items():
        inner, place = source.object_at(entry, (*where, "content", media))
        example = _example(source, inner, place)
        found.append(
            MediaContent(clean(media).strip(), inner.get("schema"), example, place, mapping(inner.get("encoding")))
        )
    return found


def _example(source: ForeignDocument, node: Object, where: Pointer) -> tuple[Json, ...]:
    if node.get("example") is not None:
        return (node["example"],)
    named = mapping(node.get("examples"))
    if len(named) > 1:
        source.notes.add("example-chosen", (*where, "examples"), "the first of several examples is used")
    for name, entry in named.items():
        inner, place = source.object_at(entry, (*where, "examples", name))
        if inner.get("value") is not None:
            return (inner["value"],)
        if "externalValue" in inner:
            source.notes.add("external-reference", place, "an example in another file; put it into this one")
    return ()
