"""What the kinds share."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import is_
from typing import Any

from msgspec import Struct

from reconciler.core.references import unsendable
from reconciler.diagnostics import Path

UNORDERED_LISTS = frozenset(
    (
        "connectors", "categories", "scopes", "resource", "headers", "pathParams", "formFields", "users", "groups", "subjects", "permissions", "ignore",
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


Defaults = Sequence[tuple[str, object]]
"""Keys, each with the value that it need not be given."""
_OF_LIFECYCLE: Defaults = (("protect", False), ("ignore", []))


def without(mapping: dict[str, Any], defaults: Defaults) -> dict[str, Any]:
    """`mapping` without the keys that have their default; the same one where there are none."""
    made = mapping
    for key, default in defaults:
        if key in mapping and mapping[key] == default:
            if made is mapping:
                made = {**mapping}
            del made[key]
    return made


def in_order(items: list[Any], key: Callable[[Any], Any] | None = None) -> list[Any]:
    """The items of a list whose order means nothing, sorted.

    Raises:
        TypeError: it is no list, or its items cannot be compared; others write what they like.
    """
    if type(items) is not list:
        raise TypeError("not a list")
    return sorted(items, key=key)


def each(items: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """The items, each changed; the same list where none is another then, and what is no list stays as it is."""
    made = [change(item) for item in items]
    return items if type(items) is not list or all(map(is_, made, items)) else made


def whole(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    """With 30.0, which JSON Schema takes for an integer, as the integer that it is."""
    value = mapping.get(key)
    return {**mapping, key: int(value)} if isinstance(value, float) and value.is_integer() else mapping


def canonical_lifecycle(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with its `lifecycle` block in canonical form."""
    lifecycle = spec.get("lifecycle")
    if lifecycle is None:
        return spec
    if "ignore" in lifecycle:
        lifecycle = {**lifecycle, "ignore": in_order(lifecycle["ignore"])}
    return without({**spec, "lifecycle": without(lifecycle, _OF_LIFECYCLE)}, (("lifecycle", {}),))


def exists(moment: str) -> bool:
    """Whether there is such a date and time; there is none in a leap second."""
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True


COLON = "holds a colon, which ends the user in Basic authorization"


def secret_fault(path: Path, value: str, spec: Mapping[str, Any]) -> str:
    """Why the value of the secret at `path` cannot be sent, as the rest of a sentence; "" where it can."""
    match path[1:]:
        case ("tls", *_):
            return ""
        case ("authorization", "token") | ("endpoints", _, "headers", *_):
            return unsendable(value, in_header=True)
        case ("authorization", *rest) if rest == user_of_basic(spec["authorization"]) and ":" in value:
            return COLON
    return unsendable(value, in_header=False)


def user_of_basic(authorization: Mapping[str, Any]) -> list[str]:
    """Where in an authorization the user of a Basic header stands (RFC 7617); nowhere where none is sent."""
    if authorization.get("method") == "basic":
        return ["username"]
    return ["tokenRequest", "username"] if authorization.get("tokenRequest", {}).get("send") == "basic" else []


def user_has_colon(authorization: Mapping[str, Any]) -> bool:
    """Whether the user of a Basic header stands in the definition itself, with a colon."""
    place = user_of_basic(authorization)
    block = authorization.get("tokenRequest", {}) if "tokenRequest" in place else authorization
    user = block.get("username") if place else None
    return isinstance(user, str) and ":" in user
