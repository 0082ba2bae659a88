"""What a plan looks at when it does not look at everything, and what may be remembered after it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core import guards
from reconciler.core.baseline import (
    Baseline,
    DatedGrant,
    Declared,
    Index,
    Memory,
    PartialSource,
    TracksChanges,
    Trees,
    Unprovable,
    judged_by,
)
from reconciler.core.drift import Moved
from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Change, Plan
from reconciler.core.ports.source import Desired
from reconciler.core.ports.store import Store
from reconciler.errors import GuardStopped
from reconciler.kinds.access import AREA_OF_KIND
from reconciler.kinds.authorization import fetchable
from reconciler.kinds.canonical import display_after
from reconciler.services.due_changes import dated_in
from reconciler.services.narrowing import Narrow, refuse_undecodable

if TYPE_CHECKING:
    from reconciler.services.shifts import Beyond


class PlanScope(Struct, frozen=True):
    """What a plan of a part has to know of the rest.

    Attributes:
        live: the records to be matched.
        moved: what others did to records outside of a run, as it was looked at already.
        owned: how many live records of each kind the owner has.
        dated: all grants that end, where the definitions at hand do not have all policies.
        beyond: the resources that the definitions at hand do not have.
        around: from the changes to the records to judge them by: all policies and groups, and bearers of their names.
    """

    live: Mapping[Key, Record]
    moved: Sequence[Moved]
    owned: Counter[str]
    dated: tuple[DatedGrant, ...] | None
    beyond: "Callable[[], Beyond]"
    around: Callable[[Sequence[Change]], Mapping[Key, Record]]


def scope_of(narrow: Narrow, index: Index, moved: Sequence[Moved]) -> PlanScope:
    """The scope of what was found to matter."""

    def around(changes: Sequence[Change]) -> Mapping[Key, Record]:
        if not changes:
            return narrow.live
        names = {(change.key.kind, name) for change in changes if (name := display_after(change))}
        keys = {*narrow.live, *index.namesakes(names)}
        return {record.key: record for record in index.records(keys, ("Group", "PermissionPolicy"))}

    def beyond() -> "Beyond":

        return UnreadResources(narrow, index)

    return PlanScope(narrow.live, moved, narrow.owned, narrow.dated, beyond, around)


def memory_of_all(plan: Plan, desired: Desired, source: TracksChanges, revision: int, rules: str, now: str) -> Memory:
    """After a plan that looked at everything.

    Args:
        revision: of the store that was planned with.

    Raises:
        Unprovable: something will be left to do, or the definitions are not those of a commit.
    """
    _refuse_unfinished(plan)
    refuse_undecodable(desired.files)
    counts = Counter(key.kind for key in desired.resources)
    base = Baseline(
        source.proven(desired.files),
        _judged_by(rules, {}, source.parts(), desired),
        revision,
        counts,
        now,
        desired.diagnostics,
        dated_in(desired.resources, now),
    )
    return Memory(plan.owner, base, list(_declared(desired.resources)), None)


def memory_of_part(plan: Plan, narrow: Narrow, source: PartialSource, rules: str, now: str) -> Memory:
    """After a plan that looked at what moved.

    Raises:
        Unprovable: something will be left to do, or the definitions are not those of a commit.
    """
    _refuse_unfinished(plan)
    if not source.as_committed(narrow.files):
        raise Unprovable("the files are not those of the commit")
    desired = narrow.desired
    trees: Trees = source.trees
    dated = dated_in(desired.resources, now) if narrow.dated is None else narrow.dated
    judged = _judged_by(rules, narrow.contracts, source, desired)
    base = Baseline(trees, judged, narrow.revision, narrow.declared, now, desired.diagnostics, dated)
    return Memory(plan.owner, base, list(_declared(desired.resources)), narrow.files)


def _judged_by(rules: str, before: Iterable[str], source: PartialSource, desired: Desired) -> str:
    """What the definitions were judged by; `before` are documents that were known already."""
    named = {*before, *(resource.contract for resource in desired.resources.values() if resource.contract)}
    return judged_by(rules, source.contracts(named) if named else {})


def _refuse_unfinished(plan: Plan) -> None:
    if plan.problems or plan.kept or plan.only:
        raise Unprovable("something will be left to do")
    if plan.revision.dirty or not plan.revision.commit:
        raise Unprovable("the definitions are not those of a commit")


def _declared(resources: Mapping[Key, Resource]) -> Iterator[Declared]:
    for key, resource in resources.items():
        odd = key.kind in ("Category", "Connector") and not resource.is_plain
        yield Declared(key, resource.file, odd, _tokens_of(resource), resource.previously)


def _tokens_of(resource: Resource) -> int:
    if not resource.needs_token or not resource.active:
        return 0
    return len(fetchable(resource.content.value["spec"]))


def refuse_lost(store: Store) -> None:
    """Stop when there is no store and something speaks of one that was there.

    Raises:
        GuardStopped: so it is.
    """
    problem = guards.lost_store(store.lost())
    if problem:
        raise GuardStopped(problem.message, hint=problem.hint, details=problem.details)


_KINDS = {AREA_OF_KIND[kind]: kind for kind in ("Connector", "Category")}
"""Of what is in policies/ all is read, once it matters."""


class UnreadResources:
    """What permissions can be about, beside what was read; see `services.covering.Beyond`."""

    def __init__(self, narrow: Narrow, index: Index) -> None:
        """Read nothing yet."""
        self._narrow = narrow
        self._index = index

    def count(self, area: str) -> int:
        """How many there are."""
        kind = _KINDS.get(area)
        read = sum(key.kind == kind for key in self._narrow.desired.resources)
        return self._narrow.declared[kind] - read if kind else 0

    def named(self, area: str) -> set[str]:
        """The names of all."""
        return self._unread(self._index.declared_of(_KINDS[area])) if area in _KINDS else set()

    def filed(self, area: str, category: str) -> set[str]:
        """The names of those in a category; a category is in itself."""
        if _KINDS.get(area) == "Category":
            return {category} & self.named(area)
        return self._unread(self._index.filed_under(category)) if area in _KINDS else set()

    def labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        """The names of those with a label."""
        return self._unread(self._index.labelled(_KINDS[area], label)) if area in _KINDS else set()

    def _unread(self, found: Iterable[tuple[str, str]]) -> set[str]:
        return {name for name, file in found if file not in self._narrow.files}
