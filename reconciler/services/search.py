"""View, list and search live records."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.model import Found
from reconciler.core.ports.store import Store
from reconciler.kinds.canonical import fold
from reconciler.kinds.drift import drifted


class Query(Struct, frozen=True):
    """What to look for; everything given must hold.

    Attributes:
        kind, name: exact, as in documents.
        text: parts looked for in name, display name, description, labels and endpoints, without regard to case and accents.
        category: connectors filed under it.
        labels: labels that must be there with these values.
        status: active or inactive.
    """

    kind: str | None = None
    name: str | None = None
    text: str = ""
    category: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    status: str | None = None


def search(store: Store, query: Query, now: str = "") -> Iterator[Found]:
    """Live records that satisfy `query`, by kind and name.

    Args:
        now: RFC 3339; grants that have ended by then are no drift when they are gone.
    """
    words = fold(query.text).split()
    changed = {one.uid for one in store.moved() if one.before and drifted(one, now)}
    for found in store.search(query.kind, query.name):
        try:
            matches = _matches(found.name, found.content, query, words)
        except (AttributeError, TypeError):  # others have written what is no body
            matches = _matches(found.name, {}, query, words)
        if matches:
            yield replace(found, drifted=True) if found.uid in changed else found


def _matches(name: str, content: dict[str, Any], query: Query, words: list[str]) -> bool:
    spec = content.get("spec", {})
    labels = content.get("metadata", {}).get("labels", {})
    if query.category is not None and query.category not in spec.get("categories", ()):
        return False
    if query.status is not None and spec.get("status", "active") != query.status:
        return False
    if any(labels.get(key) != value for key, value in query.labels.items()):
        return False
    if not words:
        return True
    text = fold(" ".join(_texts(name, spec, labels)))
    return all(word in text for word in words)


def _texts(name: str, spec: dict[str, Any], labels: dict[str, str]) -> Iterator[str]:
    yield name
    yield spec.get("displayName", "")
    yield spec.get("description", "")
    yield from spec.get("categories", ())
    for key, value in labels.items():
        yield f"{key}={value}"
    for purpose, endpoint in spec.get("endpoints", {}).items():
        yield f"{purpose} {endpoint.get('method', '')} {endpoint.get('url', '')} {endpoint.get('description', '')}"
