"""What is done of a write in one go: the requests that make, change and delete connectors, categories and groups."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.ports.live import Outcome, Result
from reconciler.stores.processmaker.answers import Refused
from reconciler.stores.processmaker.crew import Change, Hand, NotDone
from reconciler.stores.processmaker.run import Run, differences, fetch, look
from reconciler.stores.processmaker.settlement import ensure, make
from reconciler.stores.processmaker.sorts import SORTS, number_of

_INVALID = 422


def make_record(run: Run, hand: Hand) -> None:
    """Make a new record. It is read back with the others that are new, as the answer does not tell what became of it."""
    write = run.writes[hand.write]
    sort = SORTS[write.key.kind]
    told = run.told(write, None)
    number = make(hand, sort, told, lambda row: run.holds(write, row))
    run.made(hand.write, number)


def change_record(run: Run, hand: Hand) -> None:
    """Change a record that is still what it was, and look whether it is what it was to be."""
    write = run.writes[hand.write]
    sort, before = SORTS[write.key.kind], look(run, hand, write)
    told = run.told(write, before)

    def is_done() -> bool:
        row = fetch(hand, sort, before.id)
        is_sealed = "credentials" not in told.body or (row is not None and row.seal != before.seal)
        return row is not None and is_sealed and run.holds(write, row)

    ensure(hand, Change("PUT", f"{sort.path}/{before.id}", told.body, told.digest), is_done)
    run.check(hand.write, fetch(hand, sort, before.id))


def set_aside(run: Run, hand: Hand, name: str) -> None:
    """Give a record a third name, so that its own is free."""
    write = run.writes[hand.write]
    sort, before = SORTS[write.key.kind], look(run, hand, write)

    def is_done() -> bool:
        row = fetch(hand, sort, before.id)
        return row is not None and row.name == name

    ensure(hand, Change("PUT", f"{sort.path}/{before.id}", ), is_done)
