"""Bytes of a JSON or YAML file to the document that they hold, more lenient than our own language."""

import re
from typing import Any, Final, NamedTuple, NoReturn

import msgspec
from msgspec import Struct

from reconciler.errors import InvalidDefinitions
from reconciler.importers.document import Note
from reconciler.importers.values import Json, Object
from reconciler.yaml.nodes import mark_of
from reconciler.yaml.tree import WORDS, Anchored, Language, TreeLimits, documents, events


class NotImportable(InvalidDefinitions):
    """The file is not an OpenAPI or Swagger document that connectors can be made of."""


class Imported(Struct, frozen=True):
    """The outcome of an import.

    Attributes:
        documents: Connector documents, ready to be written; each valid against the schema.
        notes: everything that could not be carried over as it was.
        title: the imported document's own title, on one line.
        version: version of the interface that the document states, on one line, or "".
        format: the language of the document, e.g. "OpenAPI 3.0.3".
        is_exact: whether bodies are what is sent, and no choice of all that may be.
        categories: Category documents, where the document itself files its connectors under some.
    """

    documents: list[dict[str, Any]]
    notes: list[Note]
    title: str
    version: str
    format: str
    categories: list[dict[str, Any]] = []
    is_exact: bool = False


MAX_JSON: Final = 128 * 1024 * 1024  # the largest real document known to us has 47 MB
MAX_YAML: Final = 24 * 1024 * 1024  # read a hundred times slower than JSON
_BOM = b"\xef\xbb\xbf"


def read(data: bytes, file: str) -> Object:
    """The document in `data`; `file` is the name that messages use.

    Raises:
        NotImportable: the file is too large or too deeply nested, or neither JSON nor YAML.
    """
    if len(data) > MAX_JSON:
        _refuse_size(file, len(data), MAX_JSON, "")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotImportable(f"{file}:1:1: the file is UTF-16", hint="save it as UTF-8")
    data = data.removeprefix(_BOM)
    value = _read_json(data, file) if _is_json(data, file) else _read_yaml(data, file)
    if not isinstance(value, dict):
        raise NotImportable(
            f"{file}:1:1: the file holds no mapping", hint="give a document of the format that the command reads"
        )
    return value


def _refuse_size(file: str, size: int, limit: int, language: str) -> NoReturn:
    message = f"{file}: the file holds {size / 2**20:.0f} MiB; at most {limit >> 20} MiB{language} are read"
    raise NotImportable(message, hint="convert it to JSON" if language else "split the document")


def _is_json(data: bytes, file: str) -> bool:
    """By content, unless the name says YAML: YAML may begin with a brace too."""
    return data[:4096].lstrip()[:1] in (b"{", b"[") and not file.lower().endswith((".yaml", ".yml"))


def _read_json(data: bytes, file: str) -> Json:
    try:
        value: Json = msgspec.json.decode(data)
    except UnicodeDecodeError:  # so msgspec said until 0.22
        raise _not_text(data, file) from None
    except msgspec.DecodeError as fault:
        if "utf-8" in str(fault).lower():
            raise _not_text(data, file) from None
        reason, _, offset = str(fault).removeprefix("JSON is malformed: ").removesuffix(")").rpartition(" (byte ")
        where = _position(data, int(offset)) if reason else _position(data, len(data))
        raise NotImportable(f"{file}:{where}: not JSON: {reason or offset.lower()}") from fault
    except RecursionError as fault:
        raise NotImportable(f"{file}:1:1: too many levels of nesting") from fault
    return value


def _read_yaml(data: bytes, file: str) -> Json:

    if len(data) > MAX_YAML:
        _refuse_size(file, len(data), MAX_YAML, " of YAML")
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise _not_text(data, file) from None
    return read_yaml(content, file)


def _not_text(data: bytes, file: str) -> NotImportable:
    """What says which byte is the first that is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as fault:
        message = f"{file}:{_position(data, fault.start)}: byte 0x{data[fault.start]:02x} is not UTF-8"
        return NotImportable(message, hint="save the file as UTF-8")
    return NotImportable(f"{file}:1:1: the file is not UTF-8")


def _position(data: bytes, offset: int) -> str:
    """Line and column of a byte."""
    start = data.rfind(b"\n", 0, offset) + 1
    line, column = data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode(errors="replace")) + 1
    return f"{line}:{column}"


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
        self.limits = TreeLimits(MAX_DEPTH, MAX_VALUES, MAX_VALUES)
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
