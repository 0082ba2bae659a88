"""Authorizations of a Postman collection, on whichever level they stand."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from reconciler.importers.postman_variables import Scope
from reconciler.importers.requests import Access, Desk, ForeignEntry, bearer, login
from reconciler.importers.schemes import usable_scopes
from reconciler.importers.security import MAX_SCOPES
from reconciler.importers.servers import is_plain
from reconciler.importers.templates import Template, lone, variables
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    mapping,
    sequence,
    spell,
    text,
    without_credentials,
)


class Grant(Struct, frozen=True):
    """What lets a request through.

    Attributes:
        header, query: a key that is sent as one.
    """

    access: Access | None = None
    header: tuple[ForeignEntry, ...] = ()
    query: tuple[ForeignEntry, ...] = ()


class _Auth(Struct, frozen=True):
    given: Mapping[str, Json]
    scope: Scope
    desk: Desk
    where: Pointer

    def word(self, key: str) -> str:
        return clean(spell(self.given.get(key))).strip()

    def secret(self, key: str, name: str) -> tuple[str, Template]:
        """A value that is withheld from now on, and what it is called."""
        value = spell(self.given.get(key))
        self.desk.withhold(value)
        return name, self.scope.template(value)


def grant_of(auth: Json, scope: Scope, desk: Desk, where: Pointer) -> Grant:
    """The grant that an auth object gives; notes on what a connector does not have."""
    node = mapping(auth)
    kind = text(node.get("type")).lower()
    listed = node.get(text(node.get("type")))
    attributes = mapping(listed)
    if isinstance(listed, list):
        attributes = {text(item.get("key")): item.get("value") for item in map(mapping, listed)}
    if kind in ("noauth", ""):
        return Grant()
    make = _KINDS.get(kind)
    if make is None:
        desk.say("unsupported-security", where, f"the authorization {clean(kind)[:40]} is not supported")
        return Grant()
    return make(_Auth(attributes, scope, desk, where))


def _basic(auth: _Auth) -> Grant:
    user, password = auth.secret("username", "USERNAME")[1], auth.secret("password", "PASSWORD")[1]
    return Grant(login(user, password, auth.where))


def _bearer(auth: _Auth) -> Grant:
    return Grant(bearer(auth.secret("token", "TOKEN")[1], auth.where))


def _key(auth: _Auth) -> Grant:
    name = auth.word("key") or "X-Api-Key"
    value = auth.secret("value", name)[1]
    entry = ForeignEntry(name, value, auth.where, is_secret=True)
    return Grant(query=(entry,)) if auth.word("in") == "query" else Grant(header=(entry,))


_GRANTS: Final = {"client_credentials": "oauth2-client-credentials", "password_credentials": "oauth2-password"}


def _oauth2(auth: _Auth) -> Grant:
    grant = auth.word("grant_type") or "authorization_code"
    url = auth.scope.filled(auth.scope.template(auth.word("accessTokenUrl")))
    method = _GRANTS.get(grant)
    if method is None:
        message = f"the OAuth 2.0 grant {clean(grant)[:40]} needs a person: get a token and give it in the environment"
        auth.desk.say("token-by-hand", auth.where, message)
        return _token(auth)
    if variables(url) or not str(url[:1] and url[0]).startswith(("http://", "https://")):
        message = "the token URL is not known: get a token and give it in the environment, or write the block out"
        auth.desk.say("token-by-hand", auth.where, message)
        return _token(auth)
    if auth.word("addTokenTo") == "queryParams":
        auth.desk.say("unsupported-security", auth.where, "the token is sent in a header, not in the query")
    if is_plain(str(url[0])):
        auth.desk.say("plain-http", auth.where, "credentials for the token would be sent over plain http")
    token_url = without_credentials(str(url[0]))
    if token_url != str(url[0]):
        auth.desk.say("secret-removed", auth.where, "what may be a secret was taken out of the token URL")
    block: Object = {"method": method, "tokenUrl": token_url, "clientId": None, "clientSecret": None}
    secrets = {"clientId": auth.secret("clientId", "CLIENT_ID"), "clientSecret": auth.secret("clientSecret", "CLIENT_SECRET")}  # fmt: skip
    if auth.word("client_authentication") == "body":
        block["clientAuthentication"] = "body"
    if method == "oauth2-password":
        block |= {"username": None, "password": None}
        secrets |= {"username": auth.secret("username", "USERNAME"), "password": auth.secret("password", "PASSWORD")}
    scopes = usable_scopes(auth.word("scope").split())
    if any("{{" in scope for scope in scopes):
        auth.desk.say("not-represented", auth.where, "scopes that hold variables were left out")
    if scopes := tuple(scope for scope in scopes if "{{" not in scope):
        block["scopes"] = [*sorted(set(scopes))[:MAX_SCOPES]]
    return Grant(Access(block | _audience(auth), secrets, auth.where))


def _audience(auth: _Auth) -> Object:
    audience = auth.word("audience")
    for item in map(mapping, sequence(auth.given.get("tokenRequestParams"))):
        if text(item.get("key")) == "audience":
            audience = clean(text(item.get("value")))
        elif item.get("enabled") is not False:
            auth.desk.say(
                "not-represented", auth.where, "further fields of the token request were left out: see `fields`"
            )
    if not audience or "{{" in audience or auth.desk.withheld.reveals(audience) or len(audience) > 2048:
        return {}
    return {"audience": audience}


def _token(auth: _Auth) -> Grant:
    given = auth.secret("accessToken", "TOKEN")[1]
    return Grant(bearer(given if lone(given) else (), auth.where))


def _signed(auth: _Auth) -> Grant:
    auth.desk.say(
        "token-by-hand", auth.where, "tokens signed for each call cannot be made: give one in the environment"
    )
    return Grant(bearer((), auth.where))


_KINDS: Final[dict[str, Callable[[_Auth], Grant]]] = {
    "basic": _basic,
    "bearer": _bearer,
    "apikey": _key,
    "oauth2": _oauth2,
    "jwt": _signed,
}
