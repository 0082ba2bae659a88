"""What the commands that carry out a plan have in common: show it, ask, write it, report."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.options import stacked
from reconciler.cli.output import (
    answer,
    can_ask,
    confirmed,
    lost_answer,
    options,
    refuse_unshown,
    say,
    say_error,
    wants_color,
)
from reconciler.cli.run import actor_of_run, named_actor, preflight_of
from reconciler.core.baseline import KeepsBaselines
from reconciler.core.plan import Plan
from reconciler.errors import (
    Declined,
    ExitCode,
    Interrupted,
    ReportLost,
    SourceUnavailable,
    StoreLocked,
    StoreUnavailable,
    UsageError,
)
from reconciler.kinds.registry import address
from reconciler.wiring.plan import OpenedRun
from reconciler.wiring.run import now, open_tokens

if TYPE_CHECKING:
    from reconciler.core.baseline import Memory
    from reconciler.core.history import Report
    from reconciler.services.apply import TokenOptions

FORMATS = ("text", "json")


def carrying_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that carries out a plan."""
    return stacked(
        yes_option(),
        lock_timeout_option(),
        click.option("--on-error", type=click.Choice(["stop", "continue"]), default="stop", show_default=True, help="Whether a secret or token that is not to be had, or a live store that fails, stops everything, or what needs it is left out with all that depends on it."),
        click.option("--parallelism", type=click.IntRange(1, 256), metavar="N", help="How many tokens are requested at once; default 8."),
    )(function)  # fmt: skip


def lock_timeout_option() -> Callable[..., Callable[..., object]]:
    """The option that says how long to wait for another run."""
    return click.option(
        "--lock-timeout",
        type=click.FloatRange(0, 86_400),
        metavar="SECONDS",
        help="How long to wait for another run to end; default 10.",
    )


def yes_option() -> Callable[..., Callable[..., object]]:
    """The option that answers the question before it is asked."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")


class ApplyFlags(Struct, frozen=True):
    """Options of every command that carries out a plan.

    Attributes:
        output: one of `FORMATS`.
        yes: whether nobody is asked.
        on_error: "stop" or "continue"; see `carrying_options`.
        parallelism: None for the default.
        witness: where the head of the history is noted; None for nowhere.
    """

    output: str
    yes: bool = False
    on_error: str = "stop"
    parallelism: int | None = None
    preflight: bool = False
    witness: str | None = None


def carry_out(
    run: OpenedRun,
    plan: Plan,
    flags: ApplyFlags,
    *,
    verb: str = "apply",
    memory: "Memory | None" = None,
    afterwards: Sequence[str] = (),
) -> int:
    """Show the plan, ask, apply it and report; returns the exit code.

    Args:
        verb: the command that made the plan.
        memory: what the store is to remember once it is carried out.
        afterwards: what there is to be done when it is applied.

    Raises:
        ReconcilerError: whatever stands against the plan; see `apply_plan`.
    """
    from reconciler.services.access_objections import refuse_unjudged
    from reconciler.services.apply import ApplyOptions, apply_plan, refuse_problems

    _show(plan, flags)
    refuse_problems(plan)
    refuse_unjudged(plan, named_actor())
    if flags.preflight:
        _preflight(run, plan)
    if plan.changes and not flags.yes:
        _ask(plan, verb)
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    tokens = _tokens(run, flags)
    goes_on = flags.on_error == "continue"
    asked = ApplyOptions(run.secrets, tokens, actor_of_run(), now, verb, interrupts, memory, run.progress, goes_on)
    try:
        with run.progress:
            report = apply_plan(plan, run.store, asked)
    except KeyboardInterrupt as interrupt:
        raise Interrupted("interrupted; nothing was changed", hint="run the command again") from interrupt
    unnoted = noted(run, flags.witness, report.head)
    _report(report, flags.output)
    refuse_unnoted(unnoted)
    if memory is not None and not (plan.changes or plan.confirmed):
        _remember(run, memory)
    return _told(report, interrupts, afterwards)


def refuse_returned(run: OpenedRun, witness: str | None) -> None:
    """Stop when the store lacks what its witness says.

    Raises:
        GuardStopped: it does.
    """
    if witness is not None:
        from reconciler.wiring.witnesses import refuse_gone_back

        refuse_gone_back(run.settings, run.store, witness)


def noted(run: OpenedRun, witness: str | None, head: str) -> SourceUnavailable | None:
    """Note the head of the history outside of the store; why that cannot be done, if so.

    Args:
        head: see `note_head`.
    """
    if witness is None:
        return None
    from reconciler.wiring.witnesses import note_head

    try:
        note_head(run.settings, run.store, witness, head)
    except SourceUnavailable as failure:
        return failure
    return None


def refuse_unnoted(failure: SourceUnavailable | None) -> None:
    """Tell, once the rest is told, that what is done was not noted.

    Raises:
        ReportLost: so it is.
    """
    if failure is not None:
        raise ReportLost(f"everything was done, but {failure.message}", hint=failure.hint) from failure


def _tokens(run: OpenedRun, flags: ApplyFlags) -> "TokenOptions":
    from reconciler.services.apply import TokenOptions

    tools = open_tokens(run.settings, run.store, flags.parallelism, run.progress)
    return TokenOptions(tools, fetch=run.settings.fetch_tokens)


def _told(report: "Report", interrupts: SignalInterrupts, afterwards: Sequence[str]) -> int:
    """Say what is left to be done, and what was left out; the exit code."""
    if report.plan.changes and not options().quiet:
        for line in afterwards:
            say(line)
    hints = [failure.hint for _, failure in report.left_out]
    for (change, failure), following in zip(report.left_out, [*hints[1:], ""], strict=False):
        hint = failure.hint if failure.hint != following else ""  # many that fail alike need to be told what to do once
        say_error(f"{address(*change.key)} was left out: {failure.message}", hint=hint)
    if interrupts.noted:
        say("interrupted too late: the plan was already applied")
        return ExitCode.INTERRUPTED
    return ExitCode.PARTLY_APPLIED if report.left_out else ExitCode.OK


def _remember(run: OpenedRun, memory: "Memory") -> None:
    """Have the store remember that there was nothing to do. What comes of it is no part of the apply."""
    if not isinstance(run.store, KeepsBaselines):
        return
    try:
        run.store.remember(memory)
    except (StoreLocked, StoreUnavailable) as failure:
        if options().verbose:
            say(f"the next plan will look at more than it has to: {failure.message}")


def _show(plan: Plan, flags: ApplyFlags) -> None:
    """What is going to be done. It is on its way before anything is done, so a reader that has gone stops the run."""
    from reconciler.render.plan import plan_text

    if not plan.changes or (flags.yes and (options().quiet or flags.output != "text")):
        return
    stream = sys.stdout if flags.output == "text" else sys.stderr
    stream.write(plan_text(replace(plan, problems=()), now(), color=wants_color(options().color, stream)))
    refuse_unshown()


def _preflight(run: OpenedRun, plan: Plan) -> None:
    """Try the connectors that change, and say what came of it.

    Raises:
        NetworkFailure: one failed.
    """
    from reconciler.render.call import preflight_text
    from reconciler.services.preflight import refuse_failed

    verdicts = preflight_of(run, plan)
    if not options().quiet:
        sys.stderr.write(preflight_text(verdicts, color=wants_color(options().color, sys.stderr)))
    refuse_failed(verdicts)


def _ask(plan: Plan, verb: str) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: nobody can be asked.
        Declined: the answer is not yes.
    """
    if not can_ask():
        raise UsageError(
            f"{verb} asks before it changes something, and there is no terminal to ask on", hint="pass --yes"
        )
    if not confirmed(f"Apply to {plan.target}?"):
        raise Declined("not applied; nothing was changed")


def _report(report: "Report", chosen: str) -> None:
    """Say what was done.

    Raises:
        ReportLost: it cannot be written.
    """
    from reconciler.render.plan import report_text
    from reconciler.render.plan_formats import report_json

    plan = report.plan
    if options().verbose and plan.changes:
        say(f"run by {report.actor}, {report.started} to {report.finished}")
        say(f"history head {report.head}")
    if chosen == "json":
        answer(report_json(report))
    elif not options().quiet:
        answer(report_text(report))
    if failure := lost_answer():
        done = "everything was applied" if plan.changes else "there was nothing to do"
        raise ReportLost(f"{done}, but the report cannot be written: {failure.strerror}") from failure
