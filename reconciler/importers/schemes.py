"""Security schemes: what each can become in a connector."""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.entries import MAX_NAME
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    holds_secret,
    mapping,
    text,
    without_credentials,
)


class Means(IntEnum):
    """What a scheme becomes; the smaller, the better it works without a person."""

    CLIENT_CREDENTIALS = 0
    BEARER = 1
    KEY = 2
    BASIC = 3
    PASSWORD = 4
    TOKEN_BY_HAND = 5
    NOTHING = 9


class Scheme(Struct, frozen=True):
    """One security scheme of the document.

    Attributes:
        place: header or query, for a key.
        key: name of that header or parameter.
        token_url: where OAuth tokens are requested, or "".
        scopes: the OAuth scopes that the flow knows.
        flow: the words for what a person has to do, or why it is not supported.
    """

    name: str
    means: Means
    where: Pointer
    place: str = ""
    key: str = ""
    token_url: str = ""
    scopes: tuple[str, ...] = ()
    flow: str = ""

    @property
    def is_authorization(self) -> bool:
        """Whether it becomes the connector's authorization, and not a header or parameter of its endpoints."""
        return self.means not in (Means.KEY, Means.NOTHING)


_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255}")
_FLOWS: Final = ("clientCredentials", "password", "authorizationCode", "implicit")
_SWAGGER_FLOWS: Final = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_REQUEST_URL = re.compile(r"https?://[^\s{}]+", re.IGNORECASE)


def read_schemes(source: ForeignDocument, server: str) -> dict[str, Scheme]:
    """All schemes by name; `server` is the URL that relative token URLs start at."""
    if source.is_swagger:
        where: Pointer = ("securityDefinitions",)
        listed = mapping(source.root.get("securityDefinitions"))
    else:
        where = ("components", "securitySchemes")
        listed = mapping(mapping(source.root.get("components")).get("securitySchemes"))
    found = {}
    for name, entry in listed.items():
        node, place = source.object_at(entry, (*where, name))
        found[name] = _read(source, name, node, place, server)
    return found


def _read(source: ForeignDocument, name: str, node: Object, where: Pointer, server: str) -> Scheme:
    kind = text(node.get("type")).lower()
    if kind == "apikey":
        return _key(name, node, where)
    if kind in ("http", "basic", "bearer"):
        return _http(name, (text(node.get("scheme")) if kind == "http" else kind).lower(), where)
    if kind == "oauth2":
        return _oauth(source, name, node, where, server)
    if kind == "openidconnect":
        return Scheme(name, Means.TOKEN_BY_HAND, where, flow="OpenID Connect")
    return Scheme(name, Means.NOTHING, where, flow=f"the type {clean(kind)[:60] or 'is missing'}")


def _key(name: str, node: Object, where: Pointer) -> Scheme:
    place, key = text(node.get("in")).lower(), clean(text(node.get("name"))).strip()
    if "x-amazon-apigateway-authtype" in node:
        return Scheme(name, Means.NOTHING, where, flow="requests signed one by one")
    if place not in ("header", "query"):
        return Scheme(name, Means.NOTHING, where, flow=f"a key in {clean(place)[:60] or 'no place'}")
    if not key or holds_secret(key) or "{{" in key or (place == "header" and not _NAME.fullmatch(key)):
        return Scheme(name, Means.NOTHING, where, flow="a key without a usable name")
    return Scheme(name, Means.KEY, where, place=place, key=key[:MAX_NAME])


def _http(name: str, scheme: str, where: Pointer) -> Scheme:
    means = {"basic": Means.BASIC, "bearer": Means.BEARER}.get(scheme, Means.NOTHING)
    return Scheme(name, means, where, flow=f"the HTTP scheme {clean(scheme)[:60] or 'without a name'}")


def _oauth(source: ForeignDocument, name: str, node: Object, where: Pointer, server: str) -> Scheme:
    flows = _flows(source, node)
    usable = [flow for flow in _FLOWS if flow in flows]
    if not usable:
        return Scheme(name, Means.TOKEN_BY_HAND, where, flow="OAuth 2.0 without a known flow")
    for flow in usable:
        url = _token_url(source, flows[flow], server, where)
        scopes = usable_scopes(sorted(mapping(flows[flow].get("scopes"))))
        if flow in ("clientCredentials", "password") and url:
            _note_other_flows(source, usable, flow, where)
            means = Means.CLIENT_CREDENTIALS if flow == "clientCredentials" else Means.PASSWORD
            return Scheme(name, means, where, token_url=url, scopes=scopes)
        if flow in ("clientCredentials", "password"):
            source.notes.add("malformed", where, "a flow names no usable token URL", flow)
    _note_other_flows(source, usable, usable[-1], where)
    return Scheme(name, Means.TOKEN_BY_HAND, where, flow=f"the OAuth 2.0 flow {usable[-1]}")


def _flows(source: ForeignDocument, node: Object) -> dict[str, Object]:
    if source.is_swagger:
        flow = text(node.get("flow"))
        return {_SWAGGER_FLOWS.get(flow, flow): node}
    return {flow: mapping(entry) for flow, entry in mapping(node.get("flows")).items()}


def _token_url(source: ForeignDocument, flow: Object, server: str, where: Pointer) -> str:
    url = clean(text(flow.get("tokenUrl"))).strip()
    if url and not url.lower().startswith(("http://", "https://")) and server.startswith("http"):
        url = urljoin(server + "/", url)
    if not _REQUEST_URL.fullmatch(url) or len(url) > 8192:
        return ""
    if url != (url := without_credentials(url)):
        source.notes.add("secret-removed", where, "what may be a secret was taken out of the token URL")
    return url


def _note_other_flows(source: ForeignDocument, usable: Sequence[str], chosen: str, where: Pointer) -> None:
    others = [flow for flow in usable if flow != chosen]
    if others:
        message = f"the flow {chosen} is used; there are also"
        source.notes.add("security-chosen", where, message, ", ".join(others))


def usable_scopes(listed: Iterable[Json]) -> tuple[str, ...]:
    """Those of `listed` that can be asked for."""
    return tuple(
        clean(scope)
        for scope in listed
        if isinstance(scope, str) and re.fullmatch(r"[^\s]{1,512}", clean(scope)) and not holds_secret(scope)
    )
