"""Mustache templates: do they parse, and what they say once data is filled in. The language is mustache(5), without partials."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from msgspec import Struct, field

from reconciler.errors import InvalidDefinitions

_DEEPEST = 50
_ABSENT = object()


class TemplatePlace(Protocol):
    """Where a template stands, which decides how values are escaped."""

    def literal(self, text: str) -> None:
        """Add a part of the template itself."""

    def value(self, name: str, value: Any, *, raw: bool) -> None:
        """Add the value of a placeholder; `raw` for ``{{{name}}}``."""


class Tag(Struct, frozen=True):
    """A part of a template: its own text, or what stands for a value."""

    kind: str
    text: str
    inner: list["Tag"] = field(default_factory=list)


class Filling(Struct, frozen=True):
    """The data for all templates of one request.

    Attributes:
        missing: names of placeholders outside of sections that the data has no value for; grows.
    """

    data: Any
    missing: dict[str, None] = field(default_factory=dict)

    def fill(self, template: str, place: TemplatePlace) -> None:
        """Write `template`, filled in, to `place`.

        Raises:
            InvalidDefinitions: it does not parse, or wants a partial.
        """
        if "{{" not in template:
            place.literal(template)
        else:
            self._write(parse(template), [self.data], place)

    def composite(self, template: str) -> list[Any] | dict[str, Any] | None:
        """The list or object that stands for a template that is one placeholder and nothing else, if there is one.

        Raises:
            InvalidDefinitions: see `fill`.
        """
        tags = parse(template) if "{{" in template else ()
        if len(tags) != 1 or tags[0].kind not in ("variable", "no escape"):
            return None
        value = _look_up(tags[0].text, [self.data])
        return value if isinstance(value, list | dict) else None

    def _write(self, tags: Sequence[Tag], scopes: list[Any], place: TemplatePlace) -> None:
        for tag in tags:
            if tag.kind == "literal":
                place.literal(tag.text)
                continue
            value = _look_up(tag.text, scopes)
            if tag.kind == "section":
                for scope in _scopes(value):
                    self._write(tag.inner, [scope, *scopes], place)
            elif tag.kind == "inverted section":
                if value is _ABSENT or not value:
                    self._write(tag.inner, [None, *scopes], place)
            elif value is _ABSENT:
                if len(scopes) == 1:
                    self.missing[tag.text] = None
            else:
                place.value(tag.text, value, raw=tag.kind == "no escape")


def parse(template: str) -> list[Tag]:
    """The parts of a template.

    Raises:
        InvalidDefinitions: it does not parse, or wants a partial.
    """
    from chevron_blue.tokenizer import ChevronError, tokenize

    try:
        return _nest(iter(list(tokenize(template))), 0)
    except (ChevronError, IndexError, ValueError):
        raise InvalidDefinitions(
            "a template does not parse as mustache", hint="run: reconciler validate; write {{name}}"
        ) from None


def _nest(tokens: Iterator[tuple[str, str]], depth: int) -> list[Tag]:
    """The tags up to the end of the section that `tokens` are in."""
    if depth > _DEEPEST:
        raise InvalidDefinitions(f"a template nests sections more than {_DEEPEST} deep")
    tags = []
    for kind, text in tokens:
        if kind == "end":
            break
        if kind == "partial":
            raise InvalidDefinitions("a template wants a partial; there are none", hint="write {{name}}")
        if kind in ("section", "inverted section"):
            tags.append(Tag(kind, text, _nest(tokens, depth + 1)))
        elif kind in ("literal", "variable"):
            tags.append(Tag(kind, text))
        elif kind.startswith("no escape"):
            tags.append(Tag("no escape", text))
    return tags


def _scopes(value: Any) -> Iterable[Any]:
    """The values that the inside of a section is written for."""
    if value is _ABSENT or not value:
        return ()
    return value if isinstance(value, list) else (value,)


def _look_up(name: str, scopes: Sequence[Any]) -> Any:
    """The value of a dotted name in the innermost scope that knows its first part."""
    if name == ".":
        return scopes[0]
    first, *rest = name.split(".")
    for scope in scopes:
        value = _step(scope, first)
        if value is not _ABSENT:
            for part in rest:
                value = _step(value, part)
            return value
    return _ABSENT


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(value):
        return value[int(part[:9])]
    return _ABSENT


WRITTEN_TAG = re.compile(r"\{\{\{?[^{}]*+\}\}\}?")
"""A tag as it stands in a text, whatever it says."""
_PLAIN = re.compile(r"\{\{\{\s*[\w.\-]+\s*\}\}\}|\{\{&?\s*[\w.\-]+\s*\}\}")
_NAME = re.compile(r"[\w.\-]+(?: [\w.\-]+)*")
_NAMED = ("variable", "no escape", "no escape?", "section", "inverted section", "end", "partial")


def template_fault(text: str) -> str:
    """Why `text` does not parse as mustache, or "" when it does. Nothing of the text is repeated but tag names."""
    rest = _PLAIN.sub("", text)
    if "{{" not in rest:
        return ""
    from chevron_blue.tokenizer import ChevronError, tokenize

    if rest.rstrip().endswith("{{"):
        return "a tag is not closed with }}"
    try:
        for kind, key in tokenize(rest):
            if kind in _NAMED and not _NAME.fullmatch(key):
                return "a tag does not hold a name"
    except ChevronError as fault:
        return _reason(str(fault))
    except (IndexError, ValueError):  # an empty tag, empty delimiters
        return "a tag is empty"
    return ""


def _reason(message: str) -> str:
    if "was never closed" in message:
        return "a section is not closed"
    if "Trying to close" in message:
        return "a section is closed that is not the last one opened"
    return "a tag is not closed with }}"
