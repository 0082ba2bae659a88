"""Texts of a ProcessMaker export, taken over as they are, but for the secrets in them."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, unquote_plus

from msgspec import Struct

from reconciler.core.secret import TOKEN
from reconciler.importers.document import prose
from reconciler.importers.placeholders import is_kept
from reconciler.importers.requests import Desk
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    clean,
    holds_secret,
    names_secret,
    one_line,
    url_without_secrets,
    variable,
)
from reconciler.importers.withheld import is_confidential, is_opaque

GAP: Final = "{{removed}}"
MAX_VALUE: Final = 8192
_TAG = re.compile(r"\{\{\{?[^{}]*\}?\}\}")
_RUN = re.compile(r"[A-Za-z0-9+_=~-]{16,}")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_SCHEME = re.compile(r"(?:bearer|basic|token)\b", re.IGNORECASE)
_NAMED: Final = (
    re.compile(r"""(?P<before>["'](?P<name>[\w.-]{1,60})["']\s*:\s*")(?P<value>(?:[^"\\]|\\.)*)(?=")"""),
    re.compile(r"""(?P<before>["'](?P<name>[\w.-]{1,60})["']\s*:\s*)(?P<value>-?[0-9][0-9.eE+-]*)"""),
    re.compile(r"(?P<before><(?P<name>[\w.:-]{1,60})(?:\s[^<>]*)?>)(?P<value>[^<>]+)(?=</)"),
    re.compile(r"(?P<before>(?:^|[&?\s])(?P<name>[\w.-]{1,60})=)(?P<value>[^&\s\"'<>]+)"),
)
"""A value beside its name, in JSON, XML and forms; a value may hold tags."""


class Pair(Struct, frozen=True):
    """A parameter that stood in the query of a URL."""

    name: str
    value: str


class Texts(Struct, frozen=True):
    """What the texts of one connector share."""

    desk: Desk

    def prose(self, content: str, where: Pointer) -> str:
        """A description."""
        return prose(self.desk.withheld.without(content), where, self.desk.notes)

    def title(self, content: str) -> str:
        """A name on one line, or "" where a secret stands in it."""
        found = one_line(content)
        return "" if self.desk.withheld.knows(found) else found

    def value(self, name: str, content: str, where: Pointer) -> Json:
        """The value of a header or parameter: a secret by reference, anything else as it is."""
        rest = _SCHEME.sub("", _TAG.sub("", content)).strip()
        if rest and (is_confidential(name) or self.desk.withheld.reveals(unquote(rest)) or self._reveals(content)):
            return self.desk.reference(name if variable(name) else "VALUE", (content,), where)
        return clean(content)

    def url(self, content: str, where: Pointer) -> str:
        """A URL, no user in it; what looks like a secret is a gap."""
        found = clean(content).strip()
        shown = url_without_secrets(found).replace("{removed}", GAP)
        origin = _ORIGIN.match(shown)
        end = origin.end() if origin and not self.desk.withheld.knows(origin[0]) else 0
        kept = shown[:end] + self._without(shown[end:])
        if kept != found:
            self.desk.say("secret-removed", where, "a user, or what looks like a secret, was taken out of a URL")
        return kept

    def taken_out(self, url: str) -> tuple[str, list[Pair]]:
        """A URL without the parts of its query that are credentials, and those parts."""
        base, question, query = url.partition("?")
        if not question or "{{#" in query:
            return url, []
        kept: list[str] = []
        taken: list[Pair] = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            literal = _TAG.sub("", value)
            if literal and _TAG.sub("", name) == name and self._is_secret(unquote_plus(name), unquote_plus(literal)):
                taken.append(Pair(unquote_plus(name), unquote_plus(value)))
            else:
                kept.append(part)
        return (base + "?" + "&".join(kept) if kept else base) if taken else url, taken

    def body(self, content: str, where: Pointer) -> str:
        """A body, a placeholder for each secret in it."""
        found = clean(content)
        for pattern in _NAMED:
            found = pattern.sub(self._named, found)
        found = self._without(found)
        if found != clean(content):
            message = "no reference can stand in a body: what may be a secret there is given by each call"
            self.desk.say("secret-removed", where, message)
        return found

    def sample(self, given: Object, where: Pointer) -> Object:
        """Values for a test call; those that may be secrets say nothing."""
        found = self._harmless({key: value for key, value in given.items() if is_kept(value)}, "")
        assert isinstance(found, dict)
        if len(found) < len(given):
            self.desk.notes.add("example-dropped", where, "samples that are too large, or no value that a file can hold")  # fmt: skip
        if found != given:
            self.desk.say("secret-removed", where, "samples of what may be secret were not copied")
        return found

    def _harmless(self, value: Json, name: str) -> Json:
        if isinstance(value, dict):
            knows = self.desk.withheld.knows
            return {clean(key): self._harmless(item, key) for key, item in value.items() if not knows(key)}
        if isinstance(value, list):
            return [self._harmless(item, name) for item in value]
        if isinstance(value, str):
            return "example" if value and self.desk.withheld.hides(name, value) else clean(value)
        return 1 if self.desk.withheld.hides(name, value) and names_secret(name, "body") else value

    def _is_secret(self, name: str, value: str) -> bool:
        return is_confidential(name) or self.desk.withheld.reveals(value)

    def _named(self, found: re.Match[str]) -> str:
        name, value = found["name"].rpartition(":")[2], found["value"]
        rest = _TAG.sub("", value).strip()
        if not rest or rest in ("true", "false", "null") or not (names_secret(name, "body") or is_confidential(name)):
            return found[0]
        return f"{found['before']}{{{{{name.replace('.', '_')}}}}}"

    def _reveals(self, content: str) -> bool:
        return any(True for _ in self._secrets_in(content))

    def _secrets_in(self, content: str) -> Iterator[str]:
        yield from (found[0] for found in TOKEN.finditer(content))
        yield from (found[0] for found in _RUN.finditer(content) if is_opaque(found[0]))

    def _without(self, content: str) -> str:
        """A text with a gap for each part that has the look of a secret, or was met as one; tags stay."""
        return "".join(
            part if _TAG.fullmatch(part) else self._without_secrets(part) for part in _split(content, _TAG) if part
        )

    def _without_secrets(self, content: str) -> str:
        shown = self.desk.withheld.without(content).replace("[removed]", GAP)
        shown = TOKEN.sub(GAP, shown)
        shown = _RUN.sub(lambda run: GAP if is_opaque(run[0]) else run[0], shown)
        return GAP if holds_secret(shown) else shown


def _split(content: str, pattern: re.Pattern[str]) -> Iterator[str]:
    end = 0
    for found in pattern.finditer(content):
        yield content[end : found.start()]
        yield found[0]
        end = found.end()
    yield content[end:]
