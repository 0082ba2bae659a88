"""One look at a whole instance: lists, a page at a time, and no request for a single record."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

from reconciler.core.ports.abilities import Recollection
from reconciler.kinds.canonical import fold
from reconciler.stores.processmaker.forms.canonical import connector_digest
from reconciler.stores.processmaker.forms.carryover import spec_of
from reconciler.stores.processmaker.forms.categories import category_row
from reconciler.stores.processmaker.forms.connectors import connector_row, left_alone
from reconciler.stores.processmaker.forms.groups import group_row
from reconciler.stores.processmaker.forms.notes import ConnectorNote, current_note, print_of
from reconciler.stores.processmaker.forms.parts import refuse, whole
from reconciler.stores.processmaker.forms.rows import GROUP, USER, CategoryRow, ConnectorRow, GroupRow, Picture
from reconciler.stores.processmaker.views.cache import Kept, KeptPage, KeptRow, PageCache
from reconciler.stores.processmaker.views.members import read_members
from reconciler.stores.processmaker.views.pages import Listing, Page, Setting
from reconciler.stores.processmaker.wire.answers import Refused

CONNECTORS, CATEGORIES, GROUPS = "/data_sources", "/data_source_categories", "/groups"
_GENERATED = "generated"
_FORBIDDEN = 403
_GROUPS_A_PAGE = 50
"""Each comes with all of its members."""


class Seen(Struct, frozen=True):
    """A connector as it was read, or, on a page that is unchanged, what was kept of it.

    Attributes:
        version: what tells it from what it was.
        print: as `print_of` gives it.
        kept: None where its fields were read.
    """

    row: ConnectorRow
    version: str
    print: str
    kept: KeptRow | None = None

    @property
    def id(self) -> int:
        """That of the row."""
        return self.row.id


class Survey(Struct, frozen=True):
    """What there is.

    Attributes:
        managed: by id the connectors that are somebody's to manage.
        remarks: what could not be seen, in sentences.
    """

    picture: Picture
    managed: Mapping[int, Seen]
    remarks: tuple[str, ...] = ()


def seen(raw: Any, claims: "Claims") -> Seen:
    """A connector as the API gives it.

    Raises:
        StoreUnavailable: it is none.
    """
    row = connector_row(raw)
    noted, mark = claims.noted(row.id), print_of(row)
    if noted.version and noted.print == mark:
        return Seen(row, noted.version, mark)
    return Seen(row, connector_digest(row), mark)


def group_with_members(raw: Any) -> GroupRow:
    """A group as its list gives it, with its members where they came with it.

    Raises:
        StoreUnavailable: it is none.
    """
    listed = raw.get("group_members") if isinstance(raw, dict) else None
    if listed is None:
        return group_row(raw)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        refuse("a group", "has no list of members")
    found: dict[Any, dict[int, int]] = {USER: {}, GROUP: {}}
    for one in listed:
        members = found.get(one.get("member_type"))
        if members is not None:
            members[whole(one.get("member_id"), "a membership", "member_id")] = whole(one.get("id"), "a membership", "id")  # fmt: skip
    return group_row(raw, found[USER], found[GROUP])


def connectors(setting: Setting, claims: "Claims") -> Listing:
    """The list of connectors."""
    return setting.listing(CONNECTORS, "connectors", lambda raw: seen(raw, claims))


def categories(setting: Setting) -> Listing:
    """The list of categories."""
    return setting.listing(CATEGORIES, "connector categories", category_row)


def groups(setting: Setting) -> Listing:
    """The list of groups, with what they may do and who belongs to them: no other answer has either."""
    size = min(setting.size, _GROUPS_A_PAGE)
    params = {"order_by": "id", "include": "permissions,groupMembers"}
    return Listing(GROUPS, "groups", group_with_members, size, params)


def survey(setting: Setting, recollection: Recollection, cache: PageCache | None) -> Survey:
    """Read all of it.

    Args:
        cache: what was kept of pages; None where what is read has to be whole.

    Raises:
        StoreUnavailable: it cannot be reached or understood, shows no connectors or categories to the user of the
            token, or no groups although some are managed.
    """
    claims = Claims(recollection)
    kept = cache.read(setting.size) if cache else None
    _put_away(setting)
    if kept:
        _lay_out(setting, kept, claims)
    found, filed, held = _lists(setting, claims)
    generated = tuple(sorted(row.id for row in filed if fold(row.name) == _GENERATED))
    if kept and kept.generated != generated:
        _put_away(setting)
        found, filed, held = _lists(setting, claims)
    by_id = {row.id: row for row in filed}
    left = {one.id: _left(one, by_id, claims) for one in found}
    if cache:
        _keep(setting, cache, kept, generated, left)
    members = read_members(setting, held or [], wants_all=claims.administrators)
    closed = () if held is not None else ("groups and what they may do cannot be seen: the token's user may not view groups",)  # fmt: skip
    picture = Picture(
        by_id,
        {one.id: one.row for one in found},
        {row.id: row for row in members.groups},
        members.users,
        _counted(left.values()),
        members.is_whole and held is not None,
    )
    return Survey(picture, {one.id: one for one in found if not left[one.id]}, (*closed, *members.remarks))


class Claims:
    """What of an instance somebody declares or owns.

    Attributes:
        administrators: whether it matters who is an administrator.
        groups: whether groups, or what they may do, are managed.
    """

    def __init__(self, recollection: Recollection) -> None:
        self._known = recollection.records
        self._titles = {_title(name) for kind, name in recollection.names if kind == "Connector"}
        policies = [one for one in self._known.values() if one.key.kind == "PermissionPolicy"]
        self.administrators = any(spec_of(one.body).get("superAdmin") is True for one in policies)
        self.groups = any(one.is_owned and one.key.kind in ("Group", "PermissionPolicy") for one in self._known.values())  # fmt: skip

    def noted(self, number: int) -> ConnectorNote:
        """What was noted of a connector, if the state still knows it as it was then; else nothing."""
        return current_note(self._known.get(f"connector:{number}"))

    def title(self, number: int) -> Any:
        """The display name of a connector as the state knows it."""
        known = self._known.get(f"connector:{number}")
        return spec_of(known.body).get("displayName") if known else None

    def has(self, number: int, title: str) -> bool:
        """Whether a connector is somebody's."""
        known = self._known.get(f"connector:{number}")
        return title in self._titles or (known is not None and known.is_owned)


def _lists(setting: Setting, claims: Claims) -> tuple[list[Seen], list[CategoryRow], list[GroupRow] | None]:
    """All three; no groups where the token's user may not see them, and nobody manages any."""
    first = connectors(setting, claims), categories(setting)
    try:
        found, filed, held = setting.whole(*first, groups(setting))
    except Refused as refusal:
        if refusal.status != _FORBIDDEN or claims.groups:
            raise
        found, filed = setting.whole(*first)
        return found, filed, None
    return found, filed, held


def _left(one: Seen, filed: Mapping[int, CategoryRow], claims: Claims) -> str:
    """Why a connector is nobody's to manage; "" where it is somebody's."""
    if one.kept:
        return one.kept.left
    return left_alone(one.row, filed, is_claimed=claims.has(one.id, _title(fold(one.row.name))))


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reason for reason in reasons if reason).items()))


def _title(folded: str) -> str:
    return sha256(folded.encode()).hexdigest()[:16]


# pages of connectors that are unchanged


def _lay_out(setting: Setting, kept: Kept, claims: Claims) -> None:
    """Put on the shelf what was kept of pages whose rows are known, or nobody's."""
    for number, page in kept.pages.items():
        rows = [_outline(row, claims) for row in page.rows]
        if None not in rows:
            setting.shelf.setdefault((CONNECTORS, setting.size, number), Page(rows, page.total, page.last, page.etag))


def _outline(row: KeptRow, claims: Claims) -> Seen | None:
    """A row as far as it was kept; None where nobody knows what it held."""
    name = None
    if row.left:
        name = None if claims.has(row.id, row.title) else ""
    elif claims.noted(row.id).version == row.version:
        name = claims.title(row.id)
    if not isinstance(name, str):
        return None
    outline = ConnectorRow(row.id, name, None, "", "", row.categories, None, updated=row.updated)
    return Seen(outline, row.version, "", row)


def _put_away(setting: Setting) -> None:
    """Take what is known in outline off the shelf."""
    for key, page in list(setting.shelf.items()):
        if any(isinstance(row, Seen) and row.kept for row in page.rows):
            del setting.shelf[key]


def _keep(setting: Setting, cache: PageCache, before: Kept | None, generated: tuple[int, ...], left: Mapping[int, str]) -> None:  # fmt: skip
    """Keep what the pages were called, where that is news."""
    pages = {}
    number = 1
    while page := setting.shelf.get((CONNECTORS, setting.size, number)):
        pages[number] = KeptPage(page.etag, page.total, page.last, tuple(_kept(row, left) for row in page.rows))
        number += 1
        if number > page.last:
            break
    if pages and (before is None or (before.generated, before.pages) != (generated, pages)):
        cache.keep(setting.size, generated, pages)


def _kept(one: Seen, left: Mapping[int, str]) -> KeptRow:
    if one.kept:
        return one.kept
    row = one.row
    return KeptRow(row.id, one.version, row.categories, left.get(row.id, ""), _title(fold(row.name)), row.updated)  # fmt: skip
