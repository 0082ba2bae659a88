"""What came of a run, looked at once it has ended: of new records, of groups with their members, of policies."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.core.ports.live import Result
from reconciler.errors import StoreUnavailable
from reconciler.stores.processmaker.writes.change import NotDone
from reconciler.stores.processmaker.writes.crew import Crew
from reconciler.stores.processmaker.writes.glances import fetch, list_all, pages_of
from reconciler.stores.processmaker.writes.permissions import Rights
from reconciler.stores.processmaker.writes.run import Run
from reconciler.stores.processmaker.writes.sorts import CATEGORY, CONNECTOR, GROUP, SORTS, Sort, number_of

_FEW = 8
"""So many records by themselves cost a server about as much as a page of them."""


def review(run: Run, crew: Crew, rights: Rights) -> None:
    """Say of each write that has not failed, and of which nobody has said it, what came of it."""
    pending = [index for index in range(len(run.writes)) if index not in run.outcomes and index not in crew.failed]
    try:
        for sort in (CATEGORY, CONNECTOR):
            _records(run, crew, sort, [index for index in pending if run.writes[index].key.kind == sort.kind])
        further = [index for index in pending if index not in run.outcomes and index not in crew.failed]
        if further:
            _groups(run, crew, rights, further)
    except StoreUnavailable as failure:
        for index in pending:
            if index not in run.outcomes:
                crew.fail(index, NotDone(Result.UNKNOWN, failure.message))


def _records(run: Run, crew: Crew, sort: Sort, indexes: Sequence[int]) -> None:
    """Read one by one where they are few, else by pages."""
    numbers = {index: number_of(run.uid(index)) for index in indexes}
    if len(indexes) > _FEW * pages_of(run.sight, sort, len(indexes)):
        rows = {row.id: row for row in list_all(run.sight, sort)}
    else:
        with ThreadPoolExecutor(run.client.in_flight) as pool:
            found = pool.map(lambda number: fetch(run.client, sort, number), numbers.values())
            rows = {row.id: row for row in found if row is not None}
    for index, number in numbers.items():
        _check(run, crew, index, rows.get(number))


def _groups(run: Run, crew: Crew, rights: Rights, indexes: Sequence[int]) -> None:
    """All groups at once: their list alone tells what they may do."""
    rows = {row.id: row for row in list_all(run.sight, GROUP)}
    live = rights.live(rows.values(), crew.failed)
    for index in indexes:
        if run.writes[index].key.kind in SORTS:
            _check(run, crew, index, rows.get(number_of(run.uid(index))))
        else:
            rights.check(index, live)


def _check(run: Run, crew: Crew, index: int, row: Any) -> None:
    try:
        run.check(index, row)
    except NotDone as failure:
        crew.fail(index, failure)
