"""The kinds by name, their published JSON Schemas, and whether a document satisfies its own."""

import os
import pathlib
from collections.abc import Callable, Container, Iterable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reconciler.diagnostics import Finding, Path
from reconciler.kinds import connector, policies
from reconciler.kinds import connector as category
from reconciler.kinds.common import Reference, SecretField
from reconciler.version import __version__

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


VERSION = 3
"""Grows when the same definitions are judged otherwise, or make another body, between two released versions."""

SCHEMAS = ("category", "connector", "group", "permissionpolicy", "accesstest")


def folder_path() -> str:
    """Where the schema files are: in the wheel beside the code, in a checkout at its top."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    bundled = f"{package}/_schemas"
    return bundled if os.path.isdir(bundled) else f"{os.path.dirname(package)}/schemas"


def rules_digest() -> str:
    """Digest of the schemas of definitions, with the program's version."""
    content = f"{__version__}/{VERSION}".encode()
    place = folder_path()
    for name in SCHEMAS:
        with open(f"{place}/{name}.schema.json", "rb") as schema:
            content += schema.read()
    digest: str = sha256(content).hexdigest()
    return digest


@cache
def folder() -> pathlib.Path:
    """Where the schema files are."""
    return pathlib.Path(folder_path())


def text(file: str) -> bytes:
    """Content of one schema file.

    Raises:
        FileNotFoundError: there is no such schema.
    """
    return (folder() / file).read_bytes()


@cache
def load(file: str) -> dict[str, Any]:
    """One schema, decoded. Shared: do not change it."""
    schema: dict[str, Any] = msgspec.json.decode(text(file))
    return schema


def resolve(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    """`node` of `schema` with its local references followed; keywords beside a reference win."""
    found: dict[str, Any] = node if isinstance(node, dict) else {}
    while "$ref" in found:
        target: Any = schema
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found = {**target, **{key: value for key, value in found.items() if key != "$ref"}}
    return found


def arranged(value: Any, schema: dict[str, Any], node: dict[str, Any]) -> Any:
    """`value` with its keys in the order of the schema, in which one reads them; unknown keys come last.

    Args:
        node: the part of `schema` that describes `value`; empty where nothing does.
    """
    if isinstance(value, list):
        below = resolve(schema, node.get("items"))
        return [arranged(item, schema, below) for item in value]
    if not isinstance(value, dict):
        return value
    known = node.get("properties", {})
    rank = {key: position for position, key in enumerate(known)}
    return {
        key: arranged(value[key], schema, resolve(schema, known.get(key, node.get("additionalProperties"))))
        for key in sorted(value, key=lambda key: (rank.get(key, len(rank)), key))
    }


API_VERSION = "reconciler/v1"


def _nothing(spec: dict[str, Any]) -> Iterable[Any]:
    return ()


def _no_literals(spec: dict[str, Any], secrets: Container[str]) -> Iterable[tuple[Path, str]]:
    return ()


def _none_left_out(spec: dict[str, Any]) -> tuple[str, ...]:
    return ()


def _no_rules(spec: dict[str, Any], document: int) -> list[Finding]:
    return []


def no_dated_rules(spec: dict[str, Any], document: int, now: str) -> list[Finding]:
    """Of a kind that is judged alike at all times."""
    return []


class Kind(Struct, frozen=True):
    """What the rest of the program needs to know of a kind.

    Attributes:
        name: as in documents.
        word: what it is called in the command line and in addresses.
        directory: where its documents live.
        canonical: from a spec to its canonical form, which may share parts with it.
        references, secret_fields: what a spec refers to, and where its secrets are.
        literals: path and address of texts that stand where one of the secrets given, by address, belongs.
        rules: findings of a spec that the schema cannot express; takes the index of the document.
        dated_rules: those that depend on the time too, which comes last, RFC 3339.
        left_out: lists of a spec, dotted, that it does not mention; before it is brought to its canonical form.
    """

    name: str
    word: str
    directory: str
    canonical: Callable[[dict[str, Any]], dict[str, Any]]
    references: Callable[[dict[str, Any]], Iterable[Reference]] = _nothing
    secret_fields: Callable[[dict[str, Any]], Iterable[SecretField]] = _nothing
    literals: Callable[[dict[str, Any], Container[str]], Iterable[tuple[Path, str]]] = _no_literals
    rules: Callable[[dict[str, Any], int], list[Finding]] = _no_rules
    dated_rules: Callable[[dict[str, Any], int, str], list[Finding]] = no_dated_rules
    left_out: Callable[[dict[str, Any]], tuple[str, ...]] = _none_left_out


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("Category", "category", "connectors", category.canonical_category),
        Kind(
            "Connector", "connector", "connectors", connector.canonical,
            connector.references, connector.secret_fields, connector.literals, connector.rules,
        ),
        Kind(
            "Group", "group", "policies", policies.canonical_group, policies.references_of_group,
            rules=policies.rules_of_groups, left_out=policies.left_out_of_group,
        ),
        Kind(
            "PermissionPolicy", "policy", "policies", policies.canonical_policy, policies.references_of_policy,
            rules=policies.rules_of_policies, dated_rules=policies.ended, left_out=policies.left_out_of_policy,
        ),
        Kind(
            "AccessTest", "access-test", "policies", policies.canonical_access_test, policies.references_of_access_test,
            rules=policies.rules_of_access_tests,
        ),
    )
}  # fmt: skip
"""In the order in which they are applied: what is referred to comes first."""

WORDS: dict[str, str] = {kind.word: kind.name for kind in KINDS.values()}
SCHEMA_FILES: dict[str, str] = {
    **{name: f"{name.lower()}.schema.json" for name in KINDS},
    "Project": "project.schema.json",
}


def address(kind: str, name: str) -> str:
    """How people name a resource, e.g. ``connector/crm-contacts``."""
    return f"{KINDS[kind].word}/{name}"


def is_valid(kind: str, document: Any) -> bool:
    """Whether a document satisfies the schema of `kind`, which is compiled when the first one is met.

    Raises:
        ValueError: for what JSON cannot express.
        TypeError: the same, such as keys that are not texts.
    """
    return compiled(kind).is_valid(document)


def prepare(kinds: Iterable[str]) -> None:
    """Compile the schemas of `kinds`, before processes are started that would all have to."""
    for kind in kinds:
        compiled(kind)


@cache
def compiled(kind: str) -> "Draft202012Validator":
    """The schema of `kind`, compiled."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(load(SCHEMA_FILES[kind]))


def is_definition(kind: str, spec: Any, labels: Any) -> bool:
    """Whether a live record, which others may have written, is what a document could declare."""
    metadata = {"name": "live", "labels": labels} if labels else {"name": "live"}
    try:
        return is_valid(kind, {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})
    except (ValueError, TypeError, RecursionError):
        return False
