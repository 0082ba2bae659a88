"""Who is in which group."""

from __future__ import annotations

from typing import Any

from simulator.checks import Check
from simulator.clock import now
from simulator.messages import Answer, Failure, Request, as_json, server_error
from simulator.profiles import GROUP_TYPE, USER_TYPE
from simulator.values import is_numeric, leading_number
from simulator.work import Work, first_of


class Members(Work):
    """Members."""

    def list_members(self, request: Request) -> Answer:
        """All for a super admin, one's own for anybody else; 4.14 wants view-groups or view-users."""
        user, page = request.user, self._page(request, "members")
        if self.profile.modern and not any(self.store.may(user, name) for name in ("view-groups", "view-users")):
            raise Failure(403, "Not authorized to view groups.")
        if self.profile.modern:
            page.filter()  # not looked at, but a list is an error
        rows = [row for row in self.store.members.rows.values() if row["group_id"] in self.store.groups.rows]
        if not user["is_administrator"]:
            rows = [
                row for row in rows if row["member_id"] == user["id"]
            ]  # also of a group with the user's number (seen)
        if request.query.get("member_id") is not None:  # the only filter there is (seen: group_id is ignored)
            rows = [row for row in rows if row["member_id"] == leading_number(first_of(request.query["member_id"]))]
        rows = page.ordered(rows, self._member_value)
        return page.answer(rows, self._member)

    def _member_value(self, row: dict, column: str) -> Any:
        return self.store.groups.rows[row["group_id"]][column] if column in ("name", "description") else row[column]

    def _bare_member(self, row: dict) -> dict:
        return {key: row[key] for key in ("id", "group_id", "member_type", "member_id", "created_at", "updated_at")}

    def _member(self, row: dict) -> dict:
        group = self.store.groups.rows[row["group_id"]]
        return {**self._bare_member(row), "name": group["name"], "description": group["description"]}

    def create_member(self, request: Request) -> Answer:
        """201 also when it is there already, then with an empty list."""
        check = Check(self.profile, request.inputs)
        for name in ("group_id", "member_id"):
            check.required(name)
        if not self.profile.modern and [] in [
            request.inputs.get(name) for name in ("group_id", "member_type", "member_id")
        ]:
            raise server_error()
        sent = first_of(request.inputs.get("member_type"))
        kind = {USER_TYPE.lower(): USER_TYPE, GROUP_TYPE.lower(): GROUP_TYPE}.get(str(sent).lower())
        if check.required("member_type") and kind is None:
            check.add("member_type", "in")
        check.done()
        group = self.store.groups.rows.get(leading_number(first_of(request.inputs["group_id"])))
        table = self.store.users if kind == USER_TYPE else self.store.groups
        member = table.rows.get(leading_number(first_of(request.inputs["member_id"])))
        if group is None or member is None:
            raise Failure(404)
        if self.store.members.where(group_id=group["id"], member_type=kind, member_id=member["id"]):
            return as_json(201, [])
        if any(isinstance(request.inputs[name], (list, dict)) for name in ("group_id", "member_id", "member_type")):
            raise server_error()
        row = self.store.members.put(
            {
                "id": self.store.members.take_id(),
                "group_id": group["id"],
                "member_type": kind,
                "member_id": member["id"],
                "created_at": now(),
                "updated_at": now(),
            }
        )
        if (
            self.profile.modern
            and not is_numeric(request.inputs["member_id"])
            and request.inputs["member_id"] is not True
        ):
            raise server_error()  # "1x" finds 1 and is stored, what comes after fails (seen)
        shown = {key: row[key] for key in ("group_id", "member_id", "member_type", "updated_at", "created_at", "id")}
        return as_json(
            201,
            {
                **shown,
                "group": self._group(group),
                "member": self._user(member) if kind == USER_TYPE else self._group(member),
            },
        )

    def show_member(self, request: Request, row: dict) -> Answer:
        return as_json(200, self._bare_member(row))

    def drop_member(self, request: Request, row: dict) -> Answer:
        """4.14 answers 500, though it is gone, when the member is a group that is no longer there (seen)."""
        del self.store.members.rows[row["id"]]
        if (
            self.profile.modern
            and row["member_type"] == GROUP_TYPE
            and row["member_id"] not in self.store.groups.rows
            and row["group_id"] != row["member_id"]
        ):
            raise server_error()
        return self._done()
