"""Mend files of definitions, and the project file, in the working tree."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.durable import replace_files
from reconciler.errors import UsageError
from reconciler.services.fixes import FixedFile, fix_files
from reconciler.source import files
from reconciler.source.documents import DocumentReader
from reconciler.source.project import PROJECT_FILE, parse_project
from reconciler.wiring.run import now


def fixed_of(root: Path, found: Iterable[Diagnostic]) -> list[FixedFile]:
    """The files of `found` as they are once all is mended that can be; nothing is written."""
    paths = sorted({item.span.file for item in found if item.fix})
    contents = zip(paths, files.read_working_tree(root, paths), strict=True)
    reader = DocumentReader(now())

    def judge(path: str, content: bytes) -> list[Diagnostic]:
        return parse_project(content)[1] if path == PROJECT_FILE else reader.read(path, content).diagnostics

    return list(fix_files(((path, data) for path, data in contents if isinstance(data, bytes)), judge))


def write_fixed(root: Path, fixed: Sequence[FixedFile]) -> None:
    """Replace the files, each whole.

    Raises:
        UsageError: one cannot be written; none has changed then.
    """
    try:
        replace_files(root, {file.path: file.after for file in fixed})
    except OSError as failure:
        raise UsageError(f"{failure.filename or root} cannot be written: {failure.strerror}") from failure
