"""``reconciler plan``."""

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import choose_format, common_options
from reconciler.cli.plan_files import Saving
from reconciler.cli.plan_options import plan_options, saving_options
from reconciler.cli.planning import FORMATS, plan_and_show
from reconciler.cli.running import PlanFlags


@click.command("plan")
@plan_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when git has something new, and with 11 when all there is to do is to take back drift.",
)
@saving_options
@common_options(reads=True)
def command(detailed_exitcode: bool, out: Path | None, sign_key: Path | None, valid_for: str, **flags: Any) -> int:
    """Show what would change in the live store. Writes nothing, and needs no secret.

    Formats (-o): text, json, markdown (for a pull request).
    """
    chosen = choose_format(FORMATS)
    return plan_and_show(PlanFlags(**flags), Saving(out, sign_key, valid_for), chosen, detailed=detailed_exitcode)
