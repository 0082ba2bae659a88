"""Find out what an instance can do, and what the token's user may do there. Nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.stores.processmaker.facts import Facts
from reconciler.stores.processmaker.forms.policies import PERMISSIONS, managed_names
from reconciler.stores.processmaker.forms.rows import USER
from reconciler.stores.processmaker.identity import own_id
from reconciler.stores.processmaker.wire.answers import FORBIDDEN, NOT_FOUND, Refused, Reply
from reconciler.stores.processmaker.wire.client import Client

_LISTS = {
    "connectors": "/data_sources",
    "categories": "/data_source_categories",
    "groups": "/groups",
    "users": "/users",
}
_SAMPLE = 100  # rows that are looked at
_MOST_PAGES = 50
_WRITES_PERMISSIONS = "edit-users"


class _Seen(Struct, frozen=True):
    """What was asked, by its path.

    Attributes:
        closed: paths that the token may not ask for.
        absent: paths that there are not.
    """

    replies: Mapping[str, Reply]
    closed: frozenset[str]
    absent: frozenset[str]

    def body(self, path: str) -> Any:
        """What it answered; None where it did not."""
        return self.replies[path].body if path in self.replies else None

    def rows(self, path: str) -> list[dict[str, Any]]:
        """The rows of a list."""
        return _rows(self.body(path))


def probe(client: Client) -> Facts:
    """What there is to find out.

    Raises:
        StoreUnavailable: the instance cannot be reached, or does not take the token.
    """
    number = own_id(client)
    asked: dict[str, dict[str, str | int]] = {path: {"order_by": "id", "per_page": _SAMPLE} for path in _LISTS.values()}
    asked["/groups"] = {**asked["/groups"], "include": "permissions"}
    asked |= {"/permissions": {}, **({f"/users/{number}": {}} if number else {})}
    seen = _ask(client, asked)
    groups = _all_groups(client, seen)
    catalogue = seen.body("/permissions")
    user = seen.body(f"/users/{number}")
    permissions = managed_names(catalogue if isinstance(catalogue, dict) else None)
    is_administrator = isinstance(user, dict) and user.get("is_administrator") in (True, 1)
    rights = _rights(client, number, groups) if number else ()
    connectors = seen.rows("/data_sources")
    return Facts(
        profile="4.14" if "/permissions" in seen.replies else "2020",
        has_catalogue="/permissions" in seen.replies,
        has_group_routes=_has_group_routes(client, seen, groups),
        has_etags=any(reply.etag for reply in seen.replies.values()),
        has_uuids=any(row.get("uuid") for row in (*seen.rows("/users"), *groups, *connectors)),
        shows_ciphertext=_shows_ciphertext(connectors),
        permissions=permissions,
        missing=tuple(name for name in PERMISSIONS if name not in permissions),
        user=number,
        username=str(user.get("username") or "") if isinstance(user, dict) else "",
        is_administrator=is_administrator,
        rights=tuple(rights),
        lacks=() if is_administrator else tuple(_lacks(seen, permissions, rights)),
        sees_members=is_administrator or ("/groups" in seen.replies and "/groups" not in seen.closed),
        sees_users="/users" in seen.replies,
        expires=_told(client.login.ends()),
        seconds=round(client.mean_seconds, 3),
        counts={noun: total for noun, path in _LISTS.items() if (total := _total(seen.body(path))) is not None},
    )


def _ask(client: Client, asked: Mapping[str, Mapping[str, str | int]]) -> _Seen:
    replies: dict[str, Reply] = {}
    refused: dict[str, int] = {}
    for path, params in asked.items():
        try:
            replies[path] = client.get(path, params)
        except Refused as refusal:
            refused[path] = refusal.status
    closed = frozenset(path for path, status in refused.items() if status == FORBIDDEN)
    return _Seen(replies, closed, frozenset(path for path, status in refused.items() if status == NOT_FOUND))


def _rows(body: Any) -> list[dict[str, Any]]:
    data = body.get("data") if isinstance(body, dict) else None
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def _total(body: Any) -> int | None:
    meta = body.get("meta") if isinstance(body, dict) else None
    total = meta.get("total") if isinstance(meta, dict) else None
    return total if type(total) is int else None


def _all_groups(client: Client, seen: _Seen) -> list[dict[str, Any]]:
    """The groups with what they may do, of all pages."""
    found, total = seen.rows("/groups"), _total(seen.body("/groups")) or 0
    for page in range(2, min(-(-total // _SAMPLE), _MOST_PAGES) + 1):
        params: dict[str, str | int] = {"order_by": "id", "per_page": _SAMPLE, "include": "permissions", "page": page}
        found = [*found, *_rows(client.get("/groups", params).body)]
    return found


def _has_group_routes(client: Client, seen: _Seen, groups: list[dict[str, Any]]) -> bool:
    """Whether members are listed below their group. Where no group can be seen, the catalogue came later than that."""
    first = next((row["id"] for row in groups if type(row.get("id")) is int), None)
    if first is None:
        return "/permissions" in seen.replies
    path = f"/groups/{first}/users"
    return path not in _ask(client, {path: {"per_page": 1}}).absent


def _shows_ciphertext(connectors: list[dict[str, Any]]) -> bool | None:
    """Whether credentials are shown as ciphertext; None where none of the connectors that were seen has any."""
    secret = [row for row in connectors if row.get("authtype") not in (None, "NONE")]
    if any(isinstance(row.get("credentials"), str) and row["credentials"] for row in secret):
        return True
    return False if secret else None


def _rights(client: Client, number: int, groups: list[dict[str, Any]]) -> list[str]:
    """The names that the user's groups give it. What it was given by itself, nobody can read."""
    try:
        rows = _rows(client.get("/group_members", {"member_id": number, "per_page": _SAMPLE}).body)
    except Refused:
        return []
    mine = {row.get("group_id") for row in rows if (row.get("member_type"), row.get("member_id")) == (USER, number)}
    lists = [row.get("permissions") for row in groups if row.get("id") in mine]
    held = [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]
    return sorted({name for entry in held if isinstance(name := entry.get("name"), str)})


def _lacks(seen: _Seen, permissions: Mapping[str, str], rights: Sequence[str]) -> Iterator[str]:
    """What the user was refused, and what no group of its gives it."""
    refused = [noun for noun, path in _LISTS.items() if path in seen.closed]
    held = {name.casefold() for name in rights}
    for noun in refused:
        yield f"it may not view {noun}, which takes {permissions.get(f'{noun}:view', f'view-{noun}')}"
    for noun, path in _LISTS.items():
        known = {f"{noun}:view"} if path in seen.closed or path in seen.replies else set()
        names = [name for ours, name in permissions.items() if ours.partition(":")[0] == noun and ours not in known]
        if missing := [name for name in names if name.casefold() not in held]:
            yield f"no group of its gives it {' or '.join(missing)}"
    if _WRITES_PERMISSIONS not in held:
        yield f"no group of its gives it {_WRITES_PERMISSIONS}, which writing permissions of groups takes"


def _told(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
