"""What groups and users may do."""

from __future__ import annotations

import itertools
from typing import Any

from simulator.messages import Answer, Failure, Request, as_json, server_error
from simulator.profiles import GROUP_TYPE, USER_TYPE
from simulator.texts import sort_key
from simulator.values import leading_number, plain
from simulator.work import Work, first_of


class Permissions(Work):
    """Permissions."""

    def _permission(self, row: dict) -> dict:
        return {key: row[key] for key in ("id", "title", "name", "group", "created_at", "updated_at")}

    def list_permissions(self, request: Request) -> Answer:
        """4.14: the catalogue by heading, for any token; who has what is not in it."""
        rows = sorted(self.store.permissions.rows.values(), key=lambda row: (row["group"], row["title"]))
        return as_json(
            200,
            {
                heading: [self._permission(row) for row in found]
                for heading, found in itertools.groupby(rows, lambda row: row["group"])
            },
        )

    def replace_permissions(self, request: Request) -> Answer:
        """Replaces everything; unknown names are dropped; names absent or a text: 500."""
        sent = request.inputs
        kind, holder = self._holder(sent)
        self._super_admin(request, holder if kind == USER_TYPE else None)
        names = sent.get("permission_names")
        if not isinstance(names, (list, dict)):
            raise server_error()
        flat = {sort_key(plain(name)) for name in flattened(names) if name is not None}
        wanted = [
            row["id"]
            for row in sorted(self.store.permissions.rows.values(), key=lambda row: row["name"])
            if sort_key(row["name"]) in flat
        ]
        self._sync_grants(kind, holder["id"], wanted)
        return self._done()

    def _holder(self, sent: dict) -> tuple[str, dict]:
        for key, kind, table in (("user_id", USER_TYPE, self.store.users), ("group_id", GROUP_TYPE, self.store.groups)):
            value = sent.get(key)
            if value in (None, 0, False, "0", []):
                continue
            row = table.rows.get(leading_number(first_of(value)))
            if row and isinstance(value, (list, dict)):
                raise server_error()
            if row is None:
                raise Failure(404)
            return kind, row
        raise server_error()

    def _super_admin(self, request: Request, user: dict | None) -> None:
        """Left out it stays. On 4.14.0-alpha-2 anybody with edit-users could set it."""
        if user is None or "is_administrator" not in request.inputs or not self.profile.modern:
            return
        if not request.user["is_administrator"] and not self.switches.self_promotion:
            raise Failure(403)
        user["is_administrator"] = str(request.inputs["is_administrator"]).lower() in ("true", "1", "on", "yes")

    def _sync_grants(self, kind: str, holder: int, wanted: list[int]) -> None:
        """Takes what is too much, adds what is missing, as looked up before: not atomic."""
        have = [grant[2] for grant in self.store.grants if grant[:2] == [kind, holder]]
        self._pause(self.switches.permission_window)
        self.store.grants[:] = [
            grant
            for grant in self.store.grants
            if grant[:2] != [kind, holder] or grant[2] in wanted or grant[2] not in have
        ]
        self.store.grants += [[kind, holder, permission] for permission in wanted if permission not in have]
        self._refresh_cache(kind, holder)

    def _refresh_cache(self, kind: str, holder: int) -> None:
        """4.14 keeps what was written for group N as user N's own, until something is written for the user (seen)."""
        if not (self.profile.modern and self.switches.group_meets_user):
            return
        names = self.store.names_of(kind, holder)
        if kind == GROUP_TYPE and holder in self.store.users.rows:
            self.store.cached[holder] = names
        elif kind == USER_TYPE:
            self.store.cached.pop(holder, None)


def flattened(value: Any) -> list:
    if isinstance(value, (list, dict)):
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in flattened(item)]
    return [value]
