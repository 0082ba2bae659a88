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


class TreeLimits(NamedTuple):
    """How many collections may stand in one another, and how many values a document and a file may hold."""

    depth: int
    values: int
    values_of_file: int


class Language(Generic[Made]):
    """What becomes of events, and which are refused. Whatever is raised ends the reading."""

    limits = TreeLimits(*[2**62] * 3)

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


class DocumentTree(NamedTuple, Generic[Made]):
    """One document of a file.

    Attributes:
        start: of its first token.
        header: its directives and whether its markers are written, for comparing.
    """

    start: Mark
    root: Made
    header: str


def documents(events: Iterable[Any], language: Language[Made]) -> Iterator[DocumentTree[Made]]:
    """Each document as soon as it is read."""
    return _Builder(language).documents(events)


class _Open(Struct):
    """A collection that is not closed yet, or a document; `weight` counts its values with aliases written out."""

    start: Any
    is_mapping: bool
    items: list[Any]
    weight: int = 1


class _Builder(Generic[Made]):
    """What is open, and what is anchored."""

    def __init__(self, language: Language[Made]) -> None:
        self._language = language
        self._depth, self._most, self._most_of_file = language.limits
        self._inner, self._around = _Open(None, False, []), list[_Open]()
        self._anchors: dict[str, Anchored[Made]] = {}
        self._held = self._held_before = 0

    def documents(self, events: Iterable[Any]) -> Iterator[DocumentTree[Made]]:
        for event in events:
            name = type(event).__name__
            if name == "ScalarEvent":
                self._place(event, self._language.scalar(event, is_key=self._at_key()), 1, event.anchor)
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                self._start(event, is_mapping=name == "MappingStartEvent")
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                closed, self._inner = self._inner, self._around.pop()
                self._held -= closed.weight  # it is counted anew, as a whole
                made = self._language.collection(closed.start, closed.items, event)
                self._place(event, made, closed.weight, closed.start.anchor)
            elif name == "AliasEvent":
                found = self._anchors.get(event.anchor)
                made = self._language.alias(event, found, is_key=self._at_key())
                self._place(event, made, found.weight if found else 1, None)
            elif name == "DocumentStartEvent":
                self._language.document(event)
                self._inner, self._anchors = _Open(event, False, []), {}
                self._held_before, self._held = self._held_before + self._held, 0
            elif name == "DocumentEndEvent":
                start = self._inner.start
                header = f"{start.explicit} {start.version} {start.tags} {event.explicit}"
                yield DocumentTree(mark_of(start.start_mark), self._inner.items[0], header)

    def _at_key(self) -> bool:
        return self._inner.is_mapping and not len(self._inner.items) & 1

    def _start(self, event: Any, *, is_mapping: bool) -> None:
        self._language.opening(event, is_key=self._at_key())
        if len(self._around) >= self._depth:
            self._language.too_deep(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchored(None, 0)
        self._around.append(self._inner)
        self._inner = _Open(event, is_mapping, [])
        self._held += 1

    def _place(self, event: Any, made: Made, weight: int, anchor: str | None) -> None:
        self._held += weight
        if self._held > self._most:
            self._language.too_many(event, "document", self._most)
        if self._held_before + self._held > self._most_of_file:
            self._language.too_many(event, "file", self._most_of_file)
        if anchor is not None:
            self._anchors[anchor] = Anchored(made, weight)
        self._inner.items.append(made)
        self._inner.weight += weight


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
