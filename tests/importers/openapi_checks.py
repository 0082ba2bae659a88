"""What is true of every import, whatever was imported."""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs
import yaml
import yaml_rs

from reconciler.importers.openapi import NOTES, Imported, dump, dump_files
from reconciler.source.documents import DocumentReader
from reconciler.source.roundtrip.format import format_document_text

SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "connector.schema.json"
LARGEST_FILE = 4 * 1024 * 1024


@cache
def validator() -> jsonschema_rs.Validator:
    """The published schema of connectors."""
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))


@cache
def reader() -> DocumentReader:
    """What `validate` reads files with."""
    return DocumentReader()


def check(imported: Imported) -> str:
    """Assert that the documents are valid, and read back by three loaders as they are; the YAML text."""
    for document in imported.documents:
        validator().validate(document)
    text = dump(imported)
    read_back = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    assert read_back == imported.documents, "PyYAML, which reads YAML 1.1, reads something else"
    files = dump_files(imported)
    for document, content in zip(imported.documents, files.values(), strict=True):
        assert len(content.encode()) <= LARGEST_FILE, "a file is too large"
        assert yaml_rs.loads(content, parse_datetime=False) == document, "yaml-rs reads something else"
    assert all(note.code in NOTES for note in imported.notes), "a note has an unknown code"
    assert len(files) > 1 or list(files.values()) == [text], "one document is written in two ways"
    if len(text) < 100_000:  # fmt takes its time
        assert format_document_text(text.encode(), "f.yaml").text == text.encode(), "fmt writes it differently"
    check_by_validate(imported, files)
    return text


def check_by_validate(imported: Imported, files: dict[str, str]) -> None:
    """Assert that `validate` finds nothing, save plain http where a note has warned of it, and gaps that people fill."""
    found: dict[str, str] = {}
    for name, content in files.items():
        read = reader().read(f"connectors/{name}", content.encode())
        found |= {item.code: f"{item.span} {item.message}" for item in read.diagnostics}
    if any(note.code == "plain-http" for note in imported.notes):
        found.pop("RC605", None)
    for gap in ("RC510", "RC511"):
        found.pop(gap, None)
    if any(note.code == "tls-unverified" for note in imported.notes):
        found.pop("RC602", None)
    assert not found, f"validate refuses it: {found}"
