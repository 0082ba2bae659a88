"""Which paths there are, and who may use them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.grants import TOKEN_PATH


@dataclass(frozen=True)
class Route:
    """path: {id} stands for an id, {number} for one that has to be digits (core routes of 4.14)."""

    path: str
    verbs: dict[str, tuple[str, str]]  # verb to handler and permission

    def match(self, path: str, modern: bool) -> re.Match | None:
        pattern = self.path.replace("{number}", r"(?P<id>\d+)" if modern else r"(?P<id>[^/]+)")
        return re.fullmatch(pattern.replace("{id}", r"(?P<id>[^/]+)"), path)


def record_verbs(kind: str, name: str) -> dict[str, tuple[str, str]]:
    return {
        "GET": (f"show_{kind}", f"view-{name}"),
        "HEAD": (f"show_{kind}", f"view-{name}"),
        "PUT": (f"change_{kind}", f"edit-{name}"),
        "DELETE": (f"drop_{kind}", f"delete-{name}"),
    }


def list_verbs(kind: str, name: str) -> dict[str, tuple[str, str]]:
    return {
        "GET": (f"list_{kind}", f"view-{name}"),
        "HEAD": (f"list_{kind}", f"view-{name}"),
        "POST": (f"create_{kind}", f"create-{name}"),
    }


def read_verbs(handler: str, permission: str) -> dict[str, tuple[str, str]]:
    return {"GET": (handler, permission), "HEAD": (handler, permission)}


ROUTES = [
    Route("/data_sources", list_verbs("connector", "data-sources")),
    Route("/data_sources/{id}", record_verbs("connector", "data-sources")),
    Route("/data_source_categories", list_verbs("category", "data-source-categories")),
    Route("/data_source_categories/{id}", record_verbs("category", "data-source-categories")),
    Route("/groups", list_verbs("group", "groups")),
    Route("/groups/{number}", record_verbs("group", "groups")),
    Route("/group_members", {**read_verbs("list_members", ""), "POST": ("create_member", "edit-groups")}),
    Route("/group_members/{number}", {**read_verbs("show_member", ""), "DELETE": ("drop_member", "edit-groups")}),
    Route(TOKEN_PATH, {"POST": ("issue_token", "")}),
    Route("/users", {**read_verbs("list_users", "view-users"), "POST": ("unknown", "")}),
    Route("/users/{number}", {**read_verbs("show_user", ""), "PUT": ("unknown", ""), "DELETE": ("unknown", "")}),
]
MODERN_ROUTES = [
    Route("/groups/{number}/users", read_verbs("list_group_users", "view-groups")),
    Route("/groups/{number}/groups", read_verbs("list_group_groups", "view-groups")),
    Route("/permissions", {**read_verbs("list_permissions", ""), "PUT": ("replace_permissions", "edit-users")}),
]
OLD_ROUTES = [
    Route("/group_users/{number}", read_verbs("list_group_users", "view-groups")),
    Route("/permissions", {**read_verbs("unknown", ""), "PUT": ("replace_permissions", "edit-users")}),
]
FALLBACK = Route(".*", read_verbs("unknown", ""))  # GET of anything else: 404; other verbs 405 (seen)
OWN_TEXTS = {
    "list_group": "Not authorized to view groups.",
    "show_group": "Not authorized to view groups.",
    "list_users": "Not authorized to view users.",
}
