"""``reconciler plan``."""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import choose_format, common_options, options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.plan_files import Saving, refuse_unsaved, save, saving_options
from reconciler.cli.running import PlanFlags, Run, open_run, planned_with, preflight_of
from reconciler.core.overrides import FORM, GUARDS, Override
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.core.preflight import Verdict

FORMATS = ("text", "json", "markdown")


def _limit(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{1,9}%?", value):
        raise click.BadParameter("give a number such as 5, or a share such as 30%")
    return value


def _overrides(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[Override, ...]:
    found = []
    for text in value:
        parts = FORM.fullmatch(text)
        if parts is None or parts[2] not in GUARDS:
            raise click.BadParameter(f"give PLAN:GUARD=COUNT, as the guard says it; guards are {', '.join(GUARDS)}")
        found.append(Override(parts[1], parts[2], int(parts[3])))
    return tuple(found)


def override_option() -> Callable[..., Callable[..., Any]]:
    """The option that lets one plan pass one guard."""
    return click.option(
        "--override",
        "overrides",
        multiple=True,
        callback=_overrides,
        metavar="PLAN:GUARD=N",
        help="What a guard stops is meant: for this plan alone, and for just this count. The guard says what to pass.",
    )


def preflight_option() -> Callable[..., Callable[..., Any]]:
    """The option that tries what changes."""
    text = "Try the connectors that change: secrets, tokens, TLS, servers. Calls no endpoint."
    return click.option("--preflight", is_flag=True, help=text)


def tokens_option() -> Callable[..., Callable[..., Any]]:
    """The option that says when access tokens are fetched."""
    text = "apply: fetch access tokens that are missing or about to expire. demand: leave them to calls."
    return click.option("--tokens", type=click.Choice(["apply", "demand"]), help=text)


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `plan` and `apply` share."""
    function = guarding_options(function)
    for option in reversed(
        [
            click.option("--ref", default="", metavar="REV", help="Take the definitions of a commit, branch or tag."),
            click.option("--full", is_flag=True, help="Look at everything, not at what moved since the last apply alone."),
            click.option("--no-prune", is_flag=True, help="Keep records that git no longer defines."),
            click.option("--adopt", is_flag=True, help="Take over live records that belong to somebody else."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


def guarding_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that makes a plan of all records: its guards, and what is looked at."""
    for option in reversed(
        [
            click.option("--max-deletes", callback=_limit, metavar="N|N%", help="How many records may be deleted; default 30%, and 5 in any case."),
            override_option(),
            preflight_option(),
            tokens_option(),
            click.option("--secrets", type=click.Choice(["unchanged", "check"]), help="check: resolve all secrets and see which values changed."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


@click.command("plan")
@plan_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when git has something new, and with 11 when all there is to do is to take back drift.",
)
@saving_options
@common_options()
def command(detailed_exitcode: bool, out: Path | None, sign_key: Path | None, valid_for: str, **flags: Any) -> int:
    """Show what would change in the live store. Writes nothing, and needs no secret.

    Formats (-o): text, json, markdown (for a pull request).
    """
    chosen = choose_format(FORMATS)
    asked = PlanFlags(**flags)
    saving = Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(asked)
    plan = planned_with(run, asked).plan
    code = show_plan(run, plan, chosen, asked, saving, "apply")
    if code or not plan.changes or not detailed_exitcode:
        return code
    return ExitCode.DRIFTED if plan.is_drift_only else ExitCode.CHANGES_PENDING


def show_plan(run: Run, plan: Plan, chosen: str, asked: PlanFlags, saving: Saving, verb: str) -> int:
    """Show a plan that is not applied now, and save it; returns the exit code for what stands against it."""
    verdicts = preflight_of(run, plan) if asked.preflight else None
    _show(plan, verdicts, chosen)
    save(run, plan, asked, saving, verb)
    if plan.problems:
        return plan.problems[0].exit_code
    return ExitCode.WORLD if any(not verdict.passed for verdict in verdicts or ()) else ExitCode.OK


def _show(plan: Plan, verdicts: "Sequence[Verdict] | None", chosen: str) -> None:
    color = wants_color(options().color, sys.stdout)
    if chosen == "json":
        from reconciler.render.plan_json import plan_json

        answer(plan_json(plan, verdicts))
    elif chosen == "markdown":
        from reconciler.render.plan_markdown import plan_markdown
        from reconciler.render.preflight import preflight_markdown

        answer(plan_markdown(plan) + preflight_markdown(verdicts or ()))
    elif not (options().quiet and plan.is_empty):
        from reconciler.render.plan_text import plan_text

        answer(plan_text(plan, color=color))
        if verdicts is not None:
            from reconciler.render.preflight import preflight_text

            answer("\n" + preflight_text(verdicts, color=color))
