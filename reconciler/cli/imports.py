"""Definitions from other formats: ``reconciler import``."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from reconciler.cli.options import SectionedGroup, choose_format, common_options
from reconciler.cli.output import answer, answer_in_utf8, options, say
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.errors import ExitCode, UsageError
from reconciler.render.adoption import file_diff
from reconciler.render.document_update import UpdateReport
from reconciler.render.style import json_text, plural
from reconciler.wiring.document_update import UpdateRequest, prepare_update, write_update
from reconciler.wiring.exchange import (
    ImportRequest,
    PreparedImport,
    as_written,
    import_curl,
    import_har,
    import_openapi,
    import_postman,
    write_new,
)
from reconciler.wiring.run import locate_root

_SHOWN_NOTES = 20


@click.group("import", cls=SectionedGroup)
def import_() -> None:
    """Make definitions from other formats."""


class Outlet(Struct, frozen=True):
    """Where the outcome of an import goes.

    Attributes:
        root: the repository, or None where `out` needs none.
        all_notes: whether every note is listed, however many there are.
        format: of what is printed, text or json.
    """

    root: Path | None
    out: str | None
    force: bool
    all_notes: bool
    format: str


def import_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that all imports share; `command` gets name, categories and an outlet of them."""

    @wraps(command)
    def wrapper(*, out: str | None, force: bool, all_notes: bool, **own: Any) -> int:
        chosen = choose_format(("text", "json"))
        root = locate_root(options().directory) if out is None or options().directory else None
        return command(outlet=Outlet(root, out, force, all_notes, chosen), **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return common_options(store=False)(wrapper)


_OPTIONS = (
    click.option("--name", metavar="NAME", help="Name of the connector; default: from the title."),
    click.option(
        "--category", "categories", multiple=True, metavar="NAME", help="Category to file it under; default: imported."
    ),
    click.option(
        "--out", metavar="PATH", help="Where to write; a file, a directory, or - for stdout. Default: connectors/."
    ),
    click.option("--force", is_flag=True, help="Replace files that exist."),
    click.option("--all-notes", is_flag=True, help="List every note, however many there are."),
)


@import_.command(
    "openapi",
    examples=(
        ("reconciler import openapi petstore.yaml --name petstore", "a connector below connectors/"),
        ("reconciler import openapi https://api.example.com/openapi.json --out -", "of a server's document, on stdout"),
        (
            "reconciler import openapi openapi/crm.yaml --update crm --diff --dry-run",
            "what a newer document would change in a definition",
        ),
    ),
)
@click.argument("source", metavar="FILE|URL")
@click.option("--server", metavar="URL", help="Base URL, when the document names none or the wrong one.")
@click.option("--update", metavar="NAME", help="Bring the document into this connector's definition; edits stay.")
@click.option(
    "--base",
    default="",
    metavar="FILE|REV:PATH",
    help="The earlier document, for --update; default: FILE at HEAD, or the connector's contract.",
)
@click.option("--diff", "show_diff", is_flag=True, help="With --update, show what changes in the file.")
@click.option("--dry-run", is_flag=True, help="With --update, write nothing.")
@import_options
def openapi(
    source: str,
    server: str | None,
    update: str | None,
    base: str,
    show_diff: bool,
    dry_run: bool,
    name: str | None,
    categories: tuple[str, ...],
    outlet: Outlet,
) -> int:
    """Make a connector from an OpenAPI 3.0 or 3.1 or a Swagger 2.0 document, in JSON or YAML.

    Endpoints, parameters, headers, bodies and the authorization that the document asks for are carried
    over; secrets become references. What cannot be carried over is listed on stderr.

    With --update what the document changed comes into the definition, comments and formatting stay, and so does
    what a person edited. Where both changed a field, the definition's stays, and the exit code is 6.

    Formats (-o): text, json (the notes, and what was written; with --update each field).
    """
    if update is not None:
        if name or categories or outlet.out or outlet.force:
            raise UsageError("--update takes no --name, --category, --out and --force", hint="the definition says them")
        request = UpdateRequest(source, update, base, server)
        return _update(request, outlet, show_diff=show_diff, dry_run=dry_run)
    if base or show_diff or dry_run:
        raise UsageError("--base, --diff and --dry-run are for --update", hint="add  --update NAME")
    return _deliver(import_openapi(outlet.root, ImportRequest(source, name, categories, server)), outlet)


@import_.command(
    "postman",
    examples=(
        ("reconciler import postman crm.postman_collection.json", "a connector of a collection's requests"),
        ("reconciler import postman crm.json --server https://crm.example.com/api", "where its base URL is a variable"),
    ),
)
@click.argument("source", metavar="FILE|URL")
@click.option("--server", metavar="URL", help="Base URL, in the place of a variable that has no value.")
@import_options
def postman(source: str, server: str | None, name: str | None, categories: tuple[str, ...], outlet: Outlet) -> int:
    """Make a connector from a Postman collection, v2.1 or v2.0.

    Folders, variables, authorizations, parameters and bodies are carried over. What is secret, by its
    name, type or look, becomes a reference; no secret value of the collection is written.

    Formats (-o): text, json (the notes, and what was written).
    """
    return _deliver(import_postman(outlet.root, ImportRequest(source, name, categories, server)), outlet)


@import_.command(
    "har",
    examples=(
        ("reconciler import har recording.har --server https://api.example.com", "the requests to one host"),
        ("reconciler import har recording.har --out -", "a connector a host, on stdout"),
    ),
)
@click.argument("source", metavar="FILE|URL")
@click.option("--server", metavar="URL", help="Only the requests whose URL begins so.")
@click.option("--pages", is_flag=True, help="Pages too, and the images, styles and scripts that they load.")
@import_options
def har(
    source: str, server: str | None, pages: bool, name: str | None, categories: tuple[str, ...], outlet: Outlet
) -> int:
    """Make connectors from a HAR recording of a browser or proxy, one for each host.

    Requests that differ only in values become one endpoint. No credential is taken over: what authorizes
    becomes a reference, cookies are left out, and what may be a secret is no sample.

    Formats (-o): text, json (the notes, and what was written).
    """
    return _deliver(import_har(outlet.root, ImportRequest(source, name, categories, server), pages=pages), outlet)


@import_.command(
    "curl",
    examples=(
        ("reconciler import curl commands.sh --name crm", "the commands of a file"),
        ("reconciler import curl - --out -", "what is pasted, or piped in, on stdout"),
        ("reconciler import curl 'curl https://api.example.com/v1/pets'", "one command"),
    ),
)
@click.argument("source", metavar="FILE|-|COMMAND")
@import_options
def curl(source: str, name: str | None, categories: tuple[str, ...], outlet: Outlet) -> int:
    """Make connectors from curl command lines, one for each host.

    Nothing is run, expanded or opened. $NAME becomes {env: NAME} where it is a secret, else a placeholder.

    Formats (-o): text, json (the notes, and what was written).
    """
    return _deliver(import_curl(outlet.root, ImportRequest(source, name, categories, None)), outlet)


def _update(request: UpdateRequest, outlet: Outlet, *, show_diff: bool, dry_run: bool) -> int:
    """Bring a newer document into a definition, and tell what became of each field; returns the exit code."""
    from reconciler.render import document_update as render

    assert outlet.root is not None
    prepared = prepare_update(outlet.root, request)
    changes = prepared.after != prepared.before
    if changes and not dry_run:
        write_update(outlet.root, prepared)
    told = UpdateReport(prepared.file, prepared.base, changed=changes, written=changes and not dry_run)
    if outlet.format == "json":
        answer(render.json_of(prepared.update, told))
    else:
        if show_diff:
            answer(file_diff(prepared.file, prepared.before, prepared.after))
        if not options().quiet:
            for line in render.lines(prepared.update, told):
                say(line)
    return ExitCode.CONFLICT if prepared.update.conflicts and prepared.update.based else ExitCode.OK


def _deliver(prepared: PreparedImport, outlet: Outlet) -> int:
    """Write what was imported, and tell what there is to know about it; returns the exit code."""
    written = _write(prepared, outlet)
    if outlet.format == "json":
        answer(_json(prepared, written))
        return ExitCode.INVALID if has_errors(prepared.diagnostics) else ExitCode.OK
    _say_notes(prepared, show_all=outlet.all_notes)
    for path in written:
        say(f"wrote {path}")
    if not options().quiet:
        say(f"{plural(prepared.endpoints, 'endpoint')} from {prepared.format}, {plural(len(prepared.notes), 'note')}.")
        if prepared.variables:
            say(f"Secrets are read from: {', '.join(prepared.variables)}")
    _say_diagnostics(as_written(prepared, written))
    return ExitCode.INVALID if has_errors(prepared.diagnostics) else ExitCode.OK


def _say_diagnostics(found: Sequence[Diagnostic]) -> None:
    """What `validate` will find: the first of each rule, and how many there are."""
    if found:
        say("As it stands, validate will find:")
    counts = Counter(item.code for item in found)
    for code, count in counts.items():
        first = next(item for item in found if item.code == code)
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        say(f"  {first.span}: {first.severity}[{code}]: {first.message}{more}")
        if first.hint:
            say(f"    hint: {first.hint}")


def _write(prepared: PreparedImport, outlet: Outlet) -> list[str]:
    if outlet.out == "-":
        answer_in_utf8()
        answer("---\n".join(prepared.files.values()))
        return []
    return write_new(prepared.files, outlet.root, outlet.out, force=outlet.force)


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
        {
            "code": note.code,
            "effect": str(note.effect),
            "where": note.where,
            "message": note.message,
            "places": list(note.places),
        }
        for note in prepared.notes
    ]
    content = {
        "version": 1,
        "written": written,
        "endpoints": prepared.endpoints,
        "variables": list(prepared.variables),
        "notes": notes,
        "diagnostics": [
            {"code": item.code, "severity": item.severity.value, "where": str(item.span), "message": item.message}
            for item in as_written(prepared, written)
        ],
    }
    return json_text(content)
