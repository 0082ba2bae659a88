"""YAML as people write OpenAPI in it: more lenient than the language of our own definitions.

Those refuse whatever loaders disagree on. A document from elsewhere cannot be mended first, so here
dates and the like are read as texts, keys always are texts, merge keys are followed and tags ignored.
"""

import re
from typing import Any, Final, NamedTuple, NoReturn

from reconciler.importers.openapi.records import NotImportable
from reconciler.importers.openapi.values import Json, Object
from reconciler.yaml.nodes import mark_of
from reconciler.yaml.tree import WORDS, Anchored, Language, Limits, documents, events

MAX_DEPTH: Final = 200
MAX_VALUES: Final = 2_000_000

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*)(?:[eE][-+][0-9]{1,3})?")


def read_yaml(content: str, file: str) -> Json:
    """The value of the one document in `content`. Aliased parts are shared objects.

    Raises:
        NotImportable: not YAML, nested too deeply, too large with its aliases written out, or not one document.
    """
    import yaml

    try:
        roots = [root for _, root, _ in documents(events(content), _Foreign(file))]
    except yaml.MarkedYAMLError as fault:
        place = ":".join(map(str, mark_of(fault.problem_mark).position)) if fault.problem_mark else "1:1"
        raise NotImportable(f"{file}:{place}: not YAML: {fault.problem}") from fault
    except yaml.YAMLError as fault:  # a character that YAML does not allow
        reason = str(fault).splitlines()[0]
        raise NotImportable(f"{file}: not YAML: {reason}") from fault
    return _value(roots[0]) if roots else None


class _Key(NamedTuple):
    """A key with the mark where it stands."""

    text: str
    mark: Any


def _value(made: "Json | _Key") -> Json:
    """A value; of a key that an alias repeats, its text."""
    return made.text if isinstance(made, _Key) else made


class _Foreign(Language["Json | _Key"]):
    """The language of documents that were written for others. The first refusal ends the reading."""

    def __init__(self, file: str) -> None:
        self.limits = Limits(MAX_DEPTH, MAX_VALUES, MAX_VALUES)
        self.file = file
        self._is_first = True

    def _refuse(self, mark: Any, message: str, hint: str = "") -> NoReturn:
        line, column = mark_of(mark).position
        raise NotImportable(f"{self.file}:{line}:{column}: {message}", hint=hint)

    def document(self, start: Any) -> None:
        if not self._is_first:
            self._refuse(start.start_mark, "a second document", "keep one document in the file")
        self._is_first = False

    def scalar(self, event: Any, *, is_key: bool) -> "Json | _Key":
        if is_key:
            return _Key(event.value, event.start_mark)
        text: str = event.value
        return text if event.style or event.tag else _resolve(text)

    def alias(self, event: Any, found: "Anchored[Json | _Key] | None", *, is_key: bool) -> "Json | _Key":
        if found is None:
            self._refuse(event.start_mark, f"undefined alias *{event.anchor}")
        if not found.weight:
            self._refuse(event.start_mark, f"alias *{event.anchor} stands inside what it repeats")
        value = _value(found.made)
        if not is_key:
            return value
        if not isinstance(value, str):
            self._refuse(event.start_mark, "a key that is not a text")
        return _Key(value, event.start_mark)

    def opening(self, start: Any, *, is_key: bool) -> None:
        if is_key:
            self._refuse(start.start_mark, "a key that is not a text")

    def collection(self, start: Any, items: "list[Json | _Key]", end: Any) -> Json:
        if type(start).__name__ == "SequenceStartEvent":
            return [_value(item) for item in items]
        found: Object = {}
        merged: list[Json] = []
        for key, item in zip(items[::2], items[1::2], strict=True):
            value = _value(item)
            assert isinstance(key, _Key)
            if key.text == "<<" and isinstance(value, dict | list):
                merged += value if isinstance(value, list) else [value]
                continue
            if key.text in found:
                self._refuse(key.mark, f"the key '{key.text[:60]}' stands here twice", "remove one of them")
            found[key.text] = value
        for part in merged:
            if isinstance(part, dict):
                found = {**part, **found}
        return found

    def too_deep(self, event: Any) -> NoReturn:
        self._refuse(event.start_mark, f"more than {MAX_DEPTH} levels of nesting")

    def too_many(self, event: Any, what: str, most: int) -> NoReturn:
        self._refuse(event.start_mark, f"with its aliases written out this holds more than {most:,} values")


def _resolve(content: str) -> Json:
    """The value of a plain scalar; a number only where YAML 1.1 and 1.2 agree: 957E36 has been seen as a colour."""
    if content in WORDS:
        return WORDS[content]
    if _INTEGER.fullmatch(content):
        return int(content)
    if len(content) < 40 and _FLOAT.fullmatch(content) and abs(number := float(content)) < float("inf"):
        return number
    return content
