"""What is true of every import, whatever was imported."""

import json
from functools import cache
from pathlib import Path
from typing import Any

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


def check(imported: Imported, source: Any = None, *, rules: bool = True) -> str:
    """Assert that the documents are valid, and read back by three loaders as they are; the YAML text.

    Args:
        source: the imported document, where every note has to have its place.
        rules: whether `validate` has to be content, which it is not with whatever others wrote as a connector.
    """
    if source is not None:
        check_places(imported, source)
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
    if rules:
        check_by_validate(imported, files)
    return text


def check_places(imported: Imported, source: Any) -> None:
    """Assert that every pointer of every note leads somewhere in `source`, and that there is one note for a cause."""
    for note in imported.notes:
        assert note.where == note.places[0]
        for place in note.places:
            assert resolves(place, source), f"{note.code}: there is no {place}"
    causes = [(note.code, note.message.partition(":")[0]) for note in imported.notes]
    assert len({*causes}) == len(causes) or len(causes) < 40, "the same cause has many notes"


def resolves(pointer: str, source: Any) -> bool:
    """Whether a JSON pointer (RFC 6901) leads to a value."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(source, dict) and key in source:
            source = source[key]
        elif isinstance(source, list) and key.isdecimal() and int(key) < len(source):
            source = source[int(key)]
        else:
            return False
    return pointer == "" or pointer.startswith("/")


def check_by_validate(imported: Imported, files: dict[str, str]) -> None:
    """Assert that `validate` finds nothing, save plain http, gaps and bodies without a sample that a note has told of."""
    found: dict[str, str] = {}
    for name, content in files.items():
        read = reader().read(f"connectors/{name}", content.encode())
        found |= {item.code: f"{item.span} {item.message}" for item in read.diagnostics}
    if any(note.code == "plain-http" for note in imported.notes):
        found.pop("RC605", None)
    if any(note.code in ("secret-removed", "body-unknown", "body-cut") for note in imported.notes):
        found = {code: words for code, words in found.items() if code not in ("RC510", "RC511")}
    found.pop("RC507", None)  # a value that looks like a placeholder is the document's own
    if any(note.code == "tls-unverified" for note in imported.notes):
        found.pop("RC602", None)
    assert not found, f"validate refuses it: {found}"
