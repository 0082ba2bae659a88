"""``reconciler validate``."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, open_progress, options, say, say_read, wants_color
from reconciler.core.baseline import Unprovable
from reconciler.core.model import Coverage
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic, has_errors, sorted_diagnostics
from reconciler.errors import ExitCode, UsageError
from reconciler.harmless import harmless
from reconciler.render import diagnostics as render
from reconciler.render.adoption import file_diff
from reconciler.services.fixes import FixedFile
from reconciler.source.files import none_at
from reconciler.source.git import below_top
from reconciler.source.project import PROJECT_FILE
from reconciler.source.repository import Extent, RepositorySource
from reconciler.version import __version__
from reconciler.wiring.fixes import fixed_of, write_fixed
from reconciler.wiring.plan import found_in
from reconciler.wiring.roots import below, inside, locate_root
from reconciler.wiring.run import open_source

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
        (
            "reconciler validate --against openapi/crm.yaml crm",
            "whether a document still has what the endpoints of a connector call",
        ),
        ("reconciler validate --target production", "and whether that target's live store can hold all of it"),
        ("reconciler validate --fix", "mend what has one answer, such as a misspelt key, and tell the rest"),
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
@click.option("--fix", is_flag=True, help="Write what has one answer into the files; comments and layout stay.")
@click.option("--diff", "show_diff", is_flag=True, help="With --fix: show what would be written, and write nothing.")
@click.option(
    "--against",
    default="",
    metavar="FILE|URL",
    help="Hold connectors against an OpenAPI document too: those named, or those with endpoints that it knows.",
)
@click.option(
    "--target",
    default="",
    metavar="NAME",
    help="Tell what the live store of this target cannot hold, too. It is not asked; what the state knows of it counts.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@common_options(store=False, reads=True)
def validate(
    paths: tuple[str, ...], ref: str, since: str, coverage: bool, fix: bool, show_diff: bool, against: str, target: str,
    strict: bool,
) -> int:  # fmt: skip
    """Check all definitions: YAML, schema, references, secrets, templates, access tests and lint.

    Works offline: no network, no store, no secrets. With PATHs everything is checked together, and what
    is found in these files and directories is reported.

    With --changed-since the verdict is that of everything, if REV was valid. What was wrong in other files by then
    is not told. Where there are errors, and where the difference is large, everything is looked at.

    A connector with `contract` is held against that document of the repository. With --against PATHs may be names
    of connectors, too.

    With --target what the target's live store has no place for, or would change, is an error at its line, as it is to a
    plan for that target.

    With --fix misspelt keys and values, missing quotes, a missing ---, tabs and the like are mended where there is just
    one thing that can have been meant, and never so that somebody may do more. What is told, and the exit code, are of
    what remains.

    Formats (-o): text, json, sarif, junit, github, gitlab.
    """
    chosen = choose_format(FORMATS)
    _refuse_fix(fix=fix, ref=ref, since=since, show_diff=show_diff)
    root = locate_root(options().directory)
    if against and since:
        raise UsageError("--against looks at all that a connector says", hint="leave --changed-since out")
    asked = _Asked(paths, ref, since, coverage, against, target)
    seen = _look(root, asked)
    if fix and (fixed := fixed_of(root, seen.found)):
        if not show_diff:
            write_fixed(root, fixed)
            seen = _look(root, asked)
        _tell(fixed, chosen, show_diff=show_diff)
    found, desired = seen.found, seen.desired
    if found or not options().quiet or chosen != "text":
        checked = render.Checked(len(seen.files), seen.documents, seen.files, __version__, seen.since)
        shown = _from_top(found, root) if chosen in ("github", "gitlab") else found
        answer(render.render(chosen, shown, checked=checked, color=wants_color(options().color, sys.stdout)))
    if options().verbose:
        say_read(desired)
    if coverage and not options().quiet:
        say(_counted(desired.coverage))
    return ExitCode.INVALID if has_errors(found) or (strict and found) else ExitCode.OK


class _Asked(Struct, frozen=True):
    paths: tuple[str, ...]
    ref: str
    since: str
    coverage: bool
    against: str
    target: str


class _Seen(Struct, frozen=True):
    """What was found in the files that were asked for.

    Attributes:
        documents: how many the files hold.
        since: "" where everything was looked at.
    """

    desired: Desired
    files: tuple[str, ...]
    documents: int
    found: list[Diagnostic]
    since: str


def _look(root: Path, asked: _Asked) -> _Seen:
    progress = open_progress()
    extent = Extent(covering=asked.coverage, progress=progress)
    source = open_source(root, asked.ref, extent, cached=not options().no_cache)
    desired = _load_since(source, asked.since) if asked.since and not asked.target else None
    since = asked.since if desired is not None else ""
    if desired is None:
        with progress:
            desired = source.load()
    found = found_in(root, source, desired, settings=not asked.ref)
    files, documents = desired.files, desired.documents
    paths = asked.paths
    if asked.against:
        paths, held = _held(root, source, desired, asked)
        found = sorted_diagnostics([*found, *held])
    if asked.target:
        found = sorted_diagnostics([*found, *_beyond(root, source, desired, asked.target)])
    if paths:
        files, found = _narrow(root, paths, source.paths() if since else files, files, found)
        documents = _documents_in(frozenset(files), desired, source)
    return _Seen(desired, files, documents, found, since)


def _from_top(found: list[Diagnostic], root: Path) -> list[Diagnostic]:
    """The diagnostics with paths from the top of the git repository, as platforms show them beside its files."""
    below = below_top(root)
    return [replace(item, span=replace(item.span, file=below + item.span.file)) for item in found] if below else found


def _documents_in(files: frozenset[str], desired: Desired, source: RepositorySource) -> int:
    """How many documents the files hold, also those that are not valid."""
    if not has_errors(list(desired.diagnostics)):
        held = Counter(resource.file for resource in desired.resources.values())
        return sum(held[file] for file in files) + (PROJECT_FILE in files)
    from reconciler.source.yaml.loader import fast_parser, load

    fast = fast_parser()
    return sum(len(load(source.read(file), file, fast).documents) for file in files)


def _held(
    root: Path, source: RepositorySource, desired: Desired, asked: _Asked
) -> tuple[tuple[str, ...], list[Diagnostic]]:
    """The files to report on, with names of connectors as theirs, and where connectors and the document differ."""
    from reconciler.wiring.contracts import held_against
    from reconciler.wiring.exchange import content_of_source

    connectors = {key.name: resource.file for key, resource in desired.resources.items() if key.kind == "Connector"}
    names = [path for path in asked.paths if path in connectors]
    paths = [path for path in asked.paths if path not in connectors]
    prefixes = [inside(root, path) for path in paths]
    chosen = {*names, *(name for name, file in connectors.items() if any(below(file, prefix) for prefix in prefixes))}
    data = content_of_source(asked.against)
    held, found = held_against(data, asked.against, source, desired.resources, sorted(chosen))
    if not options().quiet:
        say(f"held against {asked.against}: {', '.join(held)}")
    return (*paths, *(str(root / connectors[name]) for name in names)), found


def _beyond(root: Path, source: RepositorySource, desired: Desired, target: str) -> list[Diagnostic]:
    """What the live store of the target cannot hold."""
    from reconciler.wiring.limits import held_against_target

    held = held_against_target(root, target, desired.resources, source.read, os.environ)
    if held.said and not options().quiet:
        say(held.said)
    return held.found


def _refuse_fix(*, fix: bool, ref: str, since: str, show_diff: bool) -> None:
    if show_diff and not fix:
        raise UsageError("--diff shows what --fix would write", hint="add --fix")
    if fix and (ref or since):
        option = "--ref" if ref else "--changed-since"
        raise UsageError(
            f"--fix writes into the working tree, and {option} looks at commits", hint=f"leave {option} out"
        )


def _tell(fixed: Sequence[FixedFile], chosen: str, *, show_diff: bool) -> None:
    """What was mended, or would be: on stdout only where people read it."""
    told = answer if chosen == "text" else sys.stderr.write
    for file in fixed:
        if show_diff:
            told(file_diff(file.path, file.before, file.after))
        elif not options().quiet:
            for item in file.done:
                title = item.fix.title if item.fix else ""
                told(f"{harmless(f'fixed {item.span}: [{item.code}] {item.message}: {title}')}\n")


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
            raise none_at(path)
    kept = tuple(file for file in files if any(below(file, prefix) for prefix in prefixes))
    return (*kept, *({PROJECT_FILE} & set(prefixes))), [
        item for item in found if any(below(item.span.file, prefix) for prefix in prefixes)
    ]
