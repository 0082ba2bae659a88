"""Files that ProcessMaker instances export and import: ``reconciler import processmaker``."""

import sys

import click

from reconciler.cli.import_outlet import Outlet, deliver, import_options
from reconciler.cli.options import ExplainedCommand
from reconciler.cli.output import can_ask
from reconciler.core.secret import Secret
from reconciler.errors import UsageError
from reconciler.wiring import processmaker_files as wiring
from reconciler.wiring.imports import ImportRequest


@click.command(
    "processmaker",
    cls=ExplainedCommand,
    examples=(
        ("reconciler import processmaker orders.json", "the connectors of an exported process, and their categories"),
        (
            "reconciler import processmaker orders.json --password env:EXPORT_PASSWORD",
            "of one that a password protects",
        ),
    ),
)
@click.argument("source", metavar="FILE|URL")
@click.option(
    "--password",
    "place",
    default="",
    metavar="PLACE",
    help="Where the file's password is: env:NAME or file:PATH. Default: asked for.",
)
@click.option("--collections", is_flag=True, help="The connectors that the instance generated for collections, too.")
@import_options
def import_processmaker(
    source: str, place: str, collections: bool, name: str | None, categories: tuple[str, ...], outlet: Outlet
) -> int:
    """Make connectors from a file that a ProcessMaker instance exported: of a connector, a process, a screen or a bundle.

    Connectors keep the categories that they have there. Every credential becomes a reference, and their names are
    listed; no value is written. SOAP connectors are left out and named.

    Formats (-o): text, json (the notes, and what was written).
    """

    def password() -> Secret:
        return wiring.password_at(place) if place else asked_password("Password of the file: ")

    request = ImportRequest(source, name, categories, None)
    prepared = wiring.import_processmaker(outlet.root, request, password, collections=collections)
    return deliver(prepared, outlet)


def asked_password(question: str) -> Secret:
    """What is typed on the terminal, where it is not shown.

    Raises:
        UsageError: there is no terminal, or nothing was typed.
    """
    from getpass import getpass

    if not can_ask():
        raise UsageError("the file is protected by a password", hint="pass --password env:NAME or --password file:PATH")
    try:
        typed = getpass(question, stream=sys.stderr)
    except EOFError:
        typed = ""
    if not typed:
        raise UsageError("no password was given", hint="pass --password env:NAME or --password file:PATH")
    return Secret(typed)
