"""OpenAPI 3 and Swagger 2 documents become connectors, as YAML text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.importers.document import NOTES, Effect, ForeignDocument, Note, Notebook, prose
from reconciler.importers.operations import ImportSetting, Operation, find_operations, make_endpoint
from reconciler.importers.schemes import read_schemes
from reconciler.importers.security import Demand, choose_security, demand
from reconciler.importers.servers import choose_server, swagger_servers
from reconciler.importers.syntax import Imported, NotImportable, read
from reconciler.importers.values import (
    Object,
    holds_secret,
    mapping,
    one_line,
    slug,
    text,
    unique,
    variable,
    without_secrets,
)
from reconciler.yaml.writer import joined, mapping_lines, text_of


def dump(imported: Imported) -> str:
    """All documents as one YAML text, with a comment at the top that says where they come from."""
    return _comment(imported) + joined(map(text_of, imported.documents))


def dump_files(imported: Imported) -> dict[str, str]:
    """Each document as the text of a file of its own, by file name; none is larger than a file may be."""
    comment = _comment(imported)
    return {f"{document['metadata']['name']}.yaml": comment + text_of(document) for document in imported.documents}


def _comment(imported: Imported) -> str:
    title = one_line(imported.title)[:200] or "a document without a title"
    version = f", version {one_line(imported.version)}" if imported.version else ""
    return (
        f"# Imported from {one_line(imported.format)}: {title}{version}.\n"
        "# Placeholders in double braces are filled in by each call; `sample` holds values for a test call.\n"
        "# Bodies show every field that is known: remove those that are not needed.\n"
    )


def size_of(endpoints: Mapping[str, Any]) -> tuple[int, int]:
    """Bytes that the endpoints take up in a file, and values, keys included, that a reader counts."""
    lines = list(mapping_lines(endpoints, 4))
    return sum(len(line.encode()) + 1 for line in lines), _count(endpoints)


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


API_VERSION: Final = "reconciler/v1"
MAX_KEY: Final = 255  # of an endpoint's name and of displayName, in schemas/connector.schema.json
MAX_ENDPOINTS: Final = 2000  # maxProperties of endpoints there
MAX_BYTES: Final = 3_500_000  # of a connector's endpoints: a file of definitions may hold 4 MiB
MAX_VALUES: Final = 90_000  # of a connector's endpoints: a file of definitions may hold 100,000

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_BASE = re.compile(r"https?://[^\s/?#@{}]+(?:/[^\s?#{}]*)?", re.IGNORECASE)
_UNREPRESENTED: Final = (
    "responses, tags, external documentation, extensions and the limits of schemas have no place in a connector"
)
_HINT = "give an OpenAPI 3 or a Swagger 2.0 document"


class _Heading(Struct, frozen=True):
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
    source = ForeignDocument(root, Notebook(), language.startswith("Swagger"))
    info = mapping(root.get("info"))
    title, version = (one_line(without_secrets(text(info.get(key)))) for key in ("title", "version"))
    setting, operations = _survey(source, name or slug(title), server)
    made = ((operation, make_endpoint(operation, asked, setting)) for operation, asked in operations)
    endpoints = _named(made, source.notes)
    if not endpoints:
        reason = "webhooks are no operations" if "webhooks" in root else "references into other files are not followed"
        raise NotImportable("the document has no operation that a connector can call", hint=f"see `paths`; {reason}")
    heading = _Heading(
        setting.name,
        _display(title or setting.name, title, source.notes),
        prose(text(info.get("description")), ("info", "description"), source.notes),
        list(dict.fromkeys(categories)),
        setting.security.authorization(),
    )
    documents = _documents(heading, endpoints, source.notes)
    source.notes.add("not-represented", (), _UNREPRESENTED)
    return Imported(documents, source.notes.all(), title[:MAX_KEY], version[:100], language)


def _survey(
    source: ForeignDocument, name: str, base: str | None
) -> tuple[ImportSetting, list[tuple[Operation, Demand]]]:
    """What all endpoints share, and the operations with what each asks for; `name` may still be ""."""
    listed = swagger_servers(source.root) if source.is_swagger else source.root.get("servers")
    server = choose_server(source, listed, () if source.is_swagger else ("servers",), base)
    name = name or slug(server.url.partition("://")[2]) or "imported"
    operations = list(find_operations(source))
    demands = [demand(source, operation.node, operation.where) for operation in operations]
    schemes = read_schemes(source, server.url)
    security, demands = choose_security(source, schemes, demands, variable(name))
    return ImportSetting(source, name, server, security, base), list(zip(operations, demands, strict=True))


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


__all__ = ["NOTES", "Effect", "Imported", "NotImportable", "Note", "convert", "dump", "dump_files", "read"]
