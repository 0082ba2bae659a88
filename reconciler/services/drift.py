"""Tell drift in the live store, from the store alone."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from reconciler.core.drift import DriftReport, Moved
from reconciler.core.model import Key
from reconciler.core.ports.store import Store
from reconciler.errors import UsageError
from reconciler.kinds.drift import drifted, paired
from reconciler.kinds.registry import address


class DriftQuery(Struct, frozen=True):
    """What to look at.

    Attributes:
        owner: whose records.
        keys: these alone, whoever they belong to; empty for all.
        everybody: whether the records of others are asked for too.
        now: RFC 3339.
    """

    target: str
    owner: str
    keys: Sequence[Key]
    everybody: bool
    now: str


def find_drift(store: Store, query: DriftQuery) -> DriftReport:
    """The records that are not what was last applied. Only those that somebody else has written to are read.

    Raises:
        UsageError: the store knows nothing of one that is asked for.
    """
    moved = paired(store.moved())
    around = {one.uid for one in moved}
    moved += [one for one in store.taken_over(query.owner) if one.uid not in around]
    _refuse_unknown(store, query.keys, moved)
    found = [(one, result) for one in moved if (result := drifted(one, query.now))]
    wanted = [result for one, result in found if _is_wanted(one, query)]
    others = 0 if query.keys or query.everybody else len(found) - len(wanted)
    in_order = tuple(sorted(wanted, key=lambda item: item.key))
    return DriftReport(query.target, "" if query.everybody else query.owner, in_order, others)


def _is_wanted(moved: Moved, query: DriftQuery) -> bool:
    if query.keys:
        return any(key in query.keys for key in _keys(moved))
    sides = (moved.before, moved.now)
    return query.everybody or any(side is not None and side.owner == query.owner for side in sides)


def _keys(moved: Moved) -> Iterator[Key]:
    yield from (side.key for side in (moved.before, moved.now) if side)


def _refuse_unknown(store: Store, keys: Sequence[Key], moved: Sequence[Moved]) -> None:
    known = {key for one in moved for key in _keys(one)}
    for key in keys:
        if key not in known and next(iter(store.search(*key)), None) is None:
            raise UsageError(f"the store does not know {address(*key)}", hint="list what it holds with: reconciler get")
