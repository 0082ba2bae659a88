"""Who belongs to which group, and what users are called.

Groups come with their memberships. Users are looked up as far as groups have them, by pages or one by one, whichever
takes fewer requests. Where their list is closed to the token, the lists of each group's users tell their names.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.stores.processmaker.forms.groups import user_row
from reconciler.stores.processmaker.forms.parts import record, text, whole
from reconciler.stores.processmaker.forms.rows import GroupRow, UserRow
from reconciler.stores.processmaker.views.pages import Listing, Setting, page
from reconciler.stores.processmaker.wire.answers import Refused

_FORBIDDEN, _NOT_THERE = 403, 404


class Members(Struct, frozen=True):
    """What was found out.

    Attributes:
        groups: with their members, as far as they could be seen.
        users: by id those that groups have, or all.
        is_whole: whether everything could be seen.
        remarks: what could not be seen, in sentences.
    """

    groups: Sequence[GroupRow]
    users: Mapping[int, UserRow]
    is_whole: bool = True
    remarks: tuple[str, ...] = ()


class Joined(Struct, frozen=True):
    """One member as the list of a group's members has it.

    Attributes:
        id: of the membership.
    """

    id: int
    member: int
    name: str


def joined_row(raw: Any) -> Joined:
    """A member as the API gives it.

    Raises:
        StoreUnavailable: it is none.
    """
    fields, number, what = record(raw, "membership")
    member = whole(fields.get("member_id"), what, "member_id")
    return Joined(number, member, text(fields, "username" if "username" in fields else "name", what))


def read_members(setting: Setting, groups: Sequence[GroupRow], *, wants_all: bool) -> Members:
    """Complete the groups with their members, and find out who these are.

    Args:
        wants_all: whether all users are asked for, such as to see which are administrators.

    Raises:
        StoreUnavailable: there is no answer, or none that can be understood.
    """
    groups, closed = _completed(setting, groups)
    needed = {number for group in groups for number in group.users or ()}
    try:
        users = _users(setting, needed, wants_all=wants_all)
    except Refused as refusal:
        if refusal.status != _FORBIDDEN:
            raise
        users = _named_by_groups(setting, groups)
        closed = (*closed, *_unseen(needed - users.keys(), wants_all=wants_all))
    else:
        closed = (*closed, *_unseen(needed - users.keys(), wants_all=False))
    return Members(groups, users, not closed, closed)


def _users(setting: Setting, needed: set[int], *, wants_all: bool) -> dict[int, UserRow]:
    """The users that are needed, as far as there are such."""
    listing = setting.listing("/users", "users", user_row)
    if wants_all:
        (rows,) = setting.whole(listing)
        return {row.id: row for row in rows}
    if len(needed) <= 1:
        return _one_by_one(setting, needed)
    first = page(setting.client, listing, 1, setting.shelf)
    found = {row.id: row for row in first.rows}
    missing = needed - found.keys()
    if missing and max(missing) > max(found, default=0) and len(missing) > first.last - 1:
        (rows,) = setting.whole(listing)
        found = {row.id: row for row in rows}
    return found | _one_by_one(setting, needed - found.keys())


def _one_by_one(setting: Setting, numbers: Collection[int]) -> dict[int, UserRow]:
    """Users that no page has shown; those that are not there are left out."""

    def look(number: int) -> UserRow | None:
        try:
            return user_row(setting.client.get(f"/users/{number}").body)
        except Refused as refusal:
            if refusal.status != _NOT_THERE:
                raise
            return None

    return {row.id: row for row in setting.each(look, sorted(numbers)) if row}


def _named_by_groups(setting: Setting, groups: Iterable[GroupRow]) -> dict[int, UserRow]:
    """The users as the lists of the groups' members name them."""
    listings = [_joined(setting, group, "users") for group in groups if group.users]
    return {one.member: UserRow(one.member, one.name) for rows in _open(setting, listings) or () for one in rows}


def _completed(setting: Setting, groups: Sequence[GroupRow]) -> tuple[Sequence[GroupRow], tuple[str, ...]]:
    """The groups, those that came without their members with these, as far as there are lists of them."""
    bare = [group for group in groups if group.users is None or group.groups is None]
    if not bare:
        return groups, ()
    kinds = ("users", "groups")
    rows = _open(setting, [_joined(setting, group, kind) for group in bare for kind in kinds])
    if rows is None:
        return groups, (f"the members of {_counted(len(bare), 'group')} cannot be seen",)
    lists = iter(rows)
    filled = {
        group.id: replace(group, **{kind: {one.member: one.id for one in next(lists)} for kind in kinds})
        for group in bare
    }
    return [filled.get(group.id, group) for group in groups], ()


def _joined(setting: Setting, group: GroupRow, kind: str) -> Listing:
    """The list of a group's members of a kind; it is ordered by their names."""
    return Listing(f"/groups/{group.id}/{kind}", "the members of groups", joined_row, setting.size, is_ordered=False)


def _open(setting: Setting, listings: Sequence[Listing]) -> list[list[Joined]] | None:
    """The rows of lists, or None where the server has no such lists, or not for this token."""
    try:
        return setting.whole(*listings)
    except Refused as refusal:
        if refusal.status not in (_FORBIDDEN, _NOT_THERE):
            raise
        return None


def _unseen(unnamed: Collection[int], *, wants_all: bool) -> tuple[str, ...]:
    """What is said of users that could not be seen."""
    said = []
    if unnamed:
        said.append(f"{_counted(len(unnamed), 'member')} of groups cannot be seen: the list of users does not show them to the token's user")  # fmt: skip
    if wants_all:
        said.append("who is an administrator cannot be seen: the token's user may not view users")
    return tuple(said)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
