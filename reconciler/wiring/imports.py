"""Builds the parts of an import: where the document comes from and where the definitions go."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.durable import replace_files
from reconciler.errors import UsageError
from reconciler.source import files
from reconciler.source.repository import Repository
from reconciler.wiring.run import from_root

if TYPE_CHECKING:
    from reconciler.importers.openapi import Note


class ImportRequest(Struct, frozen=True):
    """What to import, and as what."""

    source: str
    name: str | None
    categories: tuple[str, ...]
    server: str | None


class Prepared(Struct, frozen=True):
    """The outcome of an import, before it is written.

    Attributes:
        files: text by file name.
        summary: how many notes there are of each sort.
        variables: environment variables that the secret references name.
    """

    files: dict[str, str]
    notes: "list[Note]"
    summary: dict[str, int]
    endpoints: int
    variables: tuple[str, ...]
    format: str


IMPORTED = "imported"
"""Category of imports for which none is named."""


def import_openapi(root: Path | None, request: ImportRequest) -> Prepared:
    """Read an OpenAPI or Swagger document from a file or URL and turn it into files of definitions.

    The category `IMPORTED`, when it is used and `root` does not define it, comes with the connector.

    Raises:
        NotImportable, UsageError, NetworkFailure, SourceUnavailable: see their texts.
    """
    from reconciler.importers import openapi

    document = openapi.read(_content_of(request.source), request.source)
    imported = openapi.convert(
        document, name=request.name, categories=request.categories or (IMPORTED,), server=request.server
    )
    found = openapi.dump_files(imported)
    if not request.categories and not (root and _defines_imported(root)):
        first = next(iter(found))
        found[first] = f"{_IMPORTED_CATEGORY}---\n{found[first]}"
    summary = Counter(openapi.NOTES[note.code][1] for note in imported.notes)
    return Prepared(
        files=found,
        notes=imported.notes,
        summary=dict(summary.most_common()),
        endpoints=sum(len(connector["spec"]["endpoints"]) for connector in imported.documents),
        variables=tuple(sorted(set(_VARIABLE.findall("".join(found.values()))))),
        format=imported.format,
    )


_VARIABLE = re.compile(r"(?m)^ *env: ([A-Za-z_][A-Za-z0-9_]*)$")
_IMPORTED_CATEGORY = """\
apiVersion: reconciler/v1
kind: Category
metadata:
  name: imported
spec:
  displayName: Imported
  description: Connectors that were imported and not yet filed.
"""


def _content_of(source: str) -> bytes:
    if source.startswith(("https://", "http://")):
        from reconciler.net.retry import fetch

        return fetch(source, limit=MAX_IMPORT_BYTES)
    try:
        with Path(source).open("rb") as opened:
            return opened.read(MAX_IMPORT_BYTES + 1)
    except OSError as failure:
        raise UsageError(
            f"{source} cannot be read: {failure.strerror}", hint="name a file or an https URL"
        ) from failure


MAX_IMPORT_BYTES = 128 * 1024 * 1024


def _defines_imported(root: Path) -> bool:
    return Key("Category", IMPORTED) in Repository(root).load().resources


def write_new(files_by_name: Mapping[str, str], root: Path | None, out: str | None, *, force: bool) -> list[str]:
    """Write new files below `out`, by default the repository's connectors/; returns their paths.

    Raises:
        UsageError: a file exists and `force` is not given, or a path cannot be written.
    """
    folder, names = _destinations(list(files_by_name), root, out)
    base, below = from_root(folder)
    targets = [base / below / name for name in names]
    for target in targets:
        if os.path.lexists(target) and not force:
            raise UsageError(f"{target} exists", hint="name another with --out or --name, or pass --force")
    contents = {
        f"{below}/{name}".lstrip("/"): text.encode() for name, text in zip(names, files_by_name.values(), strict=True)
    }
    try:
        replace_files(base, contents)
    except OSError as failure:
        raise UsageError(f"{failure.filename or folder} cannot be written: {failure.strerror}") from failure
    return [os.path.relpath(target) for target in targets]


def _destinations(names: list[str], root: Path | None, out: str | None) -> tuple[Path, list[str]]:
    if out is None:
        assert root is not None
        return root / "connectors", names
    path = Path(out)
    if path.suffix in files.SUFFIXES and not path.is_dir():
        if len(names) > 1:
            raise UsageError(f"the import makes {len(names)} files", hint="name a directory with --out")
        return path.parent, [path.name]
    return path, names
