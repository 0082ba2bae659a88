"""Whom groups have as members."""

from __future__ import annotations

from simulator.clock import zoned
from simulator.messages import Answer, Failure, Request, as_json
from simulator.pages import Page
from simulator.texts import like, sort_key
from simulator.work import Work, first_of


class Users(Work):
    """Users."""

    def list_users(self, request: Request) -> Answer:
        """filter over user name, first and last name, email; include is ignored. 2020 has no status (seen)."""
        page = self._page(request, "users")
        rows = [row for row in self.store.users.rows.values() if not row["is_system"] and self._user_wanted(page, row)]
        return page.answer(
            page.ordered(rows, lambda row, column: row.get(column, row["extra"].get(column))), self._user
        )

    def _user_wanted(self, page: Page, row: dict) -> bool:
        wanted = f"%{page.filter()}%"
        if self.profile.modern and "status" in page.query:
            if sort_key(str(first_of(page.query["status"]))) != sort_key(row["status"]):
                return False
        if self.profile.modern and page.query.get("exclude_ids"):
            if str(row["id"]) in str(page.query["exclude_ids"]).split(","):
                return False
        return any(like(wanted, row[key] or "") for key in ("username", "firstname", "lastname", "email"))

    def _user(self, row: dict, membership: dict | None = None) -> dict:
        shown = (modern_user if self.profile.modern else old_user)(row)
        shown.update(row["extra"])
        if membership:
            shown.update({key: membership[key] for key in ("group_id", "member_type", "member_id")})
        return shown

    def show_user(self, request: Request, row: dict) -> Answer:
        if row["id"] != request.user["id"] and not self.store.may(request.user, "view-users"):
            raise Failure(403, "Not authorized to update this user.")
        return as_json(200, self._user(row))


_PERSON = ("address", "city", "state", "postal", "country", "phone", "fax", "cell", "title", "birthdate")


def modern_user(row: dict) -> dict:
    empty = dict.fromkeys(_PERSON)
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        "email": row["email"],
        "firstname": row["firstname"],
        "lastname": row["lastname"],
        "username": row["username"],
        "status": row["status"],
        **empty,
        "timezone": "UTC",
        "datetime_format": "m/d/Y H:i",
        "language": "en",
        "meta": None,
        "connected_accounts": None,
        "is_administrator": bool(row["is_administrator"]),
        "is_system": row["is_system"],
        "expires_at": None,
        "loggedin_at": None,
        "active_at": None,
        "remember_token": None,
        "created_at": zoned(row["created_at"]),
        "updated_at": zoned(row["updated_at"]),
        "deleted_at": None,
        "delegation_user_id": None,
        "manager_id": None,
        "schedule": None,
        "force_change_password": 0,
        "avatar": None,
        "password_changed_at": None,
        "preferences_2fa": None,
        "email_task_notification": 0,
        "fullname": f"{row['firstname']} {row['lastname']}",
    }


def old_user(row: dict) -> dict:
    empty = dict.fromkeys(_PERSON)
    return {
        "id": row["id"],
        "email": row["email"],
        "firstname": row["firstname"],
        "lastname": row["lastname"],
        "username": row["username"],
        "status": row["status"],
        **empty,
        "timezone": "UTC",
        "datetime_format": "m/d/Y H:i",
        "language": "en",
        "is_administrator": bool(row["is_administrator"]),
        "expires_at": None,
        "loggedin_at": None,
        "remember_token": None,
        "created_at": zoned(row["created_at"]),
        "updated_at": zoned(row["updated_at"]),
        "deleted_at": None,
        "fullname": f"{row['firstname']} {row['lastname']}",
        "avatar": "",
        "media": [],
    }
