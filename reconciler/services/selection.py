"""Of the changes of a plan those that somebody asked for, with what they cannot do without."""

from collections.abc import Iterable, Sequence

from reconciler.core.model import Key
from reconciler.core.plan import Action, Change
from reconciler.kinds.canonical import display_after, refs_after


def selected(changes: Sequence[Change], wanted: frozenset[Key]) -> list[Change]:
    """The changes of the records `wanted`, old names included, and those that they cannot be carried out without.

    These are the changes of what they refer to, and of whoever has the name or display name that they take.
    """
    named: dict[Key, Change] = {}
    displayed: dict[tuple[str, str], Change] = {}
    for change in changes:
        named[change.key] = change
        if change.record:
            named.setdefault(change.record.key, change)
            displayed[change.record.key.kind, change.record.display] = change
    found: dict[Key, Change] = {}
    waiting = [named[key] for key in wanted if key in named]
    while waiting:
        change = waiting.pop()
        if change.key in found:
            continue
        found[change.key] = change
        waiting += _needed(change, named, displayed)
    return [change for change in changes if change.key in found]


def _needed(change: Change, named: dict[Key, Change], displayed: dict[tuple[str, str], Change]) -> Iterable[Change]:
    """The changes that one cannot be carried out without."""
    if change.action is Action.DELETE:
        return
    for key in (change.key, *sorted(refs_after(change))):
        if key in named:
            yield named[key]
    display = (change.key.kind, display_after(change))
    if display[1] and display in displayed:
        yield displayed[display]
