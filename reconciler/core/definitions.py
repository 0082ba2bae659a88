"""Live records as definitions: what can be written down, and what cannot."""

from collections.abc import Container
from typing import Any, Protocol

from msgspec import Struct

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Finding


class Definition(Struct, frozen=True):
    """A live record as the text of a document.

    Attributes:
        owner: repository that the record belongs to, or "" for none.
        resource: what the text declares, as it would be read.
        document: the same, decoded.
    """

    key: Key
    owner: str
    text: str
    document: dict[str, Any]
    resource: Resource


class Inexpressible(Struct, frozen=True):
    """A live record that cannot be a definition as it is, and why; no value of it is told."""

    key: Key
    findings: tuple[Finding, ...]


class Export(Struct, frozen=True):
    """What came of it.

    Attributes:
        definitions: in the order in which they are applied.
        refused: live records that cannot be definitions as they are.
        notes: address and what a reader should know of the definition.
    """

    definitions: tuple[Definition, ...]
    refused: tuple[Inexpressible, ...]
    notes: tuple[tuple[Key, str], ...]


class WritesDefinitions(Protocol):
    """From a canonical body to the text of a document that declares just that."""

    def write(
        self, key: Key, content: dict[str, Any], secrets: Container[str]
    ) -> "tuple[str, Resource] | list[Finding]":
        """The text with what it declares, or why there is none.

        Args:
            secrets: addresses of the secrets that the store holds for the record; a text there is one in the clear.
        """
        ...
