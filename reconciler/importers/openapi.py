"""OpenAPI 3 and Swagger 2 documents become connectors, as YAML text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.importers.connectors import MAX_KEY, Heading, check_options, display_of, documents_of, dump, dump_files
from reconciler.importers.demands import Credentials, demand
from reconciler.importers.document import NOTES, Effect, ForeignDocument, Note, Notebook, prose
from reconciler.importers.operations import ImportSetting, Operation, find_operations, make_endpoint
from reconciler.importers.schemes import read_schemes
from reconciler.importers.security import choose_security
from reconciler.importers.servers import Base, choose_server, swagger_server
from reconciler.importers.syntax import Imported, NotImportable, read
from reconciler.importers.values import (
    Object,
    holds_secret,
    mapping,
    one_line,
    text,
    unique,
    variable,
    without_secrets,
)
from reconciler.kinds.common import slug

_UNREPRESENTED: Final = (
    "responses, tags, external documentation, extensions, examples of what is optional, and what schemas and bodies"
    " say besides their form have no place in a connector"
)
_HINT = "give an OpenAPI 3 or a Swagger 2.0 document"


def convert(
    document: Mapping[str, Any],
    *,
    name: str | None = None,
    categories: Sequence[str],
    server: str | None = None,
    fetched_from: str | None = None,
) -> Imported:
    """Connectors for all operations of an OpenAPI 3 or Swagger 2.0 document.

    Usually one; several when the document is larger than one file of definitions may be.

    Args:
        name: name of the connector; by default made from the title.
        categories: names of the categories that it is filed under.
        server: absolute URL that relative servers are joined to, and that replaces absolute ones.
        fetched_from: URL of the document, which relative servers start at when `server` is not given.

    Raises:
        NotImportable: it is no such document, or has no operation that can be called.
        UsageError: a name, category or server that cannot be used.
    """
    check_options(name, categories, server)
    root: Object = dict(document)
    language = check_language(root)
    source = ForeignDocument(root, Notebook(root=root), language.startswith("Swagger"))
    info = mapping(root.get("info"))
    title, version = (one_line(without_secrets(text(info.get(key)))) for key in ("title", "version"))
    setting, operations = _survey(source, name or slug(title), Base(server, fetched_from))
    made = ((operation, make_endpoint(operation, sent, setting)) for operation, sent in operations)
    endpoints = _named(made, source.notes)
    if not endpoints:
        raise NotImportable("the document has no operation that a connector can call", hint=_reason(source))
    security = setting.security
    spec: Object = {"categories": list(dict.fromkeys(categories)), "authorization": security.authorization()}
    if further := security.authorizations():
        spec["authorizations"] = {**further}
    if description := prose(text(info.get("description")), ("info", "description"), source.notes):
        spec = {"description": description, **spec}
    display = display_of(title or setting.name, title, ("info", "title"), source.notes)
    documents = documents_of(Heading(setting.name, display, spec), endpoints, ("paths",), source.notes)
    source.notes.add("not-represented", (), _UNREPRESENTED)
    return Imported(documents, source.notes.all(), title[:MAX_KEY], version[:100], language)


def _reason(source: ForeignDocument) -> str:
    skipped = next((note for note in source.notes.all() if note.code == "operation-skipped"), None)
    if skipped is not None:
        return f"{skipped.message}; --server names another base URL"
    reason = (
        "webhooks are no operations" if "webhooks" in source.root else "references into other files are not followed"
    )
    return f"see `paths`; {reason}"


def _survey(
    source: ForeignDocument, name: str, base: Base
) -> tuple[ImportSetting, list[tuple[Operation, Credentials]]]:
    """What all endpoints share, and the operations with what each sends; `name` may still be ""."""
    if source.is_swagger:
        server = swagger_server(source, source.root.get("schemes"), base)
    else:
        server = choose_server(source, source.root.get("servers"), ("servers",), base)
    name = name or slug(server.url.partition("://")[2]) or "imported"
    operations = list(find_operations(source))
    demands = [demand(source, operation.node, operation.where) for operation in operations]
    schemes = read_schemes(source, server.url)
    security, credentials = choose_security(source, schemes, demands, variable(name))
    return ImportSetting(source, name, server, security, base), list(zip(operations, credentials, strict=True))


def check_language(root: Object) -> str:
    """The language of the document with its version, e.g. "Swagger 2.0"."""
    openapi, swagger = (one_line(text(root.get(key)))[:20] for key in ("openapi", "swagger"))
    if openapi == "3" or openapi.startswith("3."):
        return f"OpenAPI {openapi}"
    if swagger in ("2.0", "2"):
        return "Swagger 2.0"
    version = openapi or swagger or one_line(text(root.get("swaggerVersion")))[:20]
    if version:
        message = f"version {without_secrets(version)} of OpenAPI or Swagger cannot be imported"
        raise NotImportable(message, hint=_HINT)
    raise NotImportable(
        "this is neither an OpenAPI nor a Swagger document: it has no key openapi or swagger", hint=_HINT
    )


def _named(made: Iterator[tuple[Operation, Object | None]], notes: Notebook) -> dict[str, Object]:
    """The endpoints by unique names."""
    found: dict[str, Object] = {}
    for operation, endpoint in made:
        if endpoint is None:
            continue
        given = text(operation.node.get("operationId"))
        wanted = one_line(given) or one_line(operation.title)
        wanted = without_secrets(wanted) if holds_secret(wanted) else wanted
        name = unique(wanted, found.__contains__, MAX_KEY)
        if given and name != given:
            message = "operationIds that are taken or cannot be kept; the endpoints are called"
            notes.add("endpoint-renamed", (*operation.where, "operationId"), message, name)
        found[name] = endpoint
    return found


__all__ = ["NOTES", "Effect", "Imported", "NotImportable", "Note", "convert", "dump", "dump_files", "read"]
