"""What cannot be done is left out of an apply, with all that depends on it."""

from collections.abc import Iterator, Sequence

from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.core.ports.store import Store
from reconciler.errors import ReconcilerError, RecordConflict
from reconciler.kinds.canonical import display_after, refs_after
from reconciler.kinds.registry import address

ACCESS_KINDS = ("Group", "PermissionPolicy")

LeftOut = tuple[tuple[Change, ReconcilerError], ...]
"""Changes that are not carried out, with the reasons."""


def with_dependents(left_out: LeftOut, changes: Sequence[Change], store: Store) -> LeftOut:
    """The changes that are left out, and those of `changes` that cannot be done without them."""
    if not left_out:
        return left_out
    found = list(left_out)
    rest = {id(change): change for change in changes}
    for change, _ in found:
        rest.pop(id(change), None)
    needed = _needed_before(list(rest.values()), store)
    for change, _ in found:  # which grows meanwhile
        for other in [other for other in rest.values() if _depends(other, change, needed)]:
            reason = f"it depends on {address(*_named(change))}, which was left out"
            found.append((rest.pop(id(other)), RecordConflict(reason, hint="mend that, and run the command again")))
    return tuple(found)


def _named(change: Change) -> Key:
    return change.record.key if change.resource is None and change.record else change.key


def _needed_before(changes: Sequence[Change], store: Store) -> frozenset[tuple[Key, Key]]:
    """Pairs (record, what it refers to) of what changes do away with."""
    gone = [change.record.key for change in changes if change.record and _leaves(change)]
    return frozenset(store.referrers(gone)) if gone else frozenset()


def _leaves(change: Change) -> bool:
    """Whether nothing bears the record's address once it is done, unless another change takes it."""
    return change.record is not None and (change.resource is None or change.record.key != change.key)


def _comes(change: Change) -> bool:
    """Whether something bears its address that did not before."""
    return change.resource is not None and (change.record is None or change.record.key != change.key)


def _depends(change: Change, left: Change, needed: frozenset[tuple[Key, Key]]) -> bool:
    """Whether a change cannot be done without another one. What becomes of access was judged as a whole."""
    if change.key.kind in ACCESS_KINDS and left.key.kind in ACCESS_KINDS:
        return True
    if _comes(left) and left.key in refs_after(change):
        return True
    was = left.record
    if was is None:
        return False
    if change.record is not None and _leaves(change) and (was.key, change.record.key) in needed:
        return True
    return change is not left and any(taken in _held(left) for taken in _taken(change))


def _taken(change: Change) -> Iterator[tuple[str, str, str]]:
    """The names that it takes, which may be those of another record before."""
    if change.resource is not None:
        yield "name", *change.key
        if display := display_after(change):
            yield "display", change.key.kind, display


def _held(left: Change) -> frozenset[tuple[str, str, str]]:
    """The names that a record keeps whose change is left out."""
    assert left.record is not None
    kind, name = left.record.key
    return frozenset((("name", kind, name), ("display", kind, left.record.display)))
