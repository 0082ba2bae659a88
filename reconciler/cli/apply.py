"""``reconciler apply``."""

from typing import Any

import click

from reconciler.cli.carrying import (
    FORMATS,
    carry_out,
    lock_timeout_option,
    on_error_option,
    parallelism_option,
    yes_option,
)
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.plan import plan_options
from reconciler.cli.running import PlanFlags, open_run, plan_with


@click.command("apply")
@plan_options
@yes_option()
@lock_timeout_option()
@on_error_option()
@parallelism_option()
@common_options()
def command(yes: bool, on_error: str, parallelism: int | None, **flags: Any) -> int:
    """Take the live store to what git declares, in one transaction. Asks first on a terminal.

    Formats (-o): text, json.
    """
    chosen = choose_format(FORMATS)
    asked = PlanFlags(**flags)
    run = open_run(asked)
    plan = plan_with(run, asked)
    return carry_out(run, plan, chosen, yes=yes, preflight=asked.preflight, on_error=on_error, parallelism=parallelism)
