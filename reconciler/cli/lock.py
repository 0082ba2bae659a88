"""``reconciler lock``."""

import os
import sys

import click

from reconciler.cli.options import SectionedGroup, choose_format, common_options
from reconciler.cli.output import answer, options, wants_color
from reconciler.cli.run import actor_of_run, named_actor, open_run, settings_of_run, warn_lost
from reconciler.wiring.run import now, open_state

FORMATS = ("text", "json")


@click.group("lock", cls=SectionedGroup)
def lock() -> None:
    """See and release the lease of the run that writes."""


@lock.command(
    "show",
    examples=(("reconciler lock show", "who writes now"),),
)
@common_options()
def show() -> None:
    """Show who may write to the store now, since when, and whether it looks dead. Writes nothing.

    Formats (-o): text, json.
    """
    from reconciler.render.lock import Seen, lock_json, lock_text

    chosen = choose_format(FORMATS)
    settings = settings_of_run()
    warn_lost(settings)
    locks = open_state(settings, os.environ).locks(settings.owner)
    found, last = locks.lease(), locks.last_attempt()
    seen = Seen(found, last, locks.expires(found[0]) if found else "", settings.target, now())
    answer(lock_json(seen) if chosen == "json" else lock_text(seen, color=wants_color(options().color, sys.stdout)))


@lock.command(
    "release",
    examples=(("reconciler lock release", "from a run that has died on another host"),),
)
@click.option("--force", is_flag=True, help="Take it also from one that seems to live: it will write nothing.")
@common_options()
def release(*, force: bool) -> None:
    """End the lease of a run that has died or stands still. Takes a super admin, where the store has one.

    A run that has died on this host, or is not heard of any more, needs none of this: the next one takes its lease.

    Formats (-o): text, json.
    """
    from reconciler.render.lock import Seen, released_json, released_text
    from reconciler.services.care import Releaser, release_lease

    chosen = choose_format(FORMATS)
    run = open_run(judged=True)
    locks = open_state(run.settings, os.environ).locks(run.settings.owner)
    by = Releaser(named_actor(), actor_of_run(), now())
    found = release_lease(locks, run.store, by, owner=run.settings.owner, target=run.settings.target, force=force)
    seen = Seen(found, None, locks.expires(found[0]) if found else "", run.settings.target, now())
    if chosen == "json":
        answer(released_json(seen))
    elif not options().quiet:
        answer(released_text(seen))
