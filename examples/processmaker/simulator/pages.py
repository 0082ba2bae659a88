"""Filter, order and pages of lists."""

from __future__ import annotations

import html.entities
import math
import re
from dataclasses import dataclass
from typing import Any, Callable

from simulator.messages import Answer, Request, as_json, server_error
from simulator.profiles import API, Profile
from simulator.texts import sort_key
from simulator.values import is_numeric


@dataclass(frozen=True)
class Listing:
    """How one kind of record is listed: default order, what can be ordered by, its table and those joined to it."""

    default: str
    columns: tuple[str, ...]
    table: str
    joined: tuple[str, ...] = ()


LISTINGS = {
    "connectors": Listing(
        "id",
        (
            "id",
            "name",
            "description",
            "endpoints",
            "mappings",
            "authtype",
            "credentials",
            "status",
            "data_source_category_id",
            "created_at",
            "updated_at",
        ),
        "data_sources",
        ("category",),
    ),
    "categories": Listing(
        "name", ("id", "name", "status", "is_system", "created_at", "updated_at"), "data_source_categories"
    ),
    "groups": Listing("name", ("id", "name", "description", "status", "created_at", "updated_at"), "groups"),
    "users": Listing(
        "username", ("id", "username", "firstname", "lastname", "email", "status", "created_at", "updated_at"), "users"
    ),
    "members": Listing(
        "created_at",
        ("id", "group_id", "member_type", "member_id", "created_at", "updated_at", "name", "description"),
        "group_members",
        ("groups",),
    ),
    "joined": Listing(
        "username", ("username", "name", "firstname", "lastname", "email", "member_id", "group_id"), "users"
    ),
}
MODERN_COLUMNS = {
    "connectors": ("uuid", "type", "debug_mode", "is_template", "asset_type"),
    "groups": ("uuid", "enabled_2fa", "manager_id"),
    "users": ("uuid", "language", "timezone"),
    "joined": ("description", "status"),
}


def weight(value: Any) -> tuple:
    if value is None:
        return (0,)
    return (1, (5, float(value))) if isinstance(value, (bool, int, float)) else (1, sort_key(str(value)))


class Page:
    """Filter, order and page of one list request, and the meta part of its answer."""

    def __init__(self, profile: Profile, request: Request, listing: Listing, extra: tuple[str, ...] = ()):
        self.profile, self.request, self.query, self.listing = profile, request, request.query, listing
        self.columns = {name.lower() for name in listing.columns + extra}
        self.size, self.shown_size, self.exact = self._size()
        self.number = self._number()
        self.unknown_include = False

    def _size(self) -> tuple[int, Any, float]:
        """per_page=0 or empty is 15; a text is an error; 2020 gives the text back."""
        sent = self.query.get("per_page", 10)
        if sent is None or sent == "0":
            return 15, 15, 15
        if not is_numeric(sent) or float(sent) == 0:
            raise server_error()
        size = int(float(sent))
        return size, (size if self.profile.modern else sent), float(sent)

    def _number(self) -> int:
        sent = self.query.get("page")
        return int(sent) if isinstance(sent, str) and re.fullmatch(r"[1-9]\d{0,17}", sent) else 1

    def filter(self) -> str:
        """Empty means none. A list is an error."""
        sent = self.query.get("filter")
        if isinstance(sent, (list, dict)):
            raise server_error()
        return sent or ""

    def ordered(self, rows: list[dict], value: Callable[[dict, str], Any]) -> list[dict]:
        """An order_by that does not exist is an error only when there is something to order (seen)."""
        direction = self.query.get("order_direction", "asc")
        if not isinstance(direction, str) or direction.lower() not in ("asc", "desc"):
            raise server_error()
        if not rows:
            return rows
        column = self._column()
        rows = sorted(rows, key=lambda row: row["id"])
        return sorted(rows, key=lambda row: weight(value(row, column)), reverse=direction.lower() == "desc")

    def _column(self) -> str:
        sent = self.query.get("order_by", self.listing.default)
        if not isinstance(sent, str):
            raise server_error()
        table, _, name = sent.lower().rpartition(".")
        if name not in self.columns or table not in ("", self.listing.table, *self.listing.joined):
            raise server_error()
        return "category.name" if table == "category" else name

    def includes(self, known: dict[str, str]) -> list[str]:
        """Names of relations, without regard to the case of letters; an unknown one is an error when there are rows (seen)."""
        sent = self.query.get("include")
        if sent is None or sent == "":
            return []
        if not isinstance(sent, str):
            raise server_error()
        names = [known.get(part.strip().lower(), "") for part in sent.split(",")]
        self.unknown_include = "" in names
        return names

    def answer(self, rows: list[dict], shown: Callable[[dict], dict]) -> Answer:
        if rows and self.exact < 0:
            raise server_error()  # only when there is something to show (seen)
        total, start = len(rows), (self.number - 1) * self.size
        part = self.part(rows)
        if part and self.unknown_include:
            raise server_error()
        data = [shown(row) for row in part]
        last = max(1, math.ceil(total / self.exact))
        meta = {
            "filter": self._shown_filter(),
            "sort_by": self.query.get("order_by", ""),
            "sort_order": self.query.get("order_direction", ""),
            "count": len(data),
            "total_pages": math.ceil(total / (self.size if self.profile.modern else self.exact)),
            "current_page": self.number,
            "from": start + 1 if data else None,
            "last_page": last,
        }
        path = self.request.base + API + self.request.path.rstrip("/")
        if self.profile.modern:
            meta["links"] = page_links(path, self.number, last)
        meta.update(
            {"path": path, "per_page": self.shown_size, "to": start + len(data) if data else None, "total": total}
        )
        return as_json(200, {"data": data, "meta": meta})

    def part(self, rows: list[dict]) -> list[dict]:
        return rows[(self.number - 1) * self.size :][: max(self.size, 0)]

    def _shown_filter(self) -> Any:
        """4.14 gives it back with HTML entities, 2020 an empty one as null (seen)."""
        if not self.profile.modern:
            return self.query.get("filter", "")
        return entities(self.filter())


def entities(text: str) -> str:
    names = {code: name for name, code in html.entities.name2codepoint.items()}
    return "".join(
        "&#039;" if sign == "'" else f"&{names[ord(sign)]};" if ord(sign) in names else sign for sign in text
    )


def page_links(path: str, current: int, last: int) -> list[dict]:
    """meta.links of 4.14: previous, the pages with gaps from 14 on, next."""

    def link(label: str, page: int | None, active: bool = False) -> dict:
        return {"url": None if page is None else f"{path}?page={page}", "label": label, "active": active}

    links = [link("&laquo; Previous", current - 1 if current > 1 else None)]
    for page in page_window(current, last):
        links.append(link("...", None) if page is None else link(str(page), page, page == current))
    return links + [link("Next &raquo;", current + 1 if current < last else None)]


def page_window(current: int, last: int) -> list[int | None]:
    if last < 14:
        return list(range(1, last + 1))
    if current <= 7:
        return [*range(1, 11), None, last - 1, last]
    if current > last - 7:
        return [1, 2, None, *range(last - 9, last + 1)]
    return [1, 2, None, *range(current - 3, current + 4), None, last - 1, last]
