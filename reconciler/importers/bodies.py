"""Request bodies: the form of the schema or example, with a placeholder for every field."""

import json
import re
from typing import Final

import msgspec
from msgspec import Struct, field

from reconciler.importers.document import ForeignDocument
from reconciler.importers.samples import Sampler, Slot, Tree, Written, is_file, type_of, typical
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    hides,
    holds_secret,
    is_portable,
    is_small,
    mapping,
    spell,
    unique,
    without_secrets,
)

MAX_SAMPLES: Final = 500  # maxProperties of `sample` in schemas/connector.schema.json
_MAX_NAME: Final = 120
_MAX_SAMPLE: Final = 8192


class Placeholders(Struct):
    """Gives out names: one for each value of each place, none for two."""

    samples: dict[str, Json] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def tag(self, place: str, wanted: str, sample: Json) -> str:
        """The tag, braces included, for the value called `wanted` in `place` (path, query, header, body).

        A sample keeps its type, as calls send it so. One that may be a secret is dropped.
        """
        if (place, wanted) not in self._names:
            self._names[place, wanted] = self.new_tag(place, wanted, sample)
        return self._names[place, wanted]

    def new_tag(self, place: str, wanted: str, sample: Json) -> str:
        """The same for a value that is not among those before, however it is called."""
        name = self._new_name(place, wanted)
        self._keep(name, wanted, sample)
        return f"{{{{{name}}}}}"

    def _new_name(self, place: str, wanted: str) -> str:
        wanted = without_secrets(wanted)
        safe = re.sub(r"[^\w-]+", "_", wanted).strip("-")
        if safe.strip("_") != safe and wanted.strip("_") == wanted:
            safe = safe.strip("_")
        safe = safe[:_MAX_NAME] or "value"
        if safe in self._taken:
            safe = f"{place}_{safe}"
        found = unique(safe, self._taken.__contains__, _MAX_NAME + 20, "{}_{}")
        self._taken.add(found)
        return found

    def _keep(self, name: str, wanted: str, sample: Json) -> None:
        shown = spell(sample)
        if sample is None or not is_portable(sample) or hides(wanted, shown) or hides(name, shown):
            return
        if len(shown) <= _MAX_SAMPLE and len(self.samples) < MAX_SAMPLES:
            self.samples[name] = clean(sample) if isinstance(sample, str) else sample


MAX_BODY: Final = 256 * 1024

_TAG_START = re.compile(r"\{(?=\{)")
_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+*-]+(?:\s*;[\x20-\x7e]*)?")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_TYPICAL: Final = frozenset({"example", "1", "true", "{}", ""})


class MediaContent(Struct, frozen=True):
    """One type of body that an operation takes.

    Attributes:
        media: the media type, as written.
        example: an example of the whole body, or empty.
    """

    media: str
    schema: Json
    example: tuple[Json, ...]
    where: Pointer


class SampleBody(Struct, frozen=True):
    """A body as an endpoint has it; `content_type` is "" when the usual one is sent."""

    text: str = ""
    form: str = "json"
    content_type: str = ""


def make_body(source: ForeignDocument, contents: list[MediaContent], tags: Placeholders, where: Pointer) -> SampleBody:
    """The body of the type that connectors can do most with."""
    if not contents:
        return SampleBody()
    chosen = min(contents, key=lambda content: _rank(_bare(content.media)))
    if len(contents) > 1:
        others = ", ".join(sorted(content.media for content in contents if content is not chosen)[:5])
        source.notes.add("media-type-chosen", where, f"{chosen.media} is used; there are also {clean(others)}")
    bare = _bare(chosen.media)
    sampler = Sampler(source, where)
    if bare in _FORMS:
        body = _form_body(sampler, chosen, tags, bare)
    elif _is_json(bare):
        body = _json_body(sampler, chosen, tags)
    else:
        body = _raw_body(source, chosen, tags)
    if sampler.cut:
        source.notes.add("body-cut", where, "the schema is larger than is of use; inner or late fields were left out")
    return body


def _bare(media: str) -> str:
    return media.split(";", 1)[0].strip().lower()


def _is_json(bare: str) -> bool:
    return bare in ("application/json", "text/json", "*/*", "application/*", "") or bare.endswith("+json")


def _rank(bare: str) -> int:
    if _is_json(bare):
        return 0 if bare == "application/json" else 1
    if bare in _FORMS:
        return 2 + _FORMS.index(bare)
    return 5 if bare.startswith("text/") or bare.endswith("xml") else 6


def _content_type(source: ForeignDocument, content: MediaContent) -> str:
    """The header's value, or "" where application/json or the client's own boundary is right."""
    media = clean(content.media).strip()
    if _bare(media) in ("application/json", "multipart/form-data", "") or "*" in media:
        return ""
    if _MEDIA.fullmatch(media) and len(media) <= 255 and "{{" not in media and not holds_secret(media):
        return media
    source.notes.add("malformed", content.where, "this is not a media type that can be sent")
    return ""


def _json_body(sampler: Sampler, content: MediaContent, tags: Placeholders) -> SampleBody:
    tree = _tree(sampler, content)
    text = render(tree, tags, sampler.source, content.where)
    if len(text) > MAX_BODY:
        sampler.cut = True
        text = tags.tag("body", "body", None)
    return SampleBody(text, "json", _content_type(sampler.source, content))


def _tree(sampler: Sampler, content: MediaContent) -> Tree:
    """From the example if there is a usable one, else from the schema."""
    for given in content.example:
        value = _parsed(given)
        if not is_small(value):
            sampler.source.notes.add("body-cut", content.where, "the example is too large; the schema is used instead")
        elif not isinstance(value, str) or content.schema is None:
            return sampler.from_example(value, ("item",) if isinstance(value, list) else ())
    found = sampler.from_schema(content.schema, (*content.where, "schema")) if content.schema is not None else None
    if found is None:
        sampler.source.notes.add("body-unknown", content.where, "the document does not tell what the body holds")
        return Slot((), None, quoted=False)
    return found


def _parsed(value: Json) -> Json:
    """`value`, or what it holds when it is JSON written into a text."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        parsed: Json = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return value
    return parsed


def _form_body(sampler: Sampler, content: MediaContent, tags: Placeholders, bare: str) -> SampleBody:
    fields = _form_fields(sampler, content)
    if not fields:
        return SampleBody()
    tree: dict[str, Tree] = {name: Slot((name,), sample, quoted=True) for name, sample in fields.items()}
    text = render(tree, tags, sampler.source, content.where)
    kind = "" if bare == "multipart/form-data" else _content_type(sampler.source, content)
    return SampleBody(text, "multipart" if bare == "multipart/form-data" else "form-urlencoded", kind)


def _form_fields(sampler: Sampler, content: MediaContent) -> dict[str, str]:
    """The fields of a form with a sample each. A field is a text, whatever the schema says."""
    notes, where = sampler.source.notes, content.where
    schemas = sampler.fields_of(content.schema, (*where, "schema"))
    if schemas is None and not content.example:
        notes.add("body-unknown", where, "the document does not tell the fields of the form")
    files = sorted(name for name, schema in (schemas or {}).items() if is_file(schema))
    if files:
        message = f"files cannot be sent; these fields are sent as text: {clean(', '.join(files))[:500]}"
        notes.add("file-upload", where, message)
    nested = sorted(name for name, schema in (schemas or {}).items() if type_of(schema) in ("object", "array"))
    if nested:
        message = (
            f"these fields hold lists or objects, whose form has to be given whole: {clean(', '.join(nested))[:500]}"
        )
        notes.add("form-nesting", where, message)
    given = next((mapping(_parsed(value)) for value in content.example), {})
    found = {name: spell(typical(schema)) for name, schema in (schemas or {}).items()}
    return {**found, **{name: spell(value) for name, value in given.items()}}


def _raw_body(source: ForeignDocument, content: MediaContent, tags: Placeholders) -> SampleBody:
    kind = _content_type(source, content)
    for given in content.example:
        text = clean(spell(given)) if isinstance(given, str) or is_small(given) else ""
        if holds_secret(text):
            text = without_secrets(text)
            source.notes.add("secret-removed", content.where, "a literal that looks like a secret was taken out")
        if text and len(text) <= MAX_BODY and "{{" not in text:
            return SampleBody(text, "raw", kind)
        if 0 < len(text) <= MAX_BODY:
            source.notes.add("value-moved", content.where, "the example holds mustache tags; it is now a sample")
            return SampleBody(tags.tag("body", "body", text), "raw", kind)
    source.notes.add("body-unknown", content.where, f"no body can be made up for {clean(content.media)}; give it whole")
    return SampleBody(tags.tag("body", "body", None), "raw", kind)


def render(tree: Tree, tags: Placeholders, source: ForeignDocument, where: Pointer, indent: str = "") -> str:
    """`tree` as indented JSON with mustache tags. Braces never meet, so that only the tags are tags."""
    inner = indent + "  "
    if isinstance(tree, dict):
        items = [
            f"{_quote(without_secrets(key))}: {render(item, tags, source, where, inner)}" for key, item in tree.items()
        ]
        return _bracket("{", items, "}", indent)
    if isinstance(tree, list):
        return _bracket("[", [render(item, tags, source, where, inner) for item in tree], "]", indent)
    if isinstance(tree, Written):
        return tree.text
    if isinstance(tree, Slot):
        return _slot(tree, tags, source, where)
    value = tree.value
    if isinstance(value, str) and holds_secret(value):
        source.notes.add("secret-removed", where, "a literal that looks like a secret was taken out of the body")
        value = without_secrets(value)
    return _quote(value) if isinstance(value, str) else json.dumps(value)


def _bracket(start: str, items: list[str], end: str, indent: str) -> str:
    if not items:
        return start + end
    return f"{start}\n{indent}  " + f",\n{indent}  ".join(items) + f"\n{indent}{end}"


def _quote(content: str) -> str:
    return _TAG_START.sub(r"\\u007b", json.dumps(clean(content), ensure_ascii=False))


def _slot(slot: Slot, tags: Placeholders, source: ForeignDocument, where: Pointer) -> str:
    sample, shown = slot.sample, spell(slot.sample)
    if sample is not None and (holds_secret(shown) or any(hides(step, shown) for step in slot.path)):
        if shown not in _TYPICAL:
            message = f"the example of {clean('.'.join(slot.path))[:200]} was not copied"
            source.notes.add("secret-removed", where, message)
        sample = None
    tag = tags.new_tag("body", "_".join(slot.path) or "body", sample)
    return f'"{tag}"' if slot.quoted else tag


def openapi_contents(source: ForeignDocument, body: Json, where: Pointer) -> list[MediaContent]:
    """The types of body that an OpenAPI 3 request body offers."""
    node, where = source.object_at(body, where)
    content = mapping(node.get("content"))
    found = []
    for media, entry in content.items():
        place = (*where, "content", media)
        inner, place = source.object_at(entry, place)
        found.append(MediaContent(media, inner.get("schema"), _example(source, inner, place), place))
    return found


def _example(source: ForeignDocument, node: Object, where: Pointer) -> tuple[Json, ...]:
    if node.get("example") is not None:
        return (node["example"],)
    for name, entry in mapping(node.get("examples")).items():
        inner, _ = source.object_at(entry, (*where, "examples", name))
        if inner.get("value") is not None:
            return (inner["value"],)
    return ()
