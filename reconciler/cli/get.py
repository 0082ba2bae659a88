"""``reconciler get``."""

import sys

import click

from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.running import open_run
from reconciler.cli.said import options
from reconciler.errors import ExitCode, UsageError
from reconciler.kinds.registry import KINDS, WORDS
from reconciler.render import records as render
from reconciler.services.search import Query, search
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


def kind_named(word: str | None) -> str | None:
    """The kind that `word` stands for: its name, its word, or the plural of either."""
    if word is None:
        return None
    wanted = word.lower()
    plurals = {"policies": "policy", "categories": "category", "permissionpolicies": "permissionpolicy"}
    for candidate in (wanted, plurals.get(wanted, wanted.removesuffix("s"))):
        if candidate in WORDS:
            return WORDS[candidate]
        for kind in KINDS:
            if kind.lower() == candidate:
                return kind
    raise UsageError(
        f"there is no kind '{word}'", hint=f"kinds are {', '.join(WORDS)}; look for a text with --search TEXT"
    )


def labels_of(given: tuple[str, ...]) -> dict[str, str]:
    """Labels as they stand on the command line.

    Raises:
        UsageError: one is no KEY=VALUE.
    """
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"'{text}' is not a label", hint="write --label key=value")
        found[key] = value
    return found
