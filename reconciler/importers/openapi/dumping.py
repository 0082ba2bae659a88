"""Connectors as YAML text: `dump` and `dump_files`."""

from collections.abc import Mapping
from typing import Any

from reconciler.importers.openapi.records import Imported
from reconciler.importers.openapi.texts import one_line
from reconciler.yaml.writer import joined, mapping_lines, text_of


def dump(imported: Imported) -> str:
    """All documents as one YAML text, with a comment at the top that says where they come from."""
    return _comment(imported) + joined(map(text_of, imported.documents))


def dump_files(imported: Imported) -> dict[str, str]:
    """Each document as the text of a file of its own, by file name; none is larger than a file may be."""
    comment = _comment(imported)
    return {f"{document['metadata']['name']}.yaml": comment + text_of(document) for document in imported.documents}


def _comment(imported: Imported) -> str:
    title = one_line(imported.title)[:200] or "a document without a title"
    version = f", version {one_line(imported.version)}" if imported.version else ""
    return (
        f"# Imported from {one_line(imported.format)}: {title}{version}.\n"
        "# Placeholders in double braces are filled in by each call; `sample` holds values for a test call.\n"
        "# Bodies show every field that is known: remove those that are not needed.\n"
    )


def size_of(endpoints: Mapping[str, Any]) -> tuple[int, int]:
    """Bytes that the endpoints take up in a file, and values, keys included, that a reader counts."""
    lines = list(mapping_lines(endpoints, 4))
    return sum(len(line.encode()) + 1 for line in lines), _count(endpoints)


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1
