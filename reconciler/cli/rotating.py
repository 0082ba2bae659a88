"""``reconciler store rotate-key``."""

import os

import click

from reconciler.cli.carrying import lock_timeout_option
from reconciler.cli.help import Command
from reconciler.cli.interrupts import SignalInterrupts
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, say
from reconciler.cli.running import actor_of_run, named_actor, open_run
from reconciler.cli.said import options
from reconciler.core.ports.runs import RunInfo
from reconciler.errors import ExitCode
from reconciler.wiring.plan import PlanFlags
from reconciler.wiring.run import now, open_state
from reconciler.wiring.stores import next_key

FORMATS = ("text", "json")


@click.command(
    "rotate-key",
    cls=Command,
    examples=(("reconciler store rotate-key", "under a new random key"),),
)
@lock_timeout_option()
@common_options()
def rotate_key(lock_timeout: float | None) -> int:
    """Seal all secrets and access tokens anew, under a new key, in one transaction.

    A key file is replaced by a random key, or by the one in RECONCILER_NEW_STORE_KEY. Where the key is in
    RECONCILER_STORE_KEY the new one has to be in RECONCILER_NEW_STORE_KEY. The old key is kept beside its file,
    as backups from before need it. When it is cut off, run it again: the store is under one of the two keys, and
    both are there. Takes a super admin, where the store has one.

    Formats (-o): text, json.
    """
    from reconciler.render.care import rotation_json, rotation_text
    from reconciler.services.care import ROTATE_KEY, change_key

    chosen = choose_format(FORMATS)
    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout))
    keys, new = open_state(run.settings, os.environ).keys(), next_key(run.settings, os.environ)
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    info = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), ROTATE_KEY)
    rotation = change_key(keys, run.store, new, info, named_actor(), interrupts)
    if chosen == "json":
        answer(rotation_json(rotation, run.settings.target))
    elif not options().quiet:
        answer(rotation_text(rotation, run.settings.target))
    if interrupts.noted:
        say("interrupted too late: the key was already changed")
        return ExitCode.INTERRUPTED
    return ExitCode.OK
