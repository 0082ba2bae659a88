"""Which credentials each endpoint sends, and the authorizations that a connector has for that."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.importers.demands import Choice, Credentials, Demand, Requirement, options_of, rank
from reconciler.importers.document import ForeignDocument
from reconciler.importers.schemes import Means, Scheme
from reconciler.importers.servers import is_plain
from reconciler.importers.values import Json, Object, mapping, text, unique, variable
from reconciler.kinds.common import slug

MAX_SCOPES: Final = 500  # maxItems of scopes in schemas/connector.schema.json
MAX_AUTHORIZATIONS: Final = 32  # maxProperties of authorizations there
NONE: Final = "none"


class Security(Struct, frozen=True):
    """The authorizations of the connector.

    Attributes:
        main: name of the scheme that became the connector's own authorization, or "".
        further: what the others are called among its authorizations, by scheme.
        scopes: what is asked of each scheme.
        prefix: start of the names of environment variables.
        variables: those that hold the keys, by scheme.
    """

    schemes: Mapping[str, Scheme]
    main: str
    further: Mapping[str, str]
    scopes: Mapping[str, tuple[str, ...]]
    prefix: str
    variables: Mapping[str, str]

    def authorization(self) -> Object:
        """The connector's own block; every secret in it is a reference."""
        return self._block(self.main, self.prefix) if self.main else {"method": NONE}

    def authorizations(self) -> dict[str, Object]:
        """The further blocks by name."""
        return {name: self._block(scheme, variable(self.prefix, name)) for scheme, name in self.further.items()}

    def choice(self, credentials: Credentials) -> str | None:
        """What the endpoint says of its authorization, None where it is the connector's."""
        if credentials.scheme == self.main:
            return None
        return self.further[credentials.scheme] if credentials.scheme else NONE

    def key_entries(self, credentials: Credentials, place: str) -> list[Object]:
        """The headers or parameters that carry keys, in the document's order."""
        found = [self.schemes[name] for name in self.schemes if name in credentials.keys]
        return [
            {"name": scheme.key, "value": {"env": self.variables[scheme.name]}, "required": True}
            for scheme in found
            if scheme.place == place
        ]

    def variables_of_keys(self) -> dict[tuple[str, str], str]:
        """The variable of each key by its place and lower-case name."""
        return {
            (scheme.place, scheme.key.lower()): self.variables[name]
            for name, scheme in self.schemes.items()
            if scheme.means is Means.KEY
        }

    def _block(self, name: str, prefix: str) -> Object:
        scheme = self.schemes[name]
        env = {field: _env(prefix, field) for field in _FIELDS}
        if scheme.means is Means.BASIC:
            return {"method": "basic", "username": env["USERNAME"], "password": env["PASSWORD"]}
        if scheme.means in (Means.BEARER, Means.TOKEN_BY_HAND):
            return {"method": "bearer", "token": env["TOKEN"]}
        is_password = scheme.means is Means.PASSWORD
        found: Object = {"method": "oauth2-password" if is_password else "oauth2-client-credentials"}
        found |= {"tokenUrl": scheme.token_url, "clientId": env["CLIENT_ID"], "clientSecret": env["CLIENT_SECRET"]}
        if is_password:
            found |= {"username": env["USERNAME"], "password": env["PASSWORD"]}
        scopes = self.scopes.get(name) or scheme.scopes
        return {**found, "scopes": list(scopes[:MAX_SCOPES])} if scopes else found


_FIELDS: Final = ("USERNAME", "PASSWORD", "TOKEN", "CLIENT_ID", "CLIENT_SECRET")


def _env(prefix: str, field: str) -> Json:
    return {"env": variable(prefix, field)}


def choose_security(
    source: ForeignDocument, schemes: Mapping[str, Scheme], demands: Sequence[Demand], prefix: str
) -> tuple[Security, list[Credentials]]:
    """What each operation sends, and the authorizations for that; the most used one is the connector's own.

    Of alternatives that is taken which serves most operations, of equal ones what works best unattended. When the
    document describes schemes but never asks for one, any of them is taken to be enough.
    """
    supported = {name for name, scheme in schemes.items() if scheme.means is not Means.NOTHING}
    if supported and all(found.is_silent for found in demands):
        assumed: tuple[Requirement, ...] = tuple({name: ()} for name in schemes if name in supported)
        demands = [Demand(assumed, ("paths",), is_silent=False) for _ in demands]
        source.notes.add("security-assumed", (), "no operation asks for the authorization that is described")
    _note_unsupported(source, schemes, demands)
    uses = Counter(names for found in demands for names in options_of(found) if names and names <= supported)
    order = sorted(uses, key=lambda names: (-uses[names], *rank(names, schemes)))
    choice = Choice(source, schemes, order)
    chosen = [choice.of(found) for found in demands]
    if any(chosen):
        for found in demands:
            if found.is_silent:
                message = "nothing is said of authorization, while other operations ask for it: none is sent"
                source.notes.add("security-silent", found.where, message)
    main, others = _blocks(chosen, schemes)
    chosen = [_within_limits(source, schemes, sent, (main, *others)) for sent in chosen]
    further = _named(others)
    asked: dict[str, set[str]] = {}
    for sent in chosen:
        asked.setdefault(sent.scheme, set()).update(sent.scopes)
    scopes = {name: tuple(sorted(listed)) for name, listed in asked.items()}
    security = Security(schemes, main, further, scopes, prefix, {})
    taken = {
        name for block in (security.authorization(), *security.authorizations().values()) for name in _taken(block)
    }
    security = replace(security, variables=_variables(schemes, taken, prefix))
    _note_choice(source, security, chosen)
    return security, chosen


def _blocks(chosen: Sequence[Credentials], schemes: Mapping[str, Scheme]) -> tuple[str, list[str]]:
    """The scheme of the connector's own authorization, and those of the further ones."""
    uses = Counter(found.scheme for found in chosen if found)
    main = min(uses, key=lambda name: (-uses[name], not name, name and rank(frozenset([name]), schemes)), default="")
    others = [name for name in uses if name and name != main]
    return main, sorted(others, key=lambda name: -uses[name])[:MAX_AUTHORIZATIONS]


def _within_limits(
    source: ForeignDocument, schemes: Mapping[str, Scheme], found: Credentials, kept: Sequence[str]
) -> Credentials:
    if not found.scheme or found.scheme in kept:
        return found
    message = f"a connector has at most {MAX_AUTHORIZATIONS} further authorizations"
    source.notes.add("unsupported-security", schemes[found.scheme].where, message, found.scheme)
    return Credentials("", found.keys)


def _named(others: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for scheme in others:
        taken = {NONE, *names.values()}
        names[scheme] = unique(slug(scheme) or "authorization", taken.__contains__, 63, "{}-{}")
    return names


def _variables(schemes: Mapping[str, Scheme], taken: AbstractSet[str], prefix: str) -> dict[str, str]:
    """The variable of each key, named by header or parameter, or by the scheme where that names something else too."""
    keys = [scheme for scheme in schemes.values() if scheme.means is Means.KEY]
    uses = Counter((scheme.place, scheme.key.lower()) for scheme in keys)
    found = {}
    for scheme in keys:
        plain = variable(prefix, scheme.key)
        is_shared = uses[scheme.place, scheme.key.lower()] > 1 or plain in taken
        found[scheme.name] = variable(prefix, scheme.name, "KEY") if is_shared else plain
    return found


def _taken(block: Json) -> Iterator[str]:
    """The variables that a block names."""
    for value in mapping(block).values():
        if isinstance(value, dict):
            yield text(value.get("env"))


def _note_unsupported(source: ForeignDocument, schemes: Mapping[str, Scheme], demands: Sequence[Demand]) -> None:
    named = {name: found.where for found in reversed(demands) for option in found.alternatives for name in option}
    for name in sorted(named.keys() | schemes.keys()):
        scheme = schemes.get(name)
        if scheme is None:
            message = "security schemes are asked for but not described"
            source.notes.add("unresolved-reference", named[name], message, name)
        elif scheme.means is Means.NOTHING:
            source.notes.add("unsupported-security", scheme.where, f"not supported: {scheme.flow}")
        elif name not in named:
            source.notes.add("security-chosen", scheme.where, "no operation asks for these schemes", name)


def _note_choice(source: ForeignDocument, security: Security, chosen: Sequence[Credentials]) -> None:
    for scheme in _used(security, chosen):
        if scheme.means is Means.TOKEN_BY_HAND:
            message = "it needs a person at first: get a token and give it in the environment"
            source.notes.add("token-by-hand", scheme.where, f"{scheme.flow}: {message}")
        if is_plain(scheme.token_url):
            source.notes.add("plain-http", scheme.where, "credentials for the token would be sent over plain http")


def _used(security: Security, chosen: Sequence[Credentials]) -> Iterator[Scheme]:
    names = {found.scheme for found in chosen}
    yield from (scheme for name, scheme in security.schemes.items() if name in names)
