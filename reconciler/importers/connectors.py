"""Connectors of imported endpoints, as documents and as YAML text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.importers.document import Notebook
from reconciler.importers.syntax import Imported
from reconciler.importers.values import Object, Pointer, holds_secret, mapping, one_line
from reconciler.yaml.writer import joined, mapping_lines, text_of

API_VERSION: Final = "reconciler/v1"
MAX_KEY: Final = 255  # of an endpoint's name and of displayName, in schemas/connector.schema.json
MAX_ENDPOINTS: Final = 2000  # maxProperties of endpoints there
MAX_BYTES: Final = 3_500_000  # of a connector's endpoints: a file of definitions may hold 4 MiB
MAX_VALUES: Final = 90_000  # of a connector's endpoints: a file of definitions may hold 100,000

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_BASE = re.compile(r"https?://[^\s/?#@{}]+(?:/[^\s?#{}]*)?", re.IGNORECASE)


def check_options(name: str | None, categories: Sequence[str], server: str | None) -> None:
    """See that what the caller gave can be used.

    Raises:
        UsageError: it cannot.
    """
    for given in [*categories, *([] if name is None else [name])]:
        if not _NAME.fullmatch(given):
            hint = "names are lower-case letters, digits and hyphens, at most 63"
            raise UsageError(f"'{given}' cannot be a name", hint=hint)
    if not 1 <= len(set(categories)) <= 32:
        raise UsageError("a connector needs one category at least and can have 32", hint="name an existing category")
    if server is not None and (not _BASE.fullmatch(server) or holds_secret(server)):
        hint = "give an http or https URL without user, query and fragment"
        raise UsageError("the server cannot be used as a base URL", hint=hint)


def display_of(wanted: str, title: str, where: Pointer, notes: Notebook) -> str:
    """`wanted` as a display name; noted where the document's own title is missing or too long."""
    if len(wanted) > MAX_KEY or not title:
        notes.add("name-changed", where, "the title is missing or too long for a display name")
    return wanted[:MAX_KEY].rstrip()


class Heading(Struct, frozen=True):
    """What all connectors of one document share besides their endpoints.

    Attributes:
        display: the display name, short enough.
        spec: the rest of the spec, in the order of its keys.
    """

    name: str
    display: str
    spec: Object


def documents_of(
    heading: Heading, endpoints: dict[str, Object], where: Pointer, notes: Notebook
) -> list[dict[str, Any]]:
    """The connectors of all endpoints: one, or as many as it takes for each to fit into a file.

    Args:
        where: what a note on the division is about.
    """
    parts = list(_parts(endpoints))
    if len(parts) > 1:
        message = f"{len(endpoints):,} endpoints are divided among {len(parts)} connectors"
        notes.add("connector-split", where, message)
    documents = []
    for number, part in enumerate(parts, 1):
        ending, counted = ("", "") if len(parts) == 1 else (f"-{number}", f" ({number} of {len(parts)})")
        spec: Object = {"displayName": heading.display[: MAX_KEY - len(counted)].rstrip() + counted}
        spec |= deepcopy(heading.spec)
        chosen = {endpoint.get("authorization") for endpoint in part.values()}
        used = {name: block for name, block in mapping(spec.get("authorizations")).items() if name in chosen}
        if used:
            spec["authorizations"] = used
        else:
            spec.pop("authorizations", None)
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


def dump(imported: Imported) -> str:
    """All documents as one YAML text, with a comment at the top that says where they come from."""
    return _comment(imported) + joined(map(text_of, imported.documents))


def dump_files(imported: Imported) -> dict[str, str]:
    """Each document as the text of a file of its own, by file name; none is larger than a file may be."""
    comment = _comment(imported)
    return {f"{document['metadata']['name']}.yaml": comment + text_of(document) for document in imported.documents}


_ALL_FIELDS: Final = "# Bodies show every field that is known: remove those that are not needed.\n"


def _comment(imported: Imported) -> str:
    title = one_line(imported.title)[:200] or "a document without a title"
    version = f", version {one_line(imported.version)}" if imported.version else ""
    return (
        f"# Imported from {one_line(imported.format)}: {title}{version}.\n"
        "# Placeholders in double braces are filled in by each call; `sample` holds values for a test call.\n"
        f"{'' if imported.is_exact else _ALL_FIELDS}"
    )


def size_of(endpoints: Mapping[str, Any]) -> tuple[int, int]:
    """Bytes that the endpoints take up in a file, and values, keys included, that a reader counts."""
    lines = list(mapping_lines(endpoints, 4))
    return sum(len(line.encode()) + 1 for line in lines), _count(endpoints)


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1
