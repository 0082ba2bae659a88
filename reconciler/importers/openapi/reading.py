"""Bytes of a JSON or YAML file to the document that they hold."""

from typing import Final, NoReturn

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
    import orjson

    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError as fault:
        reason = fault.msg.split(": line ")[0]
        raise NotImportable(f"{file}:{fault.lineno}:{fault.colno}: not JSON: {reason}") from fault
    return value


def _read_yaml(data: bytes, file: str) -> Json:
    from reconciler.importers.openapi.yaml_reading import read_yaml

    if len(data) > MAX_YAML:
        _refuse_size(file, len(data), MAX_YAML, " of YAML")
    try:
        content = data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = len(data[data.rfind(b"\n", 0, fault.start) + 1 : fault.start].decode(errors="replace")) + 1
        message = f"{file}:{line}:{column}: byte 0x{data[fault.start]:02x} is not UTF-8"
        raise NotImportable(message, hint="save the file as UTF-8") from fault
    return read_yaml(content, file)
