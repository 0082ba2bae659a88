"""Files of definitions: ``reconciler init``, ``fmt`` and ``import``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.options import ExplainedCommand, SectionedGroup, choose_format, common_options
from reconciler.cli.output import answer, answer_in_utf8, options, say, wants_color
from reconciler.diagnostics import Diagnostic
from reconciler.errors import ExitCode
from reconciler.harmless import harmless
from reconciler.render.adoption import file_diff
from reconciler.render.style import json_text, plural
from reconciler.services.files import PIPELINES, FileOutcome, format_all, make_repository
from reconciler.source import git
from reconciler.version import __version__
from reconciler.wiring.exchange import ImportRequest, PreparedImport, import_openapi, write_new
from reconciler.wiring.run import canonical_text, definition_files, locate_root, replace_file


@click.command(
    "init",
    cls=ExplainedCommand,
    examples=(("reconciler init connectors-repo", "a repository in a new directory, with a pipeline for GitHub"),),
)
@click.argument("where", default=".", metavar="[DIR]")
@click.option(
    "--ci",
    type=click.Choice(PIPELINES),
    default="github",
    show_default=True,
    help="Whose pipeline files to write: validation, and the gate that judges who may change what.",
)
@common_options(store=False, formats=False)
def init(where: str, ci: str) -> int:
    """Make a new configuration repository that validates and applies at once.

    It comes with settings for editors, for pre-commit and for a pipeline.
    """
    root = Path(options().directory or ".") / where
    made = make_repository(root, ci)
    alone = git.top_of(root.resolve()) is None
    if alone:
        git.create(root)
    if not options().quiet:
        for path in made.written:
            answer(f"wrote {harmless(path)}\n")
        for path in made.kept:
            answer(f"kept {harmless(path)}\n")
        answer("made a git repository\n" if alone else "")
        step = "" if where == "." else f"cd {harmless(where)} && "
        answer(f"Next: {step}reconciler validate && reconciler plan && reconciler apply\n")
    return 0


@click.command(
    "fmt",
    cls=ExplainedCommand,
    examples=(
        ("reconciler fmt", "all definitions"),
        ("reconciler fmt --check --diff", "what would change, for a pipeline; exits with 3"),
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 3 when a file is not in canonical form.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what changes.")
@common_options(store=False, formats=False)
def fmt(paths: tuple[str, ...], check: bool, show_diff: bool) -> int:
    """Bring definitions to their canonical form. Comments, anchors and quotes stay as they are.

    Without PATHs all files below connectors/ and policies/, and reconciler.yaml, are formatted.
    """
    root = locate_root(options().directory)
    files = definition_files(root, paths)
    outcomes = list(format_all(files, canonical_text))
    changed = [outcome for outcome in outcomes if outcome.text is not None]
    for outcome in changed:
        if show_diff:
            answer(_diff_of(outcome, dict(files)[outcome.path]))
        elif not options().quiet:
            answer(harmless(f"{'would change' if check else 'changed'} {outcome.path}") + "\n")
        if not check:
            replace_file(root / outcome.path, outcome.text or b"")
    faults = [diagnostic for outcome in outcomes for diagnostic in outcome.diagnostics]
    if faults:
        _show(faults, len(outcomes))
    if not options().quiet and not show_diff:
        answer(f"{plural(len(outcomes), 'file')}, {len(changed):,} {'to change' if check else 'changed'}.\n")
    return ExitCode.INVALID if faults or (check and changed) else ExitCode.OK


def _show(faults: Sequence[Diagnostic], files: int) -> None:
    from reconciler.render import diagnostics as render

    checked = render.Checked(files, 0, (), __version__)
    sys.stderr.write(render.render("text", faults, checked=checked, color=wants_color(options().color, sys.stderr)))


def _diff_of(outcome: FileOutcome, before: bytes | Diagnostic) -> str:
    assert isinstance(before, bytes)
    return file_diff(outcome.path, before, outcome.text)


_SHOWN_NOTES = 20


@click.group("import", cls=SectionedGroup)
def import_() -> None:
    """Make definitions from other formats."""


@import_.command(
    "openapi",
    examples=(
        ("reconciler import openapi petstore.yaml --name petstore", "a connector below connectors/"),
        ("reconciler import openapi https://api.example.com/openapi.json --out -", "of a server's document, on stdout"),
    ),
)
@click.argument("source", metavar="FILE|URL")
@click.option("--name", metavar="NAME", help="Name of the connector; default: from the title.")
@click.option(
    "--category", "categories", multiple=True, metavar="NAME", help="Category to file it under; default: imported."
)
@click.option("--server", metavar="URL", help="Base URL, when the document names none or the wrong one.")
@click.option(
    "--out", metavar="PATH", help="Where to write; a file, a directory, or - for stdout. Default: connectors/."
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--all-notes", is_flag=True, help="List every note, however many there are.")
@common_options(store=False)
def openapi(
    source: str,
    name: str | None,
    categories: tuple[str, ...],
    server: str | None,
    out: str | None,
    force: bool,
    all_notes: bool,
) -> int:
    """Make a connector from an OpenAPI 3.0 or 3.1 or a Swagger 2.0 document, in JSON or YAML.

    Endpoints, parameters, headers, bodies and the authorization that the document asks for are carried
    over; secrets become references. What cannot be carried over is listed on stderr.

    Formats (-o): text, json (the notes, and what was written).
    """
    chosen = choose_format(("text", "json"))
    root = locate_root(options().directory) if out is None or options().directory else None
    request = ImportRequest(source, name, categories, server)
    prepared = import_openapi(root, request)
    written = _write(prepared, root, out, force=force)
    if chosen == "json":
        answer(_json(prepared, written))
        return ExitCode.OK
    _say_notes(prepared, show_all=all_notes)
    for path in written:
        say(f"wrote {path}")
    if not options().quiet:
        say(f"{plural(prepared.endpoints, 'endpoint')} from {prepared.format}, {plural(len(prepared.notes), 'note')}.")
        if prepared.variables:
            say(f"Secrets are read from: {', '.join(prepared.variables)}")
    return ExitCode.OK


def _write(prepared: PreparedImport, root: Path | None, out: str | None, *, force: bool) -> list[str]:
    if out == "-":
        answer_in_utf8()
        answer("---\n".join(prepared.files.values()))
        return []
    return write_new(prepared.files, root, out, force=force)


def _say_notes(prepared: PreparedImport, *, show_all: bool) -> None:
    shown = prepared.notes if show_all or len(prepared.notes) <= _SHOWN_NOTES else prepared.notes[:_SHOWN_NOTES]
    for note in shown:
        say(f"{note.effect}: {note.where or '/'}: {note.message}")
    if len(shown) == len(prepared.notes):
        return
    say(f"... and {len(prepared.notes) - len(shown):,} more; --all-notes lists them. In all:")
    for summary, count in prepared.summary.items():
        say(f"  {count:,} x {summary}")


def _json(prepared: PreparedImport, written: list[str]) -> str:
    notes = [
        {"code": note.code, "effect": str(note.effect), "where": note.where, "message": note.message}
        for note in prepared.notes
    ]
    content = {
        "version": 1,
        "written": written,
        "endpoints": prepared.endpoints,
        "variables": list(prepared.variables),
        "notes": notes,
    }
    return json_text(content)
