"""Files that ProcessMaker instances export and import: ``import processmaker`` and ``export processmaker``."""

import sys
from pathlib import Path

import click

from reconciler.cli.completion import ADDRESS
from reconciler.cli.import_outlet import Outlet, deliver, import_options
from reconciler.cli.options import ExplainedCommand, common_options, key_of
from reconciler.cli.output import answer, can_ask, open_progress, options, say
from reconciler.cli.run import load_desired, settings_of_run, show_faults
from reconciler.core.secret import Secret
from reconciler.errors import ExitCode, InvalidDefinitions, UsageError
from reconciler.kinds.registry import address
from reconciler.render.style import plural
from reconciler.wiring import processmaker_files as wiring
from reconciler.wiring.imports import ImportRequest
from reconciler.wiring.run import open_source


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


def asked_password(question: str, *, again: bool = False) -> Secret:
    """What is typed on the terminal, where it is not shown.

    Args:
        again: whether it is asked for twice, so that nobody protects a file by a slip.

    Raises:
        UsageError: there is no terminal, nothing was typed, or not the same.
    """
    from getpass import getpass

    hint = "pass --password env:NAME or --password file:PATH"
    if not can_ask():
        raise UsageError("the file is protected by a password, and there is nobody to ask for it", hint=hint)
    try:
        typed = getpass(question, stream=sys.stderr)
        if again and getpass("Once more: ", stream=sys.stderr) != typed:
            raise UsageError("these were two passwords", hint="try again")
    except EOFError:
        typed = ""
    if not typed:
        raise UsageError("no password was given", hint=hint)
    return Secret(typed)


@click.command(
    "processmaker",
    cls=ExplainedCommand,
    examples=(
        ("reconciler export processmaker --out crm.json connector/crm-contacts", "one connector, without credentials"),
        (
            "reconciler export processmaker --out crm.json --password ask",
            "all that are declared, their credentials protected by a password that is asked for",
        ),
    ),
)
@click.argument("wanted", nargs=-1, type=ADDRESS, metavar="[ADDRESS]...")
@click.option("--out", required=True, metavar="FILE", help="The file to write.")
@click.option(
    "--password",
    "place",
    default="",
    metavar="PLACE",
    help="Put the credentials in, and protect the file by the password at ask, env:NAME or file:PATH.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options(reads=True, formats=False)
def export_processmaker(wanted: tuple[str, ...], out: str, place: str, force: bool) -> int:
    """Write declared connectors as a file that a ProcessMaker instance imports, with their categories.

    For those who cannot reach the instance's API. The definitions are those of the working tree; no store is read.
    Without --password the file holds no credentials, and those that the instance has to be given by hand are listed.
    """
    settings = settings_of_run()
    source = open_source(settings.root, "", cached=not options().no_cache)
    desired = load_desired(source, open_progress(), undone="nothing was written", warn=False)
    password = wiring.refuse_short(_password(place)) if place else None
    wanted_keys = [key_of(item) for item in wanted]
    prepared = wiring.prepare_package(settings, desired.resources, wanted_keys, password, source.read)
    if prepared.refused:
        show_faults(desired, prepared.refused)
        hint = "correct it, or choose other connectors by their addresses"
        raise InvalidDefinitions("an instance cannot hold what is declared; nothing was written", hint=hint)
    wiring.write_package(Path(out), prepared, force=force)
    if not options().quiet:
        _tell(prepared, out, is_sealed=password is not None)
    return ExitCode.OK


def _password(place: str) -> Secret:
    return asked_password("Password for the file: ", again=True) if place == "ask" else wiring.password_at(place)


def _tell(prepared: wiring.PreparedPackage, out: str, *, is_sealed: bool) -> None:
    """What was written, and what is still to be done at the instance."""
    folders = "1 category" if prepared.categories == 1 else f"{prepared.categories:,} categories"
    count = f"{plural(prepared.connectors, 'connector')} in {folders}"
    if prepared.left_to_give:
        say("To be given by hand, once the instance has imported the file:")
    for key, places in prepared.left_to_give.items():
        say(f"  {address(*key)}: {', '.join(places)}")
    answer(f"wrote {out}: {count}, {'protected by the password' if is_sealed else 'without credentials'}.\n")
