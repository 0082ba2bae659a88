"""What an import gives back, and how it fails."""

from typing import Any

from msgspec import Struct

from reconciler.errors import InvalidDefinitions
from reconciler.importers.openapi.notes import Note


class NotImportable(InvalidDefinitions):
    """The file is not an OpenAPI or Swagger document that connectors can be made of."""


class Imported(Struct, frozen=True):
    """The outcome of an import.

    Attributes:
        documents: Connector documents, ready to be written; each valid against the schema.
        notes: everything that could not be carried over as it was.
        title: the imported document's own title, on one line.
        version: version of the interface that the document states, on one line, or "".
        format: the language of the document, e.g. "OpenAPI 3.0.3".
    """

    documents: list[dict[str, Any]]
    notes: list[Note]
    title: str
    version: str
    format: str
