"""``reconciler store backup``."""

import os
from pathlib import Path

import click

from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer
from reconciler.cli.running import settings_of_run
from reconciler.cli.said import options
from reconciler.wiring.run import open_state
from reconciler.wiring.stores import key_place

FORMATS = ("text", "json")


@click.command(
    "backup",
    cls=Command,
    examples=(("reconciler store backup /backups/connectors.db", "a copy, while others write"),),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@common_options()
def backup(file: Path, *, force: bool) -> None:
    """Copy the live store to FILE, consistent while others write. Secrets stay sealed, and the key is not in it.

    The copy is a store: name it with --store, or put it in the place of the store while nothing uses that.

    Formats (-o): text, json.
    """
    from reconciler.render.care import backup_json, backup_text

    chosen = choose_format(FORMATS)
    settings, to = settings_of_run(), Path(os.path.abspath(file))
    sealed = open_state(settings, os.environ).back_up(to, replace=force)
    key = key_place(settings, os.environ, to) if sealed else None
    if chosen == "json":
        answer(backup_json(to, key, settings.target))
    elif not options().quiet:
        answer(backup_text(to, key, settings.target))
