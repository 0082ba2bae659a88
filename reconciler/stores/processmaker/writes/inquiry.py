"""What became of the writes of a run that was cut off, by reading alone.

A new record that is there, but not all that it was to be, counts as done: it is ours, and the next plan shows the rest.
So does nothing else: what is not certain is written again.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.core.ports.live import Outcome, Result
from reconciler.core.ports.requests import Step, Unfinished
from reconciler.stores.processmaker.forms.notes import read_note
from reconciler.stores.processmaker.forms.rows import ConnectorRow, GroupRow
from reconciler.stores.processmaker.writes.change import NotDone
from reconciler.stores.processmaker.writes.glances import fetch, list_all
from reconciler.stores.processmaker.writes.permissions import Rights, managed_of
from reconciler.stores.processmaker.writes.run import UNLIKE, Run
from reconciler.stores.processmaker.writes.settlement import LATE, Search, found_out, moment_of
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import CATEGORY, CONNECTOR, GROUP, SORTS, Sort, number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

_FAILED = 400
_TIMES = 2
"""A run that waits for an answer, and then for what is at work still, waits so many times as long as for an answer."""


def find_out(sight: Sight, unfinished: Sequence[Unfinished], *, patiently: bool) -> list[Outcome]:
    """What became of writes; see `WritesByRequests.find_out`.

    Raises:
        StoreUnavailable: the instance cannot be asked.
    """
    if patiently:
        _wait(sight.client, unfinished)
    run = Run(sight, [one.write for one in unfinished])
    outcomes: dict[int, Outcome] = {}
    with ThreadPoolExecutor(sight.client.in_flight) as pool:
        for sort in (CATEGORY, GROUP, CONNECTOR):  # what is referred to comes first: its number tells who refers to it
            ours = [index for index, one in enumerate(unfinished) if one.write.key.kind == sort.kind]
            found = pool.map(lambda index: _record(run, index, unfinished[index]), ours)
            outcomes |= dict(zip(ours, found, strict=True))
    policies = [index for index in range(len(unfinished)) if index not in outcomes]
    if policies:
        outcomes |= _policies(run, unfinished, policies)
    return [outcomes[index] for index in range(len(unfinished))]


def _wait(client: "Client", unfinished: Sequence[Unfinished]) -> None:
    """Until the instance can be at work at none of the requests any more."""
    sent = [moment_of(step.sent) for one in unfinished for step in one.steps if step.answer is None]
    last = max((moment for moment in sent if moment is not None), default=None)
    if last is not None:
        patience = _TIMES * client.timeout_seconds
        left = patience - (datetime.now(UTC) - last).total_seconds()
        why = "a run was cut off, and the instance may be at work at its last request still"
        client.wait(max(0.0, min(left, patience)), why)


def _record(run: Run, index: int, one: Unfinished) -> Outcome:
    sort = SORTS[one.write.key.kind]
    try:
        if not one.write.id:
            return _made(run, index, one, sort)
        row = fetch(run.client, sort, number_of(one.write.id), run.title(one.write.id))
        if one.write.body is None:
            return Outcome(Result.DONE, one.write.id) if row is None else _not_done()
        return _changed(run, index, one, row)
    except NotDone as failure:
        return Outcome(failure.result, reason=failure.reason)


def _not_done() -> Outcome:
    return Outcome(Result.FAILED, reason="it was not done")


def _made(run: Run, index: int, one: Unfinished, sort: Sort) -> Outcome:
    """What became of a new record."""
    posts = [step for step in one.steps if (step.intent.verb, step.intent.path) == ("POST", sort.path)]
    number = next((int(step.answer.id) for step in posts if step.answer and step.answer.id.isdigit()), None)
    if number is None:
        number = _searched(run, one, sort, [step for step in posts if step.answer is None])
    row = None if number is None else fetch(run.client, sort, number, str(one.write.body["spec"].get("displayName", "")) if one.write.body else "")  # fmt: skip
    if number is None or row is None:
        return _not_done()
    run.made(index, number)
    return _checked(run, index, row) or Outcome(Result.DONE, sort.id(number), UNLIKE)


def _searched(run: Run, one: Unfinished, sort: Sort, open_: Sequence[Step]) -> int | None:
    """The number of a record that an unanswered request may have made."""
    sent = [moment for step in open_ if (moment := moment_of(step.sent)) is not None]
    if not open_ or one.write.body is None:
        return None
    since = min(sent, default=datetime.min.replace(tzinfo=UTC) + timedelta(days=2))
    name = str(one.write.body["spec"]["displayName"])
    ahead = _ahead(run.client, sort)
    return found_out(run.client, Search(sort, name, since + ahead - LATE, lambda row: run.is_like(one.write, row)))


def _ahead(client: "Client", sort: Sort) -> timedelta:
    """By how much the instance's clock is ahead of ours."""
    date = client.get(sort.path, {"per_page": "1", "order_by": "id"}).date
    return date - datetime.now(UTC) if date is not None else timedelta()


def _changed(run: Run, index: int, one: Unfinished, row: Any) -> Outcome:
    """What became of a changed record."""
    if row is None:
        return Outcome(Result.CONFLICT, reason="it is gone")
    found = _checked(run, index, row)
    if found is None:
        is_as_before = run.body(one.write.key.kind, row, one.before) == one.before
        return _not_done() if is_as_before else Outcome(Result.FAILED, reason="only a part of it was done, or somebody else has written to it")  # fmt: skip
    if isinstance(row, ConnectorRow) and not _is_sealed(one, found):
        return Outcome(
            Result.FAILED, found.id, found.version, "nobody knows whether its secrets were written", found.note
        )
    return found


def _is_sealed(one: Unfinished, found: Outcome) -> bool:
    """Whether a record has the secrets that it was to have: its change was answered, or left them as they were."""
    last = one.steps[-1].answer if one.steps else None
    if last is not None and last.status < _FAILED:
        return True
    before, now = read_note(one.note).seal, read_note(found.note).seal
    return before == now and one.before != one.write.body


def _checked(run: Run, index: int, row: Any) -> Outcome | None:
    """That a record is what it was to be; None where it is not."""
    try:
        run.check(index, row)
    except NotDone:
        return None
    return run.outcomes[index]


def _policies(run: Run, unfinished: Sequence[Unfinished], indexes: Sequence[int]) -> dict[int, Outcome]:
    rows = {row.id: row for row in list_all(run.sight, GROUP)}
    rights = Rights(run, managed_of(run.sight))
    rights.settle_groups()
    found, live = {}, rights.live(rows.values(), ())
    for index in indexes:
        if unfinished[index].write.body is None:
            found[index] = _taken(rights, index, unfinished[index], rows)
        else:
            rights.check(index, live)
            outcome = run.outcomes[index]
            found[index] = outcome if outcome.result is Result.DONE else _not_done()
    return found


def _taken(rights: Rights, index: int, one: Unfinished, rows: dict[int, GroupRow]) -> Outcome:
    """Whether groups hold nothing of a deleted policy any more."""
    numbers = [number for number, writes in rights.touched.items() if index in writes and number in rows]
    is_left = any(rights.surplus(number, rows[number].permissions) for number in numbers)
    return _not_done() if is_left else Outcome(Result.DONE, one.write.id)
