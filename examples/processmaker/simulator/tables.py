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


class Pivots:
    """Which connector is in which categories, in the order of writing; a category may not exist, or stand there twice."""

    def __init__(self, pairs: list[list[int]] = ()):
        self.held: dict[int, list[int]] = {}
        for connector, category in pairs:
            self.add(connector, [category])

    def of(self, connector: int) -> list[int]:
        return self.held.get(connector, [])

    def add(self, connector: int, categories: list[int]) -> None:
        self.held.setdefault(connector, []).extend(categories)

    def replace(self, connector: int, categories: list[int]) -> None:
        self.held[connector] = categories

    def drop(self, connector: int) -> None:
        self.held.pop(connector, None)

    def drop_category(self, number: int) -> None:
        self.held = {owner: [one for one in kept if one != number] for owner, kept in self.held.items()}

    def pairs(self) -> list[list[int]]:
        return [[connector, category] for connector, kept in self.held.items() for category in kept]


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
