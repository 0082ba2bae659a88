"""Variables of a Postman collection: their values, by scope, and texts that refer to them."""

import re
from typing import Final

from msgspec import Struct

from reconciler.importers.templates import Template, Variable, merged
from reconciler.importers.values import Json, is_true, mapping, sequence, spell, text
from reconciler.importers.withheld import Withheld, is_confidential

_REFERENCE = re.compile(r"\{\{([^{}]*)\}\}")
_MOST_HOPS: Final = 8
_DYNAMIC: Final[dict[str, Json]] = {
    "guid": "00000000-0000-4000-8000-000000000000",
    "randomUUID": "00000000-0000-4000-8000-000000000000",
    "timestamp": 1767225600,
    "isoTimestamp": "2026-01-01T00:00:00.000Z",
    "randomInt": 42,
    "randomBoolean": True,
    "randomEmail": "someone@example.com",
    "randomUrl": "https://example.com",
    "randomIP": "192.0.2.1",
}


class Known(Struct, frozen=True):
    """The value of a variable, or that it has none, and whether it is a secret."""

    value: str
    secret: bool


class Scope(Struct, frozen=True):
    """What the variables are called in a folder, and what they hold."""

    known: dict[str, Known]
    withheld: Withheld

    def inside(self, listed: Json) -> "Scope":
        """The scope of a folder that has variables of its own."""
        own = _read(listed, self.withheld)
        return Scope({**self.known, **own}, self.withheld) if own else self

    def template(self, content: str) -> Template:
        """A text with its variables; those whose values are no secret bring them as samples."""
        parts: list[str | Variable] = []
        end = 0
        for found in _REFERENCE.finditer(content):
            parts += [content[end : found.start()], self._variable(found[1].strip())]
            end = found.end()
        return merged((*parts, content[end:]))

    def _variable(self, name: str) -> Variable:
        if name.startswith("$"):
            return Variable(name[1:] or "value", _DYNAMIC.get(name[1:]))
        known = self.known.get(name)
        if known is None:
            return Variable(name or "value", secret=is_confidential(name))
        value = self.value_of(name)
        return Variable(name, None if known.secret else value or None, known.secret)

    def value_of(self, name: str) -> str:
        """The value of a variable, those that it refers to filled in; "" when some are not known."""
        found = self.known[name].value
        for _ in range(_MOST_HOPS):
            if not (names := _REFERENCE.findall(found)):
                return found
            if any(inner.strip() not in self.known or self.known[inner.strip()].secret for inner in names):
                return ""
            found = _REFERENCE.sub(lambda inner: self.known[inner[1].strip()].value, found)[:8192]
        return ""

    def filled(self, template: Template) -> Template:
        """A template with the values of all variables that have one and are no secret."""
        return merged(
            part.sample if isinstance(part, Variable) and isinstance(part.sample, str) else part for part in template
        )


def scope_of(listed: Json, withheld: Withheld) -> Scope:
    """The variables of the whole collection."""
    return Scope(_read(listed, withheld), withheld)


def _read(listed: Json, withheld: Withheld) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for entry in map(mapping, sequence(listed)):
        name, value = text(entry.get("key")) or text(entry.get("id")), spell(entry.get("value"))
        if not name or is_true(entry.get("disabled")) or entry.get("enabled") is False:
            continue
        secret = entry.get("type") == "secret" or is_confidential(name) or withheld.reveals(value)
        if secret and "{{" not in value:
            withheld.add(value)
        found[name] = Known(value, secret)
    return found
