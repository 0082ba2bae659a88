"""The bodies of single requests: the values that were sent become placeholders with samples."""

import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct, field

from reconciler.importers.bodies import MAX_BODY
from reconciler.importers.document import ForeignDocument, Notebook
from reconciler.importers.graphql import OF_GRAPHQL, is_graphql
from reconciler.importers.media import SampleBody
from reconciler.importers.placeholders import Placeholders, render
from reconciler.importers.samples import Fixed, Sampler, Slot, Tree, Written
from reconciler.importers.templates import (
    Template,
    Variable,
    changed,
    cut,
    literal,
    lone,
    merged,
    split,
    tag_of,
    tagged,
    variables,
)
from reconciler.importers.values import Json, Pointer, clean, is_small, names_secret
from reconciler.importers.withheld import Withheld

_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+*-]+(?:\s*;[\x20-\x7e]*)?")
_MARK = re.compile("(\ue000|\ue001)(\\d+)\ue002")
_PRIVATE = re.compile("[\ue000-\ue002]")
_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*+(?:"|\Z))|//[^\n]*+|/\*.*?(?:\*/|\Z)', re.DOTALL)


class FormEntry(Struct, frozen=True):
    """One field of a form."""

    name: str
    value: Template


class Payload(Struct, frozen=True):
    """What a request sends.

    Attributes:
        form: json, form-urlencoded, multipart or raw.
        media: its media type, as written, or "".
        content: all of it, save of a form.
        entries: the fields of a form.
    """

    form: str
    where: Pointer
    media: str = ""
    content: Template = ()
    entries: tuple[FormEntry, ...] = ()


def payload_of(content: Template, media: str, where: Pointer) -> Payload | None:
    """A body whose media type tells what it is; of none, JSON is told by its look."""
    bare = media.split(";", 1)[0].strip().lower()
    if not literal(content).strip() and not variables(content):
        return None
    looks_like_json = literal(content).lstrip()[:1] in ("{", "[")
    is_form = all(cut(piece, "=")[1] is not None for piece in split(content, "&") if piece)
    if bare == "application/x-www-form-urlencoded" and is_form and not looks_like_json:
        return Payload("form-urlencoded", where, entries=form_entries(content))
    is_json = bare in ("application/json", "text/json") or bare.endswith("+json")
    if is_json or (not bare and looks_like_json):
        return Payload("json", where, "" if bare in ("application/json", "") else media, content)
    return Payload("raw", where, media or "text/plain", content)


def form_entries(content: Template) -> tuple[FormEntry, ...]:
    """The fields of a form in the form of a query."""
    found = []
    for piece in split(content, "&"):
        name, value = cut(piece, "=")
        if name or value:
            found.append(FormEntry(unquote_plus(literal(name)), changed(value or (), unquote_plus)))
    return tuple(found)


class _Scribe(Struct):
    """What the parts of one body share."""

    tags: Placeholders
    notes: Notebook
    withheld: Withheld
    payload: Payload
    sampler: Sampler
    holes: list[Variable] = field(default_factory=list)
    is_login: bool = False
    is_graphql: bool = False


def body_of(payload: Payload, tags: Placeholders, notes: Notebook, withheld: Withheld) -> SampleBody:
    """The body of an endpoint that sends the same when its placeholders have their samples."""
    sampler = Sampler(ForeignDocument({}, notes, is_swagger=False), payload.where)
    scribe = _Scribe(tags, notes, withheld, payload, sampler)
    if payload.form == "raw":
        return _raw(scribe)
    if payload.form != "json":
        return _form(scribe)
    tree = _json_tree(scribe)
    if tree is None:
        notes.add("malformed", payload.where, "the body is not JSON; it is sent as it is")
        return _raw(scribe, payload.media or "application/json")
    return _written(tree, scribe, "json", _content_type(payload.media))


def _content_type(media: str) -> str:
    media = clean(media).strip()
    return media if _MEDIA.fullmatch(media) and len(media) <= 255 and "{{" not in media else ""


def _written(tree: Tree, scribe: _Scribe, form: str, media: str = "") -> SampleBody:
    text = render(tree, scribe.tags, scribe.sampler.source, scribe.payload.where)
    if len(text) > MAX_BODY:
        scribe.notes.add("body-cut", scribe.payload.where, "the body is too large to be of use; callers give it whole")
        text = scribe.tags.tag("body", "body", None)
    return SampleBody(text, form, media)


def _raw(scribe: _Scribe, media: str = "") -> SampleBody:
    content, where = changed(scribe.payload.content, clean), scribe.payload.where
    media = _content_type(media or scribe.payload.media) or "text/plain"
    shown = literal(content)
    text = None
    if scribe.withheld.reveals(shown) or _names_secret(shown):
        scribe.notes.add("secret-removed", where, "the body holds what may be a secret, and was not copied")
        shown = ""
    elif len(shown) <= MAX_BODY:
        text = tagged(content, scribe.tags)
    if text is None:
        if shown:
            scribe.notes.add("value-moved", where, "the body holds braces, or is too large; callers give it whole")
        text = scribe.tags.tag("body", "body", None if variables(content) else shown or None)
    return SampleBody(text, "raw", media)


_NAMED = re.compile(r"[\w.-]{2,60}(?=[\"']?\s*[=:>])")


def _names_secret(content: str) -> bool:
    return any(map(names_secret, set(_NAMED.findall(content))))


def _form(scribe: _Scribe) -> SampleBody:
    by_name: dict[str, list[Template]] = {}
    for entry in scribe.payload.entries:
        by_name.setdefault(clean(entry.name), []).append(entry.value)
    scribe.is_login = any(map(names_secret, by_name))
    tree: dict[str, Tree] = {}
    for name, values in by_name.items():
        if not name or scribe.withheld.reveals(name):
            scribe.notes.add(
                "parameter-skipped", scribe.payload.where, "a field's name is empty or looks like a secret"
            )
        elif len(values) == 1:
            tree[name] = _field(name, values[0], scribe)
        else:
            texts: list[Json] = [literal(value) for value in values]
            hidden = any(
                _hides((name,), item, scribe) or variables(value) for item, value in zip(texts, values, strict=True)
            )
            tree[name] = Slot((name,), None if hidden else texts, quoted=False)
    return _written(tree, scribe, scribe.payload.form) if tree else SampleBody()


def _field(name: str, value: Template, scribe: _Scribe) -> Tree:
    if not variables(value):
        return _leaf(literal(value), (name,), scribe)
    return _mixed(value, scribe, (name,))


def _json_tree(scribe: _Scribe) -> "Tree | None":
    """The tree of a JSON text, or None when it is none."""
    text = _marked(scribe)
    for attempt in (text, _COMMENT.sub(lambda found: found[1] or "", text)):
        try:
            value: Json = msgspec.json.decode(attempt)
        except (ValueError, RecursionError):
            continue
        if not is_small(value):
            scribe.notes.add(
                "body-cut", scribe.payload.where, "the body is too large to be of use; callers give it whole"
            )
            return Slot((), None, quoted=False)
        scribe.is_login, scribe.is_graphql = _is_login([value]), is_graphql(value)
        return _tree(value, ("item",) if isinstance(value, list) else (), scribe)
    return None


def _is_login(level: Sequence[Json]) -> bool:
    """Whether some key, at any depth, has the name of a secret."""
    while level:
        if any(names_secret(key) for item in level if isinstance(item, dict) for key in item):
            return True
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())]  # fmt: skip
    return False


def _marked(scribe: _Scribe) -> str:
    """The text with a mark for each variable; what stands outside of quotation marks is put into some."""
    quoted = False
    parts = []
    for part in scribe.payload.content:
        if isinstance(part, Variable):
            mark = f"{len(scribe.holes)}\ue002"
            parts.append(f"\ue000{mark}" if quoted else f'"\ue001{mark}"')
            scribe.holes.append(part)
            continue
        text = _PRIVATE.sub("", part)
        if sum(found[0] == '"' for found in _QUOTES.finditer(text)) % 2:
            quoted = not quoted
        parts.append(text)
    return "".join(parts)


def _tree(value: Json, path: tuple[str, ...], scribe: _Scribe) -> Tree:
    if isinstance(value, dict):
        return {_MARK.sub("", key): _tree(item, (*path, _MARK.sub("", key)), scribe) for key, item in value.items()}
    if isinstance(value, list):
        steps = [path if index == 0 else (*path, str(index + 1)) for index in range(len(value))]
        return [_tree(item, step, scribe) for item, step in zip(value, steps, strict=True)]
    if isinstance(value, str) and _MARK.search(value):
        return _mixed(_holes(value, scribe), scribe, path, bare=value.startswith("\ue001"))
    if scribe.is_graphql and isinstance(value, str) and path in OF_GRAPHQL and not scribe.withheld.knows(value):
        return Fixed(value)
    return _leaf(value, path, scribe)


def _holes(value: str, scribe: _Scribe) -> Template:
    parts: list[str | Variable] = []
    end = 0
    for found in _MARK.finditer(value):
        parts += [value[end : found.start()], scribe.holes[int(found[2])]]
        end = found.end()
    return merged((*parts, value[end:]))


def _mixed(value: Template, scribe: _Scribe, path: tuple[str, ...], *, bare: bool = False) -> Tree:
    """A value with variables in it."""
    if any(part.secret for part in variables(value)):
        message = "no reference can stand in a body: what is secret there is given by each call"
        scribe.notes.add("secret-removed", scribe.payload.where, message)
    if bare and (found := lone(value)):
        return Written(tag_of(Variable(found.name, _typed(found.sample), found.secret), scribe.tags))
    if _hides(path, literal(value), scribe) and literal(value).strip():
        return _leaf(literal(value), path, scribe)
    written = [tag_of(part, scribe.tags) if isinstance(part, Variable) else _inner(part) for part in value]
    return Written(f'"{"".join(written)}"')


def _inner(content: str) -> str:
    """A text as it stands within quotation marks in JSON, without braces that could meet those of a tag."""
    text = json.dumps(clean(content), ensure_ascii=False)[1:-1]
    return text.replace("{", "\\u007b").replace("}", "\\u007d")


def _typed(sample: Json) -> Json:
    if not isinstance(sample, str):
        return sample
    try:
        found: Json = msgspec.json.decode(sample)
    except (ValueError, RecursionError):
        return sample
    return found if is_small(found) else None


def _hides(path: Iterable[str], value: Json, scribe: _Scribe) -> bool:
    return any(scribe.withheld.hides(step, value) for step in path or ("",))


def _leaf(value: Json, path: tuple[str, ...], scribe: _Scribe) -> Tree:
    if isinstance(value, str):
        value = clean(value)
    hides = _hides(path, value, scribe) or (scribe.is_login and isinstance(value, str))
    if hides and value != "":
        message = "what may be a secret, and what is sent with one, was not copied; callers give it"
        scribe.notes.add("secret-removed", scribe.payload.where, message)
        return Slot(path, None, isinstance(value, str))
    return scribe.sampler.from_example(value, path)
