"""What operations ask for, and which of the alternatives an endpoint takes."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.schemes import Means, Scheme, usable_scopes
from reconciler.importers.values import Object, Pointer, clean, sequence

_TOKENS: Final = (Means.BEARER, Means.TOKEN_BY_HAND, Means.CLIENT_CREDENTIALS, Means.PASSWORD)

Requirement = dict[str, tuple[str, ...]]
"""Scheme name to the scopes asked of it; all of its schemes together let a call through."""
Names = frozenset[str]


class Demand(Struct, frozen=True):
    """What one operation asks for.

    Attributes:
        alternatives: any one of them is enough; none at all means that anybody may call.
        is_silent: whether neither the operation nor the document for all says anything.
    """

    alternatives: tuple[Requirement, ...]
    where: Pointer
    is_silent: bool


class Credentials(Struct, frozen=True):
    """What one endpoint sends.

    Attributes:
        scheme: name of the scheme that an authorization block stands for, or "".
        keys: names of the schemes that are keys.
        scopes: those that are asked of the scheme.
    """

    scheme: str = ""
    keys: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.scheme or self.keys)


def demand(source: ForeignDocument, node: Object, where: Pointer) -> Demand:
    """What an operation asks for, by itself or by the document's default."""
    own = isinstance(node.get("security"), list)
    of_all = source.root.get("security")
    listed = node["security"] if own else of_all
    found = (
        {name: usable_scopes(sequence(scopes)) for name, scopes in item.items()}
        for item in sequence(listed)
        if isinstance(item, dict)
    )
    place = (*where, "security") if own else ("security",) if isinstance(of_all, list) else where
    return Demand(tuple(found), place, not own and not isinstance(of_all, list))


def options_of(found: Demand) -> list[Names]:
    """The alternatives by their schemes alone, each once."""
    return list(dict.fromkeys(frozenset(option) for option in found.alternatives))


def rank(names: Names, schemes: Mapping[str, Scheme]) -> tuple[int, int, list[str]]:
    """What sorts alternatives: first what works best unattended."""
    return max(schemes[name].means for name in names), len(names), sorted(names)


class Choice(Struct, frozen=True):
    """Chooses among alternatives; `order` has those that can be sent, the best first."""

    source: ForeignDocument
    schemes: Mapping[str, Scheme]
    order: Sequence[Names]

    def of(self, asked: Demand) -> Credentials:
        """What is sent where `asked` is asked for."""
        options = options_of(asked)
        best = next((names for names in self.order if names in options), None)
        if best is not None:
            others = [words(names) for names in options if names != best]
            if others:
                message = f"{words(best)} is used; there are also"
                self.source.notes.add("security-chosen", asked.where, message, "; ".join(sorted(others)[:5]))
            return self._made(best, asked)
        if not options or frozenset() in options:
            return Credentials()
        names = min(options, key=lambda names: (len(names - self._known(names)), sorted(names)))
        message = "operations ask for what connectors do not send; they are called without"
        self.source.notes.add("security-differs", asked.where, message, words(names - self._known(names)))
        return self._made(self._known(names), asked)

    def _known(self, names: Names) -> Names:
        return frozenset(
            name for name in names if name in self.schemes and self.schemes[name].means is not Means.NOTHING
        )

    def _made(self, names: Names, asked: Demand) -> Credentials:
        found = sorted((self.schemes[name] for name in names), key=lambda scheme: (scheme.means, scheme.name))
        main = next((scheme for scheme in found if scheme.is_authorization), None)
        keys = [scheme for scheme in found if scheme.means is Means.KEY]
        if main is not None:
            for other in found:
                is_key = other.means is Means.KEY and other.key.lower() == "authorization"
                if is_key or (other.is_authorization and other is not main and not _same_header(other, main)):
                    message = f"cannot be sent together with {clean(main.name)[:100]}"
                    self.source.notes.add("unsupported-security", other.where, message, other.name)
            keys = [scheme for scheme in keys if scheme.key.lower() != "authorization"]
        option = next((option for option in asked.alternatives if frozenset(option) >= names), {})
        scopes = option.get(main.name, ()) if main is not None else ()
        return Credentials(main.name if main else "", tuple(scheme.name for scheme in keys), scopes)


def _same_header(one: Scheme, other: Scheme) -> bool:
    return one.means is other.means or (one.means in _TOKENS and other.means in _TOKENS)


def words(names: Names) -> str:
    """Schemes that are asked for together, for people."""
    return clean(" with ".join(sorted(names)) or "no authorization")[:200]
