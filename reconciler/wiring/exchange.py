"""The parts of an export, an import, and the data of a call."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.drift import Definition, Export
from reconciler.core.model import Key
from reconciler.core.ports.store import Store
from reconciler.diagnostics import Diagnostic
from reconciler.durable import replace_files
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.services.records import Choice, export, layout
from reconciler.source import files
from reconciler.source.documents import DocumentReader
from reconciler.source.edits import DefinitionWriter
from reconciler.source.repository import Extent
from reconciler.source.yaml.guard import MAX_BYTES
from reconciler.wiring.run import from_root, now, open_source
from reconciler.wiring.stores import known_secrets
from reconciler.yaml.writer import joined

if TYPE_CHECKING:
    from reconciler.importers.document import Note
    from reconciler.importers.syntax import Imported


def export_records(store: Store, choice: Choice) -> Export:
    """The chosen live records as definitions, each checked as `validate` would.

    Raises:
        UsageError: there is no record of an address, or no category of a name.
    """
    return export(store, choice, DefinitionWriter(now()), known_secrets(store))


def stream(definitions: Sequence[Definition]) -> str:
    """All definitions as one text."""
    return joined(definition.text for definition in definitions)


def write_export(out: Path, definitions: Sequence[Definition], *, force: bool) -> dict[str, list[Definition]]:
    """Write the definitions below the directory `out`; returns what went into which file.

    Raises:
        UsageError: files exist and `force` is not given.
        SourceUnavailable: a file cannot be written.
    """
    placed = layout(definitions, MAX_BYTES)
    taken = [path for path in placed if (out / path).exists() or (out / path).is_symlink()]
    if taken and not force:
        hint = "name another directory, choose other records, or pass --force"
        raise UsageError(f"{_files(taken)} in {out}; nothing was written", hint=hint, details=tuple(taken[:20]))
    contents: Mapping[str, bytes] = {path: stream(items).encode() for path, items in placed.items()}
    try:
        base, below = from_root(out)
        replace_files(base, {f"{below}/{path}".lstrip("/"): data for path, data in contents.items()})
    except OSError as failure:
        raise SourceUnavailable(f"{failure.filename or out} cannot be written: {failure.strerror}") from failure
    return placed


def _files(paths: Sequence[str]) -> str:
    return "a file exists already" if len(paths) == 1 else f"{len(paths)} files exist already"


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
    return _prepared(imported, root, request)


def import_postman(root: Path | None, request: ImportRequest) -> PreparedImport:
    """As `import_openapi`, of a Postman collection in a file or at a URL."""
    from reconciler.importers import postman
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    categories = request.categories or (IMPORTED,)
    imported = postman.convert(document, name=request.name, categories=categories, server=request.server)
    return _prepared(imported, root, request)


def import_har(root: Path | None, request: ImportRequest, *, pages: bool) -> PreparedImport:
    """As `import_openapi`, of a HAR recording in a file.

    Args:
        pages: whether pages, and the images, styles and scripts that they load, are endpoints too.
    """
    from reconciler.importers import har
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    choice = har.Choice(request.name, request.categories or (IMPORTED,), request.server, pages)
    return _prepared(har.convert(document, choice), root, request)


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
    return _prepared(imported, root, request)


def _prepared(imported: "Imported", root: Path | None, request: ImportRequest) -> PreparedImport:
    from reconciler.importers.connectors import dump_files
    from reconciler.importers.document import NOTES

    found = dump_files(imported)
    if not request.categories and not (root and _defines_imported(root, found)):
        first = next(iter(found))
        found[first] = f"{_IMPORTED_CATEGORY}---\n{found[first]}"
    summary = Counter(NOTES[note.code][1] for note in imported.notes)
    return PreparedImport(
        files=found,
        notes=imported.notes,
        summary=dict(summary.most_common()),
        endpoints=sum(len(connector["spec"]["endpoints"]) for connector in imported.documents),
        variables=tuple(sorted(set(_VARIABLE.findall("".join(found.values()))))),
        format=imported.format,
        diagnostics=diagnostics_of(found, root),
    )


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


URLS = ("https://", "http://")
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


def content_of_source(source: str) -> bytes:
    """The bytes of a file, or of what a URL gives.

    Raises:
        UsageError, NetworkFailure: it cannot be read.
    """
    if source.startswith(URLS):
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


def _defines_imported(root: Path, replaced: Iterable[str]) -> bool:
    """Whether the repository has the category in another file than those that the import may replace."""
    extent = Extent(edited={f"connectors/{name}": None for name in replaced})
    return Key("Category", IMPORTED) in open_source(root, "", extent).load().resources


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


MAX_DATA_BYTES = 10 * 1024 * 1024


def read_data(path: str) -> dict[str, Any]:
    """The object in a JSON or YAML file; `-` is standard input.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    from reconciler.source.yaml.loader import fast_parser, load

    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_DATA_BYTES + 1)
        else:
            with Path(path).open("rb") as opened:
                content = opened.read(MAX_DATA_BYTES + 1)
    except OSError as failure:
        raise UsageError(f"--data {path}: {failure.strerror}", hint="name a JSON or YAML file") from failure
    if len(content) > MAX_DATA_BYTES:
        raise UsageError(f"--data {path}: it is larger than {MAX_DATA_BYTES // 2**20} MiB")
    loaded = load(content, path, fast_parser())
    if loaded.faults:
        found = loaded.faults[0]
        raise UsageError(f"--data {found.span}: {found.message}", hint=found.hint or "write one JSON or YAML object")
    if len(loaded.documents) != 1:
        raise UsageError(f"--data {path}: it should hold one object", hint='such as {"account": "42"}')
    data: dict[str, Any] = loaded.documents[0][1]
    return data
