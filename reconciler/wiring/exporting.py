"""Builds the parts of an export, and writes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.core.drift import Definition, Export
from reconciler.core.ports.store import Store
from reconciler.durable import replace_files
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.services.records import Choice, export, layout
from reconciler.source.edits import DefinitionWriter
from reconciler.source.yaml.guard import MAX_BYTES
from reconciler.wiring.leaks import known_secrets
from reconciler.wiring.run import from_root, now
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
