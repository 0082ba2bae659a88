"""What to write instead of what a schema objects to, where more can be told than the schema says.

No value that may be a secret is repeated: only what stands under names that carry none, and keys.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.core.secret import TOKEN, carries_credentials, is_secret_key
from reconciler.diagnostics import Finding, Path
from reconciler.kinds import registry
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import SCHEMA_FILES
from reconciler.source.characters import as_name, is_url_pattern, parts, shown, unallowed, url_fault
from reconciler.source.habits import meant_key, meant_value, place_named

if TYPE_CHECKING:
    from reconciler.source.objections import Objection

_LONGEST, _MOST = 60, 3
_SECRET = "{env: NAME}"  # noqa: S105 (a form)
_FORMS = {
    "method": "method: GET", "username": "username: NAME", "clientId": "clientId: NAME", "tokenUrl": "tokenUrl: https://HOST/PATH",
    "url": "url: https://HOST/PATH", "displayName": "displayName: TEXT", "categories": "categories: [NAME]", "metadata": "metadata: {name: NAME}",
    "spec": "spec: {...}", "name": "name: NAME", "mode": "mode: additive", "subjects": "subjects: [{user: NAME}]", "value": "value: TEXT",
    "permissions": "permissions: [connectors:view]", "apiVersion": "apiVersion: reconciler/v1",
}  # fmt: skip
_BEARER = "write token: {env: NAME}, or tokenRequest: {url: https://HOST/PATH, username: NAME, password: {env: NAME}}"
_BY_METHOD = {
    "none": (), "basic": ("username", "password"), "bearer": ("token",), "oauth2-password": ("tokenUrl", "username", "password"),
    "oauth2-client-credentials": ("tokenUrl", "clientId", "clientSecret"),
}  # fmt: skip
_SECONDS = re.compile(r"\s*([0-9]+)\s*(?:s|sec|seconds?)?\s*")
_PAIR = re.compile(r"([A-Za-z0-9_.-]{1,60})\s*[:=]\s*(.*)", re.DOTALL)
_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE)\s+\S+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")
_TALKED_OF = re.compile(r"\$\{?\w+\}?|(?:env|file|vault|secret)\s*[:=]?\s*\S+")


def advised(fault: "Objection", finding: Finding) -> Finding:
    """The finding, with a better hint where there is one, and sometimes better words."""
    message, hint = "", ""
    match fault.rule:
        case "additionalProperties":
            hint = _of_key(fault, str(finding.place.path[-1]))
        case "type":
            hint = _of_type(fault)
        case "enum" if isinstance(fault.instance, str):
            hint = _meant(meant_value(fault.instance, fault.path))
        case "pattern" if isinstance(fault.instance, str):
            message, hint = _of_pattern(fault.instance, fault)
    if not (message or hint):
        return finding
    return replace(finding, message=message or finding.message, hint=hint or finding.hint)


def missing(keys: list[str], fault: "Objection") -> str:
    """What to add where keys are missing."""
    if keys == ["token"]:
        return _BEARER
    if keys == ["method"] and place_named(fault.path) == "authorization":
        return f"add method: with one of {', '.join(_BY_METHOD)}"
    if keys == ["name"] and (pair := _pair_of(fault.instance)):
        return f"write {pair}"
    return f"add {', '.join(_form(key) for key in keys)}"


def _form(key: str) -> str:
    return _FORMS.get(key, f"{key}: {_SECRET}" if is_secret_key(key) else f"{key}: ...")


def _meant(advice: str) -> str:
    """A word is what is meant, anything longer what to do."""
    return f"did you mean '{advice}'?" if advice and " " not in advice else advice


def _of_key(fault: "Objection", key: str) -> str:
    known = fault.schema.get("properties", {})
    if _secret(fault.path) or "then" in fault.steps or key.lower() in map(str.lower, known):
        return ""
    if key.strip() in known:
        odd = shown([char for char in key if char.isspace()])
        return f"did you mean '{key.strip()}'? There is {odd} beside it"
    if "name" in known and (pair := _pair_of(fault.instance)):
        return f"write {pair}"
    meant = meant_key(key, fault.path)
    if meant:
        return _meant(meant)
    places = [path for path in _places(fault.kind) if path[-1] == key]
    above = [path for path in places if len(path) == min(map(len, places))]
    if not above or len(above) > _MOST:
        return ""
    return f"it belongs in {' or in '.join(sorted('.'.join(path[:-1]) or 'the document itself' for path in above))}"


def _places(kind: str) -> Iterator[tuple[str, ...]]:
    """All keys that a kind knows, each with the way to it."""
    schema = registry.load(SCHEMA_FILES[kind])
    waiting: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        for name, below in node.get("properties", {}).items():
            yield (*path, name)
            found = registry.resolve(schema, below)
            inner, step = found.get("items"), ()
            if inner is None and isinstance(found.get("additionalProperties"), dict):
                inner, step = found["additionalProperties"], ("NAME",)
            waiting.append(((*path, name, *step), registry.resolve(schema, inner) if inner else found))


def _of_type(fault: "Objection") -> str:
    value, wanted = fault.instance, fault.schema["type"]
    last = str(fault.path[-1]) if fault.path else ""
    if _secret(fault.path):
        return ""
    if wanted == "array":
        return _list_of(value, _items(fault))
    if wanted == "object" and isinstance(value, list) and last in ("endpoints", "authorizations"):
        return _by_name(value, last)
    if last == "authorization":
        return _authorization(value, fault)
    if wanted == "object" and isinstance(value, str):
        made = _entry_of(value, fault.path)
        return f"write {made}" if made else _example(fault)
    if wanted == "object":
        return _example(fault) if value is not None else ""
    if wanted == "integer" and isinstance(value, str) and (found := _SECONDS.fullmatch(value)):
        return f"write {found[1]}, a number without quotes" + (" or unit" if not value.strip().isdigit() else "")
    if wanted == "string" and isinstance(value, dict | list):
        return _text_of(value, last)
    return ""


def _items(fault: "Objection") -> dict[str, Any]:
    return registry.resolve(registry.load(SCHEMA_FILES[fault.kind]), fault.schema.get("items", {}))


def _list_of(value: object, items: Mapping[str, Any]) -> str:
    known = items.get("properties", {})
    if isinstance(value, dict) and {"name", "value"} <= known.keys():
        entries = [_entry(str(name), found) for name, found in [*value.items()][:_MOST]]
        more = ", ..." if len(value) > _MOST else ""
        return f"write it as a list: [{', '.join(entries)}{more}]" if entries else "write it as a list: []"
    if isinstance(value, dict):
        return "write it as a list, each entry with a dash before it" if known else ""
    if not isinstance(value, str) or len(value) > _LONGEST or TOKEN.search(value):
        return ""
    if {"user", "group"} & known.keys():
        return f"write it as a list: [{{user: {_plain(value)}}}]"
    if "permissions" in known:
        return f"write it as a list: [{{permissions: [{_plain(value)}]}}]"
    if known or "://" in value and "name" in known:
        return "write it as a list, each entry with a dash before it"
    return f"write it as a list: [{', '.join(map(_plain, parts(value, items.get('pattern', ''))))}]"


def _entry(name: str, value: object) -> str:
    """The entry of a list of names and values."""
    if carries_credentials(name) or is_secret_key(name):
        return f"{{name: {_plain(name)}, value: {_SECRET}}}"
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


def _pair_of(value: object) -> str:
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


def _by_name(value: list[Any], last: str) -> str:
    names = [item.get("name") for item in value if isinstance(item, dict)]
    name = names[0] if names and isinstance(names[0], str) and 0 < len(names[0]) <= _LONGEST else "NAME"
    body = "{method: GET, url: https://HOST/PATH}" if last == "endpoints" else f"{{method: bearer, token: {_SECRET}}}"
    return f"write it as a mapping, each below its name:  {last}: {{{_plain(name)}: {body}}}"


def _authorization(value: object, fault: "Objection") -> str:
    if fault.path[-3:-2] == ("endpoints",):
        return (
            "an endpoint names one:  authorization: NAME  with  authorizations: {NAME: {method: ...}}  in spec; or none"
        )
    if isinstance(value, str) and value in _BY_METHOD:
        return f"write authorization: {{{', '.join([f'method: {value}', *map(_form, _BY_METHOD[value])])}}}"
    if isinstance(value, list):
        return "it is one mapping, without a dash; further ones have names: authorizations: {NAME: {method: ...}}"
    return _example(fault)


def _entry_of(text: str, path: Path) -> str:
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


def _text_of(value: object, last: str) -> str:
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


def _example(fault: "Objection") -> str:
    examples = fault.schema.get("examples", ())
    return f"such as {_flow(examples[0])}" if examples else ""


def _flow(value: object) -> str:
    """A value as one writes it in YAML on a line."""
    match value:
        case dict():
            return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case str():
            return _plain(value)
    return json.dumps(value)


def _of_pattern(text: str, fault: "Objection") -> tuple[str, str]:
    pattern, where = fault.schema["pattern"], dotted(fault.path)
    if text.endswith("\n"):
        return "", ""
    if is_url_pattern(pattern):
        wrong, hint = url_fault(text, takes_path="|/|" in pattern)
        return f"{where} {wrong}", hint
    odd = unallowed(text, pattern)
    examples = fault.schema.get("examples", ())
    form = fault.schema.get("description", "") + (f" Such as: {examples[0]}" if examples else "")
    if fault.path[-1:] == ("env",):
        return _of_variable(text, odd, where)
    if _secret(fault.path):
        return "", form
    if "a-z0-9-" in pattern and (name := as_name(text)):
        form = f"did you mean '{name}'? Names are of lower-case letters, digits and hyphens"
    return (f"{where} may not hold {shown(odd)}" if odd else ""), form


def _of_variable(text: str, odd: list[str], where: str) -> tuple[str, str]:
    hint = "a variable's name is of letters, digits and _, and begins with no digit"
    if not odd:
        return (f"{where} begins with a digit", hint) if text[:1].isdigit() else ("", hint)
    if text.startswith("$"):
        hint = "write the variable's name alone, without $"
    return f"{where} names a variable and may not hold {shown(odd)}", hint


def literal_secret(value: object) -> str:
    """What to write where a secret stands, or a reference that is written as none."""
    if isinstance(value, str) and _TALKED_OF.fullmatch(value.strip()):
        return "a reference is a mapping: write {env: NAME} with the variable's name alone, or {file: path}"
    return "write {env: NAME} or {file: path}"


def _secret(path: Path) -> bool:
    return any(isinstance(step, str) and is_secret_key(step) for step in path)
