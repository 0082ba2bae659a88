"""Definitions from other formats: ``reconciler import``."""

import click

from reconciler.cli.import_outlet import Outlet, deliver, import_options
from reconciler.cli.options import SectionedGroup
from reconciler.cli.output import answer, options, say
from reconciler.cli.processmaker_files import import_processmaker
from reconciler.errors import ExitCode, UsageError
from reconciler.render.adoption import file_diff
from reconciler.render.document_update import UpdateReport
from reconciler.wiring.document_update import UpdateRequest, prepare_update, write_update
from reconciler.wiring.imports import ImportRequest, import_curl, import_har, import_openapi, import_postman


@click.group("import", cls=SectionedGroup)
def import_() -> None:
    """Make definitions from other formats."""


import_.add_command(import_processmaker)


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
    return deliver(import_openapi(outlet.root, ImportRequest(source, name, categories, server)), outlet)


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
    return deliver(import_postman(outlet.root, ImportRequest(source, name, categories, server)), outlet)


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
    return deliver(import_har(outlet.root, ImportRequest(source, name, categories, server), pages=pages), outlet)


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
    return deliver(import_curl(outlet.root, ImportRequest(source, name, categories, None)), outlet)


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
