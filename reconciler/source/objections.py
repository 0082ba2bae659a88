"""What a schema objects to, in words that repeat no value under a secret key."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from msgspec import Struct

from reconciler.core.secret import is_secret_key
from reconciler.diagnostics import MAX_FAULTS, Finding, Path, Place, Repair
from reconciler.kinds import registry
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import API_VERSION, SCHEMA_FILES
from reconciler.source.advice import advised, literal_secret, missing
from reconciler.source.answers import as_truth, dropped, listed, quoted, renamed
from reconciler.source.habits import meant_key, of_another_program

_TYPES = {
    "object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number",
    "number": "a number", "boolean": "true or false", "null": "empty",
}  # fmt: skip
_YAML_1_1_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class Objection(Struct, frozen=True):
    """An objection of a schema.

    Attributes:
        rule: what objects, such as "maxLength".
        instance: the value that it is about; of the form of a key, the key.
        path: where that stands.
        schema: what holds the rule.
        steps: from the schema's root to the rule.
        kind: the kind whose schema it is.
    """

    rule: str
    instance: Any
    path: Path
    schema: dict[str, Any]
    steps: tuple[str | int, ...]
    kind: str


def first_repeated(items: list[Any]) -> int | None:
    """Where the first item stands that is there already."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        shown = json.dumps(item, sort_keys=True, default=str)
        if shown in seen:
            return index
        seen.add(shown)
    return None


def kind_finding(content: dict[str, Any], document: int, kinds: tuple[str, ...]) -> Finding:
    """That a document is of none of the `kinds`."""
    names = ", ".join(kinds)
    if "kind" not in content:
        near = _close("kind", [key for key in content if isinstance(key, str)])
        hint = of_another_program(content) or f"add kind: with one of {names}"
        hint = f"did you mean 'kind' by '{near}'?" if near else hint
        repair = renamed(near, ["kind"], Place(document, (near,), at_key=True)) if near else None
        return Finding("RC202", "the document does not say its kind", Place(document), hint, repair)
    kind = content["kind"]
    near = _close(kind, kinds) if isinstance(kind, str) else None
    hint = of_another_program(content) or f"the kinds are {names}"
    hint = f"did you mean '{near}'?" if near else hint
    shown = f"unknown kind '{kind}'" if isinstance(kind, str) and len(kind) < 60 else "kind does not name a kind"
    place = Place(document, ("kind",))
    repair = renamed(kind, kinds, place) if isinstance(kind, str) else None
    return Finding("RC208", shown, place, hint, repair)


def findings_of(fault: Objection, document: int) -> Iterator[Finding]:
    """What an objection comes to, for people."""
    if fault.rule == "propertyNames":
        yield _bad_name(fault.instance, fault.path, document)
    elif _is_literal_secret(fault):
        hint = literal_secret(fault.instance)
        message = f"{dotted(fault.path)} takes a secret reference, not a value"
        yield Finding("RC210", message, Place(document, fault.path), hint)
    else:
        for finding in _EXPLAINERS.get(fault.rule, _other)(fault, Place(document, fault.path)):
            yield advised(fault, finding)


def _is_literal_secret(fault: Objection) -> bool:
    is_reference = fault.rule == "type" and fault.schema.get("title") == "Secret reference"
    return is_reference and not isinstance(fault.instance, dict | list | None)


def _bad_name(key: str, path: Path, document: int) -> Finding:
    shown = "" if _secret(path) or len(key) > 60 else f" '{key}'"
    hint = "use letters, digits and . _ / -, at most 63" if path[-1:] == ("labels",) else "see `explain` for the form"
    return Finding("RC205", f"the name{shown} in {_where(path)} does not have the right form", Place(document, (*path, key), at_key=True), hint)  # fmt: skip


def _unknown_keys(fault: Objection, place: Place) -> Iterator[Finding]:
    known = list(fault.schema["properties"])
    in_branch = "then" in fault.steps
    for key in (key for key in fault.instance if isinstance(key, str) and key not in fault.schema["properties"]):
        at = Place(place.document, (*place.path, key), at_key=True)
        if in_branch and key in _authorization_keys():
            method = fault.instance.get("method")
            yield Finding(
                "RC201", f"'{key}' does not go with method '{method}'", at, f"{method} takes {_listed(known)}"
            )
        elif _secret(place.path):
            yield Finding("RC201", f"unknown key in {_where(place.path)}", at, f"known are {_listed(known)}")
        else:
            near = _close(key, known)
            hint = f"did you mean '{near}'?" if near else f"known are {_listed(known)}"
            repair = renamed(key, known, at)
            taken = repair is not None and repair.text in fault.instance
            yield Finding(
                "RC201", f"unknown key '{key[:60]}' in {_where(place.path)}", at, hint, None if taken else repair
            )


@cache
def _authorization_keys() -> frozenset[str]:
    schema = registry.load(SCHEMA_FILES["Connector"])
    return frozenset(schema["$defs"]["authorization"]["properties"])


def _missing_keys(fault: Objection, place: Place) -> Iterator[Finding]:
    properties = fault.schema.get("properties", {})
    unknown = [name for name in islice(fault.instance, MAX_FAULTS) if isinstance(name, str) and name not in properties]
    wanted = [key for key in fault.schema["required"] if key not in fault.instance]
    meant = {key: near for key in wanted if (near := _close(key, unknown) or _other_word(key, unknown, place.path))}
    for key, near in meant.items():
        yield Finding(
            "RC202", f"'{key}' is missing in {_where(place.path)}", place, f"is '{near}' meant to be '{key}'?"
        )
    rest = [key for key in wanted if key not in meant]
    if rest:
        names = _listed(f"'{key}'" for key in rest) if rest != ["token"] else "'token' or 'tokenRequest'"
        message = f"{names} {'is' if len(rest) == 1 else 'are'} missing in {_where(place.path)}"
        yield Finding("RC202", message, place, missing(rest, fault))


def _other_word(key: str, unknown: Iterable[str], path: Path) -> str:
    return next((word for word in unknown if meant_key(word, path) == key), "")


def _type(fault: Objection, place: Place) -> Iterator[Finding]:
    wanted = fault.schema["type"]
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    shown = " or ".join(_TYPES[name] for name in names)
    message = f"{_where(place.path)} should be {shown}, not {_type_name(fault.instance)}"
    repair = None if _secret(place.path) else _type_repair(fault.instance, names, place.path)
    yield Finding("RC203", message, place, _type_hint(fault.instance, names), repair)


def _type_repair(value: object, wanted: list[str], path: Path) -> Repair | None:
    if "string" in wanted:
        return quoted(value)
    if "boolean" in wanted and isinstance(value, str) and value.lower() in _YAML_1_1_WORDS:
        return as_truth(_YAML_1_1_WORDS[value.lower()], path)
    return listed(value) if "array" in wanted else None


def _type_hint(value: object, wanted: list[str]) -> str:
    if "boolean" in wanted and isinstance(value, str) and value.lower() in _YAML_1_1_WORDS:
        return f"write {_YAML_1_1_WORDS[value.lower()]}: in YAML 1.2 '{value}' is a text"
    if "string" in wanted and isinstance(value, bool | int | float):
        return "put it in quotes"
    if value is None:
        return "write a value, or remove the key"
    if "array" in wanted and isinstance(value, str):
        return "write it as a list: [...]"
    return ""


def _type_name(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _enum(fault: Objection, place: Place) -> Iterator[Finding]:
    allowed = [str(value) for value in fault.schema["enum"]]
    value = fault.instance
    near = _close(value, allowed) if isinstance(value, str) and not _secret(place.path) else None
    hint = f"did you mean '{near}'?" if near else f"allowed are {_listed(allowed)}"
    shown = f" '{value}'" if isinstance(value, str) and len(value) <= 60 and not _secret(place.path) else ""
    yield Finding(
        "RC204",
        f"{_where(place.path)} cannot be{shown or ' this value'}",
        place,
        hint,
        renamed(value, allowed, place) if near and isinstance(value, str) else None,
    )


def _const(fault: Objection, place: Place) -> Iterator[Finding]:
    wanted = fault.schema["const"]
    hint = f"write {wanted}" if place.path != ("apiVersion",) else f"this version reads {API_VERSION}"
    repair = renamed(fault.instance, [str(wanted)], place) if isinstance(fault.instance, str) else None
    same = repair is not None and str(fault.instance).lower() == str(wanted).lower()
    yield Finding("RC204", f"{_where(place.path)} should be {wanted}", place, hint, repair if same else None)


def _pattern(fault: Objection, place: Place) -> Iterator[Finding]:
    if isinstance(fault.instance, str) and fault.instance.endswith("\n"):
        hint = "it ends with a line break: write it on one line, without | or >"
    else:
        hint = fault.schema.get("description", "")
    yield Finding("RC205", f"{_where(place.path)} does not have the right form", place, hint)


def _bounds(fault: Objection, place: Place) -> Iterator[Finding]:
    limit = fault.schema[fault.rule]
    words = {
        "minLength": f"needs at least {limit} character{'s' * (limit != 1)}",
        "maxLength": f"is longer than {limit:,} characters",
        "minItems": f"needs at least {limit} item{'s' * (limit != 1)}",
        "maxItems": f"has more than {limit:,} items",
        "minimum": f"is below {limit:,}",
        "maximum": f"is above {limit:,}",
        "minProperties": f"needs at least {limit} key{'s' * (limit != 1)}",
        "maxProperties": f"has more than {limit:,} key{'s' * (limit != 1)}",
    }
    hint = ""
    if fault.schema.get("title") == "Secret reference":
        hint = "name one place: {env: NAME} or {file: path}"
    yield Finding("RC206", f"{_where(place.path)} {words[fault.rule]}", place, hint)


def _unique(fault: Objection, place: Place) -> Iterator[Finding]:
    index = first_repeated(fault.instance)
    at = place if index is None else Place(place.document, (*place.path, index))
    yield Finding(
        "RC207",
        f"an item stands twice in {_where(place.path)}",
        at,
        "remove it",
        None if index is None else dropped(fault.instance[index]),
    )


def _excluded(fault: Objection, place: Place) -> Iterator[Finding]:
    """A schema that is simply false: the key must not stand here."""
    at = Place(place.document, place.path, at_key=True)
    yield Finding("RC201", f"{_where(place.path)} does not go with tokenRequest", at, "give one of the two")


def _other(fault: Objection, place: Place) -> Iterator[Finding]:
    yield Finding("RC209", f"{_where(place.path)} does not agree with '{fault.rule}' of its schema", place)


_EXPLAINERS: dict[str, Callable[[Objection, Place], Iterator[Finding]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "uniqueItems": _unique,
    "falseSchema": _excluded,
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "minProperties", "maxProperties"),
        _bounds,
    ),
}


def _secret(path: Path) -> bool:
    return any(isinstance(step, str) and is_secret_key(step) for step in path)


def _where(path: Path) -> str:
    return dotted(path) or "the document"


def _close(word: str, among: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    names = {name.lower(): name for name in among if len(name) <= 255}
    near = get_close_matches(word[:255].lower(), names, n=1, cutoff=0.6)
    return names[near[0]] if near else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
