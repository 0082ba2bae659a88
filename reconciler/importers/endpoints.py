"""Single requests become endpoints of a connector."""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from msgspec import Struct, structs

from reconciler.importers.credentials import Credential
from reconciler.importers.document import prose
from reconciler.importers.entries import MAX_NAME, MAX_VALUE
from reconciler.importers.operations import MAX_ENTRIES
from reconciler.importers.payloads import body_of
from reconciler.importers.placeholders import Placeholders
from reconciler.importers.requests import Access, Desk, ForeignEntry, ForeignRequest, bearer, login
from reconciler.importers.servers import is_plain
from reconciler.importers.templates import (
    NO_SAMPLE,
    Template,
    Variable,
    changed,
    literal,
    lone,
    merged,
    stripped,
    tag_of,
    tagged,
    variables,
)
from reconciler.importers.urls import MAX_URL, WRITTEN_URL
from reconciler.importers.values import Json, Object, clean, one_line
from reconciler.importers.withheld import is_confidential
from reconciler.kinds.places import url_fault

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255}")
_UNSAFE = re.compile(r"[\s{}\\\x00-\x20\x7f-\xa0]")
_WORD = r"([A-Za-z_][\w.-]{0,99})"
_FOREIGN = re.compile(
    rf"\A:{_WORD}\Z|\$?\{{\{{?{_WORD}\}}?\}}|(?:%7[Bb]){{1,2}}{_WORD}(?:%7[Dd]){{1,2}}|<{_WORD}>", re.ASCII
)
_ORIGIN = re.compile(r"https?://[^/]*", re.IGNORECASE)
_TRANSPORT: Final = frozenset(
    [
        "host",
        "content-length",
        "connection",
        "accept-encoding",
        "transfer-encoding",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "pragma",
        "cache-control",
        "accept-language",
        "dnt",
        "keep-alive",
        "proxy-connection",
        "postman-token",
        "priority",
        "x-client-data",
        "if-none-match",
        "if-modified-since",
    ]
)
_OF_PAGES: Final = ("origin", "referer")


class MadeEndpoint(Struct, frozen=True):
    """An endpoint, and how it is authorized; None where it is not."""

    spec: Object
    credential: Credential | None


def make_endpoint(request: ForeignRequest, desk: Desk) -> MadeEndpoint | None:
    """The endpoint of a request, or None when no connector can send it."""
    where = request.where
    if request.method not in METHODS:
        desk.say("unsupported-method", where, f"connectors do not have {clean(request.method)[:40] or 'that method'}")
        return None
    tags = Placeholders()
    url = _url(request, tags, desk)
    if not url:
        return None
    params = [_parameter(entry, tags, desk) for entry in _usable(request.query, request, desk)]
    headers = [_header(entry, tags, desk) for entry in _headers(request, desk)]
    body = body_of(request.payload, tags, desk.notes, desk.withheld) if request.payload else None
    if body and body.content_type:
        headers = [{"name": "Content-Type", "value": body.content_type, "required": True}, *headers]
    access = request.access or header_access(request)
    credential = desk.credential(access) if access else None
    is_authorized = credential is not None or any(isinstance(entry.get("value"), dict) for entry in [*params, *headers])  # fmt: skip
    if is_authorized and is_plain(url):
        desk.say("plain-http", where, "credentials would be sent over plain http; ask for an https server")
    found: Object = {
        "description": prose(desk.withheld.without(request.description), where, desk.notes),
        "method": request.method,
        "url": url,
    }
    found |= {"params": [*params], "headers": [*headers]}
    if body:
        found |= {"body": body.text, "bodyType": body.form if body.form != "json" else None}
    found |= {"sample": {**tags.samples}, **request.further}
    return MadeEndpoint({key: value for key, value in found.items() if value}, credential)


def header_access(request: ForeignRequest) -> Access | None:
    """The authorization that a header of the request stands for, if it has a form that connectors know."""
    for entry in request.headers:
        if entry.name.lower() == "authorization" and entry.sent:
            scheme, rest = _scheme(stripped(entry.value))
            if scheme in _SCHEMES and rest:
                if scheme == "bearer":
                    return bearer(rest, entry.where)
                return login(stripped(entry.value), stripped(entry.value), entry.where)  # both are in it, encoded
    return None


_SCHEMES: Final = ("bearer", "basic")


def _scheme(value: Template) -> tuple[str, Template]:
    if not value or isinstance(value[0], Variable):
        return "", value
    word, _, rest = value[0].partition(" ")
    return word.lower(), stripped(merged((rest, *value[1:])))


def _url(request: ForeignRequest, tags: Placeholders, desk: Desk) -> str:
    parts = []
    for index, part in enumerate(request.url):
        if isinstance(part, Variable):
            if part.secret:
                desk.say("secret-removed", request.where, f"no reference can stand in a URL: {clean(part.name)[:100]} is given by each call")  # fmt: skip
            parts.append(tag_of(part, tags))
        else:
            parts += _segments(clean(part), tags, desk, request, starts=index == 0)
    url = "".join(parts)
    fault = "" if WRITTEN_URL.fullmatch(url) and len(url) <= MAX_URL else "it is too long or malformed"
    if not fault and (fault := url_fault(url) or ""):
        fault = f"no request can go to it: {fault}"
    if fault:
        desk.notes.add("operation-skipped", request.where, f"its URL cannot be used: {fault}")
        return ""
    if url.startswith("{{"):
        desk.say("no-server", request.where, "the host is not known: callers give it; name it with --server")
    return url


def _segments(content: str, tags: Placeholders, desk: Desk, request: ForeignRequest, *, starts: bool) -> Iterator[str]:
    """A text of the URL, fit to be sent; what looks like a secret in its path is given by each call."""
    origin = _ORIGIN.match(content) if starts else None
    yield _encoded(origin[0]) if origin else ""
    for index, segment in enumerate(content[origin.end() if origin else 0 :].split("/")):
        if index:
            yield "/"
        if desk.withheld.reveals(unquote(segment)):
            desk.say("secret-removed", request.where, "a part of the path that may be a secret is given by each call")
            yield tags.new_tag("path", "segment", None)
        else:
            yield from _pieces(segment, tags, desk, request)


def _pieces(segment: str, tags: Placeholders, desk: Desk, request: ForeignRequest) -> Iterator[str]:
    """A part of the path: what stands for a value in another language stands for one here, too."""
    end = 0
    for found in _FOREIGN.finditer(segment):
        yield _encoded(segment[end : found.start()])
        name = next(filter(None, found.groups()))
        desk.say("variable-left", request.where, f"{clean(name)[:60]} in the path is given by each call")
        yield tags.tag("variable", name, NO_SAMPLE)
        end = found.end()
    yield _encoded(segment[end:])


def _encoded(literal_text: str) -> str:
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), literal_text)


def _usable(entries: Sequence[ForeignEntry], request: ForeignRequest, desk: Desk) -> list[ForeignEntry]:
    found = []
    for entry in entries:
        if not entry.name or len(entry.name) > MAX_NAME or "{{" in entry.name or desk.withheld.reveals(entry.name):
            desk.notes.add("parameter-skipped", entry.where, "its name is empty, too long, holds a tag or looks like a secret")  # fmt: skip
        else:
            found.append(entry)
    if len(found) > MAX_ENTRIES - 1:
        desk.notes.add("parameter-skipped", request.where, f"of {len(found)} the first {MAX_ENTRIES - 1} are kept")
    return found[: MAX_ENTRIES - 1]


def _headers(request: ForeignRequest, desk: Desk) -> list[ForeignEntry]:
    """Those that are the request's own, and not its client's, its transport's or its body's."""
    found: dict[str, ForeignEntry] = {}
    is_of_browser = any(entry.name.lower().startswith("sec-") for entry in request.headers)
    for entry in _usable(request.headers, request, desk):
        name = entry.name.lower()
        if not _HEADER.fullmatch(entry.name) and not name.startswith(":"):
            desk.notes.add("parameter-skipped", entry.where, "this is not the name of a header")
        elif name in ("cookie", "set-cookie"):
            desk.say("cookie-parameter", entry.where, "cookies belong to a session and were left out")
        elif name in _TRANSPORT or name[:4] in ("sec-", "if-m") or name[:1] == ":" or (is_of_browser and name in _OF_PAGES):  # fmt: skip
            desk.say("client-header", entry.where, "headers of the client and the transport were left out")
        elif name == "authorization" and _scheme(stripped(entry.value))[0] in _SCHEMES:
            continue  # it became the authorization
        elif name == "content-type" or (name == "accept" and literal(entry.value).strip() == "*/*"):
            continue  # the body says it, and the other is what is sent anyway
        elif name in found:
            desk.notes.add("parameter-skipped", entry.where, "a header of this name stands before it")
        else:
            found[name] = entry
    return list(found.values())


def _parameter(entry: ForeignEntry, tags: Placeholders, desk: Desk) -> Object:
    return _written(entry, _value(entry, "query", tags, desk), desk)


def _header(entry: ForeignEntry, tags: Placeholders, desk: Desk) -> Object:
    flat = structs.replace(entry, value=changed(entry.value, _flat))
    return _written(entry, _value(flat, "header", tags, desk), desk)


def _flat(content: str) -> str:
    return re.sub(r"\s+", " ", clean(content))


def _written(entry: ForeignEntry, value: Json, desk: Desk) -> Object:
    found: Object = {"name": entry.name}
    if value != "":
        found["value"] = value
    if isinstance(value, dict):
        found["required"] = True
    if description := prose(desk.withheld.without(entry.description), entry.where, desk.notes):
        found["description"] = description
    return found


def _value(entry: ForeignEntry, place: str, tags: Placeholders, desk: Desk) -> Json:
    """What is sent: a secret by reference, anything else as it is, or by a placeholder."""
    if not entry.sent:
        return ""
    secrets = [part for part in variables(entry.value) if part.secret]
    text = literal(entry.value)
    if entry.is_secret or secrets or is_confidential(entry.name) or desk.withheld.reveals(text):
        if not lone(entry.value) and variables(entry.value) and one_line(text):
            desk.say("value-moved", entry.where, f"{entry.name} is one secret as a whole, with the text around it")
        return desk.reference(entry.name, entry.value, entry.where)
    value = tagged(changed(entry.value, clean), tags)
    if value is None or len(value) > MAX_VALUE:
        desk.notes.add("value-moved", entry.where, "the value holds braces or is too long; callers give it")
        return tags.tag(place, entry.name, None if variables(entry.value) else text)
    return value
