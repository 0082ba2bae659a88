"""The parts of an export, what an import reads, and the data of a call."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.core.drift import Definition, Export
from reconciler.core.ports.store import Store
from reconciler.durable import replace_files
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.services.records import Choice, export, layout
from reconciler.source.edits import DefinitionWriter
from reconciler.source.yaml.guard import MAX_BYTES
from reconciler.wiring.roots import from_root
from reconciler.wiring.run import now
from reconciler.wiring.stores import known_secrets
from reconciler.yaml.writer import joined


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


URLS = ("https://", "http://")


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
