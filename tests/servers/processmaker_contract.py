"""Whether requests to a ProcessMaker instance, and its answers, are as processmaker.openapi.yaml describes them.

A request may name only what is described: path, verb, parameters with values of their schema, and the body's own keys.
An answer has to be one of those that its operation names, with a body of that schema or none.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec
import yaml

DOCUMENT = Path(__file__).with_name("processmaker.openapi.yaml")


@cache
def document() -> dict[str, Any]:
    """The contract, as read."""
    return yaml.load(DOCUMENT.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def paths() -> list[tuple[re.Pattern[str], str]]:
    """A pattern for each path, with its template."""
    return [(re.compile(template.replace("{id}", r"[1-9]\d*")), template) for template in document()["paths"]]


@dataclass(frozen=True)
class Sent:
    """One request: path below the API's root."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]  # names in lower case


def request_faults(sent: Sent) -> list[str]:
    """What the contract does not describe in a request; empty when all is well."""
    operation = _operation(sent.method, sent.path)
    if operation is None:
        return ["no such operation"]
    found = _headers(sent)
    parameters = {one["name"]: one for one in map(_resolved, operation.get("parameters", [])) if one["in"] == "query"}
    for name, text in parse_qsl(sent.query, keep_blank_values=True):
        if name not in parameters:
            found.append(f"query parameter {name} is not described")
            continue
        schema = _resolved(parameters[name]["schema"])
        value = int(text) if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text) else text
        found += [f"query parameter {name}: {message}" for message in _faults(schema, value)]
    return found + _body(operation, sent)


def answer_faults(sent: Sent, status: int, kind: str, body: bytes) -> list[str]:
    """What the contract does not describe in the answer to a request that it describes."""
    operation = _operation(sent.method, sent.path)
    if operation is None:
        return []
    if str(status) not in operation["responses"]:
        return [f"status {status} is not described"]
    content = _resolved(operation["responses"][str(status)]).get("content")
    if not content:
        return ["a body where none is described"] if body else []
    if not kind.startswith("application/json"):
        return [f"Content-Type is {kind or 'missing'}"]
    return _faults(content["application/json"]["schema"], msgspec.json.decode(body))


def _operation(method: str, path: str) -> dict[str, Any] | None:
    template = next((template for pattern, template in paths() if pattern.fullmatch(path)), "")
    return document()["paths"].get(template, {}).get(method.lower())


def _headers(sent: Sent) -> list[str]:
    found = []
    if "authorization" not in sent.headers:
        found.append("no Authorization")
    if sent.headers.get("accept") != "application/json":
        found.append("Accept is not application/json")  # anything else may be answered with a login page
    return found


def _body(operation: dict[str, Any], sent: Sent) -> list[str]:
    described = operation.get("requestBody")
    if described is None:
        return ["a body where none is described"] if sent.body else []
    kind = sent.headers.get("content-type", "")
    if kind.partition(";")[0] != "application/json":
        return [f"Content-Type is {kind or 'missing'}"]
    try:
        value = msgspec.json.decode(sent.body)
    except msgspec.DecodeError as exc:
        return [f"body: {exc}"]
    schema = _resolved(described["content"]["application/json"]["schema"])
    unknown = [f"body: key {key} is not described" for key in value if key not in schema["properties"]]
    return unknown + [f"body: {message}" for message in _faults(schema, value)]


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        node: Any = document()
        for key in part["$ref"][2:].split("/"):
            node = node[key]
        part = node
    return part


_validators: dict[int, jsonschema_rs.Draft202012Validator] = {}


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Where and what; values stay out of it, as some are secrets."""
    validator = _validators.get(id(schema))
    if validator is None:
        whole = {**schema, "components": {"schemas": document()["components"]["schemas"]}}
        validator = _validators[id(schema)] = jsonschema_rs.Draft202012Validator(whole, mask="…")
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]
