"""Bodies of the requests in a Postman collection."""

from collections.abc import Iterator
from typing import Final

from reconciler.importers.graphql import graphql_body
from reconciler.importers.payloads import FormEntry, Payload, payload_of
from reconciler.importers.postman_variables import Scope
from reconciler.importers.requests import Desk
from reconciler.importers.templates import Variable
from reconciler.importers.values import Json, Object, Pointer, clean, compact, is_true, mapping, sequence, spell, text

_LANGUAGES: Final = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "application/javascript",
}


def body_of(body: Json, media: str, scope: Scope, where: Pointer, desk: Desk) -> Payload | None:
    """What a request sends; None for nothing.

    Args:
        media: the media type that the request's headers tell, or "".
    """
    node = mapping(body)
    mode = text(node.get("mode"))
    if is_true(node.get("disabled")) or mode in ("", "none"):
        return None
    if mode == "raw":
        language = text(mapping(mapping(node.get("options")).get("raw")).get("language"))
        media = media or _LANGUAGES.get(language, "")
        return payload_of(scope.template(clean(text(node.get("raw")))), media, (*where, "raw"))
    if mode in ("urlencoded", "formdata"):
        entries = tuple(_fields(sequence(node.get(mode)), scope, (*where, mode), desk))
        form = "form-urlencoded" if mode == "urlencoded" else "multipart"
        return Payload(form, (*where, mode), entries=entries) if entries else None
    if mode == "graphql":
        return _graphql(mapping(node.get("graphql")), scope, (*where, "graphql"))
    if mode == "file":
        desk.say("file-not-read", where, "no file is opened: what it holds has to be written into the body")
        return Payload("raw", where, media or "application/octet-stream", (Variable("body"),))
    desk.notes.add("body-unknown", where, f"no body of the mode {clean(mode)[:40]} is known")
    return None


def _fields(listed: list[Json], scope: Scope, where: Pointer, desk: Desk) -> Iterator[FormEntry]:
    for index, entry in enumerate(map(mapping, listed)):
        name, place = clean(text(entry.get("key"))), (*where, index)
        if is_true(entry.get("disabled")) or not name:
            if name:
                desk.say("entry-disabled", place, "fields of a form that are switched off were left out")
        elif entry.get("type") == "file":
            desk.say("file-upload", place, "no file is opened or sent: what stands for one is sent as text")
            yield FormEntry(name, (Variable(name),))
        else:
            yield FormEntry(name, scope.template(spell(entry.get("value"))))


def _graphql(node: Object, scope: Scope, where: Pointer) -> Payload:
    given = node.get("variables")
    shown = given if isinstance(given, str) else compact(given) if given else ""
    content = graphql_body(scope.template(clean(text(node.get("query")))), scope.template(clean(shown)))
    return Payload("json", where, content=content)
