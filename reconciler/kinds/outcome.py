"""What a change leaves behind, read off the body to be written: that may be more than what git declares."""

from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.kinds.canonical import fingerprint, fold
from reconciler.kinds.registry import KINDS


def _as_declared(change: Change) -> bool:
    return change.resource is not None and (change.body is change.resource.body or change.after is None)


def refs_after(change: Change) -> frozenset[Key]:
    """What the record refers to after the change; nothing after a delete."""
    if change.resource is None or change.after is None or _as_declared(change):
        return frozenset(change.resource.refs) if change.resource else frozenset()
    return frozenset(Key(ref.kind, ref.name) for ref in KINDS[change.key.kind].references(change.after["spec"]))


def display_after(change: Change) -> str:
    """Folded display name after the change, or "" for none."""
    if change.resource is None or change.after is None or _as_declared(change):
        return change.resource.display if change.resource else ""
    name = change.after["spec"].get("displayName")
    return fold(name) if isinstance(name, str) else ""


def fingerprint_after(change: Change) -> str:
    """Fingerprint of the body to be written, or "" for a delete."""
    if change.resource is None or change.body is None:
        return ""
    return change.resource.fingerprint if change.body is change.resource.body else fingerprint(change.body)
