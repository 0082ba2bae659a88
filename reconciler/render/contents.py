"""What a body holds, in lines: all that a reviewer wants to see of a record that is new."""

from collections.abc import Iterator
from typing import Any

from reconciler.harmless import harmless
from reconciler.render.endpoints import endpoints_lines
from reconciler.render.values import flat, reference, shown


def content_lines(content: dict[str, Any]) -> Iterator[str]:
    """A line for each field of a body, and what belongs to it indented below; secrets are masked already."""
    spec = content.get("spec", {})
    for key, value in sorted(content.get("metadata", {}).get("labels", {}).items()):
        yield f"labels.{key}: {shown(value)}"
    for key, value in sorted(spec.items(), key=_reading_order):
        yield from _field_lines(key, value)


def _field_lines(key: str, value: Any) -> Iterator[str]:
    if key == "authorization":
        yield from _authorization(value, key)
    elif key == "authorizations":
        for name, block in sorted(value.items()):
            yield from _authorization(block, f"{key}.{harmless(name)}")
    elif key == "endpoints":
        yield from endpoints_lines(value)
    elif key in ("members", "tls"):
        for name, item in sorted(value.items()):
            yield f"{key}.{name}: {reference(item) if isinstance(item, dict) else shown(item)}"
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield f"{key}[{index}]: {flat(item)}"
    else:
        yield f"{key}: {shown(value)}"


_ORDER = (
    "displayName",
    "description",
    "categories",
    "authorization",
    "authorizations",
    "tls",
    "members",
    "subjects",
    "superAdmin",
    "grants",
    "endpoints",
)


def _reading_order(item: tuple[str, Any]) -> tuple[int, str]:
    return _ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER), item[0]


def _authorization(value: dict[str, Any], name: str) -> Iterator[str]:
    for key, item in sorted(value.items(), key=lambda pair: (pair[0] != "method", pair[0])):
        if isinstance(item, dict) and key == "tokenRequest":
            yield from _authorization(item, f"{name}.{key}")
        elif isinstance(item, dict):
            yield f"{name}.{key}: {reference(item)}"
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            for entry in item:
                text = entry["value"]
                yield f"{name}.{key}.{harmless(entry['name'])}: {reference(text) if isinstance(text, dict) else shown(text)}"
        else:
            yield f"{name}.{key}: {shown(item)}"
