"""``reconciler validate``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, open_progress, options, say, say_read, wants_color
from reconciler.core.baseline import Unprovable
from reconciler.core.model import Coverage
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.errors import ExitCode, UsageError
from reconciler.render import diagnostics as render
from reconciler.source.project import PROJECT_FILE
from reconciler.source.repository import Extent, RepositorySource
from reconciler.version import __version__
from reconciler.wiring.plan import found_in
from reconciler.wiring.run import below, inside, locate_root, open_source

FORMATS = render.FORMATS


@click.command(
    "validate",
    cls=ExplainedCommand,
    examples=(
        ("reconciler validate", "everything"),
        (
            "reconciler validate connectors/crm.yaml",
            "what is wrong in one file; it is checked together with all others",
        ),
        ("reconciler validate --changed-since origin/main -o github", "what a pull request changes, as annotations"),
        (
            "reconciler validate --strict --coverage",
            "warnings fail too, and grants that no access test explains are warned of",
        ),
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--ref", default="", type=REVISION, metavar="REV", help="Check a commit, branch or tag instead of the working tree."
)
@click.option(
    "--changed-since",
    "since",
    default="",
    type=REVISION,
    metavar="REV",
    help="Look at what differs from a commit, branch or tag that was valid, and at what that can break elsewhere.",
)
@click.option("--coverage", is_flag=True, help="Warn of grants that no access test explains.")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@common_options(store=False, reads=True)
def validate(paths: tuple[str, ...], ref: str, since: str, coverage: bool, strict: bool) -> int:
    """Check all definitions: YAML, schema, references, secrets, templates, access tests and lint.

    Works offline: no network, no store, no secrets. With PATHs everything is checked together, and what
    is found in these files and directories is reported.

    With --changed-since the verdict is that of everything, if REV was valid. What was wrong in other files by then
    is not told. Where there are errors, and where the difference is large, everything is looked at.

    Formats (-o): text, json, sarif, junit, github, gitlab.
    """
    chosen = choose_format(FORMATS)
    root = locate_root(options().directory)
    progress = open_progress()
    source = open_source(root, ref, Extent(covering=coverage, progress=progress), cached=not options().no_cache)
    desired = _load_since(source, since) if since else None
    if desired is None:
        since = ""
        with progress:
            desired = source.load()
    found = found_in(root, source, desired, settings=not ref)
    files = desired.files
    if paths:
        files, found = _narrow(root, paths, source.paths() if since else files, files, found)
    if found or not options().quiet or chosen != "text":
        checked = render.Checked(len(files), desired.documents, files, __version__, since)
        answer(render.render(chosen, found, checked=checked, color=wants_color(options().color, sys.stdout)))
    if options().verbose:
        say_read(desired)
    if coverage and not options().quiet:
        say(_counted(desired.coverage))
    return ExitCode.INVALID if has_errors(found) or (strict and found) else ExitCode.OK


def _load_since(source: RepositorySource, since: str) -> Desired | None:
    """What differs since then and what it can break; None when it has to be everything."""
    try:
        return source.load_since(since)
    except Unprovable as reason:
        if options().verbose:
            say(f"looking at everything: {reason}")
        return None


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
