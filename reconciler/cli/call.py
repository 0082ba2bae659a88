"""``reconciler call``."""

from typing import Any

import click

from reconciler.cli.asked import CallFlags
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.running import open_run
from reconciler.errors import ExitCode, UsageError

FORMATS = ("text", "json")
MAX_BYTES = 10 * 1024 * 1024


def _call_options(function: Any) -> Any:
    for option in reversed(
        [
            click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Data for the placeholder {{KEY}}, a text; KEY:=VALUE for JSON; keys may be dotted."),
            click.option("--data", metavar="FILE", help="Data for the placeholders: a JSON or YAML object; - is standard input."),
            click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A query parameter; it wins over the definition's."),
            click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; of the definition's only the required ones are sent then."),
            click.option("--base-url", default="", envvar="RECONCILER_BASE_URL", metavar="URL", help="Where the platform is, for URLs that begin with /."),
            click.option("--max-bytes", type=click.IntRange(1, 2**31), default=MAX_BYTES, metavar="N", help="How much of the body is read; default 10 MiB."),
            click.option("-y", "--yes", is_flag=True, help="Do not ask."),
            click.option("--fail", is_flag=True, help="Exit with 10 when the status is 400 or above."),
            click.option("--dry-run", is_flag=True, help="Print the request and do not send it."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


@click.command(
    "call",
    cls=Command,
    examples=(
        ("reconciler call crm-contacts list", "an endpoint, with the sample of its definition"),
        ("reconciler call crm-contacts list --set account=7 --dry-run", "what would be sent"),
        ("reconciler call --all --category crm", "does every GET endpoint of a category answer?"),
    ),
)
@click.argument("connector", required=False)
@click.argument("endpoint", required=False)
@_call_options
@click.option("--all", "every", is_flag=True, help="Call every GET endpoint of every active connector with its sample.")
@click.option("--category", metavar="NAME", help="With --all: connectors filed under this category.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="With --all: connectors with this label.")  # fmt: skip
@common_options()
def command(
    connector: str | None, endpoint: str | None, every: bool, category: str | None, labels: tuple[str, ...], **flags: Any
) -> int:  # fmt: skip
    """Call an endpoint of a live connector, with its live authorization. Asks before a method that writes.

    Placeholders are filled in from the definition's sample, over it --data, over that --set.

    Formats (-o): text, json.
    """
    asked = CallFlags(**flags)
    chosen = choose_format(FORMATS)
    if every:
        from reconciler.cli.call_all import call_all

        if connector or asked != CallFlags((), None, (), (), asked.base_url, MAX_BYTES, asked.yes, asked.fail, False):
            raise UsageError("--all takes no connector and no data", hint="choose with --category and --label")
        return call_all(chosen, base_url=asked.base_url, category=category, labels=labels)
    if category or labels:
        raise UsageError("--category and --label go with --all")
    if not connector:
        raise UsageError("which connector?", hint="write: reconciler call CONNECTOR ENDPOINT, or --all")
    return _call_one(connector, endpoint or "", asked, chosen)


def _call_one(name: str, purpose: str, asked: CallFlags, chosen: str) -> int:
    from reconciler.cli import calling
    from reconciler.kinds.authorization import trust_of
    from reconciler.net.retry import Senders
    from reconciler.services.calls import perform

    run = open_run()
    call = calling.prepare_call(run, name, purpose, asked)
    sent = calling.sent_of(call)
    if asked.dry_run:
        calling.report(sent, None, chosen)
        return ExitCode.OK
    calling.permit(run, [call.connector])
    calling.announce(call, sent, yes=asked.yes)
    authorize = calling.authorizing(run)
    trust = trust_of(call.connector.spec, call.connector.secrets)
    with Senders() as senders:
        outcome = perform(call, trust, lambda fresh: authorize(call.connector, fresh), senders.open)
    calling.report(sent, outcome, chosen)
    return ExitCode.WORLD if asked.fail and outcome.answer.status >= 400 else ExitCode.OK
