"""Categories of connectors."""

from __future__ import annotations

from simulator.clock import now, zoned
from simulator.columns import same, whole_column
from simulator.messages import Answer, Failure, Request, as_json, server_error
from simulator.pages import Page
from simulator.texts import like, sort_key
from simulator.work import Work


class Categories(Work):
    """Categories."""

    def list_category(self, request: Request) -> Answer:
        page = self._page(request, "categories")
        relations = page.includes({"datasources": "datasources", "datasourcescount": "datasources_count"})
        rows = [
            row
            for row in self.store.categories.rows.values()
            if not row["is_system"] and self._category_wanted(page, row)
        ]
        rows = page.ordered(rows, lambda row, column: row[column])
        near = {row["id"] for row in page.part(rows)}
        return page.answer(rows, lambda row: self._category(row, relations, near))

    def _category_wanted(self, page: Page, row: dict) -> bool:
        """filter is LIKE over the whole name or status, status one of them."""
        status = page.query.get("status", "")
        if "status" in page.query and status is None:
            raise server_error()
        if isinstance(status, list):
            status = status[0] if status else ""
        if status and sort_key(status) != sort_key(row["status"]):
            return False
        if not self.profile.modern and isinstance(page.query.get("filter"), (list, dict)):
            return False
        wanted = page.filter()
        return not wanted or like(wanted, row["name"]) or like(wanted, row["status"])

    def _category(self, row: dict, relations: list[str] = (), near: set[int] = frozenset()) -> dict:
        """datasources: those that have this category alone, and whose first is on the same page (seen)."""
        shown = {
            "id": row["id"],
            "name": row["name"],
            "status": row["status"],
            "is_system": int(row["is_system"]),
            "created_at": zoned(row["created_at"]),
            "updated_at": zoned(row["updated_at"]),
        }
        if "datasources_count" in relations:
            shown["datasources_count"] = len(self.store.connectors.where(category=row["id"]))
        if "datasources" in relations:
            shown["datasources"] = [
                self._connector(found)
                for found in self.store.connectors.rows.values()
                if (self._category_ids(found) or [found["category"]]) == [row["id"]] and found["category"] in near
            ]
        return shown

    def create_category(self, request: Request) -> Answer:
        self._check_named(request, self.store.categories, None, 100, False)
        self._pause(self.switches.race_window)
        sent = {key: value for key, value in request.body.items() if key in ("name", "status", "is_system")}
        if "name" not in sent or "status" not in sent:
            raise server_error()  # checked from the query or a form, stored from JSON alone (seen)
        row = self.store.add_category(sent["name"], status=sent["status"], is_system=self._is_system(sent))
        return as_json(
            201,
            {**sent, "updated_at": zoned(row["updated_at"]), "created_at": zoned(row["created_at"]), "id": row["id"]},
        )

    def _is_system(self, sent: dict) -> int:
        """Can be sent, and hides the category."""
        return whole_column(sent["is_system"], -128, 127) if "is_system" in sent else 0

    def show_category(self, request: Request, row: dict) -> Answer:
        return as_json(200, self._category(row))

    def change_category(self, request: Request, row: dict) -> Answer:
        """200 with the record, unlike all other changes."""
        self._check_named(request, self.store.categories, row["id"], 100, False)
        changed = {key: request.body[key] for key in ("name", "status") if key in request.body}
        moved = any(not same(row[key], value) for key, value in changed.items())
        if "is_system" in request.body:
            moved = moved or not same(row["is_system"], request.body["is_system"])
            changed["is_system"] = self._is_system(request.body)
        row.update(changed, **({"updated_at": now()} if moved else {}))
        shown = self._category(row)
        if "is_system" in request.body:
            shown["is_system"] = request.body["is_system"]
        return as_json(200, shown)

    def drop_category(self, request: Request, row: dict) -> Answer:
        """Refused only while it is the first of a connector; as a further one it just goes."""
        uses = len(self.store.connectors.where(category=row["id"]))
        if uses:
            raise Failure(422, "The item should not have associated datasources", {"datasources": uses})
        del self.store.categories.rows[row["id"]]
        self.store.pivots.drop_category(row["id"])
        return self._done()
