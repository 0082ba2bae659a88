"""What groups may do: the union of what policies give them, written group by group.

A request gives a group all the names that it is to hold, also those that have nothing to do with us. So what it holds
is read just before, and what is not ours goes back as it was. What is given comes before what is taken, over all groups,
so that nobody who moves from one to another is without in between.

A name may be there twice, when two wrote at once. That gives no more than once, and the server takes both away when the
name is taken; to make one of two it would have to be taken and given back, and the group would be without it in between.
So it stays, and is told.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from reconciler.core.model import Key
from reconciler.core.ports.live import Outcome, Result
from reconciler.kinds.canonical import fold
from reconciler.stores.processmaker.facts import decode
from reconciler.stores.processmaker.forms.policies import (  # fmt: skip
    fold_all,
    managed_names,
    pairs,
    policy_bodies,
    policy_digest,
    policy_groups,
    policy_note,
    written_body,
)
from reconciler.stores.processmaker.forms.rows import GroupRow
from reconciler.stores.processmaker.views.records import POLICY
from reconciler.stores.processmaker.wire.answers import Refused
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.crew import Job
from reconciler.stores.processmaker.writes.glances import fetch
from reconciler.stores.processmaker.writes.hand import Hand
from reconciler.stores.processmaker.writes.run import UNLIKE, Run, differences
from reconciler.stores.processmaker.writes.settlement import ensure
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import GROUP, number_of

PATH = "/permissions"
_NOT_FOUND = 404


def managed_of(sight: Sight) -> Mapping[str, str]:
    """What the instance calls our permissions: as it was found out, or as it says now."""
    if known := sight.managed or decode(sight.recollection.facts).permissions:
        return known
    try:
        return managed_names(sight.client.get(PATH).body)
    except Refused as refusal:
        if refusal.status != _NOT_FOUND:
            raise
        return managed_names(None)


class Rights:
    """What groups are to hold, by what a run writes.

    Attributes:
        ours: the instance's names of our permissions, folded.
        touched: by number of a group the writes of policies that are for it, or were.
    """

    def __init__(self, run: Run, managed: Mapping[str, str]) -> None:
        """Go by what was read.

        Args:
            managed: what the instance calls our permissions.
        """
        self.run = run
        self.managed = managed
        self.now = datetime.now(UTC)
        self.writes = [index for index, write in enumerate(run.writes) if write.key.kind == POLICY]
        self.ours = fold_all(self.managed.values())
        self._known = {
            uid: (known.key.name, written_body(known.body, known.note))
            for uid, known in run.sight.recollection.records.items()
            if known.key.kind == POLICY and (known.is_owned or not uid.startswith("group:"))
        }
        self._numbers = {key.name: number for key, number in _groups(run).items()}
        self._held = {number: row.permissions for number, row in run.sight.picture.groups.items()}
        self.touched: dict[int, list[int]] = defaultdict(list)
        self._given: dict[frozenset[int], dict[int, set[str]]] = {}

    def settle_groups(self) -> None:
        """Find the groups that the writes are about, once the new ones are there."""
        self._given.clear()
        for index in self.writes:
            write = self.run.writes[index]
            before = self._known.get(write.id, ("", None))[1]
            if before is None and write.id in self.run.sight.records:
                before = self.run.sight.records[write.id].body
            for number in sorted({*self._of(before), *self._of(write.body)}):
                self.touched[number].append(index)

    def _of(self, body: Any) -> set[int]:
        found = {self.number(group) for group in policy_groups(body)} if body else set()
        return {number for number in found if number}

    def number(self, group: str) -> int:
        """The number of a group as it is called now, or was when the run began; 0 for none."""
        try:
            return self.run.number(Key("Group", group))
        except NotDone:
            return self._numbers.get(group, 0)

    def bodies(self, failed: Collection[int]) -> dict[str, tuple[str, Any]]:
        """By id name and body of all policies that are to be; a write that failed leaves its own as it was."""
        found = dict(self._known)
        for index in self.writes:
            write = self.run.writes[index]
            if index in failed:
                continue
            uid = write.id or f"new:{index}"
            if write.body is None:
                found.pop(uid, None)
            else:
                found[uid] = (write.key.name, write.body)
        return found

    def given(self, number: int, failed: Collection[int]) -> set[str]:
        """The names that policies give a group."""
        gone = frozenset(failed).intersection(self.writes)
        if gone not in self._given:
            self._given[gone] = self._by_group(body for _, body in self.bodies(gone).values())
        return self._given[gone].get(number, set())

    def _by_group(self, bodies: Iterable[Any]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = defaultdict(set)
        for body in bodies:
            for group, name in pairs(body, self.managed, self.now):
                found[self.number(group)].add(name)
        return dict(found)

    def lacking(self, number: int, held: Collection[str], failed: Collection[int] = ()) -> set[str]:
        """The names that a group is to hold and does not."""
        return self.given(number, failed) - set(held)

    def surplus(self, number: int, held: Collection[str], failed: Collection[int] = ()) -> set[str]:
        """Our names that a group holds and is not to."""
        given = self.given(number, failed)
        return {name for name in held if fold(name) in self.ours and name not in given}

    def held(self, number: int) -> tuple[str, ...]:
        """The names that a group held when it was read last; a new one none."""
        return self._held.get(number, ())

    def known_names(self, number: int) -> set[str]:
        """The names that policies gave a group before the run."""
        return self._by_group(body for _, body in self._known.values()).get(number, set())

    def given_to(self) -> list[int]:
        """The groups that lack something."""
        return [number for number in self._groups(()) if self.lacking(number, self.held(number))]

    # the two turns

    def gifts(self, failed: Collection[int]) -> list[Job]:
        """Each group is given what it lacks. Policies that give nothing have their turn as well, without a request."""
        jobs = [
            self._job(number, self._give, failed)
            for number in self._groups(failed)
            if self.lacking(number, self.held(number), failed)
        ]
        told = {write for job in jobs for write in job.writes}
        return jobs + [Job(index, lambda _: None) for index in self.writes if index not in told]

    def takes(self, failed: Collection[int]) -> list[tuple[int, Job]]:
        """From each group is taken what it is not to hold; with the numbers of the groups."""
        return [
            (number, self._job(number, self._take, failed))
            for number in self._groups(failed)
            if self.surplus(number, self.held(number), failed)
        ]

    def _groups(self, failed: Collection[int]) -> list[int]:
        return sorted(number for number, writes in self.touched.items() if set(writes) - set(failed))

    def _job(self, number: int, do: Callable[[int, Hand], None], failed: Collection[int]) -> Job:
        first, *others = (index for index in self.touched[number] if index not in failed)
        return Job(first, partial(do, number), tuple(others))

    def _give(self, number: int, hand: Hand) -> None:
        row = self._look(hand, number)
        self._write(hand, row, set(row.permissions) | self.lacking(number, row.permissions, hand.failed))

    def _take(self, number: int, hand: Hand) -> None:
        row = self._look(hand, number)
        self._write(hand, row, set(row.permissions) - self.surplus(number, row.permissions, hand.failed))

    def _look(self, hand: Hand, number: int) -> GroupRow:
        """The group, of whose names of ours nobody else has written any since it was read.

        Raises:
            NotDone: somebody has, or it is gone.
        """
        row = self._fetch(hand, number)
        if self._mine(row.permissions) != self._mine(self.held(number)):
            raise NotDone(Result.CONFLICT, f"somebody else has changed what group {number} may do")
        return row

    def _mine(self, names: Collection[str]) -> set[str]:
        return {fold(name) for name in names} & self.ours

    def _fetch(self, hand: Hand, number: int) -> GroupRow:
        row = fetch(hand, GROUP, number, self.run.title(GROUP.id(number)))
        if not isinstance(row, GroupRow):
            raise NotDone(Result.CONFLICT, f"group {number} is gone")
        return row

    def _write(self, hand: Hand, row: GroupRow, names: set[str]) -> None:
        if names == set(row.permissions):
            return

        def is_done() -> bool:
            return set(self._fetch(hand, row.id).permissions) == names

        ensure(hand, Change("PUT", PATH, {"group_id": row.id, "permission_names": sorted(names)}), is_done)
        after = self._fetch(hand, row.id)
        self._held[row.id] = after.permissions
        if set(after.permissions) != names:
            missing = ", ".join(sorted(names ^ set(after.permissions)))
            raise NotDone(Result.FAILED, f"the instance made something else of what group {row.id} may do: {missing}")

    # what came of it

    def live(self, rows: Iterable[GroupRow], failed: Collection[int]) -> Mapping[str, Any]:
        """What is live of all policies, by id, by what groups hold."""
        names = self.run.names("Group")
        held = {names[row.id]: [name for name in row.permissions if fold(name) in self.ours] for row in rows if row.id in names}  # fmt: skip
        return policy_bodies(self.bodies(failed), held, self.managed, self.now)

    def check(self, index: int, live: Mapping[str, Any]) -> None:
        """Say what came of the write of a policy by what is live of all."""
        write = self.run.writes[index]
        if write.body is None:
            self.run.outcomes[index] = Outcome(Result.DONE, write.id)
            return
        uid, body = write.id or f"policy:{uuid4()}", live.get(write.id or f"new:{index}")
        unlike = differences(write.body, body)
        if unlike:
            reason = f"groups hold something else than it says: {unlike}"
            self.run.outcomes[index] = Outcome(Result.FAILED, uid, UNLIKE, reason)
        else:
            self.run.outcomes[index] = Outcome(Result.DONE, uid, policy_digest(body), note=policy_note(write.body))


def _groups(run: Run) -> dict[Key, int]:
    return {one.key: number_of(one.id) for one in run.sight.records.values() if one.key.kind == "Group"}
