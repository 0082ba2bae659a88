"""From the rows of an instance to records: with the names that we have for them, in our canonical form."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Known, Recollection
from reconciler.core.ports.live import LiveRecord
from reconciler.stores.processmaker.forms.carryover import spec_of
from reconciler.stores.processmaker.forms.categories import category_body, category_digest
from reconciler.stores.processmaker.forms.connectors import connector_body, seal
from reconciler.stores.processmaker.forms.groups import group_body, group_digest
from reconciler.stores.processmaker.forms.notes import ConnectorNote, current_note, read_note
from reconciler.stores.processmaker.forms.policies import (
    policy_bodies,
    policy_digest,
    policy_groups,
    policy_note,
    unmanaged_body,
    written_body,
)
from reconciler.stores.processmaker.forms.rows import GroupRow
from reconciler.stores.processmaker.views.keys import Titled, keys
from reconciler.stores.processmaker.views.survey import Seen, Survey

POLICY = "PermissionPolicy"
_OF_GROUP = ":permissions"
"""How the id of a policy ends that is what a group may do, as nobody has written one for it."""


class View(Struct, frozen=True):
    """What records are made of.

    Attributes:
        names: the addresses of records, by id; none of policies.
        managed: what the instance calls our permissions.
    """

    survey: Survey
    recollection: Recollection
    names: Mapping[str, Key]
    managed: Mapping[str, str]

    def known(self, uid: str) -> Known | None:
        """What the state knows of a record."""
        return self.recollection.records.get(uid)

    def body(self, uid: str) -> Any:
        """The body that the state knows; None for none."""
        known = self.known(uid)
        return known.body if known else None

    def called(self, word: str) -> dict[int, str]:
        """What records of a sort are called here, by number."""
        found = (uid.split(":") for uid in self.names if uid.startswith(f"{word}:"))
        return {int(number): self.names[f"{word}:{number}"].name for _, number in found}


def titles(survey: Survey) -> Iterator[Titled]:
    """The records of a survey before they have names."""
    picture = survey.picture
    for category in picture.categories.values():
        yield Titled(f"category:{category.id}", "Category", category.name)
    for seen in survey.managed.values():
        yield Titled(f"connector:{seen.id}", "Connector", seen.row.name)
    for group in picture.groups.values():
        yield Titled(f"group:{group.id}", "Group", group.name)


def records(view: View, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[LiveRecord]:
    """The records of a survey; those that are wanted, by their ids."""
    picture = view.survey.picture
    category_names, group_names = view.called("category"), view.called("group")
    user_names = {row.id: row.username for row in picture.users.values()}
    for category in picture.categories.values():
        if wanted(uid := f"category:{category.id}"):
            body = category_body(category, view.body(uid))
            yield LiveRecord(uid, view.names[uid], body, category_digest(category))
    for seen in view.survey.managed.values():
        if wanted(uid := f"connector:{seen.id}"):
            yield _connector(view, uid, seen, category_names)
    for group in picture.groups.values():
        if wanted(uid := f"group:{group.id}"):
            body = group_body(group, view.body(uid), user_names, group_names)
            yield LiveRecord(uid, view.names[uid], body, group_digest(group))
    yield from (record for record in _policies(view, group_names) if wanted(record.id))


def _connector(view: View, uid: str, seen: Seen, category_names: Mapping[int, str]) -> LiveRecord:
    known, row = view.known(uid), seen.row
    if known and current_note(known).version == seen.version:
        body = _refiled(known.body, sorted(category_names.get(number, str(number)) for number in row.categories))
        return LiveRecord(uid, view.names[uid], body, seen.version, known.note)
    before = known.body if known else None
    body = connector_body(row, before, category_names, view.names[uid].name)
    noted, now = read_note(known.note) if known else ConnectorNote(), seal(row, before if known else body)
    is_resealed = bool(known and known.is_owned and noted.seal and now and noted.seal != now)
    note = ConnectorNote(noted.seal) if is_resealed else ConnectorNote(now, seen.version, seen.print)
    return LiveRecord(uid, view.names[uid], body, seen.version, note.text(), is_resealed)


def _refiled(body: Any, categories: list[str]) -> Any:
    """A body whose categories may have got other names of ours."""
    spec = spec_of(body)
    return body if spec.get("categories", []) == categories else {**body, "spec": {**spec, "categories": categories}}


def _policies(view: View, group_names: Mapping[int, str]) -> Iterator[LiveRecord]:
    """What groups may do, as the policies that give it; where nobody has written one, as one of the group's own."""
    known = {uid: one for uid, one in view.recollection.records.items() if _is_policy(view, uid, one, group_names)}
    bodies = {uid: (one.key.name, written_body(one.body, one.note)) for uid, one in known.items()}
    held = {group_names[row.id]: _managed(view, row) for row in view.survey.picture.groups.values()}
    for uid, body in policy_bodies(bodies, held, view.managed, datetime.now(UTC)).items():
        yield LiveRecord(uid, known[uid].key, body, policy_digest(body), known[uid].note)
    theirs = {group for _, body in bodies.values() for group in policy_groups(body)}
    bare = [row for row in view.survey.picture.groups.values() if group_names[row.id] not in theirs]
    shown = {row.id: unmanaged_body(group_names[row.id], held[group_names[row.id]], view.managed) for row in bare}
    taken = Recollection({uid: one for uid, one in view.recollection.records.items() if one.key.kind == POLICY})
    own = [Titled(f"group:{row.id}{_OF_GROUP}", POLICY, row.name, is_told_by_title=False) for row in bare if shown[row.id]]  # fmt: skip
    named = keys([*(Titled(uid, POLICY, "", is_told_by_title=False) for uid in known), *own], taken)
    for row in bare:
        uid, body = f"group:{row.id}{_OF_GROUP}", shown[row.id]
        if body:
            yield LiveRecord(uid, named[uid], body, policy_digest(body), policy_note(body))


def _is_policy(view: View, uid: str, known: Known, group_names: Mapping[int, str]) -> bool:
    """Whether what the state knows is a policy that there still is: one that somebody has written."""
    if known.key.kind != POLICY:
        return False
    number = uid.removeprefix("group:").removesuffix(_OF_GROUP)
    if f"group:{number}{_OF_GROUP}" != uid:
        return True
    return known.is_owned and number.isdecimal() and int(number) in group_names


def _managed(view: View, row: GroupRow) -> Collection[str]:
    ours = set(view.managed.values())
    return [name for name in row.permissions if name in ours]
