"""What the kinds share."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import is_
from typing import Any

from msgspec import Struct

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


PLAIN_HTTP_HINT = "use https://, or where the server speaks nothing else  tls: {allowPlainHttp: true, reason: ...}"
_LOOPBACK = re.compile(r"http://(?:[^/@]*@)?(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/?#]|$)", re.IGNORECASE)


def is_insecure(url: str) -> bool:
    """Whether anyone on the way to the host of `url` can read what is sent: plain http, but not to this machine."""
    return url[:5].lower() == "http:" and not _LOOPBACK.match(url)


def slug(content: str) -> str:
    """`content` as the name of a resource, or "" when no letter or digit is left."""
    plain = unicodedata.normalize("NFKD", content).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:63].strip("-")
