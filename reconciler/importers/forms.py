"""Bodies that are forms: a key for every field, and how those are written that the usual form does not suit."""

from typing import Final

from reconciler.importers.media import MediaContent, SampleBody, bare
from reconciler.importers.placeholders import Placeholders, render
from reconciler.importers.samples import Expanded, Sampler, Slot, Tree, value_of
from reconciler.importers.schemas import type_of, typical
from reconciler.importers.styles import FormFieldPlace, form_field
from reconciler.importers.values import Json, Object, clean, holds_secret, is_small, mapping, parsed

FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_FIELDS: Final = 500  # maxItems of formFields in schemas/connector.schema.json


def form_body(sampler: Sampler, content: MediaContent, tags: Placeholders) -> SampleBody:
    """The form of `content`; none at all where it has no fields."""
    source, where = sampler.source, content.where
    schemas = sampler.fields_of(content.schema, (*where, "schema"))
    given = next((found for value in content.example if (found := mapping(parsed(value))) and is_small(found)), None)
    if schemas is None and given is None:
        source.notes.add("body-unknown", where, "the document does not tell the fields of the form")
    tree = _from_example(sampler, content, given) if given else _from_schemas(sampler, schemas or {})
    if not tree:
        return SampleBody()
    is_multipart = bare(content.media) == "multipart/form-data"
    entries = []
    for name in tree:
        if holds_secret(name):
            continue
        schema, place = (schemas or {}).get(name) or Expanded({}, where)
        encoding, place = _encoding(content, name, place)
        entry = form_field(source, FormFieldPlace(name, schema, encoding, place, is_multipart))
        if entry is not None:
            entries.append(entry)
    form = "multipart" if is_multipart else "form-urlencoded"
    return SampleBody(render(tree, tags, source, where), form, "", tuple(entries[:MAX_FIELDS]))


def _encoding(content: MediaContent, name: str, place: tuple[str | int, ...]) -> tuple[Object, tuple[str | int, ...]]:
    if name in content.encoding:
        return mapping(content.encoding[name]), (*content.where, "encoding", name)
    return {}, content.places.get(name, place)


def _from_example(sampler: Sampler, content: MediaContent, given: Object) -> dict[str, Tree]:
    tree = sampler.from_example(given, (), content.schema, (*content.where, "schema"))
    if not isinstance(tree, dict):
        return {}
    sent = ((name, value_of(inner)) for name, inner in tree.items())
    return {name: _slot(name, value) for name, value in sent if value is not None}


def _from_schemas(sampler: Sampler, schemas: dict[str, Expanded]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for name, (node, where) in schemas.items():
        if type_of(node) in ("array", "object"):
            tree = sampler.from_schema(node, where, (name,))
            found[name] = _slot(name, [] if tree is None else value_of(tree))
        else:
            found[name] = _slot(name, typical(node))
    return found


def _slot(name: str, value: Json) -> Slot:
    """A field is a text, unless a style has to be carried out."""
    return Slot((clean(name),), value, quoted=not isinstance(value, list | dict))
