"""Live records as they are: ``reconciler get``."""

import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.completion import KIND, NAME
from reconciler.cli.options import ExplainedCommand, choose_format, common_options, kind_named, labels_of
from reconciler.cli.output import answer, columns_of, options, wants_color
from reconciler.cli.run import open_run
from reconciler.core.model import Key
from reconciler.errors import ExitCode, UsageError
from reconciler.kinds.registry import KINDS
from reconciler.render import records as render
from reconciler.services.records import Query, search
from reconciler.wiring.run import now

if TYPE_CHECKING:
    pass


FORMATS = ("table", "text", "json", "yaml")  # a table is the text of this command


@click.command(
    "get",
    cls=ExplainedCommand,
    examples=(
        ("reconciler get", "all records"),
        ("reconciler get connectors --category crm --label team=sales", "connectors of a category that carry a label"),
        ("reconciler get connector/crm-contacts", "one record, as YAML"),
        ("reconciler get --search invoice", "words in names, descriptions, labels and endpoints"),
    ),
)
@click.argument("kind", required=False, type=KIND)
@click.argument("name", required=False, type=NAME)
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
@click.option(
    "--owner",
    "owners",
    multiple=True,
    metavar="OWNER",
    help="Records that belong to this owner; '' is nobody. Repeatable.",
)
@click.option("--status", type=click.Choice(["active", "inactive"]), help="Records of this status.")
@common_options()
def get(
    kind: str | None,
    name: str | None,
    text: str,
    category: str | None,
    labels: tuple[str, ...],
    owners: tuple[str, ...],
    status: str | None,
) -> int:
    """View, list and search live records.

    KIND is category, connector, group or policy; KIND/NAME names one record.

    Formats (-o): table, yaml (the default for one record), json.
    """
    if kind and "/" in kind and name is None:
        kind, name = kind.split("/", 1)
    query = Query(kind_named(kind), name, text, category, labels_of(labels), status, frozenset(owners))
    chosen = choose_format(FORMATS, "yaml" if name else "table")
    found = list(search(open_run().store, query, now()))
    if name and not found and query.kind:
        from reconciler.cli.addresses import near

        word = KINDS[query.kind].word
        hint = near(Key(query.kind, name), f"list them with: reconciler get {word}")
        raise UsageError(f"there is no live {word} '{name}'", hint=hint)
    if chosen == "json":
        answer(render.records_json(found))
    elif chosen == "yaml":
        answer(render.records_yaml(found))
    elif not found and query == Query():
        answer("The store holds no records.\n")
    else:
        answer(
            render.records_table(found, color=wants_color(options().color, sys.stdout), columns=columns_of(sys.stdout))
        )
    return ExitCode.OK
