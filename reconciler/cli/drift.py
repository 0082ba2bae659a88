"""``reconciler drift``."""

import os
import sys

import click

from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.parsing import key_of
from reconciler.cli.running import settings_of_run, warn_lost
from reconciler.cli.said import options
from reconciler.core.drift import DriftReport
from reconciler.errors import ExitCode
from reconciler.services.drift import DriftQuery, find_drift
from reconciler.wiring.run import now, open_store

FORMATS = ("text", "json", "markdown")


@click.command(
    "drift",
    cls=Command,
    examples=(
        ("reconciler drift", "what moved since the last apply"),
        ("reconciler drift connector/crm-contacts -o json", "one record, for a program"),
        ("reconciler drift --all --detailed-exitcode", "for a nightly job: exits with 2 where something moved"),
    ),
)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--all", "everybody", is_flag=True, help="The records of all owners, and of none.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when something was changed.")
@common_options()
def command(addresses: tuple[str, ...], everybody: bool, detailed_exitcode: bool) -> int:
    """Show drift: live records that are not as this repository last applied them, since when, and by whom if known.

    It looks at the store alone: no git, no definitions, no secrets. What moved and moved back, and what is left to
    the live side, is no drift. An ADDRESS is such as connector/crm-contacts.

    Formats (-o): text, json, markdown.
    """
    chosen = choose_format(FORMATS)
    keys = tuple(map(key_of, addresses))
    settings = settings_of_run()
    warn_lost(settings)
    store = open_store(settings, os.environ)
    try:
        report = find_drift(store, DriftQuery(settings.target, settings.owner, keys, everybody, now()))
    finally:
        store.close()
    _show(report, chosen)
    return ExitCode.CHANGES_PENDING if report.drifted and detailed_exitcode else ExitCode.OK


def _show(report: DriftReport, chosen: str) -> None:
    if chosen == "json":
        from reconciler.render.drift import drift_json

        answer(drift_json(report))
    elif chosen == "markdown":
        from reconciler.render.drift import drift_markdown

        answer(drift_markdown(report))
    elif report.drifted or not options().quiet:
        from reconciler.render.drift import drift_text

        answer(drift_text(report, now(), color=wants_color(options().color, sys.stdout)))
