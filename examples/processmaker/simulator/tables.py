"""Rows, and what a blank connector is."""

from __future__ import annotations

from typing import Any


class Table:
    """Rows by id. Ids are never given twice, also not after a row that failed late (an id is used up)."""

    def __init__(self):
        self.rows: dict[int, dict] = {}
        self.last = 0

    def take_id(self) -> int:
        self.last += 1
        return self.last

    def put(self, row: dict) -> dict:
        self.last = max(self.last, row["id"])
        self.rows[row["id"]] = row
        return row

    def where(self, **wanted: Any) -> list[dict]:
        return [row for row in self.rows.values() if all(row.get(key) == value for key, value in wanted.items())]


TABLES = ("users", "groups", "members", "permissions", "categories", "connectors")


def blank_connector() -> dict:
    return {
        "name": None,
        "description": None,
        "endpoints": None,
        "mappings": None,
        "authtype": None,
        "credentials": None,
        "status": "ACTIVE",
        "category": None,
        "uuid": None,
        "type": "REST",
        "debug_mode": 0,
        "is_template": 0,
        "asset_type": None,
    }
