"""What the handlers of all kinds of records share."""

from __future__ import annotations

import time
from typing import Any

from simulator.checks import Check
from simulator.clock import now
from simulator.columns import same
from simulator.messages import Answer, Request
from simulator.pages import LISTINGS, MODERN_COLUMNS, Page
from simulator.profiles import STATUSES
from simulator.tables import Table


class Work:
    """The store, the switches, and what all handlers need."""

    def _done(self) -> Answer:
        return Answer(204, b"", "" if self.profile.modern else "text/html; charset=UTF-8")

    def _pause(self, seconds: float) -> None:
        """Lets other requests in between a look and a write; the lock is held once at this point."""
        if seconds:
            self.store.lock.release()
            time.sleep(seconds)
            self.store.lock.acquire()

    def _page(self, request: Request, kind: str) -> Page:
        extra = MODERN_COLUMNS.get(kind, ()) if self.profile.modern else ()
        return Page(self.profile, request, LISTINGS[kind], extra)

    def _check_named(self, request: Request, table: Table, own: int | None, limit: int, status_optional: bool) -> None:
        check = Check(self.profile, request.inputs)
        check.name(list(table.rows.values()), own, limit)
        check.one_of("status", STATUSES, optional=status_optional, text=not status_optional)
        check.done()

    def _store_changes(self, row: dict, changed: dict, sent: dict) -> None:
        """updated_at moves when a column changes, as sent: a boolean always does; further categories never (seen)."""
        if any(not same(row[key], sent.get(key, value)) for key, value in changed.items()):
            row.update(changed, updated_at=now())

    def _category_ids(self, row: dict) -> list[int]:
        return self.store.category_ids(row["id"], self.switches.category_order)


def first_of(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        items = list(value.values() if isinstance(value, dict) else value)
        return items[0] if items else None
    return value
