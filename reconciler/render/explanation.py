"""What the schemas say of one key, for people."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import wrap
from typing import Any

from reconciler.errors import UsageError
from reconciler.kinds import registry
from reconciler.kinds.registry import SCHEMA_FILES, WORDS
from reconciler.render.style import BOLD, CYAN, paint

_NAMES = {**WORDS, **{kind.lower(): kind for kind in SCHEMA_FILES}}
_LIMITS = {
    "minLength": "at least {} characters", "maxLength": "at most {:,} characters", "minItems": "at least {} items",
    "maxItems": "at most {:,} items", "minimum": "at least {}", "maximum": "at most {:,}", "pattern": "form {}",
}  # fmt: skip
_WIDTH = 96


def explain_key(topic: str, *, color: bool) -> str:
    """Type, meaning, limits, default, examples and keys of ``KIND.path``.

    Raises:
        UsageError: the kind or the key does not exist; the hint says what does.
    """
    word, *steps = topic.split(".")
    kind = _NAMES.get(word.lower())
    if kind is None:
        raise UsageError(f"there is no kind '{word}'", hint=f"kinds are {', '.join(WORDS)} and project")
    schema = registry.load(SCHEMA_FILES[kind])
    node, required = schema, False
    for index, step in enumerate(steps):
        node, required = _below(schema, node, step, ".".join([word, *steps[:index]]))
    return "\n".join(_lines(schema, node, topic, required=required, color=color)) + "\n"


def _below(schema: dict[str, Any], node: dict[str, Any], step: str, where: str) -> tuple[dict[str, Any], bool]:
    if "items" in node:
        node = registry.resolve(schema, node["items"])
    properties = node.get("properties", {})
    if step in properties:
        return registry.resolve(schema, properties[step]), step in node.get("required", ())
    if "additionalProperties" in node and node["additionalProperties"] is not False:
        return registry.resolve(schema, node["additionalProperties"]), False
    near = get_close_matches(step, properties, n=1)
    hint = (
        f"did you mean '{near[0]}'?"
        if near
        else f"keys are {', '.join(properties)}"
        if properties
        else "it has no keys"
    )
    raise UsageError(f"{where} has no key '{step}'", hint=hint)


def _lines(schema: dict[str, Any], node: dict[str, Any], topic: str, *, required: bool, color: bool) -> Iterator[str]:
    yield f"{paint(topic, BOLD, color=color)}  {_type(schema, node)}{', required' if required else ''}"
    yield ""
    yield from wrap(node.get("description", ""), _WIDTH)
    if "enum" in node:
        yield f"One of: {', '.join(map(str, node['enum']))}"
    for key, form in _LIMITS.items():
        if key in node:
            yield f"Limit: {form.format(node[key])}"
    if "default" in node:
        yield f"Default: {json.dumps(node['default'], ensure_ascii=False)}"
    for example in node.get("examples", ())[:3]:
        yield f"Example: {json.dumps(example, ensure_ascii=False)}"
    below = _entries(schema, node)
    properties = below.get("properties", {})
    if properties:
        yield ""
        yield paint("Keys of each:" if below is not node else "Keys:", BOLD, color=color)
        width = max(map(len, properties))
        for name, value in properties.items():
            found = registry.resolve(schema, value)
            mark = "*" if name in below.get("required", ()) else " "
            first, *rest = wrap(found.get("description", ""), _WIDTH - width - 6) or [""]
            yield f" {mark} {paint(name.ljust(width), CYAN, color=color)}  {first}"
            yield from (" " * (width + 5) + line for line in rest)
        if below.get("required"):
            yield " * required"


def _entries(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The schema of the items of a list or of the values of a free mapping, else the node itself."""
    inner = node.get("items", node.get("additionalProperties"))
    return registry.resolve(schema, inner) if isinstance(inner, dict) and inner.keys() - {"type", "maxLength"} else node


def _type(schema: dict[str, Any], node: dict[str, Any]) -> str:
    kinds = node.get("type", "choice" if "enum" in node else "constant" if "const" in node else "value")
    names = [kinds] if isinstance(kinds, str) else kinds
    words = {
        "object": "mapping",
        "array": "list",
        "string": "text",
        "integer": "whole number",
        "boolean": "true or false",
    }
    shown = " or ".join(words.get(name, name) for name in names)
    if "items" in node:
        item = registry.resolve(schema, node["items"])
        shown += f" of {_type(schema, item)}s" if "items" not in item else " of lists"
    return shown
