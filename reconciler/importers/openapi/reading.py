"""Bytes of a JSON or YAML file to the document that they hold."""

from typing import Final, NoReturn

import msgspec

from reconciler.importers.openapi.records import NotImportable
from reconciler.importers.openapi.values import Json, Object

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
        raise NotImportable(f"{file}:1:1: the file holds no mapping", hint="give an OpenAPI or Swagger document")
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
    except UnicodeDecodeError:
        raise _not_text(data, file) from None
    except msgspec.DecodeError as fault:
        reason, _, offset = str(fault).removeprefix("JSON is malformed: ").removesuffix(")").rpartition(" (byte ")
        where = _position(data, int(offset)) if reason else _position(data, len(data))
        raise NotImportable(f"{file}:{where}: not JSON: {reason or offset.lower()}") from fault
    except RecursionError as fault:
        raise NotImportable(f"{file}:1:1: too many levels of nesting") from fault
    return value


def _read_yaml(data: bytes, file: str) -> Json:
    from reconciler.importers.openapi.yaml_reading import read_yaml

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
