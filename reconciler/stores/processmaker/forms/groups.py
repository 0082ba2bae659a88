"""Groups and their members: what an instance says of them, and what it is told."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconciler.kinds.policies import canonical_group
from reconciler.stores.processmaker.forms.canonical import digest, is_set, text_of, trimmed
from reconciler.stores.processmaker.forms.carryover import carried, metadata_of, sound_spec
from reconciler.stores.processmaker.forms.categories import status_of
from reconciler.stores.processmaker.forms.parts import optional, record, refuse, text, whole_text
from reconciler.stores.processmaker.forms.rows import GroupRow, UserRow

UNDECLARED_MODE = "authoritative"
"""Of a group that nobody declares: whoever writes down who belongs to it writes down everybody."""


def group_row(raw: Any, users: Mapping[int, int] | None = None, groups: Mapping[int, int] | None = None) -> GroupRow:
    """A group as the API gives it, with its members.

    Args:
        users, groups: ids of members with those of their memberships; None where they were not read.

    Raises:
        StoreUnavailable: it is none.
    """
    fields, number, what = record(raw, "group")
    counted = Counter(_permissions(fields.get("permissions"), what))
    return GroupRow(
        number,
        text(fields, "name", what),
        optional(fields, "description", what),
        status_of(fields.get("status")),
        tuple(sorted(counted)),
        tuple(sorted(name for name, times in counted.items() if times > 1)),
        users,
        groups,
        optional(fields, "created_at", what) or "",
    )


def _permissions(listed: Any, what: str) -> list[str]:
    """The names that a group holds, as often as they are there."""
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(item, dict) and item.get("name") for item in listed):
        refuse(what, "has no list of permissions")
    return [whole_text(item["name"], what, "permissions") for item in listed]


def user_row(raw: Any) -> UserRow:
    """A user as the API gives it.

    Raises:
        StoreUnavailable: it is none.
    """
    fields, number, what = record(raw, "user")
    return UserRow(number, text(fields, "username", what), is_set(fields.get("is_administrator")), status_of(fields.get("status")))  # fmt: skip


def group_digest(row: GroupRow) -> str:
    """What tells a row from what it was: its version. Permissions are no part of it: they are those of policies."""
    members = [sorted(listed) if listed is not None else None for listed in (row.users, row.groups)]
    return digest([trimmed(row.name), text_of(row.description), row.status, members])


def group_body(row: GroupRow, known: Any, user_names: Mapping[int, str], group_names: Mapping[int, str]) -> Any:
    """The canonical body of a row, with what it cannot hold from the known body; that one itself where it holds it.

    Members are those that it has; whether others may add some is for the known body to say.

    Args:
        known: what was last seen of it, None for nothing.
        user_names: of all users that may be members, by id; groups' as we call them. Others are left out.
    """
    spec = sound_spec("Group", known)
    live: dict[str, Any] = {"displayName": trimmed(row.name), "description": text_of(row.description)}
    made = carried(spec, image(spec), live)
    before = spec.get("members")
    members = _members(row, before, user_names, group_names)
    if made is spec and members == before:
        return known
    made = {**made, "members": members} if members is not None else made
    return metadata_of(known) | {"spec": canonical_group(made)}


def _members(row: GroupRow, known: Any, user_names: Mapping[int, str], group_names: Mapping[int, str]) -> Any:
    """The members, in canonical form; as they are known where nobody can see them. Nobody needs no block of its own."""
    before = known if isinstance(known, dict) else {}
    found = {"mode": before.get("mode", UNDECLARED_MODE)}
    for key, listed, names in (("users", row.users, user_names), ("groups", row.groups, group_names)):
        seen = before.get(key, []) if listed is None else sorted(names[number] for number in listed if number in names)
        found |= {key: seen} if seen else {}
    return known if known is None and found.keys() == {"mode"} else found


def image(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec an instance holds of the group itself, in the form in which it comes back."""
    return {"displayName": text_of(spec.get("displayName")), "description": text_of(spec.get("description"))}


def group_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent to make or change the group; its members are told one by one. Its status stays as it is."""
    held = image(body["spec"])
    return {"name": held["displayName"], "description": held["description"] or None}
