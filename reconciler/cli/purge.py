"""``reconciler store purge``."""

import sys

import click

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.execution import FORMATS, lock_timeout_option, noted, refuse_returned, refuse_unnoted, yes_option
from reconciler.cli.options import ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, can_ask, columns_of, confirmed, options, refuse_unshown, say, wants_color
from reconciler.cli.plan import witness_option
from reconciler.cli.run import actor_of_run, named_actor, open_run
from reconciler.core.ports.store import RunInfo
from reconciler.errors import Declined, ExitCode, UsageError
from reconciler.render.style import plural
from reconciler.services.care import PURGE, Purge
from reconciler.wiring.plan import PlanFlags
from reconciler.wiring.run import now

_MOST_DAYS = 36_500


@click.command(
    "purge",
    cls=ExplainedCommand,
    examples=(
        ("reconciler store purge --dry-run", "what would be destroyed"),
        ("reconciler store purge --yes --older-than 90", "from a monthly job"),
    ),
)
@click.option("--older-than", type=click.IntRange(0, _MOST_DAYS), metavar="DAYS", help="What was deleted so long ago; default: the target's quarantineDays, 30.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be destroyed, and write nothing.")
@yes_option()
@lock_timeout_option()
@witness_option()
@common_options()
def purge(older_than: int | None, dry_run: bool, yes: bool, lock_timeout: float | None, witness: str | None) -> int:
    """Destroy deleted records whose time is over, with their sealed secrets. They cannot be restored after that.

    What they held stays in the history, with secrets as references, and a rollback finds it there. The secrets
    themselves are overwritten in the store's file; copies of the file elsewhere, such as backups, still have them.
    Takes the permission to delete such records.

    Formats (-o): text, json.
    """
    from reconciler.services.care import carry_out_purge, make_purge

    chosen = choose_format(FORMATS)
    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout), judged=not dry_run)
    refuse_returned(run, witness)
    days = run.settings.quarantine_days if older_than is None else older_than
    found = make_purge(run.store, run.settings.owner, days, named_actor(), now())
    _show(found, days, chosen, everything=dry_run)
    if dry_run or not found.wanted:
        _report(found, days, chosen, head="")
        return ExitCode.OK
    if not yes:
        _ask(len(found.wanted))
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    told = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), PURGE)
    head = carry_out_purge(found, run.store, told, interrupts)
    unnoted = noted(run, witness, head)
    _report(found, days, chosen, head=head)
    refuse_unnoted(unnoted)
    if interrupts.noted:
        say("interrupted too late: the purge was already done")
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _show(found: Purge, days: int, chosen: str, *, everything: bool) -> None:
    """What is going to be destroyed."""
    from reconciler.render.care import deleted_table

    if not found.wanted or (options().quiet and not everything):
        return
    stream = sys.stdout if chosen == "text" else sys.stderr
    if chosen == "text" or not everything:
        stream.write(
            deleted_table(
                found.wanted, days, now(), color=wants_color(options().color, stream), columns=columns_of(stream)
            )
        )
        refuse_unshown()


def _ask(count: int) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: nobody can be asked.
        Declined: the answer is not yes.
    """
    if not can_ask():
        raise UsageError("purge asks before it destroys something, and there is no terminal to ask on", hint="pass --yes")  # fmt: skip
    if not confirmed(f"Destroy {plural(count, 'deleted record')} for good?"):
        raise Declined("not purged; nothing was changed")


def _report(found: Purge, days: int, chosen: str, *, head: str) -> None:
    from reconciler.render.care import purge_json

    if chosen == "json":
        answer(purge_json(found.wanted, days, head=head))
    elif not found.wanted and not options().quiet:
        answer(f"Nothing to purge: no record was deleted {days} days ago or longer.\n")
    elif head and not options().quiet:
        secrets = sum(item.secrets for item in found.wanted)
        answer(f"Purged {plural(len(found.wanted), 'deleted record')} with {plural(secrets, 'secret')}; the history keeps what they held.\n")  # fmt: skip
