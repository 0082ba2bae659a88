"""``reconciler plan``, with the options of all commands that make plans."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options, key_of, stacked
from reconciler.cli.output import answer, options, wants_color
from reconciler.cli.run import VALID_FOR, Saving, open_run, planned_with, preflight_of, refuse_unsaved, save
from reconciler.core.guards import FORM, GUARDS, Override
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode, UsageError
from reconciler.services.records import refuse_unknown
from reconciler.wiring.plan import OpenedRun, PlanFlags
from reconciler.wiring.run import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.calls import PreflightVerdict


FORMATS = ("text", "json", "markdown")


def show_plan(run: OpenedRun, plan: Plan, chosen: str, asked: PlanFlags, saving: Saving, verb: str = "apply") -> int:
    """Show a plan that is not applied now, and save it; returns the exit code for what stands against it.

    Args:
        chosen: one of `FORMATS`, or "summary".
        verb: the command that carries out such a plan.
    """
    verdicts = preflight_of(run, plan) if asked.preflight else None
    _show(plan, verdicts, chosen)
    save(run, plan, asked, saving, verb)
    if plan.problems:
        return plan.problems[0].exit_code
    return ExitCode.WORLD if any(not verdict.passed for verdict in verdicts or ()) else ExitCode.OK


def _show(plan: Plan, verdicts: "Sequence[PreflightVerdict] | None", chosen: str) -> None:
    color = wants_color(options().color, sys.stdout)
    if chosen == "json":
        from reconciler.render.plan_formats import plan_json

        answer(plan_json(plan, verdicts))
    elif chosen == "markdown":
        from reconciler.render.plan_formats import plan_markdown

        answer(plan_markdown(plan, verdicts or ()))
    elif chosen == "summary":
        from reconciler.render.plan import plan_summary

        answer(plan_summary(plan, color=color))
    elif not (options().quiet and plan.is_empty):
        from reconciler.render.plan import plan_text

        answer(plan_text(plan, now(), color=color))
        if verdicts is not None:
            from reconciler.render.call import preflight_text

            answer("\n" + preflight_text(verdicts, color=color))


MAX_NAME = 255
FILE = click.Path(dir_okay=False, path_type=Path)


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


def _names(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise click.BadParameter("name somebody", param_hint="'--approved-by' / RECONCILER_APPROVED_BY")
    return value


def approvals_option() -> Callable[..., Callable[..., Any]]:
    """The option that says who approved what is judged. Nothing in a repository or a saved plan says so."""
    return click.option(
        "--approved-by",
        "approvals",
        multiple=True,
        metavar="ACTOR",
        envvar="RECONCILER_APPROVED_BY",
        callback=_names,
        help="Who approved the change: what is refused to the actor passes if one of these may make it. Repeatable; "
        "RECONCILER_APPROVED_BY separates names with blanks.",
    )


def witness_option() -> Callable[..., Callable[..., Any]]:
    """The option that says where the head of the history is noted outside of the store."""
    text = "Where the head of the history is noted outside of the store: a FILE, or git for a ref of this repository. A store that lacks what is noted there has gone back, and stops the run; a run that writes notes its own."
    return click.option("--witness", metavar="FILE|git", envvar="RECONCILER_WITNESS", help=text)


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
    return stacked(
        click.option("--ref", default="", type=REVISION, metavar="REV", help="Take the definitions of a commit, branch or tag."),
        click.option("--full", is_flag=True, help="Look at everything, not at what moved since the last apply alone."),
        click.option("--no-prune", is_flag=True, help="Keep records that git no longer defines."),
        click.option("--adopt", is_flag=True, help="Take over live records that belong to somebody else."),
    )(function)  # fmt: skip


def guarding_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that makes a plan of all records: its guards, and what is looked at."""
    return stacked(
        click.option("--max-deletes", callback=_limit, metavar="N|N%", help="How many records may be deleted; default 30%, and 5 in any case."),
        override_option(),
        approvals_option(),
        preflight_option(),
        tokens_option(),
        witness_option(),
        click.option("--secrets", type=click.Choice(["unchanged", "check"]), envvar="RECONCILER_SECRETS", help="check: resolve all secrets and see which values changed."),
    )(function)  # fmt: skip


def saving_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that can save their plan."""
    return stacked(
        click.option("--out", type=FILE, metavar="FILE", help="Save the plan, to be carried out by `apply FILE`."),
        click.option("--sign", "sign_key", type=FILE, metavar="KEY", help="Sign the saved plan with this Ed25519 private key."),
        click.option("--valid-for", default=VALID_FOR, show_default=True, metavar="TIME", help="How long the saved plan may be applied, e.g. 30m, 12h, 7d."),
    )(function)  # fmt: skip


@click.command(
    "plan",
    cls=ExplainedCommand,
    examples=(
        ("reconciler plan", "what an apply of the working tree would do"),
        ("reconciler plan connector/crm-contacts", "of one connector among many, and what it refers to"),
        ("reconciler plan --ref main -o markdown", "a commit's plan, as a comment on a pull request"),
        (
            "reconciler plan --out plan.json",
            "a plan to be reviewed, and carried out as it is by: reconciler apply plan.json",
        ),
        (
            "reconciler plan --preflight --secrets check",
            "with secrets, tokens and servers tried, and new values of secrets found",
        ),
    ),
)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@plan_options
@click.option("--summary", is_flag=True, help="Say how much there is to do, and what deserves a look; no fields.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when git has something new, and with 11 when all there is to do is to take back drift.",
)
@saving_options
@common_options(reads=True)
def plan(
    addresses: tuple[str, ...], summary: bool, detailed_exitcode: bool, out: Path | None, sign_key: Path | None,
    valid_for: str, **flags: Any,
) -> int:  # fmt: skip
    """Show what would change in the live store. Writes nothing, and needs no secret.

    With an ADDRESS, such as connector/crm-contacts: what would change of that, and of what it refers to.

    Formats (-o): text, json, markdown (for a pull request).
    """
    chosen, asked, saving = choose_format(FORMATS), PlanFlags(**flags), Saving(out, sign_key, valid_for)
    if summary and chosen != "text":
        raise UsageError("--summary is a form of text", hint="leave -o out; JSON and Markdown begin with a summary")
    refuse_unsaved(saving)
    asked = replace(asked, only=tuple(map(key_of, addresses)))
    run = open_run(asked)
    plan = planned_with(run, asked).plan
    refuse_unknown(run.store, plan, lambda: run.source.load().resources)
    code = show_plan(run, plan, "summary" if summary else chosen, asked, saving)
    if code or not plan.changes or not detailed_exitcode:
        return code
    return ExitCode.DRIFTED if plan.is_drift_only else ExitCode.CHANGES_PENDING
