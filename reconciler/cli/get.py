"""``reconciler get``."""

import sys

import click

from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.parsing import kind_named, labels_of
from reconciler.cli.running import open_run
from reconciler.cli.said import options
from reconciler.errors import ExitCode, UsageError
from reconciler.kinds.registry import KINDS
from reconciler.render import records as render
from reconciler.services.records import Query, search
from reconciler.wiring.run import now

FORMATS = ("table", "text", "json", "yaml")  # a table is the text of this command


@click.command(
    "get",
    cls=Command,
    examples=(
        ("reconciler get", "all records"),
        ("reconciler get connectors --category crm --label team=sales", "connectors of a category that carry a label"),
        ("reconciler get connector/crm-contacts", "one record, as YAML"),
        ("reconciler get --search invoice", "words in names, descriptions, labels and endpoints"),
    ),
)
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option(
    "-s",
    "--search",
    "text",
    default="",
    metavar="TEXT",
    help="Words to look for in names, descriptions, labels and endpoints.",
)
@click.option("--category", metavar="NAME", help="Connectors filed under this category.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Records that carry this label.")
@click.option("--status", type=click.Choice(["active", "inactive"]), help="Records of this status.")
@common_options()
def command(
    kind: str | None, name: str | None, text: str, category: str | None, labels: tuple[str, ...], status: str | None
) -> int:
    """View, list and search live records.

    KIND is category, connector, group or policy; KIND/NAME names one record.

    Formats (-o): table, yaml (the default for one record), json.
    """
    if kind and "/" in kind and name is None:
        kind, name = kind.split("/", 1)
    query = Query(kind_named(kind), name, text, category, labels_of(labels), status)
    chosen = choose_format(FORMATS, "yaml" if name else "table")
    found = list(search(open_run().store, query, now()))
    if name and not found and query.kind:
        word = KINDS[query.kind].word
        raise UsageError(f"there is no live {word} '{name}'", hint=f"list them with: reconciler get {word}")
    if chosen == "json":
        answer(render.records_json(found))
    elif chosen == "yaml":
        answer(render.records_yaml(found))
    elif not found and query == Query():
        answer("The store holds no records.\n")
    else:
        answer(render.records_table(found, color=wants_color(options().color, sys.stdout)))
    return ExitCode.OK
