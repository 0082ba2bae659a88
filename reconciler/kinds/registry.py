"""The kinds, by name."""

from collections.abc import Callable, Container, Iterable
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Finding, Path
from reconciler.kinds import access_test, category, connector, group, policy
from reconciler.kinds.common import Reference, SecretField

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
        Kind("Category", "category", "connectors", category.canonical),
        Kind(
            "Connector", "connector", "connectors", connector.canonical,
            connector.references, connector.secret_fields, connector.literals, connector.rules,
        ),
        Kind(
            "Group", "group", "policies", group.canonical, group.references,
            rules=group.rules, left_out=group.left_out,
        ),
        Kind(
            "PermissionPolicy", "policy", "policies", policy.canonical, policy.references,
            rules=policy.rules, dated_rules=policy.ended, left_out=policy.left_out,
        ),
        Kind(
            "AccessTest", "access-test", "policies", access_test.canonical, access_test.references,
            rules=access_test.rules,
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
