"""The URL of an endpoint, with OpenAPI's path templates as mustache."""

import re
from typing import Final

from reconciler.importers.openapi.notes import Notebook
from reconciler.importers.openapi.placeholders import Placeholders
from reconciler.importers.openapi.servers import Server
from reconciler.importers.openapi.texts import clean, url_without_secrets
from reconciler.importers.openapi.values import Pointer

_MAX_URL: Final = 8192
_URL = re.compile(r"(?:https?://[^\s]|/|\{\{)[^\s]*")  # as in schemas/connector.schema.json

_TEMPLATE = re.compile(r"(?<!\{)\{+([^{}]*)\}+")
_UNSAFE = re.compile(r"[\s{}]")
_OPERATORS: Final = "+#./;?&"  # RFC 6570; not OpenAPI, but found in real documents


def endpoint_url(
    server: Server, path: str, tags: Placeholders, samples: dict[str, str], where: Pointer, notes: Notebook
) -> str:
    """The URL of the path `path` at `server`, or "" when nothing can be called there.

    `samples` are values for path parameters.
    """
    path = _without_fragment(clean(path).strip(), where, notes)
    if not path.lower().startswith(("http://", "https://")):
        path = f"{server.url}/{path.lstrip('/')}"
    if path != (path := url_without_secrets(path)):
        notes.add("secret-removed", where, "a user, or what looks like a secret, was taken out of the URL")
    values = {**server.samples, **samples}
    parts: list[str] = []
    end = 0
    for found in _TEMPLATE.finditer(path):
        parts += [_encode(path[end : found.start()], where, notes), _tag(found[1], tags, values, where, notes)]
        end = found.end()
    url = "".join([*parts, _encode(path[end:], where, notes)])
    if len(url) <= _MAX_URL and _URL.fullmatch(url):
        return url
    notes.add("operation-skipped", where, "its URL is too long or malformed")
    return ""


def _without_fragment(path: str, where: Pointer, notes: Notebook) -> str:
    if "#" not in path:
        return path
    notes.add("url-changed", where, "what follows # never reaches a server and was left out")
    return path.split("#", 1)[0]


def _tag(expression: str, tags: Placeholders, values: dict[str, str], where: Pointer, notes: Notebook) -> str:
    name = expression.strip()
    if name[:1] in _OPERATORS:
        if name[:1] in ("?", "&"):
            notes.add("url-changed", where, "a query in the path's template was left out; see the parameters")
            return ""
        name = name[1:]
    name = name.removesuffix("*")
    if not name:
        notes.add("url-changed", where, "empty braces in the path were percent-encoded")
        return "%7B%7D"
    return tags.tag("path", name, values.get(name, "example"))


def _encode(literal: str, where: Pointer, notes: Notebook) -> str:
    """`literal` with the characters encoded that would break the URL, or read as mustache."""
    if not _UNSAFE.search(literal):
        return literal
    notes.add("url-changed", where, "white space or braces in the path were percent-encoded")
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}" if found[0].isascii() else "%20", literal)
