"""What cannot be done is left out of an apply, with all that depends on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.core.ports.store import Store
from reconciler.errors import ReconcilerError, RecordConflict
from reconciler.kinds.canonical import display_after, refs_after
from reconciler.kinds.registry import address

LeftOut = tuple[tuple[Change, ReconcilerError], ...]
"""Changes that are not carried out, with the reasons."""
_ACCESS = ("Group", "PermissionPolicy")
_Matter = tuple[str, ...]
"""What one change needs to be so, and another one, left out, keeps from being so."""


def with_dependents(left_out: LeftOut, changes: Sequence[Change], store: Store) -> LeftOut:
    """The changes that are left out, and those of `changes` that cannot be done without them."""
    if not left_out:
        return left_out
    found = list(left_out)
    seen = {id(change) for change, _ in found}
    needs = _needs([change for change in changes if id(change) not in seen], store)
    for change, _ in found:  # which grows meanwhile
        for matter in _lacking(change):
            for other in needs.pop(matter, ()):
                if id(other) not in seen:
                    seen.add(id(other))
                    reason = f"it depends on {address(*_named(change))}, which was left out"
                    found.append((other, RecordConflict(reason, hint="mend that, and run the command again")))
    return tuple(found)


def _named(change: Change) -> Key:
    return change.record.key if change.resource is None and change.record else change.key


def _needs(changes: Sequence[Change], store: Store) -> dict[_Matter, list[Change]]:
    """By what changes need those that need it."""
    leaving = {change.record.key: change for change in changes if change.record and _leaves(change)}
    needs: dict[_Matter, list[Change]] = defaultdict(list)
    for change in changes:
        for matter in _needed(change):
            needs[matter].append(change)
    for referrer, gone in store.referrers(list(leaving)) if leaving else ():
        needs["refers", *referrer].append(leaving[gone])
    return needs


def _needed(change: Change) -> Iterator[_Matter]:
    """What it refers to is there; its names are free; what becomes of access is done as a whole, as it was judged."""
    yield from (("there", *key) for key in refs_after(change))
    if change.resource is not None:
        yield "name", *change.key
        yield "display", change.key.kind, display_after(change)
    if change.key.kind in _ACCESS:
        yield ("access",)


def _lacking(left: Change) -> Iterator[_Matter]:
    """What is not so without it."""
    record = left.record
    if left.resource is not None and (record is None or record.key != left.key):
        yield "there", *left.key
    if record is not None:
        yield "name", *record.key
        if record.display:
            yield "display", record.key.kind, record.display
        yield "refers", *record.key
    if left.key.kind in _ACCESS:
        yield ("access",)


def _leaves(change: Change) -> bool:
    """Whether the record does not bear its address any more once it is done."""
    return change.record is not None and (change.resource is None or change.record.key != change.key)
