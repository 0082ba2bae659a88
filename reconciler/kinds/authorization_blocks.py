"""The authorization blocks of a connector: which there are, which are used, their canonical form, secrets and rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.references import unsendable
from reconciler.core.secret import carries_credentials
from reconciler.diagnostics import Finding, Path, Place
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.common import Defaults, dotted, in_order, without

OWN = ""
"""The name of the connector's own authorization, which endpoints carry that choose no other one."""
NONE = "none"
"""What an endpoint says that carries none."""


class Authorization(Struct, frozen=True):
    """One of a connector's authorizations.

    Attributes:
        name: its key below `authorizations`; OWN, or NONE.
        block: what the definition says of it.
        over_plain_http: whether credentials may be sent over plain http.
    """

    name: str
    block: Mapping[str, Any]
    over_plain_http: bool = False

    @property
    def path(self) -> Path:
        """Where it stands, from the document's root."""
        return ("spec", "authorizations", self.name) if self.name else ("spec", "authorization")

    @property
    def address(self) -> str:
        """The same, as plans and the store name it."""
        return dotted(self.path)


def chosen(spec: Mapping[str, Any], endpoint: Mapping[str, Any]) -> Authorization:
    """The authorization that requests of an endpoint carry.

    Raises:
        InvalidDefinitions: it names one that there is not; `rules` refuses that, but live records others can write.
    """
    name = endpoint.get("authorization", OWN)
    known = {OWN: spec.get("authorization", {}), **spec.get("authorizations", {}), NONE: {}}
    if name not in known:
        raise InvalidDefinitions(
            f"there is no authorization '{name}'", hint=_which(name, spec.get("authorizations", {}))
        )
    return Authorization(name, known[name], allows_plain_http(spec))


def used(spec: Mapping[str, Any]) -> list[Authorization]:
    """The connector's own authorization, and the further ones that an endpoint chooses, by name."""
    plain = allows_plain_http(spec)
    found = [Authorization(OWN, spec.get("authorization", {}), plain)]
    further = spec.get("authorizations")
    if further:
        named = {endpoint.get("authorization", OWN) for endpoint in spec.get("endpoints", {}).values()}
        found += [Authorization(name, further[name], plain) for name in sorted(named & further.keys())]
    return found


def carries(authorization: Authorization) -> bool:
    """Whether requests carry credentials by it."""
    return bool(authorization.block.get("method", "none") != "none")


def allows_plain_http(spec: Mapping[str, Any]) -> bool:
    """Whether the connector's credentials may be sent over plain http."""
    return bool(spec.get("tls", {}).get("allowPlainHttp", False))


def blocks(spec: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The connector's own authorization and all further ones, each with its path from the document's root."""
    if spec.get("authorization"):
        yield ("spec", "authorization"), spec["authorization"]
    if "authorizations" in spec:
        for name, block in spec["authorizations"].items():
            yield ("spec", "authorizations", name), block


TOKEN_REQUEST_DEFAULTS = {
    "send": "form",
    "usernameField": "username",
    "passwordField": "password",
    "tokenField": "access_token",
}
_FURTHER: Defaults = (("fields", []), ("headers", []))
_TOKEN_REQUEST: Defaults = (*TOKEN_REQUEST_DEFAULTS.items(), *_FURTHER)
_DEFAULTS: Defaults = (("scopes", []), ("clientAuthentication", "basic"), ("resource", []), *_FURTHER)


def canonical_block(block: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a block: sets sorted, defaults left out. The fields of a token request keep their order."""
    made = {**block}
    for key in ("scopes", "resource"):
        if key in block:
            made[key] = in_order(block[key])
    if "headers" in block:
        made["headers"] = _sorted_headers(block["headers"])
    if block.get("tokenRequest") is not None:
        request = {**block["tokenRequest"]}
        if "headers" in request:
            request["headers"] = _sorted_headers(request["headers"])
        made["tokenRequest"] = without(request, _TOKEN_REQUEST)
    return without(made, _DEFAULTS)


def _sorted_headers(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return in_order(entries, key=lambda entry: entry["name"].lower())


_SECRETS = ("username", "password", "token", "clientId", "clientSecret")


def secret_places(block: dict[str, Any], start: Path, of: type) -> Iterator[tuple[Path, str, Any]]:
    """Path, address and value of what is of one type, `of`, where a secret reference may stand."""
    yield from _places(block, start, of, _SECRETS)
    if "tokenRequest" in block:
        yield from _places(block["tokenRequest"], (*start, "tokenRequest"), of, ("username", "password"))


def _places(block: dict[str, Any], start: Path, of: type, keys: tuple[str, ...]) -> Iterator[tuple[Path, str, Any]]:
    for key in keys:
        if type(block.get(key)) is of:
            yield (*start, key), dotted((*start, key)), block[key]
    for group in ("fields", "headers"):
        for index, entry in enumerate(block.get(group, ())):
            if type(entry["value"]) is of:
                path = (*start, group, index, "value")
                yield path, entry_address(path, block[group]), entry["value"]


def entry_address(path: Path, entries: list[dict[str, Any]]) -> str:
    """Address of an entry's value, by name; of entries of one name the later ones are numbered."""
    *start, index, _ = path
    assert isinstance(index, int)
    name = entries[index]["name"]
    earlier = sum(entry["name"] == name for entry in entries[:index])
    repeat = f"#{earlier + 1}" if earlier else ""
    return f"{dotted(tuple(start))}.{name}{repeat}.value"


COLON = "holds a colon, which ends the user in Basic authorization"


def secret_fault(path: Path, value: str, spec: Mapping[str, Any]) -> str:
    """Why the value of the secret at `path` cannot be sent, as the rest of a sentence; "" where it can."""
    match path[1:]:
        case ("tls", *_):
            return ""
        case ("endpoints", _, "headers", *_):
            return unsendable(value, in_header=True)
        case ("authorization", *rest):
            return _credential_fault(tuple(rest), value, spec["authorization"])
        case ("authorizations", name, *rest):
            return _credential_fault(tuple(rest), value, spec["authorizations"][name])
    return unsendable(value, in_header=False)


def _credential_fault(rest: Path, value: str, block: Mapping[str, Any]) -> str:
    if rest == user_of_basic(block) and ":" in value:
        return COLON
    return unsendable(value, in_header=rest == ("token",) or "headers" in rest)


def user_of_basic(block: Mapping[str, Any]) -> Path:
    """Where in a block the user of a Basic header stands (RFC 7617); nowhere where none is sent."""
    if block.get("method") == "basic":
        return ("username",)
    return ("tokenRequest", "username") if block.get("tokenRequest", {}).get("send") == "basic" else ()


def user_has_colon(block: Mapping[str, Any]) -> bool:
    """Whether the user of a Basic header stands in the definition itself, with a colon."""
    place = user_of_basic(block)
    user = (block["tokenRequest"] if "tokenRequest" in place else block).get("username") if place else None
    return isinstance(user, str) and ":" in user


def block_findings(block: dict[str, Any], path: Path, document: int) -> Iterator[Finding]:
    """What the schema cannot say of one block, but for its URL."""
    if user_has_colon(block):
        place = Place(document, (*path, *user_of_basic(block)))
        yield Finding("RC406", f"the user {COLON}", place, "choose another method, or another user")
    request = block.get("tokenRequest")
    if request is not None:
        block, path = request, (*path, "tokenRequest")
    for group, taken in (("fields", _taken_fields(block)), ("headers", _taken_headers(block))):
        names: set[str] = set()
        for index, entry in enumerate(block.get(group, ())):
            name = entry["name"].lower() if group == "headers" else entry["name"]
            if name in taken or name in names:
                said = f"the token request has a {group[:-1]} '{entry['name']}' already"
                hint = f"use the key `{_KEYS[name]}`" if name in taken and name in _KEYS else "remove it"
                yield Finding("RC611", said, Place(document, (*path, group, index, "name")), hint)
            names.add(name)
            yield from _value_findings(entry, (*path, group, index, "value"), document, in_header=group == "headers")
    for index, text in enumerate((block.get("audience", ""), *block.get("resource", ()))):
        if "{{" in text:
            yield _placeholders((*path, "resource", index - 1) if index else (*path, "audience"), document)


_KEYS = {
    "client_id": "clientId", "client_secret": "clientSecret", "scope": "scopes", "username": "username",
    "password": "password", "audience": "audience", "resource": "resource",
}  # fmt: skip
"""Fields of a token request that have a key of their own."""
_OF_OAUTH = frozenset((*_KEYS, "grant_type", "refresh_token", "assertion"))
_OF_HTTP = frozenset(
    ("content-type", "content-length", "content-encoding", "transfer-encoding", "host", "connection", "upgrade", "te", "trailer", "expect", "proxy-authorization", "accept-encoding")
)  # fmt: skip


def _taken_fields(block: Mapping[str, Any]) -> frozenset[str]:
    """Fields that the request has anyway; a token request that is not OAuth's has just those that it sends."""
    if "url" not in block:
        return _OF_OAUTH
    if block.get("send") == "basic":
        return frozenset(("grant_type",))
    named = {block.get(key, TOKEN_REQUEST_DEFAULTS[key]) for key in ("usernameField", "passwordField")}
    return frozenset(named if block.get("send") == "json" else (*named, "grant_type"))


def _taken_headers(block: Mapping[str, Any]) -> frozenset[str]:
    """Headers that the request has anyway, or that HTTP needs; user and password in the body leave Authorization free."""
    free = "url" in block and block.get("send") != "basic"
    return _OF_HTTP if free else _OF_HTTP | {"authorization"}


def _value_findings(entry: Mapping[str, Any], path: Path, document: int, *, in_header: bool) -> Iterator[Finding]:
    value, name = entry["value"], entry["name"]
    if isinstance(value, dict):
        return
    if value and carries_credentials(name):
        message = f"'{name}' carries credentials and has a literal value"
        yield Finding("RC403", message, Place(document, path), "give a reference: value: {env: NAME}")
    elif "{{" in value:
        yield _placeholders(path, document)
    elif fault := unsendable(value, in_header=in_header):
        yield Finding("RC611", f"the value of '{name}' {fault}, which cannot be sent", Place(document, path), "encode it, or take that out")  # fmt: skip


def _placeholders(path: Path, document: int) -> Finding:
    hint = "tokens are fetched without a caller's data: write the value out"
    return Finding("RC502", "the token request has placeholders", Place(document, path), hint)


def choice_findings(spec: Mapping[str, Any], document: int) -> Iterator[Finding]:
    """That endpoints choose what there is, and that what there is gets chosen."""
    further = spec.get("authorizations", {})
    named, unknown = set(), False
    for purpose, endpoint in spec.get("endpoints", {}).items():
        if "authorization" in endpoint:
            name = endpoint["authorization"]
            named.add(name)
            if name != NONE and name not in further:
                unknown = True
                place = Place(document, ("spec", "endpoints", purpose, "authorization"))
                yield Finding("RC407", f"there is no authorization '{name}'", place, _which(name, further))
    for name in further:
        place = Place(document, ("spec", "authorizations", name))
        if name == NONE:
            yield Finding("RC407", "an authorization is called 'none'", place, "rename it: `authorization: none` is said by an endpoint that carries none")  # fmt: skip
        elif name not in named and not unknown:  # a name that is mistyped may be meant for it
            yield Finding("RC408", f"no endpoint carries the authorization '{name}'", place, f"remove it, or add  authorization: {name}  to an endpoint")  # fmt: skip


def _which(name: str, further: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, (NONE, *further), 1)
    if close:
        return f"did you mean '{close[0]}'?"
    listed = ", ".join(sorted(further.keys() - {NONE}))
    return f"there are: none, {listed}" if listed else f"add it:  authorizations: {{{name}: {{method: ...}}}}"
