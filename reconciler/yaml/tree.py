"""Events of a YAML parser to trees: one builder, for definitions, for documents of others and for `fmt`.

What an event becomes is up to a `Language`; how deep collections stand in one another, and how much is held once
aliases are written out, is watched here, before it takes memory. Nothing recurses. The events are PyYAML's or
ruamel.yaml's, which have the same names.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Generic, NamedTuple, NoReturn, TypeVar

from msgspec import Struct

from reconciler.yaml.nodes import Mark, mark_of

WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
"""What plain scalars mean that are neither texts nor numbers."""


Made = TypeVar("Made")


class Anchored(NamedTuple, Generic[Made]):
    """What an alias repeats.

    Attributes:
        weight: values in it, with its aliases written out; 0 while it is not closed, so that `made` is not there yet.
    """

    made: Made | None
    weight: int


class Limits(NamedTuple):
    """How many collections may stand in one another, and how many values a document and a file may hold."""

    depth: int
    values: int
    values_of_file: int


class Language(Generic[Made]):
    """What becomes of events, and which are refused. Whatever is raised ends the reading."""

    limits = Limits(*[2**62] * 3)

    def document(self, start: Any) -> None:
        """A document begins."""

    def opening(self, start: Any, *, is_key: bool) -> None:
        """A collection begins."""

    def scalar(self, event: Any, *, is_key: bool) -> Made:
        """What a scalar becomes."""
        raise NotImplementedError

    def alias(self, event: Any, found: Anchored[Made] | None, *, is_key: bool) -> Made:
        """What an alias becomes; `found` is what it repeats, None where nothing has its name."""
        raise NotImplementedError

    def collection(self, start: Any, items: list[Made], end: Any) -> Made:
        """What a collection becomes; `items` are keys and values in turn where it is a mapping."""
        raise NotImplementedError

    def too_deep(self, event: Any) -> NoReturn:
        """Raise: collections stand too deeply in one another."""
        raise NotImplementedError

    def too_many(self, event: Any, what: str, most: int) -> NoReturn:
        """Raise: a document or a file, `what`, holds more values than `most`."""
        raise NotImplementedError


class Document(NamedTuple, Generic[Made]):
    """One document of a file.

    Attributes:
        start: of its first token.
        header: its directives and whether its markers are written, for comparing.
    """

    start: Mark
    root: Made
    header: str


def documents(events: Iterable[Any], language: Language[Made]) -> Iterator[Document[Made]]:
    """Each document as soon as it is read."""
    builder = _Builder(language)
    for event in events:
        name = type(event).__name__
        if name == "DocumentStartEvent":
            start = event
            builder.begin(event)
        elif name == "DocumentEndEvent":
            header = f"{start.explicit} {start.version} {start.tags} {event.explicit}"
            yield Document(mark_of(start.start_mark), builder.roots.pop(), header)
        else:
            builder.add(name, event)


class _Open(Struct):
    """A collection that is not closed yet; `weight` counts its values with aliases written out."""

    start: Any
    is_mapping: bool
    items: list[Any]
    weight: int = 1


class _Builder(Generic[Made]):
    """The collections that are open, and what is anchored."""

    def __init__(self, language: Language[Made]) -> None:
        self._language = language
        self._open: list[_Open] = []
        self.roots: list[Made] = []
        self._anchors: dict[str, Anchored[Made]] = {}
        self._in_document = self._in_file = 0

    def begin(self, event: Any) -> None:
        self._anchors, self._in_document = {}, 0
        self._language.document(event)

    def add(self, name: str, event: Any) -> None:
        if name == "ScalarEvent":
            self._count(event, 1)
            made = self._language.scalar(event, is_key=self._at_key())
            self._place(made, 1, event.anchor)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self._count(event, 1)
            self._language.opening(event, is_key=self._at_key())
            if len(self._open) >= self._language.limits.depth:
                self._language.too_deep(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = Anchored(None, 0)
            self._open.append(_Open(event, name == "MappingStartEvent", []))
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self._open.pop()
            made = self._language.collection(closed.start, closed.items, event)
            self._place(made, closed.weight, closed.start.anchor)
        elif name == "AliasEvent":
            found = self._anchors.get(event.anchor)
            made = self._language.alias(event, found, is_key=self._at_key())
            weight = found.weight if found else 1
            self._count(event, weight)
            self._place(made, weight, None)

    def _at_key(self) -> bool:
        if not self._open:
            return False
        inner = self._open[-1]
        return inner.is_mapping and not len(inner.items) & 1

    def _count(self, event: Any, weight: int) -> None:
        self._in_document += weight
        self._in_file += weight
        _, most, most_of_file = self._language.limits
        if self._in_document > most:
            self._language.too_many(event, "document", most)
        if self._in_file > most_of_file:
            self._language.too_many(event, "file", most_of_file)

    def _place(self, made: Made, weight: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = Anchored(made, weight)
        if self._open:
            inner = self._open[-1]
            inner.items.append(made)
            inner.weight += weight
        else:
            self.roots.append(made)


def events(text: str) -> Iterator[Any]:
    """PyYAML's events of a text, from libyaml where it is there: its Python gives the same ones slowly.

    Raises:
        yaml.YAMLError: at the first fault, when it is reached.
    """
    import yaml

    found: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return found


def tokens(text: str) -> Iterator[Any]:
    """PyYAML's tokens of a text; see `events`."""
    import yaml

    found: Iterator[Any] = yaml.scan(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return found
