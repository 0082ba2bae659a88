"""``reconciler init``."""

from pathlib import Path

import click

from reconciler.cli.help import Command
from reconciler.cli.options import common_options
from reconciler.cli.output import answer
from reconciler.cli.said import options
from reconciler.harmless import harmless
from reconciler.services.files import PIPELINES, make_repository
from reconciler.source import git


@click.command(
    "init",
    cls=Command,
    examples=(("reconciler init connectors-repo", "a repository in a new directory, with a pipeline for GitHub"),),
)
@click.argument("where", default=".", metavar="[DIR]")
@click.option(
    "--ci",
    type=click.Choice(PIPELINES),
    default="github",
    show_default=True,
    help="Whose pipeline files to write: validation, and the gate that judges who may change what.",
)
@common_options(store=False)
def command(where: str, ci: str) -> int:
    """Make a new configuration repository that validates and applies at once.

    It comes with settings for editors, for pre-commit and for a pipeline.
    """
    root = Path(options().directory or ".") / where
    made = make_repository(root, ci)
    alone = git.top_of(root.resolve()) is None
    if alone:
        git.create(root)
    if not options().quiet:
        for path in made.written:
            answer(f"wrote {harmless(path)}\n")
        for path in made.kept:
            answer(f"kept {harmless(path)}\n")
        answer("made a git repository\n" if alone else "")
        step = "" if where == "." else f"cd {harmless(where)} && "
        answer(f"Next: {step}reconciler validate && reconciler plan && reconciler apply\n")
    return 0
