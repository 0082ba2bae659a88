"""Lists of an instance, page by page and a few at once.

Pages are cut by a number of rows, so what is deleted meanwhile makes a row slip past unseen. Each page says how many rows
there are: when that changes, or an id comes twice or out of order, the list is read again. A row that is deleted while
another one is made in the same moments is not noticed; what is written is looked at once more just before.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from reconciler.errors import StoreUnavailable
from reconciler.stores.processmaker.wire.answers import Refused, Reply

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

_AT_ONCE = 3
_TIMES = 4
_FORBIDDEN, _NOT_MODIFIED = 403, 304
_MOST_ROWS, _MOST_PAGES = 1_000_000, 10_000


class Numbered(Protocol):
    """A row with its id."""

    @property
    def id(self) -> int:
        """What it is known by."""
        ...


class Listing(Struct, frozen=True):
    """One list.

    Attributes:
        what: its rows, in words.
        row: from what is answered to a row; raises `StoreUnavailable`.
        size: so many rows a page.
        is_ordered: whether ids grow from row to row.
    """

    path: str
    what: str
    row: Callable[[Any], Numbered]
    size: int
    params: Mapping[str, str] = {}
    is_ordered: bool = True

    def query(self, number: int) -> dict[str, str]:
        """What is asked for one page."""
        return {**self.params, "page": str(number), "per_page": str(self.size)}


class Page(Struct, frozen=True):
    """What one page held.

    Attributes:
        total: of rows in the whole list, as the page says.
        last: the number of the last page.
        etag: "" where the server gives none.
    """

    rows: Sequence[Any]
    total: int
    last: int
    etag: str = ""


Shelf = MutableMapping[tuple[str, int, int], Page]
"""Pages that were read before, by path, size and number: whoever asks for one again says so, and may be told that it
is unchanged."""


class Setting:
    """With what an instance is read: its threads keep their connections until they are let go.

    Attributes:
        size: so many rows a page, at most.
        shelf: pages that this process has read before.
    """

    def __init__(self, client: "Client", size: int) -> None:
        """Start nothing yet."""
        self.client = client
        self.size = size
        self.shelf: Shelf = {}
        self._pool: ThreadPoolExecutor | None = None

    def listing(self, path: str, what: str, row: Callable[[Any], Numbered], **params: str) -> Listing:
        """A list that is paged by ids."""
        return Listing(path, what, row, self.size, {"order_by": "id", **params})

    def whole(self, *listings: Listing) -> list[list[Any]]:
        """All rows of each; see `whole`."""
        return _whole(self._threads(), self.client, listings, self.shelf)

    def each(self, do: Callable[[int], Any], numbers: Iterable[int]) -> list[Any]:
        """What comes of each number, some at once."""
        return list(self._threads().map(do, numbers))

    def close(self) -> None:
        """Let go of threads and connections."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        self.client.close()

    def _threads(self) -> ThreadPoolExecutor:
        self._pool = self._pool or ThreadPoolExecutor(min(_AT_ONCE, self.client.in_flight))
        return self._pool


def whole(client: "Client", listings: Sequence[Listing], shelf: Shelf, in_flight: int) -> list[list[Any]]:
    """All rows of each list. A single one that fits on a page is read by the thread that asks.

    Args:
        in_flight: so many requests may be under way, at most.

    Raises:
        Refused: the server lets nobody see one of them, or does not know it.
        StoreUnavailable: it cannot be read, is no list, or rows moved each time while it was read.
    """
    with ThreadPoolExecutor(min(_AT_ONCE, in_flight)) as pool:
        return _whole(pool, client, listings, shelf)


def _whole(pool: ThreadPoolExecutor, client: "Client", listings: Sequence[Listing], shelf: Shelf) -> list[list[Any]]:
    """As `whole`; nothing is under way any more when it fails."""
    begun: list[Future[Page]] = []

    def ask(listing: Listing, number: int) -> Callable[[], Page]:
        if len(listings) == number == 1:
            return partial(page, client, listing, number, shelf)
        begun.append(pool.submit(page, client, listing, number, shelf))
        return begun[-1].result

    try:
        firsts = [ask(listing, 1) for listing in listings]
        lists = [(listing, *_begun(ask, listing, first())) for listing, first in zip(listings, firsts, strict=True)]
        return [_settled(ask, *one) for one in lists]
    finally:
        for one in begun:
            one.cancel()
        wait(begun)


Ask = Callable[[Listing, int], Callable[[], Page]]
"""Has a page of a list read; gives what waits for it."""


def _begun(ask: Ask, listing: Listing, first: Page) -> tuple[Page, list[Callable[[], Page]]]:
    """The first page, and the others, under way."""
    return first, [ask(listing, number) for number in range(2, first.last + 1)]


def _settled(ask: Ask, listing: Listing, first: Page, rest: list[Callable[[], Page]]) -> list[Any]:
    """All rows, once they stood still while they were read."""
    for _ in range(_TIMES):
        pages = [first, *(other() for other in rest)]
        rows = [row for each in pages for row in each.rows]
        if _stood_still(listing, pages, rows):
            return rows
        first, rest = _begun(ask, listing, ask(listing, 1)())
    hint = "run it again when fewer people are at work there, or set a greater pageSize for the target"
    raise StoreUnavailable(f"the list of {listing.what} changed each of {_TIMES} times while it was read", hint=hint)


def _stood_still(listing: Listing, pages: Sequence[Page], rows: Sequence[Numbered]) -> bool:
    total = pages[0].total
    is_one = all((each.total, each.last) == (total, len(pages)) for each in pages)
    if not is_one or len(rows) != total:
        return False
    ids = [row.id for row in rows]
    return all(one < other for one, other in pairwise(ids)) if listing.is_ordered else len(set(ids)) == total


def page(client: "Client", listing: Listing, number: int, shelf: Shelf) -> Page:
    """One page, which is put on the shelf.

    Raises:
        Refused: the server lets nobody see it, or does not know it.
        StoreUnavailable: it cannot be read, or is none.
    """
    key = (listing.path, listing.size, number)
    held = shelf.get(key)
    reply = _asked(client, listing, number, held.etag if held else "")
    if reply.status == _NOT_MODIFIED and held:
        return held
    found = _understood(reply, listing)
    if found.etag:
        shelf[key] = found
    else:
        shelf.pop(key, None)
    return found


def _asked(client: "Client", listing: Listing, number: int, etag: str) -> Reply:
    try:
        return client.get(listing.path, listing.query(number), etag=etag)
    except Refused as refusal:
        if refusal.status != _FORBIDDEN:
            raise
        message = f"the token's user may not view {listing.what}"
        raise Refused(message, refusal.status, refusal.fields, refusal.said) from refusal


def _understood(reply: Reply, listing: Listing) -> Page:
    """A page of a list.

    Raises:
        StoreUnavailable: it is none.
    """
    body = reply.body
    meta = body.get("meta") if isinstance(body, dict) else None
    found = body.get("data") if isinstance(body, dict) else None
    said = meta if isinstance(meta, dict) else {}
    total, last = _count(said.get("total"), _MOST_ROWS), _count(said.get("last_page"), _MOST_PAGES)
    if not isinstance(found, list) or total is None or last is None:
        hint = "check that the URL of the target is that of the instance itself, and that nothing before it answers"
        raise StoreUnavailable(f"{listing.path} gives no list of {listing.what}", hint=hint)
    return Page([listing.row(one) for one in found], total, last, reply.etag)


def _count(value: Any, most: int) -> int | None:
    return value if type(value) is int and 0 <= value <= most else None
