"""In which order writes are carried out, and which of them stand in the way of others.

New and changed records come first, as others refer to them; what is given comes before what is taken, so that nobody
loses access in between; deletes come last. Names are passed on within a run: who gives one up comes first. Where that
leads round in a circle, or who has the name is to be deleted, the record is set aside under a third name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.ports.live import LiveRecord, Write
from reconciler.kinds.canonical import fold
from reconciler.kinds.registry import KINDS
from reconciler.stores.processmaker.writes.sorts import SORTS, Sort, number_of

_KINDS = tuple(SORTS)


class Order(Struct, frozen=True):
    """What comes when; all are indexes of writes.

    Attributes:
        aside: those whose record is set aside first, with the name that it is given.
        rounds: those that make or change records, in rounds, each after the one before.
        after: by write the writes that have to be done first.
        drops: deletes, in rounds.
        taken: those whose name another record has and keeps, with that one's id.
    """

    aside: Mapping[int, str]
    rounds: Sequence[Sequence[int]]
    after: Mapping[int, frozenset[int]]
    drops: Sequence[Sequence[int]]
    taken: Mapping[int, str]


def title_of(body: Mapping[str, Any] | None) -> str:
    """The display name that a body gives, folded; "" for none."""
    spec = body.get("spec") if body else None
    name = spec.get("displayName") if isinstance(spec, dict) else None
    return fold(name) if isinstance(name, str) else ""


def arrange(writes: Sequence[Write], records: Mapping[str, LiveRecord]) -> Order:
    """The order of writes to an instance that holds `records`."""
    aside: dict[int, str] = {}
    after: dict[int, frozenset[int]] = {}
    taken: dict[int, str] = {}
    rounds: list[list[int]] = []
    for kind in _KINDS:
        ours = [index for index, write in enumerate(writes) if write.key.kind == kind]
        names = _Names(SORTS[kind], writes, ours, records)
        taken |= names.taken
        aside |= names.aside
        after |= names.after
        rounds += names.rounds()
    drops = [
        [index for index, write in enumerate(writes) if write.key.kind == kind and write.body is None]
        for kind in ("Connector", "Category", "Group")
    ]
    return Order(aside, rounds, _with_references(writes, after), drops, taken)


class _Names:
    """Who has which name of one kind, and who wants it."""

    def __init__(self, sort: Sort, writes: Sequence[Write], ours: Sequence[int], records: Mapping[str, LiveRecord]) -> None:  # fmt: skip
        self._sort, self._writes = sort, writes
        self._kept = [index for index in ours if writes[index].body is not None]
        by_id = {writes[index].id: index for index in ours if writes[index].id}
        self.taken: dict[int, str] = {}
        self.aside: dict[int, str] = {}
        self.after: dict[int, frozenset[int]] = {}
        holders = {title_of(one.body): one for one in records.values() if one.key.kind == sort.kind}
        for index in self._kept:
            holder = holders.get(title_of(writes[index].body))
            if holder is None or holder.id == writes[index].id:
                continue
            giver = by_id.get(holder.id)
            if giver is None or not self._gives_up(giver, holder):
                self.taken[index] = holder.id
            else:
                self.after[index] = frozenset((giver,))
                if writes[giver].body is None:
                    self._set_aside(giver, holder)
        self._break_circles(records)

    def _gives_up(self, giver: int, holder: LiveRecord) -> bool:
        body = self._writes[giver].body
        return body is None or title_of(body) != title_of(holder.body)

    def _set_aside(self, index: int, holder: LiveRecord) -> None:
        tail = f" - set aside {number_of(holder.id)}"
        name = str(holder.body["spec"]["displayName"])
        self.aside[index] = name[: self._sort.limit - len(tail)].rstrip() + tail

    def _break_circles(self, records: Mapping[str, LiveRecord]) -> None:
        for index in self._kept:
            seen, at = {index}, index
            while (giver := next(iter(self.after.get(at, ())), None)) is not None and giver not in self.aside:
                if giver in seen:
                    self._set_aside(giver, records[self._writes[giver].id])
                    break
                seen.add(giver)
                at = giver

    def rounds(self) -> list[list[int]]:
        """Those that are kept, each after whoever gives its name up."""
        made: list[list[int]] = []
        left, placed = list(self._kept), set(self.aside)
        while left:
            now = [index for index in left if self.after.get(index, frozenset()) <= placed]
            made.append(now)
            placed |= set(now)
            left = [index for index in left if index not in now]
        return made


def _with_references(writes: Sequence[Write], after: Mapping[int, frozenset[int]]) -> dict[int, frozenset[int]]:
    """With the new records that each refers to."""
    new = {write.key: index for index, write in enumerate(writes) if not write.id and write.body is not None}
    found = dict(after)
    for index, write in enumerate(writes):
        if write.body is not None:
            refs = KINDS[write.key.kind].references(write.body["spec"])
            needed = {new[key] for ref in refs if (key := Key(ref.kind, ref.name)) in new}
            found[index] = found.get(index, frozenset()) | (needed - {index})
    return found
