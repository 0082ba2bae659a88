"""The published JSON Schemas, as files, and the digest of all that definitions are judged by."""

import os
import pathlib
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from reconciler.version import __version__

VERSION = 2
"""Grows when the same definitions are judged otherwise, or make another body, between two released versions."""

SCHEMAS = ("category", "connector", "group", "permissionpolicy", "accesstest")


def folder_path() -> str:
    """Where the schema files are: in the wheel beside the code, in a checkout at its top."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    bundled = f"{package}/_schemas"
    return bundled if os.path.isdir(bundled) else f"{os.path.dirname(package)}/schemas"


def rules_digest() -> str:
    """Digest of the schemas of definitions, with the program's version."""
    content = f"{__version__}/{VERSION}".encode()
    place = folder_path()
    for name in SCHEMAS:
        with open(f"{place}/{name}.schema.json", "rb") as schema:
            content += schema.read()
    digest: str = sha256(content).hexdigest()
    return digest


@cache
def folder() -> pathlib.Path:
    """Where the schema files are."""
    return pathlib.Path(folder_path())


def text(file: str) -> bytes:
    """Content of one schema file.

    Raises:
        FileNotFoundError: there is no such schema.
    """
    return (folder() / file).read_bytes()


@cache
def load(file: str) -> dict[str, Any]:
    """One schema, decoded. Shared: do not change it."""
    schema: dict[str, Any] = msgspec.json.decode(text(file))
    return schema


def resolve(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    """`node` of `schema` with its local references followed; keywords beside a reference win."""
    found: dict[str, Any] = node if isinstance(node, dict) else {}
    while "$ref" in found:
        target: Any = schema
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found = {**target, **{key: value for key, value in found.items() if key != "$ref"}}
    return found


def arranged(value: Any, schema: dict[str, Any], node: dict[str, Any]) -> Any:
    """`value` with its keys in the order of the schema, in which one reads them; unknown keys come last.

    Args:
        node: the part of `schema` that describes `value`; empty where nothing does.
    """
    if isinstance(value, list):
        below = resolve(schema, node.get("items"))
        return [arranged(item, schema, below) for item in value]
    if not isinstance(value, dict):
        return value
    known = node.get("properties", {})
    rank = {key: position for position, key in enumerate(known)}
    return {
        key: arranged(value[key], schema, resolve(schema, known.get(key, node.get("additionalProperties"))))
        for key in sorted(value, key=lambda key: (rank.get(key, len(rank)), key))
    }
