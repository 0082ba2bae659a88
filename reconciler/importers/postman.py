"""Postman collections, v2.1 and v2.0, become a connector."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from reconciler.importers.addresses import dissect
from reconciler.importers.bundles import Bundle, connectors_of, none_usable
from reconciler.importers.connectors import MAX_KEY, check_options
from reconciler.importers.document import Notebook
from reconciler.importers.postman_access import Grant, grant_of
from reconciler.importers.postman_bodies import body_of
from reconciler.importers.postman_variables import Scope, scope_of
from reconciler.importers.requests import Desk, ForeignEntry, ForeignRequest
from reconciler.importers.syntax import Imported, NotImportable
from reconciler.importers.templates import Template, Variable, merged
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    is_true,
    mapping,
    one_line,
    sequence,
    spell,
    text,
    variable,
    without_secrets,
)
from reconciler.kinds.common import slug

MAX_LEVELS: Final = 30
_HINT = 'export the collection as "Collection v2.1"'
_PATH_VARIABLE = re.compile(r"(?<=/):([^/?#:{}]+)")


class _Folder(Struct, frozen=True):
    """What the requests of a folder have of it.

    Attributes:
        names: of the folder and those around it.
        grant: what lets requests through that say nothing of their own.
    """

    names: tuple[str, ...]
    scope: Scope
    grant: Grant


class _Import(Struct, frozen=True):
    desk: Desk
    server: str | None


def convert(
    document: Mapping[str, Any], *, name: str | None = None, categories: Sequence[str], server: str | None = None
) -> Imported:
    """The connector of a collection's requests.

    Args:
        server: base URL that takes the place of a variable without a value at the start of a URL.

    Raises:
        NotImportable: it is no such collection, or has no request that a connector can send.
        UsageError: a name, category or server that cannot be used.
    """
    check_options(name, categories, server)
    root: Object = mapping(document.get("collection")) or dict(document)
    version = _version(root)
    info, notes = mapping(root.get("info")), Notebook()
    title = one_line(without_secrets(text(info.get("name"))))
    name = name or slug(title) or "imported"
    desk = Desk(notes, variable(name))
    scope = scope_of(root.get("variable"), desk.withheld)
    _withhold(root, desk)
    work = _Import(desk, server.rstrip("/") if server else None)
    top = _Folder((), scope, grant_of(root.get("auth"), scope, desk, ("auth",)))
    _note_rest(root, (), work)
    requests = list(_requests(root.get("item"), top, ("item",), work))
    documents = connectors_of(Bundle(name, title, requests, desk, _described(info)), categories, ("info",))
    if not documents:
        raise none_usable("the collection", notes)
    return Imported(documents, notes.all(), title[:MAX_KEY], "", f"Postman Collection {version}")


def _version(root: Object) -> str:
    schema = text(mapping(root.get("info")).get("schema"))
    if isinstance(root.get("item"), list):
        return "v2.0" if "v2.0" in schema else "v2.1"
    if isinstance(root.get("requests"), list):
        raise NotImportable("this is a Postman collection v1, which cannot be imported", hint=_HINT)
    if isinstance(root.get("values"), list):
        raise NotImportable("this is a Postman environment and no collection", hint=_HINT)
    raise NotImportable("this is no Postman collection: it has no list item", hint=_HINT)


def _withhold(root: Object, desk: Desk) -> None:
    """Remember the values of all authorizations, wherever they stand."""
    level: list[Json] = [root]
    for _ in range(MAX_LEVELS * 2):
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())]  # fmt: skip
        for item in level:
            for attribute in map(mapping, _attributes(mapping(item).get("auth"))):
                if text(attribute.get("key")) in _AUTH_SECRETS:
                    desk.withhold(spell(attribute.get("value")))


_AUTH_SECRETS: Final = frozenset(
    [
        "token",
        "value",
        "password",
        "username",
        "clientSecret",
        "accessToken",
        "secret",
        "secretKey",
        "accessKey",
        "sessionToken",
        "consumerSecret",
        "consumerKey",
        "tokenSecret",
        "authKey",
        "privateKey",
        "clientId",
        "refreshToken",
        "code",
    ]
)


def _attributes(auth: Json) -> list[Json]:
    node = mapping(auth)
    listed = node.get(text(node.get("type")))
    if isinstance(listed, dict):
        return [{"key": key, "value": value} for key, value in listed.items()]
    return sequence(listed)


def _described(node: Object) -> str:
    given = node.get("description")
    return text(mapping(given).get("content")) or text(given)


def _requests(items: Json, folder: _Folder, where: Pointer, work: _Import) -> Iterator[ForeignRequest]:
    for index, entry in enumerate(sequence(items)):
        item, place = mapping(entry), (*where, index)
        if len(folder.names) >= MAX_LEVELS:
            work.desk.notes.add("malformed", place, f"more than {MAX_LEVELS} levels of folders")
            return
        label = one_line(text(item.get("name")))
        _note_rest(item, place, work)
        if isinstance(item.get("item"), list):
            inner = _inside(item, folder, label, place, work)
            yield from _requests(item["item"], inner, (*place, "item"), work)
        elif "request" in item:
            if found := _request(item, folder, label, (*place, "request"), work):
                yield found
        elif item:
            work.desk.notes.add("malformed", place, "this is neither a request nor a folder")


def _inside(item: Object, folder: _Folder, label: str, where: Pointer, work: _Import) -> _Folder:
    scope = folder.scope.inside(item.get("variable"))
    grant = grant_of(item["auth"], scope, work.desk, (*where, "auth")) if mapping(item.get("auth")) else folder.grant
    return _Folder((*folder.names, label), scope, grant)


def _request(item: Object, folder: _Folder, label: str, where: Pointer, work: _Import) -> ForeignRequest | None:
    given = item.get("request")
    node: Object = {"url": given} if isinstance(given, str) else mapping(given)
    scope, desk = folder.scope.inside(item.get("variable")), work.desk
    grant = grant_of(node["auth"], scope, desk, (*where, "auth")) if mapping(node.get("auth")) else folder.grant
    url, asked = _url(node.get("url"), scope, (*where, "url"), work)
    address = dissect(url, (*where, "url"), desk)
    query = asked if asked is not None else address.query
    headers = tuple(_entries(_header_list(node.get("header")), scope, (*where, "header"), work))
    return ForeignRequest(
        " / ".join(part for part in (*folder.names, label) if part),
        (one_line(text(node.get("method"))) or "GET").upper(),
        address.url,
        where,
        (*query, *grant.query),
        (*headers, *grant.header),
        body_of(node.get("body"), _media(headers), scope, (*where, "body"), desk),
        grant.access or address.access,
        _described(node) or _described(item),
    )


def _media(headers: Sequence[ForeignEntry]) -> str:
    found = (entry.value for entry in headers if entry.name.lower() == "content-type" and entry.sent)
    return "".join(part for part in next(found, ()) if isinstance(part, str)).strip()


def _header_list(given: Json) -> list[Json]:
    """Headers, also where an old export wrote them as one text."""
    if not isinstance(given, str):
        return sequence(given)
    pairs = (line.partition(":") for line in given.splitlines() if ":" in line)
    return [{"key": name.strip(), "value": value.strip()} for name, _, value in pairs]


def _entries(listed: list[Json], scope: Scope, where: Pointer, work: _Import) -> Iterator[ForeignEntry]:
    for index, entry in enumerate(map(mapping, listed)):
        name = clean(text(entry.get("key"))).strip()
        if not name:
            continue
        sent = not is_true(entry.get("disabled"))
        if not sent:
            message = "what is switched off stays as a parameter that is not sent unless it gets a value"
            work.desk.say("entry-disabled", (*where, index), message)
        yield ForeignEntry(name, scope.template(spell(entry.get("value"))), (*where, index), _described(entry), sent)


def _url(given: Json, scope: Scope, where: Pointer, work: _Import) -> tuple[Template, list[ForeignEntry] | None]:
    """The URL, what it begins with filled in, and its query where that is given apart."""
    node = mapping(given)
    raw = clean(text(given) if isinstance(given, str) else text(node.get("raw")) or _composed(node)).strip()
    query = list(_entries(sequence(node["query"]), scope, (*where, "query"), work)) if "query" in node else None
    base, rest = _divided(raw)
    template = scope.filled(scope.template(base))
    if template and isinstance(first := template[0], Variable):
        if work.server:
            work.desk.say(
                "server-chosen", where, f"{work.server} is used in the place of {{{{{clean(first.name)[:60]}}}}}"
            )
            template = merged((work.server, *template[1:]))
        else:
            work.desk.say("variable-left", where, f"{clean(first.name)[:60]} has no value in the collection")
    path_variables = {text(entry.get("key")) or text(entry.get("id")): spell(entry.get("value")) for entry in map(mapping, sequence(node.get("variable")))}  # fmt: skip
    return merged((*template, *_path(rest, path_variables, scope))), query


_BASE = re.compile(r"(?:[a-z]+://)?(?:\{\{[^{}]*\}\}|[^/?#{}])*", re.IGNORECASE)


def _divided(raw: str) -> tuple[str, str]:
    """Scheme and host, and what follows."""
    end = found.end() if (found := _BASE.match(raw)) else 0
    return raw[:end], raw[end:]


def _path(content: str, values: Mapping[str, str], scope: Scope) -> Iterator[str | Variable]:
    end = 0
    for found in _PATH_VARIABLE.finditer(content):
        yield from scope.template(content[end : found.start()])
        value = values.get(found[1], "")
        inner = scope.template(value)
        if len(inner) == 1 and isinstance(inner[0], Variable):
            yield inner[0]
        else:
            hides = scope.withheld.hides(found[1], value)
            yield Variable(found[1], None if hides or "{{" in value else value or None, secret=hides)
        end = found.end()
    yield from scope.template(content[end:])


def _composed(node: Object) -> str:
    host, path = (
        separator.join(text(mapping(part).get("value")) or text(part) for part in sequence(node.get(key)))
        or text(node.get(key)).strip("/")
        for key, separator in (("host", "."), ("path", "/"))
    )
    scheme = f"{text(node.get('protocol'))}://" if node.get("protocol") else ""
    port = f":{text(node.get('port'))}" if node.get("port") else ""
    return f"{scheme}{host}{port}/{path}" if host else ""


def _note_rest(node: Object, where: Pointer, work: _Import) -> None:
    if any(sequence(mapping(mapping(event).get("script")).get("exec")) for event in sequence(node.get("event"))):
        work.desk.say(
            "script", (*where, "event"), "scripts before and after requests are not run: what they set, callers give"
        )
    if sequence(node.get("response")):
        work.desk.say("saved-answer", (*where, "response"), "answers that were saved as examples were left out")
