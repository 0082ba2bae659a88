"""The parts of an import: what is read becomes definitions, and those files."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.durable import replace_files
from reconciler.errors import UsageError
from reconciler.source import files
from reconciler.source.documents import DocumentReader
from reconciler.source.repository import Extent
from reconciler.wiring.exchange import URLS, content_of_source
from reconciler.wiring.roots import from_root
from reconciler.wiring.run import open_source

if TYPE_CHECKING:
    from reconciler.importers.document import Note
    from reconciler.importers.syntax import Imported


class ImportRequest(Struct, frozen=True):
    """What to import, and as what."""

    source: str
    name: str | None
    categories: tuple[str, ...]
    server: str | None


class PreparedImport(Struct, frozen=True):
    """The outcome of an import, before it is written.

    Attributes:
        files: text by file name.
        summary: how many notes there are of each sort.
        variables: environment variables that the secret references name.
        diagnostics: what `validate` will say of the files, beside the repository that they are for.
    """

    files: dict[str, str]
    notes: "list[Note]"
    summary: dict[str, int]
    endpoints: int
    variables: tuple[str, ...]
    format: str
    diagnostics: tuple[Diagnostic, ...] = ()


IMPORTED = "imported"
"""Category of imports for which none is named."""


def import_openapi(root: Path | None, request: ImportRequest) -> PreparedImport:
    """Read an OpenAPI or Swagger document from a file or URL and turn it into files of definitions.

    The category `IMPORTED`, when it is used and `root` does not define it, comes with the connector.

    Raises:
        NotImportable, UsageError, NetworkFailure, SourceUnavailable: see their texts.
    """
    from reconciler.importers import openapi

    document = openapi.read(content_of_source(request.source), request.source)
    imported = openapi.convert(
        document,
        name=request.name,
        categories=request.categories or (IMPORTED,),
        server=request.server,
        fetched_from=request.source if request.source.startswith(URLS) else None,
    )
    return prepared_of(imported, root, request)


def import_postman(root: Path | None, request: ImportRequest) -> PreparedImport:
    """As `import_openapi`, of a Postman collection in a file or at a URL."""
    from reconciler.importers import postman
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    categories = request.categories or (IMPORTED,)
    imported = postman.convert(document, name=request.name, categories=categories, server=request.server)
    return prepared_of(imported, root, request)


def import_har(root: Path | None, request: ImportRequest, *, pages: bool) -> PreparedImport:
    """As `import_openapi`, of a HAR recording in a file.

    Args:
        pages: whether pages, and the images, styles and scripts that they load, are endpoints too.
    """
    from reconciler.importers import har
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    choice = har.Choice(request.name, request.categories or (IMPORTED,), request.server, pages)
    return prepared_of(har.convert(document, choice), root, request)


def import_curl(root: Path | None, request: ImportRequest) -> PreparedImport:
    """As `import_openapi`, of curl commands: in a file, on standard input (`-`), or the source itself.

    No file is opened that a command names.
    """
    from reconciler.importers import curl

    source, text = request.source, request.source
    if source == "-":
        source, text = "stdin", sys.stdin.buffer.read(curl.MAX_TEXT + 1).decode(errors="replace")
    elif re.match(r"curl(?:\.exe)?\s", source):
        source = "command"
    else:
        text = content_of_source(source).decode(errors="replace")
    imported = curl.convert(text, source, name=request.name, categories=request.categories or (IMPORTED,))
    return prepared_of(imported, root, request)


def prepared_of(imported: "Imported", root: Path | None, request: ImportRequest) -> PreparedImport:
    """The files of an import, beside the repository that they are for."""
    from reconciler.importers.connectors import dump_files
    from reconciler.importers.document import NOTES

    found = dump_files(imported)
    found = _with_categories(found, imported, set() if root is None else _categories(root, found), request)
    summary = Counter(NOTES[note.code][1] for note in imported.notes)
    return PreparedImport(
        files=found,
        notes=imported.notes,
        summary=dict(summary.most_common()),
        endpoints=sum(len(connector["spec"].get("endpoints", {})) for connector in imported.documents),
        variables=tuple(sorted(set(_VARIABLE.findall("".join(found.values()))))),
        format=imported.format,
        diagnostics=diagnostics_of(found, root),
    )


def _with_categories(
    found: dict[str, str], imported: "Imported", defined: Iterable[str], request: ImportRequest
) -> dict[str, str]:
    """The files, each category that the repository lacks before the first connector that is filed under it."""
    from reconciler.yaml.writer import text_of

    lacking = {document["metadata"]["name"]: text_of(document) for document in imported.categories}
    if not request.categories:
        lacking[IMPORTED] = _IMPORTED_CATEGORY
    lacking = {name: text for name, text in lacking.items() if name not in defined}
    made = {}
    for (file, text), document in zip(found.items(), imported.documents, strict=True):
        used = [lacking.pop(name) for name in document["spec"]["categories"] if name in lacking]
        made[file] = "---\n".join([*used, text])
    return made


def diagnostics_of(files_by_name: Mapping[str, str], root: Path | None) -> tuple[Diagnostic, ...]:
    """What `validate` will say of new files below connectors/: beside all else in the repository, or, without `root`, alone."""
    contents = {f"connectors/{name}": text.encode() for name, text in files_by_name.items()}
    if root is not None:
        found = open_source(root, "", Extent(edited=contents)).load().diagnostics
    else:
        reader = DocumentReader()
        found = tuple(item for path, data in contents.items() for item in reader.read(path, data).diagnostics)
    return tuple(item for item in found if item.span.file in contents)


def as_written(prepared: PreparedImport, written: Sequence[str]) -> list[Diagnostic]:
    """The diagnostics of an import at the paths where its files were written, if they were."""
    paths = dict(zip((f"connectors/{name}" for name in prepared.files), written, strict=False))
    return [
        replace(item, span=replace(item.span, file=paths.get(item.span.file, item.span.file)))
        for item in prepared.diagnostics
    ]


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


def _categories(root: Path, replaced: Iterable[str]) -> set[str]:
    """The categories that the repository has in other files than those that the import may replace."""
    extent = Extent(edited={f"connectors/{name}": None for name in replaced})
    return {key.name for key in open_source(root, "", extent).load().resources if key.kind == "Category"}


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
