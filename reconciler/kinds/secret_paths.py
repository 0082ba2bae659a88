"""Where the secrets of a body stand, as plans name fields: entries of lists by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.diff import Path
from reconciler.kinds.registry import KINDS


def secret_paths(kind: str, body: Any) -> dict[str, Path]:
    """Address to path of each secret reference; none of a body that is no body."""
    try:
        fields = list(KINDS[kind].secret_fields(body["spec"]))
    except (KeyError, TypeError, AttributeError):
        return {}
    return {field.address: tuple(_named(field.path, body)) for field in fields}


def path_of(address: str, paths: Mapping[str, Path]) -> Path:
    """The path of one; of one that is in no body what can be guessed of its address."""
    return paths.get(address) or ("spec", *address.split("."))


def _named(path: Path, node: Any) -> Iterator[str | int]:
    for step in path:
        node = node[step]
        yield node["name"] if isinstance(step, int) else step
