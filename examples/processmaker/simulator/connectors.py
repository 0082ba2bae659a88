"""Connectors: reading and writing."""

from __future__ import annotations

import json
from typing import Any

from simulator.checks import Check
from simulator.clock import now, zoned
from simulator.columns import json_column, text_column, whole_column
from simulator.messages import Answer, Failure, Request, as_json, server_error
from simulator.pages import MODERN_COLUMNS
from simulator.profiles import AUTHTYPES, STATUSES, TEXT_BYTES
from simulator.tables import blank_connector
from simulator.texts import like
from simulator.values import as_read, plain, reordered, write_json
from simulator.work import Work


class Connectors(Work):
    """Connectors."""

    def list_connector(self, request: Request) -> Answer:
        page = self._page(request, "connectors")
        relations = page.includes(
            {
                "category": "category",
                "categories": "categories",
                "categorycount": "category_count",
                "category.datasources": "category",
            }
        )
        wanted = f"%{page.filter()}%"
        rows = [
            row
            for row in self.store.connectors.rows.values()
            if not self.store.hidden(row)
            and (wanted == "%%" or any(like(wanted, row[key] or "") for key in ("name", "description", "authtype")))
        ]
        rows = page.ordered(rows, self._connector_value)
        return page.answer(rows, lambda row: self._connector(row, relations))

    def _connector_value(self, row: dict, column: str) -> Any:
        if column == "category.name":
            return self.store.categories.rows[row["category"]]["name"]
        return row["category"] if column == "data_source_category_id" else row[column]

    def _connector(self, row: dict, relations: list[str] = (), listed: bool = True) -> dict:
        ids = self._category_ids(row)  # none after a PUT of 2020 that failed: then the first, as a number (seen)
        shown = {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "endpoints": self._endpoints(row["endpoints"], listed),
            "mappings": row["mappings"],
            "authtype": row["authtype"],
            "credentials": row["credentials"],
            "status": row["status"],
            "data_source_category_id": ",".join(map(str, ids)) if ids else row["category"],
            "created_at": zoned(row["created_at"]),
            "updated_at": zoned(row["updated_at"]),
        }
        if self.profile.modern:
            shown.update({key: row[key] for key in ("uuid", "type", "debug_mode", "is_template", "asset_type")})
        for relation in sorted(relations, key=lambda name: name != "category_count"):
            shown[relation] = self._relation(row, relation, ids)
        return shown

    def _relation(self, row: dict, relation: str, ids: list[int]) -> Any:
        """category is null for a connector with more than one; category_count never passes 1 (seen)."""
        if relation == "category_count":
            return 1
        if relation == "category":
            return self._category(self.store.categories.rows[(ids or [row["category"]])[0]]) if len(ids) < 2 else None
        return [
            {
                **self._category(self.store.categories.rows[number]),
                "pivot": {
                    "assignable_id": row["id"],
                    "category_id": number,
                    "category_type": self.profile.category_type,
                },
            }
            for number in sorted(ids)
        ]

    def _endpoints(self, stored: str | None, listed: bool) -> Any:
        """In lists of 2020 other numeric keys than 0, 1, 2 … stay (seen)."""
        value = None if stored is None else json.loads(stored)
        value = reordered(value) if self.switches.reorder_keys else value
        return value if listed and not self.profile.modern else as_read(self.profile, value)

    def create_connector(self, request: Request) -> Answer:
        self._check_connector(request, None)
        self._pause(self.switches.race_window)
        fields_sent = self._fields(request, update=False)
        row = {**blank_connector(), **fields_sent, "created_at": now(), "updated_at": now()}
        first = whole_column(first_category(request.body), 0, 2**32 - 1)
        number = self.store.connectors.take_id()  # from here on a failure uses up the id
        if first not in self.store.categories.rows:
            raise server_error()
        categories = self._numbers(request.body["data_source_category_id"])
        row.update(id=number, category=first)
        self.store.connectors.put(row)
        self.store.pivots.add(number, categories)
        return as_json(201, self._echo(request, row))

    def _echo(self, request: Request, row: dict) -> dict:
        """Only what was sent, as it was sent, with ciphertext, times and id."""
        shown = {key: as_read(self.profile, value) for key, value in request.body.items() if key in self._columns()}
        if "credentials" in shown:
            shown["credentials"] = row["credentials"]
        shown["data_source_category_id"] = ",".join(map(str, self._category_ids(row)))
        return {
            **shown,
            "updated_at": zoned(row["updated_at"]),
            "created_at": zoned(row["created_at"]),
            "id": row["id"],
        }

    def _columns(self) -> tuple[str, ...]:
        base = (
            "name",
            "description",
            "endpoints",
            "mappings",
            "authtype",
            "credentials",
            "status",
            "data_source_category_id",
        )
        return base + (MODERN_COLUMNS["connectors"] if self.profile.modern else ())

    def _check_connector(self, request: Request, own: int | None) -> None:
        check = Check(self.profile, request.inputs)
        check.name(list(self.store.connectors.rows.values()), own)
        check.one_of("authtype", AUTHTYPES)
        check.one_of("status", STATUSES, optional=True)
        check.required("data_source_category_id")
        check.done()

    def _fields(self, request: Request, update: bool) -> dict:
        """Column values of what was sent. A key that is no column: error in 2020, ignored in 4.14."""
        body, made = request.body, {}
        missing = [key for key in ("name", "authtype", "data_source_category_id") if key not in body]
        if missing and not update or isinstance(body.get("data_source_category_id"), (list, dict)):
            raise server_error()
        unknown = set(body) - set(self._columns()) - {"id", "created_at", "updated_at", "_method"}
        if unknown and not self.profile.modern:
            raise server_error()
        for key in self._columns():
            if key in body and key != "data_source_category_id":
                made[key] = self._column(key, body[key], update)
        return made

    def _column(self, key: str, value: Any, update: bool) -> Any:
        if key == "credentials":
            return self._locked(value)
        if key == "endpoints":
            return write_json(value)
        if key == "mappings":
            return json_column(value, update, self.profile)
        if key in ("debug_mode", "is_template"):
            return whole_column(value, -128, 127)
        if value is None and key in ("name", "type"):
            raise server_error()
        limit = {"description": TEXT_BYTES, "uuid": 36}.get(key, 255)
        return text_column(value, limit, update, self.profile)

    def _locked(self, value: Any) -> str:
        """Encrypted anew at every write, null and {} too; a text is the value, ciphertext included."""
        ciphertext = self.store.vault.lock(value)
        if len(ciphertext) > TEXT_BYTES:
            raise server_error()
        return ciphertext

    def _numbers(self, sent: Any) -> list[int]:
        """ "2,5", blanks and repeats allowed; what is no number is an error, what does not exist is kept aside.
        "4,4" is one, "4, 4" two (seen)."""
        return [whole_column(part.strip(), 0, 2**32 - 1) for part in dict.fromkeys(category_text(sent).split(","))]

    def show_connector(self, request: Request, row: dict) -> Answer:
        return as_json(200, self._connector(row, listed=False))

    def change_connector(self, request: Request, row: dict) -> Answer:
        self._check_connector(request, row["id"])
        categories = request.body.get("data_source_category_id")
        if not self.profile.modern and categories and categories != "0" and not isinstance(categories, (list, dict)):
            self._sync_categories(row, categories, whole=False)  # early: a PUT that fails leaves them
        changed = self._fields(request, update=True)
        if "data_source_category_id" in request.body:
            changed["category"] = whole_column(first_category(request.body), 0, 2**32 - 1)
            if changed["category"] not in self.store.categories.rows:
                raise server_error()
            self._numbers(categories)
            if self.profile.modern:
                self._sync_categories(row, categories, whole=True)
        sent = {key: value for key, value in request.body.items() if key not in ("endpoints", "credentials")}
        self._store_changes(
            row, changed, {**sent, "category": first_category({"data_source_category_id": row["category"], **sent})}
        )
        return self._done()

    def _sync_categories(self, row: dict, sent: Any, whole: bool) -> None:
        """What is there stays when its number is written just so, and counts as there when it is to be added. Hence one
        that is there and is written "7, 2" or "02" gets lost (seen). Not whole: up to the first that is no number."""
        parts, added = list(dict.fromkeys(category_text(sent).split(","))), []
        have = set(self.store.pivots.of(row["id"]))
        for part in parts:
            try:
                number = whole_column(part.strip(), 0, 2**32 - 1)
            except Failure:
                if whole:
                    raise
                break
            if number not in have:
                added.append(number)
        kept = [number for number in self.store.pivots.of(row["id"]) if str(number) in parts]
        self.store.pivots.replace(row["id"], kept + added)

    def drop_connector(self, request: Request, row: dict) -> Answer:
        del self.store.connectors.rows[row["id"]]
        self.store.pivots.drop(row["id"])
        return self._done()


def category_text(sent: Any) -> str:
    return str(int(sent)) if isinstance(sent, bool) else plain(sent)


def first_category(body: dict) -> str:
    return category_text(body["data_source_category_id"]).split(",")[0].strip()
