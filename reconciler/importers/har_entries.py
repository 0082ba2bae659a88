"""Single entries of a HAR recording: what they are of, what they send, and which secrets they hold."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec

from reconciler.importers.graphql import is_graphql
from reconciler.importers.payloads import FormEntry, Payload, payload_of
from reconciler.importers.requests import Desk
from reconciler.importers.templates import Variable, literal
from reconciler.importers.values import Json, Object, Pointer, clean, mapping, sequence, spell, text
from reconciler.importers.withheld import Withheld, is_confidential, is_opaque

_RESOURCES: Final = frozenset(
    [
        "document",
        "stylesheet",
        "image",
        "media",
        "font",
        "script",
        "texttrack",
        "manifest",
        "ping",
        "preflight",
        "websocket",
        "cspviolationreport",
        "signedexchange",
        "prefetch",
        "beacon",
    ]
)
_CALLS: Final = frozenset(("xhr", "fetch", "eventsource"))
_MEDIA = re.compile(
    r"image/|font/|video/|audio/|text/(?:html|css|javascript)|application/(?:x-)?(?:javascript|font|wasm)"
)
_FILE = re.compile(r"\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp4|webm|mp3|wasm|html?)$")


def is_resource(entry: Object) -> bool:
    """Whether an entry is a page, or what a page is made of, and no call of an interface."""
    kind = text(entry.get("_resourceType")).lower()
    if kind:
        return kind in _RESOURCES
    request = mapping(entry.get("request"))
    if text(request.get("method")).upper() not in ("GET", "HEAD"):
        return False
    media = text(mapping(mapping(entry.get("response")).get("content")).get("mimeType")).lower()
    path = text(request.get("url")).partition("?")[0].partition("#")[0].lower()
    return _MEDIA.match(media) is not None or (not media and _FILE.search(path) is not None)


def pairs(listed: Json) -> list[tuple[str, str]]:
    """Names and values of HAR's lists of such."""
    return [(text(entry.get("name")), spell(entry.get("value"))) for entry in map(mapping, sequence(listed))]


def withhold_credentials(entry: Object, withheld: Withheld) -> None:
    """Remember every secret that an entry sends or gets, so that it is nowhere taken over."""
    request, response = mapping(entry.get("request")), mapping(entry.get("response"))
    for name, value in [*pairs(request.get("headers")), *pairs(response.get("headers"))]:
        lowered = name.lower()
        if lowered in ("cookie", "set-cookie"):
            _withhold_cookies(value, withheld)
        elif lowered in ("authorization", "proxy-authorization"):
            _withhold_authorization(value, withheld)
        elif is_confidential(name):
            withheld.add(value)
    for name, value in [*pairs(request.get("cookies")), *pairs(response.get("cookies"))]:
        _withhold_cookie(name, value, withheld)
    post = mapping(request.get("postData"))
    url = _asked(text(request.get("url")))
    for name, value in [*pairs(request.get("queryString")), *pairs(post.get("params")), *url]:
        _withhold_named(name, value, withheld)
    for content in (text(post.get("text")), text(mapping(response.get("content")).get("text"))):
        _withhold_in_text(content, withheld)


def _asked(url: str) -> list[tuple[str, str]]:
    """The query and fragment of a URL as names and values."""
    _, _, rest = url.partition("?")
    asked, _, fragment = rest.partition("#") if rest else ("", "", url.partition("#")[2])
    return parse_qsl(asked) + parse_qsl(fragment)


def _withhold_named(name: str, value: str, withheld: Withheld) -> None:
    if is_confidential(name):
        withheld.add(value)
        withheld.add(unquote(value))


def _withhold_cookies(content: str, withheld: Withheld) -> None:
    for line in content.splitlines():
        for piece in line.split(";"):
            name, equals, value = piece.strip().partition("=")
            if equals and name.lower() not in ("expires", "max-age", "path", "domain", "samesite"):
                _withhold_cookie(name, value, withheld)


def _withhold_cookie(name: str, value: str, withheld: Withheld) -> None:
    """Any cookie may be a session's; those of a few letters, such as a language, stand in too many texts."""
    value = value.strip().strip('"')
    if len(value) >= 12 or is_confidential(name) or is_opaque(value):
        withheld.add(value)
        withheld.add(unquote(value))


def _withhold_authorization(value: str, withheld: Withheld) -> None:
    scheme, _, rest = value.strip().partition(" ")
    withheld.add(rest.strip() or scheme)
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(rest.strip(), validate=False).decode(errors="replace").partition(":")
        except (NotBase64, ValueError):
            return
        withheld.add(password)
        withheld.add(user)


_NAMED = re.compile(r'"([^"\\]{2,60})"\s*:\s*"((?:[^"\\]|\\.){6,8192})"')
_FORM_NAMED = re.compile(r"(?:^|&)([^=&\s]{2,60})=([^&\s]{6,8192})")


def _withhold_in_text(content: str, withheld: Withheld) -> None:
    for name, value in _NAMED.findall(content):
        if is_confidential(name):
            withheld.add(_plain(value))
    if len(content) < 100_000 and "{" not in content[:2] and "<" not in content[:2]:
        for name, value in _FORM_NAMED.findall(content):
            _withhold_named(unquote(name), value, withheld)


def _plain(value: str) -> str:
    try:
        return msgspec.json.decode(f'"{value}"', type=str)
    except ValueError:
        return value


def payload_of_entry(post: Object, where: Pointer, desk: Desk) -> Payload | None:
    """The body of an entry's request."""
    media, content = clean(text(post.get("mimeType"))).strip(), clean(text(post.get("text")))
    listed = sequence(post.get("params"))
    bare = media.partition(";")[0].strip().lower()
    if bare in ("multipart/form-data", "application/x-www-form-urlencoded") and listed:
        return _form(listed, bare, where, desk)
    if bare == "multipart/form-data":
        desk.notes.add("body-unknown", where, "the recording does not tell the fields of the form")
        return Payload("multipart", where, entries=tuple(_multipart(content))) if content else None
    return payload_of((content,), media, where)


_FIELD = re.compile(r'\bname="([^"]{0,255})"')


def _multipart(content: str) -> list[FormEntry]:
    """The fields between lines of the boundary, which the first line is."""
    content = content[: 1024 * 1024].replace("\r\n", "\n")
    boundary = content.partition("\n")[0]
    found = []
    for part in content.split(f"{boundary}\n")[1:] if boundary else ():
        head, _, value = part.partition("\n\n")
        if name := _FIELD.search(head):
            value = value.partition(f"\n{boundary}")[0].removesuffix("\n")
            found.append(FormEntry(name[1], (Variable(name[1]),) if "filename=" in head else (value,)))
    return found


def _form(listed: list[Json], bare: str, where: Pointer, desk: Desk) -> Payload:
    is_multipart = bare == "multipart/form-data"
    entries = []
    for entry in map(mapping, listed):
        name, value = clean(text(entry.get("name"))), clean(spell(entry.get("value")))
        if not is_multipart:
            name, value = unquote(name.replace("+", " ")), unquote(value.replace("+", " "))
        if entry.get("fileName"):
            desk.say("file-upload", where, "no file is sent: what stands for one is sent as text")
            entries.append(FormEntry(name, (Variable(name),)))
        else:
            entries.append(FormEntry(name, (value,)))
    return Payload("multipart" if is_multipart else "form-urlencoded", where, entries=tuple(entries))


def shape_of(payload: Payload | None) -> str:
    """What the body of a request is made of, whatever its values are."""
    if payload is None:
        return ""
    if payload.entries:
        return f"{payload.form} {sorted({entry.name for entry in payload.entries})}"
    if payload.form == "json":
        try:
            value: Json = msgspec.json.decode(literal(payload.content))
            asked = mapping(value).get("query") if is_graphql(value) else ""
            return f"{asked} {_form_of(value, 0)!r}"
        except (ValueError, RecursionError):
            return payload.form
    return f"{payload.form} {payload.media}"


def _form_of(value: Json, depth: int) -> object:
    if depth > 20:
        return "..."
    if isinstance(value, dict):
        return {key: _form_of(value[key], depth + 1) for key in sorted(value)}
    if isinstance(value, list):
        return [_form_of(value[0], depth + 1)] if value else []
    return type(value).__name__ if not isinstance(value, int | float) or isinstance(value, bool) else "number"
