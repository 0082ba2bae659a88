"""What a change leaves behind, read off the body to be written: that may be more than what git declares."""

from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.kinds.canonical import fingerprint, fold
from reconciler.kinds.registry import KINDS


def refs_after(change: Change) -> frozenset[Key]:
    """What the record refers to after the change; nothing after a delete."""
    if change.written is None:
        return frozenset(change.resource.refs) if change.resource else frozenset()
    spec = change.written.value["spec"]
    return frozenset(Key(ref.kind, ref.name) for ref in KINDS[change.key.kind].references(spec))


def display_after(change: Change) -> str:
    """Folded display name after the change, or "" for none."""
    if change.written is None:
        return change.resource.display if change.resource else ""
    name = change.written.value["spec"].get("displayName")
    return fold(name) if isinstance(name, str) else ""


def fingerprint_after(change: Change) -> str:
    """Fingerprint of the body to be written, or "" for a delete."""
    if change.written is not None:
        return fingerprint(change.written.body)
    return change.resource.fingerprint if change.resource is not None else ""
