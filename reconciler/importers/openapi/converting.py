"""A document to connectors: `convert`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.errors import UsageError
from reconciler.importers.openapi.dumping import size_of
from reconciler.importers.openapi.notes import Notebook
from reconciler.importers.openapi.operations import Operation, Setting, find_operations, make_endpoint
from reconciler.importers.openapi.prose import prose
from reconciler.importers.openapi.records import Imported, NotImportable
from reconciler.importers.openapi.schemes import read_schemes
from reconciler.importers.openapi.security import choose_security, demand
from reconciler.importers.openapi.servers import choose_server, swagger_servers
from reconciler.importers.openapi.source import Source
from reconciler.importers.openapi.texts import (
    holds_secret,
    one_line,
    slug,
    unique,
    variable,
    without_secrets,
)
from reconciler.importers.openapi.values import Object, mapping, text

API_VERSION: Final = "reconciler/v1"
MAX_KEY: Final = 255  # of an endpoint's name and of displayName, in schemas/connector.schema.json
MAX_ENDPOINTS: Final = 2000  # maxProperties of endpoints there
MAX_BYTES: Final = 3_500_000  # of a connector's endpoints: a file of definitions may hold 4 MiB
MAX_VALUES: Final = 90_000  # of a connector's endpoints: a file of definitions may hold 100,000

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_BASE = re.compile(r"https?://[^\s/?#@{}]+(?:/[^\s?#{}]*)?", re.IGNORECASE)
_HINT = "give an OpenAPI 3 or a Swagger 2.0 document"


@dataclass(frozen=True, slots=True)
class _Heading:
    """What all connectors of one document share besides their endpoints."""

    name: str
    display: str
    description: str
    categories: list[str]
    authorization: Object


def convert(
    document: Mapping[str, Any], *, name: str | None = None, categories: Sequence[str], server: str | None = None
) -> Imported:
    """Connectors for all operations of an OpenAPI 3 or Swagger 2.0 document.

    Usually one; several when the document is larger than one file of definitions may be.

    Args:
        name: name of the connector; by default made from the title.
        categories: names of the categories that it is filed under.
        server: absolute URL that relative servers are joined to, and that replaces absolute ones.

    Raises:
        NotImportable: it is no such document, or has no operation that can be called.
        UsageError: a name, category or server that cannot be used.
    """
    _check_options(name, categories, server)
    root: Object = dict(document)
    language = _language(root)
    source = Source(root, Notebook(), language.startswith("Swagger"))
    title = one_line(without_secrets(text(mapping(root.get("info")).get("title"))))
    listed = swagger_servers(root) if source.is_swagger else root.get("servers")
    main = choose_server(source, listed, () if source.is_swagger else ("servers",), server)
    name = name or slug(title) or slug(main.url.partition("://")[2]) or "imported"
    prefix = variable(name)
    operations = list(find_operations(source))
    demands = [demand(source, operation.node, operation.where) for operation in operations]
    security, demands = choose_security(source, read_schemes(source, main.url), demands, prefix)
    setting = Setting(source, main, security, prefix, server)
    made = ((found, make_endpoint(found, asked, setting)) for found, asked in zip(operations, demands, strict=True))
    endpoints = _named(made, source.notes)
    if not endpoints:
        hint = (
            "webhooks are not operations"
            if "webhooks" in root
            else "see `paths`; references into other files are not followed"
        )
        raise NotImportable("the document has no operation that a connector can call", hint=hint)
    description = prose(text(mapping(root.get("info")).get("description")), ("info", "description"), source.notes)
    display = _display(title or name, title, source.notes)
    heading = _Heading(name, display, description, list(dict.fromkeys(categories)), security.authorization())
    documents = _documents(heading, endpoints, source.notes)
    _note_unrepresented(root, source.notes)
    version = one_line(without_secrets(text(mapping(root.get("info")).get("version"))))[:100]
    return Imported(documents, source.notes.all(), title[:MAX_KEY], version, language)


def _check_options(name: str | None, categories: Sequence[str], server: str | None) -> None:
    for given in [*categories, *([] if name is None else [name])]:
        if not _NAME.fullmatch(given):
            hint = "names are lower-case letters, digits and hyphens, at most 63"
            raise UsageError(f"'{given}' cannot be a name", hint=hint)
    if not 1 <= len(set(categories)) <= 32:
        raise UsageError("a connector needs one category at least and can have 32", hint="name an existing category")
    if server is not None and (not _BASE.fullmatch(server) or holds_secret(server)):
        hint = "give an http or https URL without user, query and fragment"
        raise UsageError("the server cannot be used as a base URL", hint=hint)


def _language(root: Object) -> str:
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


def _display(wanted: str, title: str, notes: Notebook) -> str:
    if len(wanted) > MAX_KEY or not title:
        notes.add("name-changed", ("info", "title"), "the title is missing or too long for a display name")
    return wanted[:MAX_KEY].rstrip()


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
            notes.add("endpoint-renamed", (*operation.where, "operationId"), f"the endpoint is called {name}")
        found[name] = endpoint
    return found


def _documents(heading: _Heading, endpoints: dict[str, Object], notes: Notebook) -> list[dict[str, Any]]:
    parts = list(_parts(endpoints))
    if len(parts) > 1:
        message = f"{len(endpoints):,} endpoints are divided among {len(parts)} connectors"
        notes.add("connector-split", ("paths",), message)
    documents = []
    for number, part in enumerate(parts, 1):
        ending, counted = ("", "") if len(parts) == 1 else (f"-{number}", f" ({number} of {len(parts)})")
        spec: Object = {"displayName": heading.display[: MAX_KEY - len(counted)].rstrip() + counted}
        if heading.description:
            spec["description"] = heading.description
        spec |= {"categories": list(heading.categories), "authorization": dict(heading.authorization)}
        spec["endpoints"] = dict(part)
        name = heading.name[: 63 - len(ending)].rstrip("-") + ending
        metadata: Object = {"name": name}
        documents.append({"apiVersion": API_VERSION, "kind": "Connector", "metadata": metadata, "spec": spec})
    return documents


def _parts(endpoints: dict[str, Object]) -> Iterator[dict[str, Object]]:
    """`endpoints` in portions that each fit into a connector and its file."""
    part: dict[str, Object] = {}
    size = values = 0
    for name, endpoint in endpoints.items():
        more_size, more_values = size_of({name: endpoint})
        if part and (len(part) == MAX_ENDPOINTS or size + more_size > MAX_BYTES or values + more_values > MAX_VALUES):
            yield part
            part, size, values = {}, 0, 0
        part[name] = endpoint
        size, values = size + more_size, values + more_values
    if part:
        yield part


def _note_unrepresented(root: Object, notes: Notebook) -> None:
    message = (
        "responses, tags, external documentation, extensions, and the schemas' limits have no place in a connector"
    )
    notes.add("not-represented", (), message)
