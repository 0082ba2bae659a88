"""The form that belongs where another one stands, written with the words that stand there.

No value that may be a secret is repeated: only what stands under names that carry none, and keys.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.secret import TOKEN, carries_credentials, is_secret_key
from reconciler.diagnostics import Path
from reconciler.source.characters import parts
from reconciler.source.habits import place_named

_LONGEST, _MOST = 60, 3
SECRET_FORM = "{env: NAME}"  # noqa: S105 (a form)
_PAIR = re.compile(r"([A-Za-z0-9_.-]{1,60})\s*[:=]\s*(.*)", re.DOTALL)
_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE)\s+\S+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")


def as_list(value: object, items: Mapping[str, Any]) -> str:
    """The list that is meant by a mapping or a text, or "".

    Args:
        items: the schema of what it holds.
    """
    known = items.get("properties", {})
    made: Iterable[str] | None = None
    if isinstance(value, dict) and _is_entry(value, known):
        return "it is one entry of a list: write a dash before its first key, or [ and ] around it"
    if isinstance(value, dict) and value and not known and all(isinstance(name, str) for name in value):
        made = [_plain(name) for name in [*value][:_MOST]] + ["..."] * (len(value) > _MOST)
    elif isinstance(value, dict) and {"name", "value"} <= known.keys():
        made = [_entry(str(name), found) for name, found in [*value.items()][:_MOST]] + ["..."] * (len(value) > _MOST)
    elif isinstance(value, str) and len(value) <= _LONGEST and not TOKEN.search(value):
        if not known:
            made = map(_plain, parts(value, items.get("pattern", "")))
        elif "user" in known:
            made = [f"{{user: {_plain(value)}}}"]
        elif "permissions" in known:
            made = [f"{{permissions: [{_plain(value)}]}}"]
    if made is not None:
        return f"write it as a list: [{', '.join(made)}]"
    return "write it as a list, each entry with a dash before it" if isinstance(value, dict | str) and known else ""


def _is_entry(value: Mapping[Any, Any], known: Mapping[str, Any]) -> bool:
    """Whether a mapping is one entry that lacks its dash, and not a mapping from names to values."""
    if not value or not value.keys() <= known.keys():
        return False
    return "name" not in known or ("name" in value and len(value) > 1)


def _entry(name: str, value: object) -> str:
    """The entry of a list of names and values."""
    if carries_credentials(name) or is_secret_key(name):
        return f"{{name: {_plain(name)}, value: {SECRET_FORM}}}"
    return f"{{name: {_plain(name)}, value: {_shown_value(value)}}}"


def _shown_value(value: object) -> str:
    match value:
        case bool():
            return f'"{str(value).lower()}"'
        case int() | float():
            return f'"{value}"'
        case str() if len(value) <= _LONGEST and not TOKEN.search(value):
            return (
                _plain(value)
                if _WORD.fullmatch(value) and not value[0].isdigit()
                else json.dumps(value, ensure_ascii=False)
            )
    return "TEXT"


def _plain(text: str) -> str:
    """A text as it may stand between brackets."""
    if len(text) > _LONGEST or TOKEN.search(text):
        return "TEXT"
    return (
        text
        if re.fullmatch(r"[A-Za-z_][\w./:+-]*", text) and not text.endswith(":")
        else json.dumps(text, ensure_ascii=False)
    )


def as_pair(value: object) -> str:
    """The entry that is meant by a mapping from one name to one value."""
    if not isinstance(value, dict) or len(value) != 1:
        return ""
    ((name, found),) = value.items()
    if (
        not isinstance(name, str)
        or isinstance(found, dict | list)
        or name in ("value", "key", "name")
        or len(name) > _LONGEST
    ):
        return ""
    return _entry(name, found)


def by_name(value: list[Any], last: str) -> str:
    """The mapping from names that is meant by a list under the key `last`."""
    names = [item.get("name") for item in value if isinstance(item, dict)]
    name = names[0] if names and isinstance(names[0], str) and 0 < len(names[0]) <= _LONGEST else "NAME"
    body = (
        "{method: GET, url: https://HOST/PATH}" if last == "endpoints" else f"{{method: bearer, token: {SECRET_FORM}}}"
    )
    return f"write it as a mapping, each below its name:  {last}: {{{_plain(name)}: {body}}}"


def as_entry(text: str, path: Path) -> str:
    """The mapping that is meant by a text, or ""."""
    place = place_named(path)
    if place == "endpoint":
        verb = _REQUEST.match(text)
        return f"{{method: {verb[1].upper() if verb else 'GET'}, url: https://HOST/PATH}}"
    if place == "grant" and ":" in text:
        return f"{{permissions: [{_plain(text)}]}}"
    if path[-2:-1] == ("subjects",):
        return f"{{user: {_plain(text)}}}"
    if place == "param" and (pair := _PAIR.fullmatch(text)):
        return _entry(pair[1], pair[2])
    return ""


def as_text(value: object, last: str) -> str:
    """The text that is meant by a mapping or a list under the key `last`, or ""."""
    if last == "body":
        written = json.dumps(value, ensure_ascii=False, default=str)
        is_plain = (
            len(written) <= _LONGEST and not TOKEN.search(written) and "'" not in written and not _holds_secret(value)
        )
        return f"write the JSON as a text:  body: '{written if is_plain else '{...}'}'"
    if last == "description" or isinstance(value, list):
        return "write one text"
    return ""


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return any(is_secret_key(str(key)) or _holds_secret(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_holds_secret, value))


def in_flow(value: object) -> str:
    """A value as one writes it in YAML on a line."""
    match value:
        case dict():
            return f"{{{', '.join(f'{key}: {in_flow(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(in_flow, value))}]"
        case str():
            return _plain(value)
    return json.dumps(value)
