"""``reconciler import``."""

from pathlib import Path

import click

from reconciler.cli.help import Group
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, answer_in_utf8, say
from reconciler.cli.said import options
from reconciler.errors import ExitCode
from reconciler.render.style import json_text, plural
from reconciler.wiring.files import ImportRequest, Prepared, import_openapi, write_new
from reconciler.wiring.run import locate_root

_SHOWN_NOTES = 20


@click.group("import", cls=Group)
def command() -> None:
    """Make definitions from other formats."""


@command.command(
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


def _write(prepared: Prepared, root: Path | None, out: str | None, *, force: bool) -> list[str]:
    if out == "-":
        answer_in_utf8()
        answer("---\n".join(prepared.files.values()))
        return []
    return write_new(prepared.files, root, out, force=force)


def _say_notes(prepared: Prepared, *, show_all: bool) -> None:
    shown = prepared.notes if show_all or len(prepared.notes) <= _SHOWN_NOTES else prepared.notes[:_SHOWN_NOTES]
    for note in shown:
        say(f"{note.effect}: {note.where or '/'}: {note.message}")
    if len(shown) == len(prepared.notes):
        return
    say(f"... and {len(prepared.notes) - len(shown):,} more; --all-notes lists them. In all:")
    for summary, count in prepared.summary.items():
        say(f"  {count:,} x {summary}")


def _json(prepared: Prepared, written: list[str]) -> str:
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
