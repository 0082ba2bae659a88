"""What stands against a plan."""

from collections.abc import Mapping

from reconciler.core import guards
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.model import Key, Record
from reconciler.core.plan import Action, Change, Problem
from reconciler.core.ports.store import Store
from reconciler.errors import ExitCode
from reconciler.kinds.canonical import display_after, refs_after
from reconciler.kinds.registry import KINDS, address

_WORDS = {kind.name: kind.word for kind in KINDS.values()}
_FEW = 5


def objections(
    changes: list[Change], live: Mapping[Key, Record], store: Store, *, adopt: bool, deletes: Problem | None
) -> list[Problem]:
    """Every reason why the changes may not be applied.

    Args:
        adopt: whether records of other owners may be taken over.
        deletes: what the guard of deletes says.
    """
    found = [
        deletes,
        guards.protected(changes, _WORDS),
        None if adopt else guards.not_owned(changes, _WORDS),
        _display_conflicts(changes, live),
        _still_referred_to(changes, store),
        _lost_by_omission(changes),
    ]
    return [problem for problem in found if problem]


def _display_conflicts(changes: list[Change], live: Mapping[Key, Record]) -> Problem | None:
    """Display names that a live record outside of the plan has already, or that two in the plan would have.

    Definitions do not clash; a display name that is left to the live side can.
    """
    if not changes:
        return None
    touched = {change.record.key for change in changes if change.record}
    wanted = {(change.key.kind, display_after(change)) for change in changes}
    taken = {
        place: record
        for key, record in live.items()
        if (place := (key.kind, record.display)) in wanted and record.display and key not in touched
    }
    details = []
    chosen: dict[tuple[str, str], Key] = {}
    for change in changes:
        display = (change.key.kind, display_after(change))
        first = chosen.setdefault(display, change.key)
        if display[1] and first != change.key:
            details.append(f"{address(*change.key)} would have the display name of {address(*first)}")
        other = taken.get(display)
        if other is not None and other.key != change.key:
            owner = other.owner or "nobody"
            details.append(
                f"{address(*change.key)} has the display name of {address(*other.key)}, which belongs to {owner}"
            )
    if not details:
        return None
    return Problem(ExitCode.CONFLICT, "display names are taken", "choose another display name", tuple(details))


def _still_referred_to(changes: list[Change], store: Store) -> Problem | None:
    """Records that would go although something refers to them still."""
    after = {change.key for change in changes if change.action is not Action.DELETE}
    gone = {change.record.key for change in changes if change.record} - after
    touched = {change.record.key for change in changes if change.record}
    pairs = {(referrer, target) for referrer, target in store.referrers(sorted(gone)) if referrer not in touched}
    pairs |= {(change.key, ref) for change in changes for ref in refs_after(change) if ref in gone}
    if not pairs:
        return None
    details = tuple(f"{address(*referrer)} refers to {address(*target)}" for referrer, target in sorted(pairs))
    hint = "change or delete what refers to them first"
    return Problem(ExitCode.CONFLICT, "records in use would be deleted or renamed", hint, details)


def _lost_by_omission(changes: list[Change]) -> Problem | None:
    """Lists of which something would go because git does not mention them; an empty list says that it is meant.

    What others put live into a list that git has never mentioned is drift, and is taken back.
    """
    details = []
    for change in changes:
        left_out = change.resource.left_out if change.resource else ()
        for field in change.fields if left_out else ():
            name = ".".join(map(str, field.path[1:]))
            if name in left_out and field.origin in (Origin.GIT, Origin.BOTH):
                details.append(f"{address(*change.key)} leaves out {name}: {_going(field)} would go")
    if not details:
        return None
    hint = "leaving a list out removes nothing: write down what is to stay, or an empty list such as `groups: []`"
    return Problem(ExitCode.GUARDED, "something would be removed by leaving it out", hint, tuple(details))


def _going(field: FieldChange) -> str:
    before = field.before if isinstance(field.before, list) else []
    after = field.after if isinstance(field.after, list) else []
    gone = [item for item in before if item not in after]
    names = [item for item in gone if isinstance(item, str)]
    if not names or len(names) > _FEW:
        return f"{len(gone):,} of them"
    return ", ".join(names)
