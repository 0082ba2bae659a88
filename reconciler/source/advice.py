"""What to write instead of what a schema objects to, where more can be told than the schema says.

No value that may be a secret is repeated: only what stands under names that carry none, and keys.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.core.secret import is_secret_key
from reconciler.diagnostics import Finding, Path
from reconciler.kinds import registry
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import SCHEMA_FILES
from reconciler.source.characters import as_name, is_url_pattern, shown, unallowed, url_fault
from reconciler.source.forms import SECRET_FORM, as_entry, as_list, as_pair, as_text, by_name, in_flow
from reconciler.source.habits import meant_key, meant_value, place_named

if TYPE_CHECKING:
    from reconciler.source.objections import Objection

_MOST = 3
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
_SECONDS = re.compile(r"\s*+([0-9]++)\s*+(?:s|sec|seconds?)?\s*+")
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
    if keys == ["name"] and (pair := as_pair(fault.instance)):
        return f"write {pair}"
    return f"add {', '.join(_form(key) for key in keys)}"


def _form(key: str) -> str:
    return _FORMS.get(key, f"{key}: {SECRET_FORM}" if is_secret_key(key) else f"{key}: ...")


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
    if "name" in known and (pair := as_pair(fault.instance)):
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
            inner, step = found.get("items"), False
            if inner is None and isinstance(found.get("additionalProperties"), dict):
                inner, step = found["additionalProperties"], True
            waiting.append(
                ((*path, name, "NAME") if step else (*path, name), registry.resolve(schema, inner) if inner else found)
            )


def _of_type(fault: "Objection") -> str:
    value, wanted = fault.instance, fault.schema["type"]
    last = str(fault.path[-1]) if fault.path else ""
    hint = ""
    match wanted, value:
        case _ if _secret(fault.path):
            pass
        case _ if last == "authorization":
            hint = _authorization(value, fault)
        case "array", _:
            hint = as_list(value, _items(fault))
        case "object", list() if last in ("endpoints", "authorizations"):
            hint = by_name(value, last)
        case "object", _ if value is not None:
            made = as_entry(value, fault.path) if isinstance(value, str) else ""
            hint = f"write {made}" if made else _example(fault)
        case "integer", str() if found := _SECONDS.fullmatch(value):
            hint = f"write {found[1]}, a number without quotes{'' if value.strip().isdigit() else ' or unit'}"
        case "string", dict() | list():
            hint = as_text(value, last)
    return hint


def _items(fault: "Objection") -> dict[str, Any]:
    return registry.resolve(registry.load(SCHEMA_FILES[fault.kind]), fault.schema.get("items", {}))


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


def _example(fault: "Objection") -> str:
    examples = fault.schema.get("examples", ())
    return f"such as {in_flow(examples[0])}" if examples else ""


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
