"""YAML as people write OpenAPI in it: more lenient than the language of our own definitions.

Those refuse whatever loaders disagree on. A document from elsewhere cannot be mended first, so here
dates and the like are read as texts, keys always are texts, merge keys are followed and tags ignored.
"""

import re
from typing import TYPE_CHECKING, Final, NoReturn

from msgspec import Struct, field

from reconciler.importers.openapi.records import NotImportable
from reconciler.importers.openapi.values import Json, Object

if TYPE_CHECKING:
    import yaml

MAX_DEPTH: Final = 200
MAX_VALUES: Final = 2_000_000

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*)(?:[eE][-+][0-9]{1,3})?")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def read_yaml(content: str, file: str) -> Json:
    """The value of the one document in `content`. Aliased parts are shared objects.

    Raises:
        NotImportable: not YAML, nested too deeply, too large with its aliases written out, or not one document.
    """
    import yaml

    builder = _Builder(file)
    try:
        for event in yaml.parse(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            builder.add(event)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise NotImportable(f"{file}:{place}: not YAML: {fault.problem}") from fault
    except yaml.YAMLError as fault:  # a character that YAML does not allow
        reason = str(fault).splitlines()[0]
        raise NotImportable(f"{file}: not YAML: {reason}") from fault
    return builder.root


class _Open(Struct):
    """A collection that is not closed yet; `weight` counts its values with aliases written out."""

    items: list[Json]
    anchor: str | None
    start: tuple[int, int]
    is_mapping: bool
    weight: int = 1
    positions: list[tuple[int, int]] = field(default_factory=list)


class _Builder:
    """Turns events into values without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Json = None
        self._documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Json, int] | None] = {}

    def add(self, event: "yaml.Event") -> None:
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            value = event.value if self._at_key() or event.style or event.tag else _resolve(event.value)
            self._done(value, 1, event.anchor, _start(event))
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, is_mapping=isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(_start(event), "a second document", "keep one document in the file")

    def _refuse(self, start: tuple[int, int], message: str, hint: str = "") -> NoReturn:
        raise NotImportable(f"{self.file}:{start[0]}:{start[1]}: {message}", hint=hint)

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_mapping and len(self._open[-1].items) % 2 == 0

    def _begin(self, event: "yaml.CollectionStartEvent", *, is_mapping: bool) -> None:
        start = _start(event)
        if len(self._open) >= MAX_DEPTH:
            self._refuse(start, f"more than {MAX_DEPTH} levels of nesting")
        if self._at_key():
            self._refuse(start, "a key that is not a text")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open([], event.anchor, start, is_mapping))

    def _alias(self, event: "yaml.AliasEvent") -> None:
        start = _start(event)
        if event.anchor not in self._anchors:
            self._refuse(start, f"undefined alias *{event.anchor}")
        found = self._anchors[event.anchor]
        if found is None:
            self._refuse(start, f"alias *{event.anchor} stands inside what it repeats")
        if self._at_key() and not isinstance(found[0], str):
            self._refuse(start, "a key that is not a text")
        self._done(found[0], found[1], None, start)

    def _end(self) -> None:
        closed = self._open.pop()
        value: Json = self._mapping(closed) if closed.is_mapping else closed.items
        self._done(value, closed.weight, closed.anchor, closed.start)

    def _done(self, value: Json, weight: int, anchor: str | None, start: tuple[int, int]) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, weight)
        if not self._open:
            self.root = value
            return
        parent = self._open[-1]
        parent.weight += weight
        if parent.weight > MAX_VALUES:
            self._refuse(start, f"with its aliases written out this holds more than {MAX_VALUES:,} values")
        parent.items.append(value)
        parent.positions.append(start)

    def _mapping(self, closed: _Open) -> Object:
        found: Object = {}
        merged: list[Json] = []
        for index in range(0, len(closed.items), 2):
            key, value = closed.items[index], closed.items[index + 1]
            assert isinstance(key, str)
            if key == "<<" and isinstance(value, dict | list):
                merged += value if isinstance(value, list) else [value]
                continue
            if key in found:
                self._refuse(closed.positions[index], f"the key '{key[:60]}' stands here twice", "remove one of them")
            found[key] = value
        for part in merged:
            if isinstance(part, dict):
                found = {**part, **found}
        return found


def _start(event: "yaml.Event") -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _resolve(content: str) -> Json:
    """The value of a plain scalar; a number only where YAML 1.1 and 1.2 agree: 957E36 has been seen as a colour."""
    if content in _WORDS:
        return _WORDS[content]
    if _INTEGER.fullmatch(content):
        return int(content)
    if len(content) < 40 and _FLOAT.fullmatch(content) and abs(number := float(content)) < float("inf"):
        return number
    return content
