"""Groups, with their permissions and members."""

from __future__ import annotations

from simulator.clock import zoned
from simulator.columns import text_column, whole_column
from simulator.messages import Answer, Request, as_json, server_error
from simulator.pages import LISTINGS, Listing, Page
from simulator.profiles import GROUP_TYPE, TEXT_BYTES, USER_TYPE
from simulator.texts import like, sort_key
from simulator.work import Work


class Groups(Work):
    """Groups."""

    def list_group(self, request: Request) -> Answer:
        page = self._page(request, "groups")
        relations = page.includes(
            {"permissions": "permissions", "groupmembers": "group_members", "memberscount": "count"}
        )
        rows = page.ordered(
            [row for row in self.store.groups.rows.values() if self._group_wanted(page, row)],
            lambda row, column: row[column],
        )
        return page.answer(rows, lambda row: self._group(row, relations))

    def _group_wanted(self, page: Page, row: dict) -> bool:
        wanted, status = page.filter(), page.query.get("status")
        if isinstance(status, list):
            status = status[0] if status else None
        if status and sort_key(status) != sort_key(row["status"]):
            return False
        return not wanted or any(like(f"%{wanted}%", row[key] or "") for key in ("name", "description"))

    def _group(self, row: dict, relations: list[str] = ()) -> dict:
        shown = {
            "id": row["id"],
            "uuid": row["uuid"],
            "name": row["name"],
            "description": row["description"],
            "status": row["status"],
            "enabled_2fa": bool(row["enabled_2fa"]),
            "created_at": zoned(row["created_at"]),
            "updated_at": zoned(row["updated_at"]),
            "manager_id": row["manager_id"],
        }
        if not self.profile.modern:
            for key in ("uuid", "enabled_2fa", "manager_id"):
                del shown[key]
        members = self.store.members.where(group_id=row["id"])
        if "count" in relations:
            shown["group_members_count"] = len(members)
        for relation in relations:
            if relation == "group_members":
                shown[relation] = [self._bare_member(member) for member in members]
            elif relation == "permissions":
                shown[relation] = self._granted(row["id"])
        return shown

    def _granted(self, group: int) -> list[dict]:
        return [
            {
                **self._permission(self.store.permissions.rows[permission]),
                "pivot": {"assignable_id": group, "permission_id": permission, "assignable_type": GROUP_TYPE},
            }
            for kind, holder, permission in self.store.grants
            if (kind, holder) == (GROUP_TYPE, group)
        ]

    def create_group(self, request: Request) -> Answer:
        self._check_named(request, self.store.groups, None, 255, True)
        self._pause(self.switches.race_window)
        made = self._group_fields(request, update=False)
        number = self.store.groups.take_id()
        self._check_manager(made)
        row = self.store.add_group(id=number, **made)
        sent = {
            key: made[key] if key == "enabled_2fa" else value for key, value in request.inputs.items() if key in made
        }
        if self.profile.modern:
            sent["uuid"] = row["uuid"]
        return as_json(
            201,
            {**sent, "updated_at": zoned(row["updated_at"]), "created_at": zoned(row["created_at"]), "id": row["id"]},
        )

    def _group_fields(self, request: Request, update: bool) -> dict:
        """Unknown keys are ignored."""
        made, sent = {}, request.inputs
        for key, limit in (("name", 255), ("description", TEXT_BYTES), ("status", 255)):
            if key in sent:
                made[key] = text_column(sent[key], limit, update, self.profile)
        if self.profile.modern and "enabled_2fa" in sent:
            made["enabled_2fa"] = bool(whole_column(sent["enabled_2fa"], -128, 127))
        if self.profile.modern and "manager_id" in sent:
            made["manager_id"] = None if sent["manager_id"] is None else whole_column(sent["manager_id"], 0, 2**32 - 1)
        return made

    def _check_manager(self, made: dict) -> None:
        if made.get("manager_id") is not None and made["manager_id"] not in self.store.users.rows:
            raise server_error()

    def show_group(self, request: Request, row: dict) -> Answer:
        """Ignores include."""
        return as_json(200, self._group(row))

    def change_group(self, request: Request, row: dict) -> Answer:
        self._check_named(request, self.store.groups, row["id"], 255, True)
        changed = self._group_fields(request, update=True)
        self._check_manager(changed)
        sent = {**request.inputs, "enabled_2fa": changed.get("enabled_2fa")}
        self._store_changes(row, changed, sent)
        return self._done()

    def drop_group(self, request: Request, row: dict) -> Answer:
        """Members and rights go along; where it was a member itself, its membership stays (seen). 4.14 answers 500,
        though the group is gone, when a member is a group that is no longer there, itself included (seen)."""
        number = row["id"]
        del self.store.groups.rows[number]
        members = self.store.members.where(group_id=number)
        for member in members:
            del self.store.members.rows[member["id"]]
        self.store.grants[:] = [grant for grant in self.store.grants if grant[:2] != [GROUP_TYPE, number]]
        lost = [
            member
            for member in members
            if member["member_type"] == GROUP_TYPE and member["member_id"] not in self.store.groups.rows
        ]
        if lost and self.profile.modern:
            raise server_error()
        return self._done()

    def list_group_users(self, request: Request, group: dict) -> Answer:
        """id and times are the membership's, member_id the user's. 2020 takes a member group for the user with
        its number (seen)."""
        page = self._page(request, "joined")
        wanted_kind = {"member_type": USER_TYPE} if self.profile.modern else {}
        rows = [
            (member, self.store.users.rows.get(member["member_id"]))
            for member in self.store.members.where(group_id=group["id"], **wanted_kind)
        ]
        wanted = f"%{page.filter()}%"
        rows = [
            {**user, **membership(member)}
            for member, user in rows
            if user and any(like(wanted, user[key]) for key in ("username", "firstname", "lastname"))
        ]
        rows = page.ordered(rows, lambda row, column: row.get(column))
        return page.answer(rows, lambda row: self._user(row, row))

    def list_group_groups(self, request: Request, group: dict) -> Answer:
        page = Page(self.profile, request, Listing("name", LISTINGS["joined"].columns, "groups"))
        rows = [
            (member, self.store.groups.rows.get(member["member_id"]))
            for member in self.store.members.where(group_id=group["id"], member_type=GROUP_TYPE)
        ]
        wanted = f"%{page.filter()}%"
        rows = [
            {**inner, **membership(member)}
            for member, inner in rows
            if inner and any(like(wanted, inner[key] or "") for key in ("name", "description"))
        ]
        rows = page.ordered(rows, lambda row, column: row.get(column))
        return page.answer(
            rows,
            lambda row: {
                **self._group(row),
                "group_id": row["group_id"],
                "member_type": row["member_type"],
                "member_id": row["member_id"],
            },
        )


def membership(member: dict) -> dict:
    return {key: member[key] for key in ("id", "group_id", "member_type", "member_id", "created_at", "updated_at")}
