"""Exports of a ProcessMaker instance become connectors and the categories that they are filed under."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.importers.connectors import API_VERSION, MAX_KEY, Heading, check_options, display_of, documents_of
from reconciler.importers.document import Notebook
from reconciler.importers.processmaker_access import access_of, unsupported, withheld_of
from reconciler.importers.processmaker_endpoints import endpoints_of
from reconciler.importers.processmaker_files import UNFILED, Found, FoundCategory, FoundConnector, find, held
from reconciler.importers.processmaker_texts import Texts
from reconciler.importers.requests import Desk
from reconciler.importers.servers import is_plain
from reconciler.importers.syntax import Imported, NotImportable
from reconciler.importers.values import (
    Object,
    clean,
    mapping,
    one_line,
    pointer,
    sequence,
    text,
    unique,
    variable,
    without_secrets,
)
from reconciler.importers.withheld import Withheld
from reconciler.kinds.canonical import fold
from reconciler.kinds.common import slug

MAX_CATEGORY: Final = 100  # maxLength of a category's displayName in schemas/category.schema.json
MAX_CATEGORIES: Final = 32
_GENERATED: Final = "generated"
_COLLECTION = re.compile(r"(?:https?://[^/?#]*)?(?:/[^?#]*)?/api/1\.[0-9]+/collections/", re.IGNORECASE)


class Choice(Struct, frozen=True):
    """What of an export is wanted, and how it is called.

    Attributes:
        name: of the one connector that it holds, or None.
        categories: names of ours to file everything under, instead of the export's own.
        is_sealed: whether the file is protected by a password.
        collections: whether the connectors that the instance generated for its collections are wanted, too.
        known: what the repository has by kind and folded display name, and what it is called there.
    """

    name: str | None = None
    categories: Sequence[str] = ()
    is_sealed: bool = False
    collections: bool = False
    known: Mapping[tuple[str, str], str] = {}


class _Names(Struct, frozen=True):
    """Gives out names of one kind, none twice."""

    kind: str
    known: Mapping[tuple[str, str], str]
    taken: dict[str, str]

    def name(self, display: str) -> str:
        """What is called `display`: as the repository has it, else a name of its own."""
        folded = fold(display)
        if found := self.taken.get(folded) or self.known.get((self.kind, folded)):
            self.taken[folded] = found
            return found
        others = {*self.taken.values(), *(name for (kind, _), name in self.known.items() if kind == self.kind)}
        made = unique(slug(display) or "imported", others.__contains__, 63, "{}-{}").strip("-")
        self.taken[folded] = made
        return made


def convert(document: Object, choice: Choice) -> Imported:
    """The connectors of an export that is not encrypted, with the categories that they have there.

    Raises:
        NotImportable: it is no export, or holds no connector that can be carried over.
        UsageError: a name or category that cannot be used.
    """
    check_options(choice.name, choice.categories or ("imported",), None)
    withheld = Withheld()
    notes = Notebook(lambda where: pointer(tuple(_shown(step, withheld) for step in where)))
    found = find(document, notes)
    desk = Desk(notes, "", withheld)
    for item in found.connectors:
        for value in withheld_of(item):
            desk.withhold(value)
    wanted = [item for item in found.connectors if _is_wanted(item, choice, desk)]
    if choice.name and len(wanted) > 1:
        raise UsageError(f"--name names one connector, and the export holds {len(wanted)}", hint="leave it out")
    if not wanted:
        reasons = "; ".join(list(dict.fromkeys(note.message for note in notes.all()))[:5])
        raise NotImportable("the export holds no connector that can be imported", hint=reasons or "export one of a process that uses it")  # fmt: skip
    if not choice.is_sealed and any(item.credentials for item in found.connectors):
        notes.add("clear-secrets", (), "the file holds credentials that whoever has it can read: keep it out of git, and delete it")  # fmt: skip
    return _converted(wanted, found, choice, desk)


def _shown(step: str | int, withheld: Withheld) -> str | int:
    """A step of a pointer; a key may hold a secret, too."""
    return withheld.without(step) if isinstance(step, str) else step


def _is_wanted(item: FoundConnector, choice: Choice, desk: Desk) -> bool:
    label = _display(item, desk) or "a connector without a name"
    if reason := unsupported(item, desk):
        desk.notes.add("connector-skipped", item.where, f"connectors that were left out, as {reason}", label)
        return False
    if not choice.collections and _is_collection(item):
        message = "connectors that the instance generated for collections were left out; --collections takes them over"
        desk.notes.add("connector-skipped", item.where, message, label)
        return False
    return True


def _is_collection(item: FoundConnector) -> bool:
    if any(fold(category.name) == _GENERATED for category in item.categories):
        return True
    endpoints = held(item.fields.get("endpoints"), (), Notebook())
    listed = [*mapping(endpoints).values(), *sequence(endpoints)]
    return bool(listed) and all(_COLLECTION.match(text(mapping(one).get("url")).strip()) for one in listed)


def _display(item: FoundConnector, desk: Desk) -> str:
    found = without_secrets(clean(text(item.fields.get("name")) or text(item.fields.get("title")))).strip()
    found = found if found.isprintable() else one_line(found)
    return "" if desk.withheld.knows(found) else found


def _converted(wanted: list[FoundConnector], found: Found, choice: Choice, desk: Desk) -> Imported:
    names, folders = _Names("Connector", choice.known, {}), _Names("Category", choice.known, {})
    documents: list[dict[str, Any]] = []
    categories: dict[str, dict[str, Any]] = {}
    displays: set[str] = set()
    for item in wanted:
        display = unique(_display(item, desk) or "Imported", lambda one: fold(one) in displays, MAX_KEY)
        displays.add(fold(display))
        if display != text(item.fields.get("name")):
            desk.notes.add("name-changed", item.where, "names of connectors that could not be kept, or stood there twice")  # fmt: skip
        filed = list(choice.categories)
        for category in _filed(item, desk) if not filed else ():
            made = _category(category, folders, desk)
            categories[made["metadata"]["name"]] = made
            filed.append(made["metadata"]["name"])
        name = choice.name or names.name(display)
        documents += _connector(item, Heading(name, display, {"categories": [*dict.fromkeys(filed)]}), desk)  # fmt: skip
    title = one_line(without_secrets(found.title))[:MAX_KEY]
    language = f"ProcessMaker export, format {found.version}"
    return Imported(documents, desk.notes.all(), title, "", language, [*categories.values()], is_exact=True)


def _filed(item: FoundConnector, desk: Desk) -> Sequence[FoundCategory]:
    """The categories of a connector; where the export tells none, the one that every instance has."""
    if not item.categories:
        desk.notes.add("category-chosen", item.where, f"the file does not tell the category: {UNFILED} is used")
    return item.categories[:MAX_CATEGORIES] or (FoundCategory(UNFILED),)


def _category(category: FoundCategory, names: _Names, desk: Desk) -> dict[str, Any]:
    """The document of a category."""
    found = one_line(without_secrets(category.name))[:MAX_CATEGORY].rstrip()
    display = "Imported" if not found or desk.withheld.knows(found) else found
    spec: Object = {"displayName": display}
    if category.status == "INACTIVE":
        spec["status"] = "inactive"
    metadata: Object = {"name": names.name(display)}
    return {"apiVersion": API_VERSION, "kind": "Category", "metadata": metadata, "spec": spec}


def _connector(item: FoundConnector, heading: Heading, shared: Desk) -> list[dict[str, Any]]:
    desk = shared.of(variable(heading.name))
    texts, fields = Texts(desk), item.fields
    spec: Object = {"description": texts.prose(text(fields.get("description")), item.where), **heading.spec}
    spec |= access_of(item, texts)
    if text(fields.get("status")) == "INACTIVE":
        spec["status"] = "inactive"
    endpoints = endpoints_of(fields.get("endpoints"), (*item.where, "endpoints"), texts)
    is_authorized = mapping(spec["authorization"]).get("method") != "none"
    if is_authorized and any(is_plain(str(endpoint["url"])) for endpoint in endpoints.values()):
        desk.say("plain-http", item.where, "credentials would be sent over plain http; ask for an https server")
    display = display_of(heading.display, clean(heading.display), item.where, desk.notes)
    parts = documents_of(
        Heading(heading.name, display, {key: value for key, value in spec.items() if value}),
        endpoints,
        item.where,
        desk.notes,
    )
    return parts or _without_endpoints(heading, spec)


def _without_endpoints(heading: Heading, spec: Object) -> list[dict[str, Any]]:
    """The connector without endpoints."""
    whole: Object = {"displayName": heading.display, **{key: value for key, value in spec.items() if value}}
    metadata: Object = {"name": heading.name}
    return [{"apiVersion": API_VERSION, "kind": "Connector", "metadata": metadata, "spec": whole}]
