"""The last look at an instance, as a whole, and looking again at some of its records."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.ports.abilities import Recollection
from reconciler.core.ports.live import LiveRecord
from reconciler.stores.processmaker.facts import decode
from reconciler.stores.processmaker.forms.connectors import left_alone
from reconciler.stores.processmaker.forms.policies import managed_names
from reconciler.stores.processmaker.views.cache import PageCache
from reconciler.stores.processmaker.views.keys import keys
from reconciler.stores.processmaker.views.members import read_members
from reconciler.stores.processmaker.views.pages import Listing, Setting
from reconciler.stores.processmaker.views.records import POLICY, View, records, titles
from reconciler.stores.processmaker.views.survey import Claims, Survey, categories, connectors, groups, survey
from reconciler.stores.processmaker.wire.answers import Refused

_NOT_THERE = 404
_FEW = 8
"""So many records by themselves cost the server about as much as a page of them."""


class Look(Struct, frozen=True):
    """What was seen, and the records that it came to, by id."""

    view: View
    records: Mapping[str, LiveRecord]


def look(setting: Setting, recollection: Recollection, cache: PageCache | None) -> Look:
    """Look at all of it; see `survey`.

    Raises:
        StoreUnavailable: it cannot be reached or understood.
        RecordConflict: records cannot be told apart by their names; see `keys`.
    """
    found = survey(setting, recollection, cache)
    names = keys(titles(found), recollection)
    managed = _managed(setting, recollection) if _has_rights(found, recollection) else {}
    view = View(found, recollection, names, managed)
    return Look(view, {record.id: record for record in records(view)})


def _has_rights(found: Survey, recollection: Recollection) -> bool:
    """Whether it matters what the instance calls our permissions: also where the last group of a policy is gone."""
    known = recollection.records.values()
    return bool(found.picture.groups) or any(one.is_owned and one.key.kind == POLICY for one in known)


def _managed(setting: Setting, recollection: Recollection) -> Mapping[str, str]:
    """What the instance calls our permissions."""
    if known := decode(recollection.facts).permissions:
        return known
    try:
        return managed_names(setting.client.get("/permissions").body)
    except Refused as refusal:
        if refusal.status != _NOT_THERE:
            raise
        return managed_names(None)


def look_again(setting: Setting, before: Look, recollection: Recollection, ids: Collection[str]) -> Look:
    """Look at some records once more, those that are new to us among them; all else is as it was.

    Raises:
        StoreUnavailable: it cannot be reached or understood.
    """
    survey, picture = before.view.survey, before.view.survey.picture
    again = _again(
        setting, connectors(setting, Claims(recollection)), _numbers("connector", ids), len(picture.connectors)
    )
    filed = _again(setting, categories(setting), _numbers("category", ids), len(picture.categories))  # fmt: skip
    held = {**picture.categories, **filed}
    rows = {**picture.connectors, **{number: one.row for number, one in again.items()}}
    managed = {number: one for number, one in again.items() if not left_alone(one.row, held, is_claimed=True)}
    picture = replace(picture, categories=_those(held, "category", ids, filed), connectors=_those(rows, "connector", ids, again))  # fmt: skip
    if any(uid.startswith(("group:", "policy:")) for uid in ids):
        (listed,) = setting.whole(groups(setting))
        members = read_members(setting, listed, wants_all=False)
        picture = replace(picture, groups={row.id: row for row in members.groups}, users={**picture.users, **members.users})  # fmt: skip
    survey = Survey(picture, _those({**survey.managed, **managed}, "connector", ids, managed), survey.remarks)
    asked = [one for one in titles(survey) if one.id in ids or one.id not in before.view.names]
    names = {**before.view.names, **keys(asked, recollection)}
    view = View(survey, recollection, names, before.view.managed or (_managed(setting, recollection) if _has_rights(survey, recollection) else {}))  # fmt: skip
    found = {record.id: record for record in records(view, lambda uid: uid in ids)}
    return Look(view, {uid: one for uid, one in before.records.items() if uid not in ids} | found)


def _numbers(word: str, ids: Collection[str]) -> set[int]:
    found = (uid.partition(":") for uid in ids)
    return {int(number) for sort, _, number in found if sort == word and number.isascii() and number.isdigit()}


def _those(rows: Mapping[int, Any], word: str, ids: Collection[str], found: Collection[int]) -> dict[int, Any]:
    """The rows without those that were asked for and are not there."""
    gone = _numbers(word, ids) - set(found)
    return {number: row for number, row in rows.items() if number not in gone}


def _again(setting: Setting, listing: Listing, numbers: Collection[int], total: int) -> dict[int, Any]:
    """Rows by number: one by one where they are few, else by pages."""
    if len(numbers) > _FEW * (total // listing.size + 1):
        (rows,) = setting.whole(listing)
        return {row.id: row for row in rows if row.id in numbers}
    found = setting.each(lambda number: _one(setting, listing.path, number, listing.row), sorted(numbers))
    return {row.id: row for row in found if row is not None}


def _one(setting: Setting, path: str, number: int, row: Callable[[Any], Any]) -> Any:
    try:
        return row(setting.client.get(f"{path}/{number}").body)
    except Refused as refusal:
        if refusal.status != _NOT_THERE:
            raise
        return None
