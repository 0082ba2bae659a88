"""How the tests of this folder open an instance as a store, without a state: what that would know, they say themselves."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers.processmaker import Instance, instance

from reconciler.core.ports.abilities import Known, Recollection
from reconciler.core.ports.live import LiveRecord
from reconciler.core.secret import Secret
from reconciler.stores.processmaker.wire.address import read_url
from reconciler.stores.processmaker.wire.client import Client
from reconciler.stores.processmaker.wire.login import Login
from reconciler.stores.processmaker.wire.options import Options
from reconciler.stores.processmaker.store import ProcessMakerStore
from reconciler.stores.sql.observed import number_of

ENDPOINTS: Mapping[str, Any] = {
    "list": {"purpose": "list", "method": "GET", "url": "https://crm.example.com/{{id}}", "params": [], "headers": []}
}


@contextmanager
def visited(profile: str = "4.14", **more: Any) -> Iterator[Instance]:
    """An instance; what `opened` opens of it is closed at the end."""
    with instance(profile, **more) as server:
        _OPEN[server.url] = []
        try:
            yield server
        finally:
            for store in _OPEN.pop(server.url):
                store.close()


_OPEN: dict[str, list[ProcessMakerStore]] = {}


def opened(
    server: Instance, *, user: str = "admin", cache: Path | None = None, is_whole: bool = False, **options: Any
) -> ProcessMakerStore:
    """The instance as one of its users sees it; options are those of `Options`."""
    settings = Options(**options)
    address = read_url(server.url, settings)
    client = Client(address, lambda post: Login(address, {"token": lambda: Secret(server.token(user))}, post), settings)
    store = ProcessMakerStore(client, settings.page_size, cache=str(cache or ""), is_whole=is_whole)
    _OPEN[server.url].append(store)
    return store


def by_id(records: Iterable[LiveRecord]) -> dict[str, LiveRecord]:
    """Records by their ids, of which each comes once."""
    listed = list(records)
    found = {record.id: record for record in listed}
    assert len(found) == len(listed)
    return found


def remembered(
    records: Iterable[LiveRecord], owned: Iterable[str] = (), names: Mapping[tuple[str, str], str] | None = None
) -> Recollection:
    """What a state knows that has noted these records, some of which are owned."""
    ours = set(owned)
    known = {one.id: Known(one.key, one.body, str(number_of(one.version)), one.note, one.id in ours) for one in records}
    return Recollection(known, names or {})


def filled(server: Instance, connectors: int = 3, categories: int = 2) -> None:
    """Categories and connectors, as a person made them."""
    for number in range(1, categories + 1):
        server.store.add_category(f"Category {number}")
    for number in range(1, connectors + 1):
        server.store.add_connector(
            f"Connector {number}",
            [1 + number % categories],
            {"username": "svc", "password": f"canary-{number}"},
            dict(ENDPOINTS),
            authtype="BASIC",
        )


def asked(server: Instance, since: int = 0) -> list[str]:
    """The paths that were read, with their pages where there are several, in the order in which they came."""
    return [_told(one) for one in server.requests[since:] if one["method"] == "GET"]


def _told(request: Mapping[str, Any]) -> str:
    number = request["query"].get("page", "")
    kept = "*" if request["status"] == 304 else ""
    return f"{request['path']}{'#' + number if number else ''}{kept}"
