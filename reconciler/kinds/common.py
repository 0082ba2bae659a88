"""What the kinds share."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Path

UNORDERED_LISTS = frozenset(
    (
        "categories", "scopes", "headers", "users", "groups", "subjects", "permissions", "ignore",
        "separationOfDuty", "except",
    )
)  # fmt: skip
"""Keys of lists whose order means nothing: the canonical form sorts them."""


class Reference(Struct, frozen=True):
    """That a document refers to the resource `kind`/`name`, at `path`."""

    kind: str
    name: str
    path: Path


class SecretField(Struct, frozen=True):
    """A secret reference in a document.

    Attributes:
        path: where it stands, from the document's root.
        address: how plans and the store name it; for headers and parameters by name, not by index.
        reference: such as {"env": "NAME"}.
    """

    path: Path
    address: str
    reference: dict[str, str]


def dotted(path: Path) -> str:
    """A path as people read it: ``spec.endpoints.list.headers[0].value`` without the leading ``spec``."""
    steps = path[1:] if path[:1] == ("spec",) and len(path) > 1 else path
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def drop_default(mapping: dict[str, Any], key: str, default: object) -> None:
    """Remove `key` when its value is the default."""
    if key in mapping and mapping[key] == default:
        del mapping[key]


def whole(mapping: dict[str, Any], key: str) -> None:
    """Make 30.0, which JSON Schema takes for an integer, the integer that it is."""
    value = mapping.get(key)
    if isinstance(value, float) and value.is_integer():
        mapping[key] = int(value)


def canonical_lifecycle(spec: dict[str, Any]) -> None:
    """Canonical form of the `lifecycle` block, in place."""
    lifecycle = spec.get("lifecycle")
    if lifecycle is not None:
        drop_default(lifecycle, "protect", False)
        if "ignore" in lifecycle:
            lifecycle["ignore"].sort()
            drop_default(lifecycle, "ignore", [])
        drop_default(spec, "lifecycle", {})


def exists(moment: str) -> bool:
    """Whether there is such a date and time; there is none in a leap second."""
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True
