"""The operations of a document, and the endpoint that each becomes."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from reconciler.importers.answers import accept_entry
from reconciler.importers.bodies import make_body, openapi_contents
from reconciler.importers.demands import Credentials
from reconciler.importers.document import ForeignDocument, Notebook, prose
from reconciler.importers.entries import Sending, header_entries, path_entries, path_samples, query_entries
from reconciler.importers.media import SampleBody
from reconciler.importers.parameters import ForeignParameter, read_parameters, swagger_contents
from reconciler.importers.placeholders import Placeholders
from reconciler.importers.security import Security
from reconciler.importers.servers import Base, Server, choose_server, is_plain, swagger_server
from reconciler.importers.urls import EndpointUrl, endpoint_url
from reconciler.importers.values import Json, Object, Pointer, is_true, mapping, sequence, text

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
    """

    source: ForeignDocument
    name: str
    server: Server
    security: Security
    base: Base


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
                source.notes.add("unsupported-method", (*where, method), f"connectors do not have {lowered.upper()}")
            elif lowered not in _BESIDE_METHODS and not method.startswith("x-"):
                source.notes.add("malformed", (*where, method), "this is not an HTTP method", method)
    for part in ("webhooks", "x-webhooks"):
        if mapping(source.root.get(part)):
            source.notes.add("webhooks", (part,), "these are requests to us, not to the data source")


def make_endpoint(operation: Operation, credentials: Credentials, setting: ImportSetting) -> Object | None:
    """The endpoint of an operation, or None when it cannot be called."""
    source, security = setting.source, setting.security
    tags = Placeholders()
    lists = ((operation.item, operation.item_where), (operation.node, operation.where))
    parameters = read_parameters(source, [(node.get("parameters"), (*where, "parameters")) for node, where in lists])
    server = _server(operation, setting)
    samples = path_samples(parameters, source)
    url = endpoint_url(source, server, operation.path, operation.where, tags, samples)
    if not url.text:
        return None
    _note_unused(parameters, url, source.notes)
    sending = Sending(source, tags, security.prefix, bool(credentials), security.variables_of_keys())
    keys = {place: security.key_entries(credentials, place) for place in ("query", "header")}
    params = _joined(keys["query"], query_entries(parameters, sending), operation, source.notes)
    headers = _joined(keys["header"], header_entries(parameters, sending), operation, source.notes)
    if is_plain(url.text) and (credentials or any(isinstance(entry.get("value"), dict) for entry in params + headers)):
        message = (
            "credentials would be sent over plain http: ask for an https server, or accept it by tls.allowPlainHttp"
        )
        source.notes.add("plain-http", server.where, message)
    body = _body(operation, parameters, setting, tags)
    if not any(text(entry["name"]).lower() == "accept" for entry in headers):
        headers = [*accept_entry(source, operation.node, operation.where), *headers][:MAX_ENTRIES]
    if body.content_type:
        headers = [{"name": "Content-Type", "value": body.content_type, "required": True}, *headers[: MAX_ENTRIES - 1]]
    _note_rest(operation, source)
    found: Object = {"description": _description(operation, setting), "method": operation.method.upper()}
    found |= {"url": url.text, "authorization": security.choice(credentials)}
    found |= {"pathParams": [*path_entries(parameters, url.placeholders, source)]}
    found |= {"params": [*params], "headers": [*headers], "body": body.text}
    found |= {"bodyType": body.form if body.form != "json" else None, "formFields": [*body.fields]}
    found["sample"] = {**tags.samples}
    return {key: value for key, value in found.items() if value}


def _server(operation: Operation, setting: ImportSetting) -> Server:
    """The operation's own server, its path's, or the document's."""
    source = setting.source
    if source.is_swagger:
        schemes, where = sequence(operation.node.get("schemes")), (*operation.where, "schemes")
        if not schemes or setting.base.given is not None or not _differs(schemes, setting.server):
            return setting.server
        usable: list[Json] = [scheme for scheme in schemes if scheme in ("http", "https")]
        if not usable:
            source.notes.add("unsupported-server", where, "requests cannot be made over", ", ".join(map(text, schemes)))
            return setting.server
        return swagger_server(source, usable, setting.base)
    for node, where in ((operation.node, operation.where), (operation.item, operation.item_where)):
        if sequence(node.get("servers")):
            return choose_server(source, node["servers"], (*where, "servers"), setting.base)
    return setting.server


def _differs(schemes: list[Json], server: Server) -> bool:
    """Whether the server of the document has a scheme, and none of `schemes`."""
    own = server.url.partition("://")
    return bool(own[1]) and own[0] not in schemes


def _note_unused(parameters: list[ForeignParameter], url: EndpointUrl, notes: Notebook) -> None:
    for parameter in parameters:
        if parameter.place == "path" and parameter.name not in url.placeholders:
            message = "the path has no place for these parameters"
            notes.add("unused-path-parameter", parameter.where, message, parameter.name)


def _joined(keys: list[Object], entries: list[Object], operation: Operation, notes: Notebook) -> list[Object]:
    """`keys`, then `entries` save those that stand for one of the keys; as many as an endpoint may have."""
    names = {text(entry["name"]).lower() for entry in keys}
    found = [*keys, *(entry for entry in entries if text(entry["name"]).lower() not in names)]
    if len(found) > MAX_ENTRIES:
        message = f"of more parameters the first {MAX_ENTRIES} are kept"
        notes.add("parameter-skipped", operation.where, message)
    return found[:MAX_ENTRIES]


def _body(
    operation: Operation, parameters: list[ForeignParameter], setting: ImportSetting, tags: Placeholders
) -> SampleBody:
    source = setting.source
    if not source.is_swagger:
        where: Pointer = (*operation.where, "requestBody")
        return make_body(source, openapi_contents(source, operation.node.get("requestBody"), where), tags, where)
    if "requestBody" in operation.node:
        message = "Swagger 2.0 has bodies among the parameters: a requestBody is not read"
        source.notes.add("malformed", (*operation.where, "requestBody"), message)
    own = sequence(operation.node.get("consumes"))
    where = (*operation.where, "consumes") if own else ("consumes",)
    place = (*operation.where, "parameters")
    contents = swagger_contents(source, parameters, own or source.root.get("consumes"), place)
    return make_body(source, contents, tags, where if len(contents) > 1 else place)


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
            found = source.follow(response, (*operation.where, "responses", status))
            if mapping(mapping(found.value).get("links")):
                message = "answers lead to other operations"
                source.notes.add("links", (*found.where, "links"), message)
