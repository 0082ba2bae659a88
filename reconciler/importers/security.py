"""Which of the document's ways of authorization a connector takes, and what its endpoints add to it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.schemes import Means, Scheme, usable_scopes
from reconciler.importers.servers import is_plain
from reconciler.importers.values import Json, Object, Pointer, clean, sequence, variable

MAX_SCOPES: Final = 500  # maxItems of scopes in schemas/connector.schema.json

Requirement = dict[str, tuple[str, ...]]
"""Scheme name to the scopes asked of it; all of its schemes together let a call through."""


class Demand(Struct, frozen=True):
    """What one operation asks for.

    Attributes:
        alternatives: any one of them is enough; none at all means that anybody may call.
        is_own: whether the operation says so itself, and not the document for all.
    """

    alternatives: tuple[Requirement, ...]
    where: Pointer
    is_own: bool


class Security(Struct, frozen=True):
    """The authorization of the connector.

    Attributes:
        chosen: the schemes that it stands for.
        prefix: start of the names of environment variables.
    """

    schemes: Mapping[str, Scheme]
    chosen: frozenset[str]
    scopes: tuple[str, ...]
    prefix: str

    @property
    def scheme(self) -> Scheme | None:
        """The scheme that became the connector's authorization."""
        found = [self.schemes[name] for name in sorted(self.chosen) if self.schemes[name].is_authorization]
        return min(found, key=lambda scheme: scheme.means, default=None)

    def authorization(self) -> Object:
        """The `authorization` block; every secret in it is a reference."""
        scheme = self.scheme
        if scheme is None:
            return {"method": "none"}
        if scheme.means is Means.BASIC:
            return {"method": "basic", "username": self._env("USERNAME"), "password": self._env("PASSWORD")}
        if scheme.means in (Means.BEARER, Means.TOKEN_BY_HAND):
            return {"method": "bearer", "token": self._env("TOKEN")}
        is_password = scheme.means is Means.PASSWORD
        found: Object = {"method": "oauth2-password" if is_password else "oauth2-client-credentials"}
        found |= {"tokenUrl": scheme.token_url}
        found |= {"clientId": self._env("CLIENT_ID"), "clientSecret": self._env("CLIENT_SECRET")}
        if is_password:
            found |= {"username": self._env("USERNAME"), "password": self._env("PASSWORD")}
        return {**found, "scopes": list(self.scopes)} if self.scopes else found

    def key_entry(self, scheme: Scheme) -> Object:
        """The header or parameter that carries the key `scheme`."""
        return {"name": scheme.key, "value": self._env(scheme.key), "required": True}

    def _env(self, field: str) -> Json:
        return {"env": variable(self.prefix, field)}


def demand(source: ForeignDocument, node: Object, where: Pointer) -> Demand:
    """What an operation asks for, by itself or by the document's default."""
    own = isinstance(node.get("security"), list)
    listed, place = (node["security"], (*where, "security")) if own else (source.root.get("security"), ("security",))
    found = (
        {name: usable_scopes(sequence(scopes)) for name, scopes in item.items()}
        for item in sequence(listed)
        if isinstance(item, dict)
    )
    return Demand(tuple(found), place, own)


def choose_security(
    source: ForeignDocument, schemes: Mapping[str, Scheme], demands: Sequence[Demand], prefix: str
) -> tuple[Security, list[Demand]]:
    """The authorization that serves most operations, of equal ones that which works best unattended.

    When the document describes schemes but never asks for one, any of them is taken to be enough.
    """
    supported = {name: scheme for name, scheme in schemes.items() if scheme.means is not Means.NOTHING}
    if schemes and not any(found.is_own or found.alternatives for found in demands):
        assumed: tuple[Requirement, ...] = tuple({name: ()} for name in supported)
        demands = [Demand(assumed, found.where, is_own=False) for found in demands]
        if assumed:
            source.notes.add("security-assumed", (), "no operation asks for the authorization that is described")
    _note_unsupported(source, schemes, demands)
    uses: Counter[frozenset[str]] = Counter()
    for found in demands:
        uses.update(
            {frozenset(option) for option in found.alternatives if option and option.keys() <= supported.keys()}
        )
    chosen = min(uses, key=lambda names: (-uses[names], *_rank(names, schemes)), default=frozenset[str]())
    security = Security(schemes, chosen, _scopes(schemes, chosen, demands), prefix)
    _note_choice(source, security, uses)
    return security, list(demands)


def _rank(names: frozenset[str], schemes: Mapping[str, Scheme]) -> tuple[int, int, list[str]]:
    return max(schemes[name].means for name in names), len(names), sorted(names)


def _scopes(schemes: Mapping[str, Scheme], chosen: frozenset[str], demands: Sequence[Demand]) -> tuple[str, ...]:
    """The scopes that operations ask for; those of the flow when they ask for none."""
    asked = {
        scope
        for found in demands
        for option in found.alternatives
        if option.keys() == chosen
        for scopes in option.values()
        for scope in scopes
    }
    known = {scope for name in chosen for scope in schemes[name].scopes}
    return tuple(sorted(asked or known)[:MAX_SCOPES])


def _note_unsupported(source: ForeignDocument, schemes: Mapping[str, Scheme], demands: Sequence[Demand]) -> None:
    named = {name for found in demands for option in found.alternatives for name in option}
    for name in sorted(named | schemes.keys()):
        scheme = schemes.get(name)
        if scheme is None:
            message = f"the security scheme {clean(name)[:100]} is asked for but not described"
            source.notes.add("unresolved-reference", ("security",), message)
        elif scheme.means is Means.NOTHING:
            source.notes.add("unsupported-security", scheme.where, f"not supported: {scheme.flow}")


def _note_choice(source: ForeignDocument, security: Security, uses: Counter[frozenset[str]]) -> None:
    others = [names for names in uses if names != security.chosen]
    if others:
        words = "; ".join(_words(names) for names in sorted(others, key=sorted)[:5])
        source.notes.add("security-chosen", ("security",), f"{_words(security.chosen)} is used; there are also {words}")
    scheme = security.scheme
    if scheme is None:
        return
    if scheme.means is Means.TOKEN_BY_HAND:
        message = f"{scheme.flow} needs a person at first: get a token and give it in the environment"
        source.notes.add("token-by-hand", scheme.where, message)
    if is_plain(scheme.token_url):
        source.notes.add("plain-http", scheme.where, "credentials for the token would be sent over plain http")
    for name in sorted(security.chosen - {scheme.name}):
        other = security.schemes[name]
        if other.is_authorization and not _same_header(other, scheme):
            source.notes.add("unsupported-security", other.where, f"cannot be sent together with {clean(scheme.name)}")


def _words(names: frozenset[str]) -> str:
    return clean(" with ".join(sorted(names)))[:200]


def _same_header(one: Scheme, other: Scheme) -> bool:
    tokens = (Means.BEARER, Means.TOKEN_BY_HAND, Means.CLIENT_CREDENTIALS, Means.PASSWORD)
    return one.means is other.means or (one.means in tokens and other.means in tokens)


def keys_of(source: ForeignDocument, security: Security, asked: Demand) -> list[Scheme]:
    """The keys that one endpoint sends, in the document's order; notes where its demand is not met."""
    options = [frozenset(option) for option in asked.alternatives]
    main = security.scheme
    if security.chosen and security.chosen in options:
        return _keys(security, security.chosen)
    if not options or frozenset() in options:
        if main is not None and asked.is_own:
            message = "it asks for no authorization; the connector's is sent all the same"
            source.notes.add("security-differs", asked.where, message)
        return []
    usable = [names for names in options if _is_met(security, names)]
    if not usable:
        message = f"it asks for {_words(options[0])}, which the connector does not send"
        source.notes.add("security-differs", asked.where, message)
        return []
    names = min(usable, key=lambda names: _rank(names, security.schemes))
    if main is not None and not any(security.schemes[name].is_authorization for name in names):
        message = f"it asks for {_words(names)}; the connector's authorization is sent as well"
        source.notes.add("security-differs", asked.where, message)
    return _keys(security, names)


def _keys(security: Security, names: frozenset[str]) -> list[Scheme]:
    return [scheme for name, scheme in security.schemes.items() if name in names and scheme.means is Means.KEY]


def _is_met(security: Security, names: frozenset[str]) -> bool:
    main = security.scheme
    found = [security.schemes.get(name) for name in names]
    return all(
        scheme is not None
        and (scheme.means is Means.KEY or (main is not None and scheme.is_authorization and _same_header(scheme, main)))
        for scheme in found
    )
