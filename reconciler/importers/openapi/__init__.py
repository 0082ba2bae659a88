"""OpenAPI 3 and Swagger 2 documents become Connector documents.

`read` turns bytes into a document, `convert` a document into connectors and notes on whatever could not
be carried over, `dump` and `dump_files` the connectors into YAML.
"""

from reconciler.importers.openapi.converting import convert
from reconciler.importers.openapi.dumping import dump, dump_files
from reconciler.importers.openapi.notes import NOTES, Effect, Note
from reconciler.importers.openapi.reading import read
from reconciler.importers.openapi.records import Imported, NotImportable

__all__ = ["NOTES", "Effect", "Imported", "NotImportable", "Note", "convert", "dump", "dump_files", "read"]
