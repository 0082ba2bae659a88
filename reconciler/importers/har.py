"""HAR 1.2 recordings become connectors, one for each host. No credential of a recording is taken over."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from msgspec import Struct, structs

from reconciler.importers.addresses import dissect
from reconciler.importers.bundles import by_host, connectors_of, none_usable
from reconciler.importers.connectors import MAX_KEY, check_options
from reconciler.importers.document import Notebook
from reconciler.importers.har_entries import is_resource, payload_of_entry, shape_of, withhold_credentials
from reconciler.importers.requests import Desk, ForeignEntry, ForeignRequest
from reconciler.importers.syntax import Imported, NotImportable
from reconciler.importers.templates import Template, Variable, literal, merged
from reconciler.importers.values import Object, Pointer, clean, mapping, one_line, sequence, text, without_secrets
from reconciler.importers.withheld import is_confidential

_ID = re.compile(r"\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[a-f]*\d)[0-9a-f]{8,}", re.IGNORECASE)
_WEBSOCKET = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Choice(Struct, frozen=True):
    """What of a recording is wanted, and as what.

    Attributes:
        server: how the URLs of the wanted requests begin, or None for all.
        pages: whether pages and what they load are wanted too.
    """

    name: str | None
    categories: Sequence[str]
    server: str | None
    pages: bool


class _Recorded(Struct, frozen=True):
    """A request of a recording, with its ids replaced, and what tells it from others."""

    request: ForeignRequest
    key: tuple[object, ...]


def convert(document: Mapping[str, Any], choice: Choice) -> Imported:
    """Connectors for the requests of a recording, one for each host.

    Raises:
        NotImportable: it is no recording, or has no request that a connector can send.
        UsageError: a name, category or server that cannot be used.
    """
    check_options(choice.name, choice.categories, choice.server)
    log = mapping(document.get("log"))
    if not isinstance(log.get("entries"), list):
        raise NotImportable(
            "this is no HAR recording: it has no list log.entries", hint='save the network log "as HAR"'
        )
    notes = Notebook()
    desk = Desk(notes, "")
    entries = [(mapping(entry), ("log", "entries", index)) for index, entry in enumerate(sequence(log["entries"]))]
    for entry, _ in entries:
        withhold_credentials(entry, desk.withheld)
    wanted = list(_wanted(entries, choice, desk))
    requests = _merged([_read(entry, where, desk) for entry, where in wanted], desk)
    documents: list[dict[str, Any]] = []
    for bundle in by_host(requests, choice.name, desk):
        documents += connectors_of(bundle, choice.categories, ("log",))
    if not documents:
        raise none_usable("the recording", notes)
    creator = mapping(log.get("creator"))
    title = one_line(without_secrets(f"{text(creator.get('name'))} {text(creator.get('version'))}"))
    return Imported(documents, notes.all(), f"a recording by {title or 'an unknown program'}"[:MAX_KEY], "", "HAR")


def _wanted(entries: Sequence[tuple[Object, Pointer]], choice: Choice, desk: Desk) -> Iterator[tuple[Object, Pointer]]:
    skipped: list[Pointer] = []
    for entry, where in entries:
        url = text(mapping(entry.get("request")).get("url"))
        if choice.server and not _begins(url, choice.server):
            continue
        if _WEBSOCKET.match(url):
            desk.say("unsupported-server", where, "requests over other schemes than http and https cannot be made")
        elif not choice.pages and is_resource(entry):
            skipped.append(where)
        else:
            yield entry, where
    if skipped:
        message = (
            f"{len(skipped):,} requests for pages, images, styles, scripts and the like were left out; see --pages"
        )
        desk.notes.add("resource-skipped", skipped[0], message)


def _begins(url: str, server: str) -> bool:
    base = server.rstrip("/").lower()
    return url.lower().startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?", "#")


def _read(entry: Object, where: Pointer, desk: Desk) -> _Recorded:
    node = mapping(entry.get("request"))
    place = (*where, "request")
    address = dissect((clean(text(node.get("url"))),), (*place, "url"), desk)
    url = _with_ids(address.url, desk)
    headers = tuple(
        ForeignEntry(clean(text(header.get("name"))), (clean(text(header.get("value"))),), (*place, "headers", index))
        for index, header in enumerate(map(mapping, sequence(node.get("headers"))))
    )
    payload = payload_of_entry(mapping(node.get("postData")), (*place, "postData"), desk)
    method = one_line(text(node.get("method"))).upper()
    query = tuple(structs.replace(entry, value=_id_or(entry, desk)) for entry in address.query)
    comment = text(entry.get("comment")) or text(node.get("comment"))
    request = ForeignRequest("", method, url, where, query, headers, payload, address.access, comment)
    names = tuple(sorted(entry.name for entry in query))
    return _Recorded(request, (method, _shown(url), names, shape_of(payload)))


def _placeholder(name: str, sample: str, desk: Desk) -> Variable:
    return Variable(name, sample, secret=desk.withheld.hides(name, sample))


def _id_or(entry: ForeignEntry, desk: Desk) -> Template:
    """A query's value; a placeholder where it is the id of something."""
    value = literal(entry.value)
    is_id = len(value) >= 5 and _ID.fullmatch(value) is not None
    return (_placeholder(entry.name, value, desk),) if is_id else entry.value


def _shown(url: Template) -> str:
    return "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in url)


def _with_ids(url: Template, desk: Desk) -> Template:
    """The URL with a placeholder for each part of its path that is a number, a UUID or a digest."""
    content = literal(url)
    scheme, separator, rest = content.partition("://")
    host, *segments = rest.split("/")
    parts: list[str | Variable] = [scheme, separator, host]
    names: dict[str, int] = {}
    before = ""
    for segment in segments:
        parts.append("/")
        if _ID.fullmatch(segment):
            name = f"{_singular(before)}_id" if before else "id"
            names[name] = names.get(name, 0) + 1
            numbered = name if names[name] == 1 else f"{name}_{names[name]}"
            parts.append(_placeholder(numbered, segment, desk))
            continue
        parts.append(segment)
        before = re.sub(r"\W+", "_", unquote(segment)).strip("_")[:60]
    return merged(parts)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _merged(found: Sequence[_Recorded], desk: Desk) -> list[ForeignRequest]:
    """One request of those that are alike: what differs among them becomes a placeholder."""
    groups: dict[tuple[object, ...], list[ForeignRequest]] = {}
    for recorded in found:
        groups.setdefault(recorded.key, []).append(recorded.request)
    for requests in groups.values():
        if len(requests) > 1:
            message = f"{len(requests):,} requests that differ only in values are one endpoint"
            desk.notes.add("entries-merged", requests[0].where, message)
    return [_together(requests, desk) for requests in groups.values()]


def _together(requests: Sequence[ForeignRequest], desk: Desk) -> ForeignRequest:
    first = requests[0]
    query = tuple(
        structs.replace(entry, value=_common(entry, [other.query for other in requests], desk)) for entry in first.query
    )
    sent = [{header.name.lower() for header in other.headers} for other in requests]
    everywhere = set.intersection(*sent)
    headers = tuple(
        structs.replace(header, value=_common(header, [other.headers for other in requests], desk))
        for header in first.headers
        if header.name.lower() in everywhere
    )
    return structs.replace(first, query=query, headers=headers)


def _common(entry: ForeignEntry, lists: Sequence[Sequence[ForeignEntry]], desk: Desk) -> Template:
    values = {other.value for entries in lists for other in entries if other.name == entry.name}
    if len(values) == 1 or is_confidential(entry.name) or entry.name.lower() == "content-type":
        return entry.value
    sample = literal(entry.value)
    return (_placeholder(entry.name, sample, desk),) if sample else entry.value
