"""What is done of a write in one go: making, changing and deleting connectors, categories and groups."""

from typing import Any

from reconciler.core.ports.live import Outcome, Result
from reconciler.stores.processmaker.answers import Refused
from reconciler.stores.processmaker.crew import Change, Hand, NotDone
from reconciler.stores.processmaker.glances import look, now
from reconciler.stores.processmaker.rows import CategoryRow, ConnectorRow
from reconciler.stores.processmaker.run import Run
from reconciler.stores.processmaker.settlement import ensure, make
from reconciler.stores.processmaker.sorts import SORTS

_INVALID = 422


def make_record(run: Run, hand: Hand) -> None:
    """Make a new record. What became of it is looked at with all the new ones, as the answer only repeats what was sent."""
    write = run.writes[hand.write]
    sort = SORTS[write.key.kind]
    number = make(hand, sort, run.told(write, "POST"), lambda row: run.holds(write, row))
    run.made(hand.write, number)


def change_record(run: Run, hand: Hand) -> None:
    """Change a record that is still what it was, and look what came of it."""
    write = run.writes[hand.write]
    before = look(run, hand)
    change = run.told(write, "PUT", before)
    sends_credentials = "credentials" in (change.body or {})

    def is_done() -> bool:
        row = now(run, hand)
        return row is not None and run.holds(write, row) and not (sends_credentials and row.seal == before.seal)

    ensure(hand, change, is_done)
    run.titles[write.id] = str((change.body or {}).get("name"))
    run.check(hand.write, now(run, hand))


def set_aside(run: Run, hand: Hand, name: str) -> None:
    """Give a record a third name, so that its own is free."""
    write = run.writes[hand.write]
    sort, before = SORTS[write.key.kind], look(run, hand)

    def is_done() -> bool:
        row = now(run, hand)
        return row is not None and row.name == name

    ensure(hand, Change("PUT", f"{sort.path}/{before.id}", {**_required(before), "name": name}), is_done)
    run.titles[write.id] = name
    run.note(write.id, now(run, hand))


def _required(row: Any) -> dict[str, Any]:
    """What has to be said of a record in each change, besides its name."""
    if isinstance(row, ConnectorRow):
        return {"authtype": row.authtype, "data_source_category_id": ",".join(map(str, row.categories))}
    return {"status": row.status} if isinstance(row, CategoryRow) else {}


def drop_record(run: Run, hand: Hand) -> None:
    """Delete a record that is still what it was."""
    write = run.writes[hand.write]
    sort, before = SORTS[write.key.kind], look(run, hand)
    try:
        ensure(hand, Change("DELETE", f"{sort.path}/{before.id}"), lambda: now(run, hand) is None)
    except Refused as refusal:
        if refusal.status != _INVALID:
            raise
        raise NotDone(Result.CONFLICT, f"the instance keeps it, as something uses it: {refusal.said}") from refusal
    run.outcomes[hand.write] = Outcome(Result.DONE, write.id)
