"""Live records, or what is declared, for others: ``reconciler export``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.completion import ADDRESS
from reconciler.cli.options import ExplainedCommand, choose_format, common_options, key_of, kind_named
from reconciler.cli.output import answer, answer_in_utf8, options, say, say_error
from reconciler.cli.processmaker_files import export_processmaker
from reconciler.cli.run import open_run
from reconciler.errors import ExitCode
from reconciler.render.style import plural
from reconciler.services.records import Choice

if TYPE_CHECKING:
    from reconciler.core.drift import Definition, Export


_SHOWN = 20


@click.command(
    "export",
    cls=ExplainedCommand,
    examples=(
        ("reconciler export --out exported", "all live records, as a repository"),
        ("reconciler export connector/crm-contacts", "one record, on stdout"),
        ("reconciler export --unmanaged --out .", "what nobody owns, into this repository"),
    ),
    below=(export_processmaker,),
)
@click.argument("wanted", nargs=-1, type=ADDRESS, metavar="[ADDRESS|KIND]...")
@click.option(
    "--out", metavar="DIR", help="Write files below DIR, laid out as a configuration repository. Default: stdout."
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--owned", is_flag=True, help="Records that belong to this repository.")
@click.option("--unmanaged", is_flag=True, help="Records that belong to nobody.")
@click.option("--owner", "owners", multiple=True, metavar="OWNER", help="Records that belong to this owner.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="Connectors filed under this category, with their categories.",
)
@common_options()
def export(
    wanted: tuple[str, ...],
    out: str | None,
    force: bool,
    owned: bool,
    unmanaged: bool,
    owners: tuple[str, ...],
    categories: tuple[str, ...],
) -> int:
    """Write live records as definitions that plan empty.

    Without ADDRESS (connector/crm-contacts) or KIND all records are written, whoever they belong to. A live record
    that is not valid, or holds a secret in the clear, is not written but named. Formats (-o): text, json.
    """
    from reconciler.wiring.exchange import export_records, stream, write_export

    chosen = choose_format(("text", "json"))
    run = open_run(reading=True)
    mine = run.settings.owner
    choice = Choice(
        kinds=frozenset(kind_named(item) or "" for item in wanted if "/" not in item),
        keys=frozenset(key_of(item) for item in wanted if "/" in item),
        owners=frozenset([*owners, *([mine] if owned else []), *([""] if unmanaged else [])]),
        categories=frozenset(categories),
    )
    done = export_records(run.store, choice)
    files = write_export(Path(out), done.definitions, force=force) if out is not None else None
    if chosen == "json":
        from reconciler.render.adoption import export_json

        answer(export_json(done, files))
    elif files is None:
        answer_in_utf8()
        answer(stream(done.definitions))
    else:
        _show_files(files, out or "")
    _say_rest(done, mine)
    return ExitCode.INVALID if done.refused else ExitCode.OK


def _show_files(files: "dict[str, list[Definition]]", out: str) -> None:
    if options().quiet:
        return
    for path in [*files][:_SHOWN]:
        answer(f"wrote {path}\n")
    if len(files) > _SHOWN:
        answer(f"... and {len(files) - _SHOWN:,} more\n")
    records = sum(map(len, files.values()))
    below = "this directory" if Path(out) == Path() else out
    answer(f"{plural(records, 'record')} in {plural(len(files), 'file')} below {below}.\n")


def _say_rest(done: "Export", mine: str) -> None:
    """What a reader of the definitions should know, and what is not among them."""
    from reconciler.kinds.registry import address
    from reconciler.render.adoption import refused_lines

    if not options().quiet:
        for key, note in done.notes:
            say(f"{address(*key)}: {note}")
        others = sum(item.owner != mine for item in done.definitions)
        if others:
            say(f"{plural(others, 'record')} not of this repository, '{mine}'; to take over: reconciler apply --adopt")
    if done.refused:
        lines = [line for item in done.refused for line in refused_lines(item)]
        count = plural(len(done.refused), "live record")
        hint = "put them right where they live; what git declares, an apply writes anew"
        say_error(
            f"{count} cannot be written as {'a definition' if len(done.refused) == 1 else 'definitions'}", lines, hint
        )
    elif not done.definitions and not options().quiet:
        say("No record matches.")
