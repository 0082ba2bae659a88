"""Exports of a ProcessMaker instance: where in them connectors stand, whatever they were exported with."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from reconciler.importers.document import Notebook
from reconciler.importers.syntax import NotImportable
from reconciler.importers.values import Json, Object, Pointer, mapping, sequence, text

MAX_TEMPLATES: Final = 3
"""Levels of exports within exports; templates of processes have one."""
MAX_CONNECTORS: Final = 5_000
UNFILED: Final = "Uncategorized"
"""The category that every instance has; exports say that a connector is filed there, and have no entry of it."""
_HINT: Final = "give the JSON file that an export of a process, a screen or a connector gave"


class FoundCategory(Struct, frozen=True):
    """A category that connectors are filed under, by the name that it has there."""

    name: str
    status: str = "ACTIVE"


class FoundConnector(Struct, frozen=True):
    """A connector as an export has it.

    Attributes:
        fields: its row, or the copy that a screen has.
        credentials: in the clear; None where the export has none that can be read.
        where, secrets_at: they stand; what JSON texts hold is stepped into.
    """

    fields: Object
    credentials: Object | None
    categories: tuple[FoundCategory, ...]
    where: Pointer
    secrets_at: Pointer


class Found(Struct, frozen=True):
    """What an export holds of connectors.

    Attributes:
        title: its own.
        version: of its format, 1 or 2.
    """

    connectors: list[FoundConnector]
    title: str
    version: str


def find(document: Object, notes: Notebook) -> Found:
    """The connectors of an export that is not encrypted, each once.

    Raises:
        NotImportable: it is no export, or holds no connector.
    """
    payloads = sequence(document.get("payloads")) or [document]
    start: Pointer = ("payloads",) if "payloads" in document else ()
    found: list[FoundConnector] = []
    versions = set()
    for index, payload in enumerate(payloads):
        node, place = mapping(payload), (*start, index) if start else ()
        if isinstance(node.get("export"), dict | list):
            versions.add("2")
            found += _of_format_2(node, place, notes, MAX_TEMPLATES)
        elif isinstance(node.get("screens"), list):
            versions.add("1")
            found += _of_format_1(node, place, notes)
    if not versions:
        raise NotImportable("this is no export of a ProcessMaker instance: it has neither export nor screens", hint=_HINT)  # fmt: skip
    if len(found) > MAX_CONNECTORS:
        raise NotImportable(f"the export holds more than {MAX_CONNECTORS:,} connectors", hint="split it")
    title = text(mapping(payloads[0]).get("name")) if len(payloads) == 1 else ""
    return Found(_once(found, notes), title, " and ".join(sorted(versions)))


def held(value: Json, where: Pointer, notes: Notebook) -> Json:
    """What a JSON text holds; any other value as it is, and None where the text is no JSON."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        found: Json = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        notes.add("malformed", where, "a text that should hold JSON does not")
        return None
    return found


def _of_format_2(payload: Object, where: Pointer, notes: Notebook, levels: int) -> Iterator[FoundConnector]:
    entries = mapping(payload.get("export"))
    for uuid, item in entries.items():
        entry, place = mapping(item), (*where, "export", uuid)
        fields = mapping(entry.get("attributes"))
        if entry.get("type") == "DataConnector" or text(entry.get("model")).endswith("\\DataSource"):
            credentials = mapping(entry.get("references")).get("credentials") or fields.get("credentials")
            plain = credentials if isinstance(credentials, dict) else None
            row = {"uuid": uuid, "name": entry.get("name"), **fields}
            within = (*place, "references", "credentials")
            yield FoundConnector(row, plain, _categories(entry, entries), (*place, "attributes"), within)
        elif "manifest" in fields and levels:
            within = (*place, "attributes", "manifest")
            manifest = mapping(held(fields["manifest"], within, notes))
            if isinstance(manifest.get("export"), dict):
                yield from _of_format_2(manifest, within, notes, levels - 1)


def _categories(entry: Object, entries: Mapping[str, Json]) -> tuple[FoundCategory, ...]:
    """Those of a connector: by their own entries, else by the names that the connector has for them."""
    found: dict[str, FoundCategory] = {}
    for dependent in map(mapping, sequence(entry.get("dependents"))):
        if dependent.get("type") != "categories":
            continue
        fields = mapping(mapping(entries.get(text(dependent.get("uuid")))).get("attributes"))
        matches = mapping(dependent.get("fallbackMatches"))
        name = text(fields.get("name")) or text(matches.get("name")) or text(dependent.get("name"))
        if name:
            found[name] = FoundCategory(name, text(fields.get("status")) or "ACTIVE")
    if mapping(entry.get("references")).get("uncategorized-category") is True:
        found[UNFILED] = FoundCategory(UNFILED)
    return tuple(found.values())


def _of_format_1(payload: Object, where: Pointer, notes: Notebook) -> Iterator[FoundConnector]:
    """The copies that screens have of connectors: credentials in them are encrypted by a key of the instance."""
    for number, item in enumerate(sequence(payload.get("screens"))):
        screen, place = mapping(item), (*where, "screens", number, "watchers")
        watchers = sequence(held(screen.get("watchers"), place, notes))
        for index, watcher in enumerate(map(mapping, watchers)):
            script = mapping(watcher.get("script"))
            if "authtype" in script or "endpoints" in script:
                credentials = script.get("credentials")
                plain = credentials if isinstance(credentials, dict) else None
                within = (*place, index, "script")
                yield FoundConnector(script, plain, (), within, (*within, "credentials"))


def _once(found: list[FoundConnector], notes: Notebook) -> list[FoundConnector]:
    """Each connector once, of several copies the newest."""
    newest: dict[str, FoundConnector] = {}
    for item in found:
        identity = text(item.fields.get("uuid")) or text(item.fields.get("id")) or repr(item.where)
        known = newest.get(identity)
        if known is None:
            newest[identity] = item
        elif _content(known) != _content(item):
            notes.add("copy-chosen", item.where, "of several copies of a connector that differ, the newest is taken")
            if text(item.fields.get("updated_at")) > text(known.fields.get("updated_at")):
                newest[identity] = item
        elif known.credentials is None and item.credentials is not None:
            newest[identity] = item
    return list(newest.values())


def _content(item: FoundConnector) -> tuple[Json, ...]:
    return tuple(item.fields.get(key) for key in ("name", "description", "authtype", "status", "endpoints"))
