"""What a group is."""

from collections.abc import Iterator
from typing import Any

from reconciler.kinds.common import Reference, canonical_lifecycle, drop_default


def canonical(spec: dict[str, Any]) -> None:
    """Bring `spec` to its canonical form, in place: members sorted, defaults left out."""
    drop_default(spec, "description", "")
    members = spec.get("members", {})
    for key in ("users", "groups"):
        if key in members:
            members[key].sort()
            drop_default(members, key, [])
    canonical_lifecycle(spec)


def references(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups that belong to it."""
    for index, name in enumerate(spec.get("members", {}).get("groups", ())):
        yield Reference("Group", name, ("spec", "members", "groups", index))
