"""What is done of a write in one go: making, changing and deleting connectors, categories and groups."""

from collections.abc import Sequence
from typing import Any

from reconciler.core.ports.live import Outcome, Result
from reconciler.errors import StoreUnavailable
from reconciler.harmless import harmless
from reconciler.stores.processmaker.forms.rows import CategoryRow, ConnectorRow
from reconciler.stores.processmaker.wire.answers import Refused
from reconciler.stores.processmaker.writes import crowd
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.crew import Crew
from reconciler.stores.processmaker.writes.glances import list_all, look, now
from reconciler.stores.processmaker.writes.hand import Hand
from reconciler.stores.processmaker.writes.run import Run
from reconciler.stores.processmaker.writes.settlement import ensure, is_taken, make, taken
from reconciler.stores.processmaker.writes.sorts import CONNECTOR, GROUP, SORTS, number_of

_INVALID = 422
_FEW = 3


def make_record(run: Run, hand: Hand) -> None:
    """Make a new record. What became of it is looked at with all the new ones, as the answer only repeats what was sent."""
    write = run.writes[hand.write]
    sort = SORTS[write.key.kind]
    change = run.told(write, "POST")
    run.made(hand.write, make(hand, sort, change, lambda row: run.is_like(write, row)))
    run.titles[run.uid(hand.write)] = str((change.body or {}).get("name"))


def change_record(run: Run, hand: Hand) -> None:
    """Change a record that is still what it was, and look what came of it."""
    write = run.writes[hand.write]
    before = look(run, hand)
    change = run.told(write, "PUT", before)
    sends_credentials = "credentials" in (change.body or {})

    def is_done() -> bool:
        row = now(run, hand)
        return row is not None and run.is_like(write, row) and not (sends_credentials and row.seal == before.seal)

    name = str((change.body or {}).get("name"))
    try:
        ensure(hand, change, is_done)
    except Refused as refusal:
        if not is_taken(refusal, name):
            raise
        raise taken(hand, SORTS[write.key.kind], name) from refusal
    run.titles[write.id] = name
    if write.key.kind == GROUP.kind:
        run.note(write.id, now(run, hand))  # its members are still to come
    else:
        run.check(hand.write, now(run, hand))


def leave_record(run: Run, hand: Hand) -> None:
    """Nothing is to be sent of a record itself: a group may still get other members."""
    write = run.writes[hand.write]
    if write.key.kind != GROUP.kind:
        before = run.sight.records[write.id]
        run.outcomes[hand.write] = Outcome(Result.DONE, write.id, before.version, note=before.note)


def set_aside(run: Run, name: str, hand: Hand) -> None:
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
    if sort is GROUP:
        for membership in _in_others(run, before.id):
            ensure(hand, Change("DELETE", f"{crowd.PATH}/{membership}"), lambda: False)
    try:
        ensure(hand, Change("DELETE", f"{sort.path}/{before.id}"), lambda: now(run, hand) is None)
    except Refused as refusal:
        if refusal.status != _INVALID:
            raise
        raise NotDone(Result.CONFLICT, f"the instance keeps it, as something uses it: {refusal.said}") from refusal
    run.outcomes[hand.write] = Outcome(Result.DONE, write.id)


def _in_others(run: Run, number: int) -> list[int]:
    """The memberships of a group in other ones: the instance would leave them behind, and fail at them later."""
    others = (row for row in run.sight.picture.groups.values() if row.id != number)
    return [row.groups[number] for row in others if row.groups and number in row.groups]


def keep_filed(run: Run, crew: Crew, drops: Sequence[int]) -> None:
    """Give up deletes of categories that connectors are filed under, also such as are nobody's to manage.

    The instance itself refuses only where a category is the first of a connector; from others it would vanish unseen.
    """
    if not drops:
        return
    try:
        rows = list_all(run.sight, CONNECTOR)
    except StoreUnavailable as failure:
        for index in drops:
            crew.fail(index, NotDone(Result.FAILED, f"not begun, as nobody can say what is filed under it: {failure.message}"))  # fmt: skip
        return
    for index in drops:
        number = number_of(run.writes[index].id)
        filed = [row for row in rows if number in row.categories]
        if filed:
            shown = ", ".join(harmless(f"{row.name} ({row.id})") for row in filed[:_FEW])
            more = f" and {len(filed) - _FEW} more" if len(filed) > _FEW else ""
            crew.fail(index, NotDone(Result.CONFLICT, f"connectors are filed under it: {shown}{more}"))
