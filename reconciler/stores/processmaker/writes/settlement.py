"""What became of a request whose answer was lost, and what is done then.

Only two things are sent again: what says all of what is to be, and the making of a record once nobody can be at work
at it any more and it is not there.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from reconciler.core.ports.live import Result
from reconciler.stores.processmaker.forms.names import compared, signs_not_of_names
from reconciler.stores.processmaker.views.pages import Listing, page
from reconciler.stores.processmaker.wire.answers import Lost, Refused
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.hand import Hand
from reconciler.stores.processmaker.writes.sorts import Sort

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

_TIMES = 2
LATE = timedelta(seconds=2)
"""Times have whole seconds, and a server may be several machines."""
_PAGE = 100
_NOT_FOUND = 404


class Search(Struct, frozen=True):
    """A record that may have been made.

    Attributes:
        since: by the server's clock, the moment before which it was not.
        is_like: whether a row holds what the record was to hold.
    """

    sort: Sort
    name: str
    since: datetime
    is_like: Callable[[Any], bool]


def make(hand: Hand, sort: Sort, change: Change, is_like: Callable[[Any], bool]) -> int:
    """Have a record made, once; gives its id.

    Raises:
        NotDone: it was not, or nobody can say.
        Refused: for another reason than its name.
    """
    name = str((change.body or {}).get("name"))
    search = Search(sort, name, hand.moment() - LATE, is_like)
    for turn in range(_TIMES):
        try:
            return _number(hand.send(change).body, sort)
        except Refused as refusal:
            if not is_taken(refusal, name):
                raise
            found = found_out(hand, search) if turn else None
            if found is None:
                raise taken(hand, sort, name) from refusal
            return found
        except Lost as lost:
            found = _found_in_time(hand, search, lost)
            if found is not None:
                return found
    raise NotDone(Result.FAILED, f"the instance failed {_TIMES} times to make it, and it is not there")


def ensure(hand: Hand, change: Change, is_done: Callable[[], bool]) -> None:
    """Have done what may be done twice.

    Args:
        is_done: looks whether it is.

    Raises:
        NotDone: it was not, or nobody can say.
        Refused: by the server.
    """
    for _ in range(_TIMES):
        try:
            hand.send(change)
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            if change.verb == "DELETE":
                return
            raise NotDone(Result.CONFLICT, "it is gone, or what it refers to is") from refusal
        except Lost as lost:
            if is_done():
                return
            if not lost.is_answered:
                hand.wait()  # what is at work still must not come after what is sent next
                if is_done():
                    return
        else:
            return
    raise NotDone(Result.FAILED, f"the instance failed {_TIMES} times to do it, and it is not done")


def found_out(client: "Client | Hand", search: Search) -> int | None:
    """The id of the record that was made; None where there is none of its name.

    Raises:
        NotDone: what is there is not ours, or there are several.
    """
    alike = named(client, search.sort, search.name)
    rows = [row for row in alike if row.name == search.name] or alike
    if not rows:
        return None
    if len(rows) > 1:
        hint = "look at them there, and delete those that nobody needs"
        raise NotDone(Result.CONFLICT, f"{_listed(search.sort, rows)} have its name now: {hint}")
    (row,) = rows
    made = moment_of(row.created)
    if (made is None or made >= search.since) and search.is_like(row):
        number: int = row.id
        return number
    raise NotDone(Result.CONFLICT, f"{_listed(search.sort, rows)} has its name, and was made by somebody else")


def named(client: "Client | Hand", sort: Sort, name: str) -> Sequence[Any]:
    """The rows whose name the server takes for `name`."""
    params = {"order_by": "id", **sort.params, "filter": name}
    rows = filtered(client, Listing(sort.path, sort.words, sort.row, _PAGE, params))
    return [row for row in rows if compared(row.name) == compared(name)]


def filtered(client: "Client | Hand", listing: Listing) -> list[Any]:
    """The rows of a short list, in this thread alone."""
    rows: dict[int, Any] = {}
    number, last = 1, 1
    while number <= last:
        found = page(cast("Client", client), listing, number, {})
        rows |= {row.id: row for row in found.rows}
        number, last = number + 1, found.last
    return list(rows.values())


def moment_of(text: str) -> datetime | None:
    """A time that somebody's clock told; None where it cannot be read."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _found_in_time(hand: Hand, search: Search, lost: Lost) -> int | None:
    """As `found_out`, once nobody can be at work at it any more."""
    found = found_out(hand, search)
    if found is None and not lost.is_answered:
        hand.wait()
        found = found_out(hand, search)
    return found


def is_taken(refusal: Refused, name: str) -> bool:
    """Whether a name is refused that there is nothing wrong with: another record has it."""
    return "name" in refusal.fields and not signs_not_of_names(name)


def taken(hand: Hand, sort: Sort, name: str) -> NotDone:
    """That another record has a name, and which."""
    rows = named(hand, sort, name)
    if rows:
        return NotDone(Result.CONFLICT, f"its name is taken by {_listed(sort, rows)}")
    return NotDone(Result.CONFLICT, f"its name is taken by a {sort.word} that no list shows: a template, or one of the system's")  # fmt: skip


def _listed(sort: Sort, rows: Sequence[Any]) -> str:
    return " and ".join(f"{sort.word} {row.id}" for row in rows)


def _number(made: Any, sort: Sort) -> int:
    number = made.get("id") if isinstance(made, dict) else None
    if type(number) is not int or number < 1:
        raise Lost(f"{sort.path} answers without an id", is_answered=True)
    return number
