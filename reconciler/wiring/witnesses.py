"""The witness of a target's store: asked before a run writes, and told afterwards."""

import os
from contextlib import closing

from reconciler.core.history import KeepsHistory, RunEntry
from reconciler.core.plan import Problem
from reconciler.core.ports.store import Store
from reconciler.core.witness import Testimony, Witness, gone_back
from reconciler.errors import GuardStopped
from reconciler.settings import Settings
from reconciler.source.witnesses import WitnessPlace, place_of
from reconciler.wiring.run import now, open_state

_LOOKED_AT = 100
"""So many runs may end between the commit of a run and its note."""


def witness_place(settings: Settings, where: str | None) -> WitnessPlace | None:
    """Where the witness is, where there is to be one; a run that writes can note it there."""
    if not where:
        return None
    place = place_of(where, settings.root, settings.target)
    if settings.judged:
        place.refuse_unwritable()
    return place


def testimony(settings: Settings, store: Store, where: str | None) -> Testimony:
    """What the witness says of the store.

    Raises:
        SourceUnavailable: it cannot be read.
    """
    place = witness_place(settings, where)
    if place is None:
        return Testimony()
    witness = place.read()
    with closing(open_state(settings, os.environ).history()) as history:
        if witness is None:
            said = f"there is no witness at {place.name} yet, so nothing tells whether the store has gone back"
            return Testimony(notices=(said,) if history.runs(limit=1) else ())
        return Testimony(_judged(witness, store.identity(), history))


def _judged(witness: Witness, identity: str, history: KeepsHistory) -> Problem | None:
    last = history.runs(limit=1)
    return gone_back(witness, identity, history.runs(ids=[witness.run]), last[0].id if last else 0)


def refuse_gone_back(settings: Settings, store: Store, where: str | None) -> None:
    """Stop before a command that makes no plan works with a store that has gone back.

    Raises:
        GuardStopped: it has.
        SourceUnavailable: the witness cannot be read.
    """
    problem = testimony(settings, store, where).problem
    if problem is not None:
        hint = f"{problem.hint}; to go on: reconciler apply --witness, which says how"
        raise GuardStopped(problem.message, hint=hint, details=problem.details)


def note_head(settings: Settings, store: Store, where: str | None, head: str) -> None:
    """Note how far the store's history has come; what is noted already of a later run stays.

    Args:
        head: the hash of the history after the run that has written; "" where none has: then the last run is noted
            where nothing was before.

    Raises:
        SourceUnavailable: it cannot be written.
    """
    place = witness_place(settings, where)
    if place is None:
        return
    before = place.read()
    if before is not None and not head:
        return
    with closing(open_state(settings, os.environ).history()) as history:
        done = _run(history, head)
        if done is None or (before is not None and before.run > done.id and not _judged(before, store.identity(), history)):  # fmt: skip
            return
    place.write(Witness(store.identity(), done.id, done.head, now()))


def _run(history: KeepsHistory, head: str) -> RunEntry | None:
    """The run after which the history had a head, or the last one."""
    runs = history.runs(limit=_LOOKED_AT if head else 1)
    return next((entry for entry in runs if not head or entry.head == head), None)
