"""Checking definitions and showing what was found, once the command line is understood."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler import __version__
from reconciler.cli.output import answer, open_progress, say, say_read, wants_color
from reconciler.cli.said import options
from reconciler.core.baseline import Unprovable
from reconciler.core.coverage import Coverage
from reconciler.core.ports import Desired
from reconciler.core.progress import Untold
from reconciler.diagnostics import Diagnostic, has_errors, sorted_diagnostics
from reconciler.errors import ExitCode, UsageError
from reconciler.render import diagnostics as render
from reconciler.source.project import PROJECT_FILE, read_project
from reconciler.source.repository import Repository
from reconciler.wiring.references import reference_diagnostics
from reconciler.wiring.run import below, inside, locate_root, open_source

if TYPE_CHECKING:
    from reconciler.cli.progress import Bar

FORMATS = render.FORMATS


class CheckFlags(Struct, frozen=True):
    """Options of `validate`."""

    ref: str = ""
    since: str = ""
    coverage: bool = False
    strict: bool = False
    paths: tuple[str, ...] = ()


def check_and_show(asked: CheckFlags, chosen: str) -> int:
    """Check and show what was found; returns the exit code.

    Args:
        chosen: one of `FORMATS`.
    """
    root = locate_root(options().directory)
    progress = open_progress()
    source = open_source(root, asked.ref, covering=asked.coverage, cached=not options().no_cache, progress=progress)
    desired, since = _loaded(source, asked.since, progress)
    project, faults = read_project(root)
    found = [*desired.diagnostics, *source.around()] + ([] if asked.ref else faults)
    if not has_errors(faults):
        found += reference_diagnostics(root, project, desired.resources.values(), source.read)
    files = desired.files
    if asked.paths:
        files, found = _narrow(root, asked.paths, source.paths() if since else files, files, found)
    found = sorted_diagnostics(found)
    if found or not options().quiet or chosen != "text":
        checked = render.Checked(len(files), desired.documents, files, __version__, since)
        answer(render.render(chosen, found, checked=checked, color=wants_color(options().color, sys.stdout)))
    if options().verbose:
        say_read(desired)
    if asked.coverage and not options().quiet:
        say(_counted(desired.coverage))
    return ExitCode.INVALID if has_errors(found) or (asked.strict and found) else ExitCode.OK


def _loaded(source: Repository, since: str, progress: "Bar | Untold") -> tuple[Desired, str]:
    """The definitions, and since when they were looked at: `since`, or "" when it had to be everything."""
    if since:
        try:
            return source.load_since(since), since
        except Unprovable as reason:
            if options().verbose:
                say(f"looking at everything: {reason}")
    with progress:
        return source.load(), ""


def _counted(coverage: Coverage | None) -> str:
    if coverage is None:
        return "Coverage is counted once the definitions are valid."
    return f"Access tests explain {coverage.explained} of {coverage.grants} {'grant' if coverage.grants == 1 else 'grants'}."


def _narrow(
    root: Path, paths: tuple[str, ...], known: Sequence[str], files: tuple[str, ...], found: list[Diagnostic]
) -> tuple[tuple[str, ...], list[Diagnostic]]:
    """Keep what belongs to `paths`.

    Args:
        known: all files of definitions, of which `files` were looked at.

    Raises:
        UsageError: nothing is at one of `paths`.
    """
    prefixes = [inside(root, path) for path in paths]
    for path, prefix in zip(paths, prefixes, strict=True):
        if prefix != PROJECT_FILE and not any(below(file, prefix) for file in known):
            hint = "definitions are .yaml files below connectors/ and policies/"
            raise UsageError(f"there are no definitions at {path}", hint=hint)
    kept = tuple(file for file in files if any(below(file, prefix) for prefix in prefixes))
    return kept, [item for item in found if any(below(item.span.file, prefix) for prefix in prefixes)]
