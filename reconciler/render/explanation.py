"""What the schemas say of one key, for people."""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from textwrap import wrap
from typing import Any, NamedTuple

from reconciler.errors import UsageError
from reconciler.kinds import registry
from reconciler.kinds.registry import SCHEMA_FILES, WORDS
from reconciler.render.style import BOLD, CYAN, paint

_NAMES = {**WORDS, **{kind.lower(): kind for kind in SCHEMA_FILES}}
_LIMITS = {
    "minLength": "at least {} characters", "maxLength": "at most {:,} characters", "minItems": "at least {} items",
    "maxItems": "at most {:,} items", "minimum": "at least {}", "maximum": "at most {:,}", "pattern": "form {}",
}  # fmt: skip
_KIND_WORDS = (*WORDS, "project")
_TOPICS = ("codes", "exit-codes")
_WIDTH, _MOST = 96, 4


class _Found(NamedTuple):
    """A key, and whether it is required."""

    node: dict[str, Any]
    required: bool


def explain_key(topic: str, *, color: bool) -> str:
    """Type, meaning, limits, default, examples and keys of ``KIND.path``.

    Names that the author of a document chooses, such as those of endpoints, may be left out, and so may the beginning
    of a path that has one meaning.

    Raises:
        UsageError: the kind or the key does not exist; the hint says what does.
    """
    word, *steps = re.sub(r"\[[^\[\]]*+\]", "", topic).strip(".").split(".")
    kind = _NAMES.get(word.lower())
    if kind is None:
        topic = _whole([word, *steps])
        word, *steps = topic.split(".")
        kind = _NAMES[word]
    schema = registry.load(SCHEMA_FILES[kind])
    found = _below(schema, _Found(schema, required=False), steps)
    if found is None:
        raise _no_key(schema, word, steps)
    return "\n".join(_lines(schema, found.node, topic, required=found.required, color=color)) + "\n"


def _below(schema: dict[str, Any], at: _Found, steps: Sequence[str]) -> _Found | None:
    """What the steps lead to: by the keys that the schema knows, then by those that an author chooses."""
    if not steps:
        return at
    node = registry.resolve(schema, at.node["items"]) if "items" in at.node else at.node
    step, *rest = steps
    properties = node.get("properties", {})
    if step in properties:
        below = _Found(registry.resolve(schema, properties[step]), step in node.get("required", ()))
        found = _below(schema, below, rest)
        if found is not None:
            return found
    if not isinstance(node.get("additionalProperties"), dict):
        return None
    chosen = _Found(registry.resolve(schema, node["additionalProperties"]), required=False)
    return (_below(schema, chosen, steps) if chosen.node.get("properties") else None) or _below(schema, chosen, rest)


def _no_key(schema: dict[str, Any], word: str, steps: list[str]) -> UsageError:
    """That the last of the steps that lead anywhere has not the next one."""
    length, at = max(
        (length, found)
        for length in range(len(steps))
        if (found := _below(schema, _Found(schema, required=False), steps[:length]))
    )
    node = at.node
    while inner := node.get("items") or (node.get("additionalProperties") or None):
        node = registry.resolve(schema, inner) if "properties" not in node else {"properties": node["properties"]}
    properties = node.get("properties", {})
    step, where = steps[length], ".".join([word, *steps[:length]])
    near = get_close_matches(step, properties, n=1)
    known = f"keys are {', '.join(properties)}" if properties else "it has no keys"
    return UsageError(f"{where} has no key '{step}'", hint=f"did you mean '{near[0]}'?" if near else known)


def _whole(steps: list[str]) -> str:
    """The path with its kind that is meant by one without, or with a misspelt one.

    Raises:
        UsageError: it may be several, or none.
    """
    wanted = ".".join(steps)
    paths = [path for word in _KIND_WORDS for path in _paths(word)]
    ending = [path for path in paths if path.endswith(f".{wanted}")]
    shortest = [path for path in ending if path.count(".") == min(other.count(".") for other in ending)]
    if len(shortest) == 1:
        return shortest[0]
    if shortest:
        more = f", or {len(shortest) - _MOST} more" if len(shortest) > _MOST else ""
        raise UsageError(f"'{wanted}' is a key of several", hint=f"did you mean {' or '.join(shortest[:_MOST])}{more}?")
    tails = {path.split(".", 1)[1] for path in paths} | {path.rpartition(".")[2] for path in paths}
    near = get_close_matches(wanted, [*_KIND_WORDS, *_TOPICS, *paths, *sorted(tails)], n=1)
    kinds = f"kinds are {', '.join(WORDS)} and project; other topics are codes, such as RC203, and exit-codes"
    raise UsageError(f"there is no kind or key '{wanted}'", hint=f"did you mean {near[0]}?" if near else kinds)


def _paths(word: str) -> Iterator[str]:
    """All keys of a kind, without those that an author chooses."""
    schema = registry.load(SCHEMA_FILES[_NAMES[word]])
    waiting: list[tuple[str, dict[str, Any]]] = [(word, schema)]
    while waiting:
        path, node = waiting.pop()
        for name, below in node.get("properties", {}).items():
            found = registry.resolve(schema, below)
            yield f"{path}.{name}"
            waiting.append((f"{path}.{name}", _entries(schema, found)))


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
