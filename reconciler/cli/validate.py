"""``reconciler validate``."""

import click

from reconciler.cli.checking import FORMATS, CheckFlags, check_and_show
from reconciler.cli.options import choose_format, common_options


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--ref", default="", metavar="REV", help="Check a commit, branch or tag instead of the working tree.")
@click.option(
    "--changed-since",
    "since",
    default="",
    metavar="REV",
    help="Look at what differs from a commit, branch or tag that was valid, and at what that can break elsewhere.",
)
@click.option("--coverage", is_flag=True, help="Warn of grants that no access test explains.")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@common_options(store=False, reads=True)
def command(paths: tuple[str, ...], ref: str, since: str, coverage: bool, strict: bool) -> int:
    """Check all definitions: YAML, schema, references, secrets, templates, access tests and lint.

    Works offline: no network, no store, no secrets. With PATHs everything is checked together, and what
    is found in these files and directories is reported.

    With --changed-since the verdict is that of everything, if REV was valid. What was wrong in other files by then
    is not told. Where there are errors, and where the difference is large, everything is looked at.

    Formats (-o): text, json, sarif, junit, github, gitlab.
    """
    return check_and_show(CheckFlags(ref, since, coverage, strict, paths), choose_format(FORMATS))
