"""Records as they are now, read one by one: just before they are written, and right after."""

from math import ceil
from typing import TYPE_CHECKING, Any

from reconciler.core.ports.live import Result
from reconciler.stores.processmaker.forms.rows import GroupRow
from reconciler.stores.processmaker.views.pages import Listing, whole
from reconciler.stores.processmaker.wire.answers import Refused
from reconciler.stores.processmaker.writes.change import NotDone
from reconciler.stores.processmaker.writes.hand import Hand
from reconciler.stores.processmaker.writes.run import Run
from reconciler.stores.processmaker.writes.settlement import named
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import GROUP, SORTS, Sort, number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

_NOT_FOUND = 404


def fetch(client: "Client | Hand", sort: Sort, number: int, title: str = "") -> Any:
    """A row as it is now; None where there is none.

    Args:
        title: the name that it probably has. Groups are looked for by it, as only their list tells all of them.
    """
    if title and sort is GROUP and (row := _listed(client, number, title)):
        return row
    try:
        found = client.get(f"{sort.path}/{number}").body
    except Refused as refusal:
        if refusal.status != _NOT_FOUND:
            raise
        return None
    row = sort.row(found)
    return _listed(client, number, row.name) if sort is GROUP else row


def _listed(client: "Client | Hand", number: int, title: str) -> GroupRow | None:
    return next((row for row in named(client, GROUP, title) if row.id == number), None)


def look(run: Run, hand: Hand) -> Any:
    """The row of a write's record, which is still what it was.

    Raises:
        NotDone: it is not, or is gone.
    """
    write, uid = run.writes[hand.write], run.uid(hand.write)
    sort = SORTS[write.key.kind]
    row = fetch(hand, sort, number_of(uid), run.title(uid))
    if row is None:
        raise NotDone(Result.CONFLICT, "it is gone")
    expected = run.versions.get(uid, write.version)
    if expected and sort.version(row) != expected:
        raise NotDone(Result.CONFLICT, "somebody else has written to it")
    return row


def now(run: Run, hand: Hand) -> Any:
    """The row of a write's record as the run has left it; None where it is gone."""
    uid = run.uid(hand.write)
    return fetch(hand, SORTS[run.writes[hand.write].key.kind], number_of(uid), run.title(uid))


def list_all(sight: Sight, sort: Sort) -> list[Any]:
    """All rows of a sort, as they are now."""
    size = min(sight.page_size, sort.most)
    listing = Listing(sort.path, sort.words, sort.row, size, {"order_by": "id", **sort.params})
    (rows,) = whole(sight.client, [listing], {}, sight.client.in_flight)
    return rows


def pages_of(sight: Sight, sort: Sort, more: int = 0) -> int:
    """How many pages the list of a sort has; at least one.

    Args:
        more: how many rows it is going to have besides those that were read.
    """
    picture = sight.picture
    rows = {"Category": picture.categories, "Connector": picture.connectors, "Group": picture.groups}[sort.kind]
    return max(1, ceil((len(rows) + more) / min(sight.page_size, sort.most)))
