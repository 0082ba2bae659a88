"""Renames that nobody has declared: a record is to be created that looks like one that is to be deleted."""

from collections.abc import Callable, Hashable, Iterable

from msgspec.structs import replace

from reconciler.core.model import encode
from reconciler.core.plan import Action, Change
from reconciler.kinds.canonical import display_after
from reconciler.kinds.registry import address

_MOST = 2_000
"""Changes of which the endpoints are compared too."""


def with_likely_renames(changes: list[Change]) -> list[Change]:
    """The changes, with a note on what is created and may be meant as a new name of what is deleted.

    It is where just one of each has the same display name, or else the same endpoints.
    """
    created = [change for change in changes if change.action is Action.CREATE]
    deleted = [change for change in changes if change.action is Action.DELETE]
    if not created or not deleted:
        return changes
    found: dict[int, Change] = {}
    _pair(created, deleted, _display, found)
    if len(created) + len(deleted) <= _MOST:
        _pair(created, deleted, _endpoints, found)
    return [_noted(change, found[id(change)]) if id(change) in found else change for change in changes]


def _noted(change: Change, gone: Change) -> Change:
    note = (
        f"{address(*gone.key)} is deleted and looks like this under another name;"
        f" to rename it instead, write  previously: [{gone.key.name}]  below metadata"
    )
    return replace(change, notes=(*change.notes, note))


def _pair(
    created: Iterable[Change],
    deleted: Iterable[Change],
    trait: Callable[[Change], Hashable],
    found: dict[int, Change],
) -> None:
    """Adds what share a trait with one another alone; by the identity of what is created."""
    paired = {id(change) for change in found.values()}
    old = _by_trait((change for change in deleted if id(change) not in paired), trait)
    new = _by_trait((change for change in created if id(change) not in found), trait) if old else {}
    found.update((id(new[key][0]), old[key][0]) for key in old if len(old[key]) == len(new.get(key, ())) == 1)


def _by_trait(changes: Iterable[Change], trait: Callable[[Change], Hashable]) -> dict[Hashable, list[Change]]:
    found: dict[Hashable, list[Change]] = {}
    for change in changes:
        if value := trait(change):
            found.setdefault((change.key.kind, value), []).append(change)
    return found


def _display(change: Change) -> str:
    if change.action is Action.DELETE:
        return change.record.display if change.record else ""
    return display_after(change)


def _endpoints(change: Change) -> bytes:
    """The endpoints of a connector, in canonical form."""
    if change.key.kind != "Connector":
        return b""
    content = change.before if change.action is Action.DELETE else change.after
    spec = content.get("spec") if content else None
    endpoints = spec.get("endpoints") if isinstance(spec, dict) else None
    return encode(endpoints) if endpoints else b""
