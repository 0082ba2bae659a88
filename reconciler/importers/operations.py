"""The operations of a document, and the endpoint and URL that each becomes."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from reconciler.importers.bodies import Placeholders, SampleBody, make_body, openapi_contents
from reconciler.importers.document import ForeignDocument, Notebook, prose
from reconciler.importers.parameters import (
    ForeignParameter,
    Sending,
    header_entries,
    path_samples,
    query_entries,
    read_parameters,
    swagger_contents,
)
from reconciler.importers.security import Demand, Security, keys_of
from reconciler.importers.servers import Server, choose_server, is_plain
from reconciler.importers.values import (
    Object,
    Pointer,
    clean,
    is_true,
    mapping,
    pointer,
    sequence,
    text,
    url_without_secrets,
)

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


MAX_ENTRIES: Final = 500  # maxItems of params and headers in schemas/connector.schema.json

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_OTHER_METHODS: Final = ("head", "options", "trace", "query", "additionaloperations")
_BESIDE_METHODS: Final = ("parameters", "servers", "summary", "description", "$ref")


class Operation(Struct, frozen=True):
    """One operation of the document.

    Attributes:
        item: the path item that it belongs to, with where that stands.
    """

    path: str
    method: str
    node: Object
    where: Pointer
    item: Object
    item_where: Pointer

    @property
    def title(self) -> str:
        """What the operation is called when it has no operationId."""
        return f"{self.method.upper()} {self.path}"


class ImportSetting(Struct, frozen=True):
    """What the endpoints of one document share.

    Attributes:
        name: name of the connector.
        base: the URL that the caller gave, or None.
    """

    source: ForeignDocument
    name: str
    server: Server
    security: Security
    base: str | None


def find_operations(source: ForeignDocument) -> Iterator[Operation]:
    """Every operation that a connector can have, in the document's order; notes on the others."""
    for path, item in mapping(source.root.get("paths")).items():
        if path.startswith("x-"):
            continue
        node, where = source.object_at(item, ("paths", path))
        for method, operation in node.items():
            lowered = method.lower()
            if lowered in _METHODS:
                found, place = source.object_at(operation, (*where, method))
                yield Operation(path, lowered, found, place, node, where)
            elif lowered in _OTHER_METHODS:
                source.notes.add("unsupported-method", (*where, method), f"connectors do not have {clean(method)}")
            elif lowered not in _BESIDE_METHODS and not method.startswith("x-"):
                source.notes.add("malformed", (*where, method), "this is not an HTTP method")
    for part in ("webhooks", "x-webhooks"):
        if mapping(source.root.get(part)):
            source.notes.add("webhooks", (part,), "these are requests to us, not to the data source")


def make_endpoint(operation: Operation, asked: Demand, setting: ImportSetting) -> Object | None:
    """The endpoint of an operation, or None when it cannot be called."""
    source, notes = setting.source, setting.source.notes
    tags = Placeholders()
    lists = ((operation.item, operation.item_where), (operation.node, operation.where))
    parameters = read_parameters(source, [(node.get("parameters"), (*where, "parameters")) for node, where in lists])
    server = _server(operation, setting)
    url = endpoint_url(server, operation.path, tags, path_samples(parameters, notes), operation.where, notes)
    if not url:
        return None
    keys = keys_of(source, setting.security, asked)
    authorized = bool(keys) or setting.security.scheme is not None
    sending = Sending(notes, tags, setting.security.prefix, authorized)
    added = {"query": list[Object](), "header": list[Object]()}
    for scheme in keys:
        added[scheme.place].append(setting.security.key_entry(scheme))
    params = _joined(added["query"], query_entries(parameters, sending), operation, notes)
    headers = _joined(added["header"], header_entries(parameters, sending), operation, notes)
    if is_plain(url) and (authorized or any(isinstance(entry.get("value"), dict) for entry in [*params, *headers])):
        notes.add("plain-http", server.where, "credentials would be sent over plain http; ask for an https server")
    body = _body(operation, parameters, setting, tags)
    if body.content_type:
        headers = [{"name": "Content-Type", "value": body.content_type, "required": True}, *headers[: MAX_ENTRIES - 1]]
    _note_rest(operation, source)
    found: Object = {"description": _description(operation, setting), "method": operation.method.upper(), "url": url}
    found |= {"params": [*params], "headers": [*headers], "body": body.text}
    found |= {"bodyType": body.form if body.form != "json" else None, "sample": {**tags.samples}}
    return {key: value for key, value in found.items() if value}


def _server(operation: Operation, setting: ImportSetting) -> Server:
    """The operation's own server, its path's, or the document's."""
    if setting.source.is_swagger:
        schemes = sequence(operation.node.get("schemes"))
        if schemes and not any(f"{scheme}:" == setting.server.url[: len(str(scheme)) + 1] for scheme in schemes):
            where = (*operation.where, "schemes")
            setting.source.notes.add("server-chosen", where, "the scheme of the whole document is used")
        return setting.server
    for node, where in ((operation.node, operation.where), (operation.item, operation.item_where)):
        if sequence(node.get("servers")):
            return choose_server(setting.source, node["servers"], (*where, "servers"), setting.base)
    return setting.server


def _joined(keys: list[Object], entries: list[Object], operation: Operation, notes: Notebook) -> list[Object]:
    """`keys`, then `entries` save those that stand for one of the keys; as many as an endpoint may have."""
    names = {text(entry["name"]).lower() for entry in keys}
    found = [*keys, *(entry for entry in entries if text(entry["name"]).lower() not in names)]
    if len(found) > MAX_ENTRIES:
        message = f"{len(found)} parameters, of which the first {MAX_ENTRIES} are kept"
        notes.add("parameter-skipped", operation.where, message)
    return found[:MAX_ENTRIES]


def _body(
    operation: Operation, parameters: list[ForeignParameter], setting: ImportSetting, tags: Placeholders
) -> SampleBody:
    source = setting.source
    if source.is_swagger:
        where: Pointer = (*operation.where, "parameters")
        consumes = sequence(operation.node.get("consumes")) or sequence(source.root.get("consumes"))
        contents = swagger_contents(parameters, consumes, where)
    else:
        where = (*operation.where, "requestBody")
        contents = openapi_contents(source, operation.node.get("requestBody"), where)
    return make_body(source, contents, tags, where)


def _description(operation: Operation, setting: ImportSetting) -> str:
    summary, description = (text(operation.node.get(key)).strip() for key in ("summary", "description"))
    parts = [summary] if summary and not description.startswith(summary.rstrip(".")) else []
    if is_true(operation.node.get("deprecated")):
        parts.insert(0, "Deprecated.")
    if description:
        parts.append(description)
    return prose("\n\n".join(parts), operation.where, setting.source.notes)


def _note_rest(operation: Operation, source: ForeignDocument) -> None:
    if mapping(operation.node.get("callbacks")):
        message = "these are requests to us, not to the data source"
        source.notes.add("callbacks", (*operation.where, "callbacks"), message)
    for status, response in mapping(operation.node.get("responses")).items():
        if isinstance(response, dict) and ("links" in response or "$ref" in response):
            node = mapping(source.follow(response, (*operation.where, "responses", status)).value)
            if mapping(node.get("links")):
                where = (*operation.where, "responses", status, "links")
                source.notes.add("links", where, f"{pointer(operation.where)} leads to other operations")
