"""From a path of the document to the URL of an endpoint, with a placeholder for each of its templates."""

import re
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.placeholders import Placeholders
from reconciler.importers.servers import Server
from reconciler.importers.values import Json, Pointer, clean, url_without_secrets
from reconciler.kinds.places import url_fault

MAX_URL: Final = 8192
WRITTEN_URL = re.compile(r"(?:https?://[^\s]|/|\{\{)[^\s]*")  # as in schemas/connector.schema.json

_TEMPLATE = re.compile(r"(?<!\{)\{+([^{}]*)\}+")
_UNSAFE = re.compile(r"[\s{}\\\x7f-\xa0]")
_OPERATORS: Final = "+#./;?&"  # RFC 6570; not OpenAPI, but found in real documents


class EndpointUrl(Struct, frozen=True):
    """The URL of an endpoint.

    Attributes:
        text: "" where nothing can be called.
        placeholders: what its placeholders are called, by the names that the document has for them.
    """

    text: str
    placeholders: dict[str, str]


class _Writer(Struct):
    """Writes one URL.

    Attributes:
        samples: values for the templates that something describes.
    """

    source: ForeignDocument
    where: Pointer
    tags: Placeholders
    samples: dict[str, Json]
    placeholders: dict[str, str]

    def note(self, code: str, message: str, detail: str = "") -> None:
        self.source.notes.add(code, self.where, message, detail)

    def tag(self, expression: str) -> str:
        name = expression.strip()
        if name[:1] in _OPERATORS:
            if name[:1] in ("?", "&"):
                self.note("url-changed", "a query in the path's template was left out; see the parameters")
                return ""
            self.note("url-changed", "operators of the path's template were left out: values are percent-encoded", name)
            name = name[1:]
        name = name.removesuffix("*")
        if not name:
            self.note("url-changed", "empty braces in the path were percent-encoded")
            return "%7B%7D"
        if name not in self.samples:
            self.note("undeclared-placeholder", "no parameter describes these placeholders of paths", name)
        tag = self.tags.tag("path", name, self.samples.get(name, "example"))
        self.placeholders[name] = tag.strip("{}")
        return tag

    def encode(self, literal: str) -> str:
        """`literal` with the characters encoded that would break the URL, or read as mustache."""
        if not _UNSAFE.search(literal):
            return literal
        self.note("url-changed", "white space or braces in the path were percent-encoded")
        return _UNSAFE.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}" if found[0].isascii() else "%20", literal)


def endpoint_url(
    source: ForeignDocument, server: Server, path: str, where: Pointer, tags: Placeholders, samples: dict[str, Json]
) -> EndpointUrl:
    """The URL of the path `path` at `server`; `samples` are values for path parameters."""
    writer = _Writer(source, where, tags, {**server.samples, **samples}, {})
    path = clean(path).strip()
    if "#" in path:
        writer.note("url-changed", "what follows # in a path never reaches a server and was left out")
        path = path.split("#", 1)[0]
    if not path.lower().startswith(("http://", "https://")):
        path = f"{server.url}/{path.lstrip('/')}"
    if path != (path := url_without_secrets(path)):
        writer.note("secret-removed", "a user, or what looks like a secret, was taken out of the URL")
    parts: list[str] = []
    end = 0
    for found in _TEMPLATE.finditer(path):
        parts += [writer.encode(path[end : found.start()]), writer.tag(found[1])]
        end = found.end()
    url = "".join([*parts, writer.encode(path[end:])])
    if len(url) > MAX_URL or not WRITTEN_URL.fullmatch(url):
        writer.note("operation-skipped", "its URL is too long or malformed")
        return EndpointUrl("", {})
    if fault := url_fault(url):
        writer.note("operation-skipped", f"no request can go to its URL: {fault}")
        return EndpointUrl("", {})
    return EndpointUrl(url, writer.placeholders)
