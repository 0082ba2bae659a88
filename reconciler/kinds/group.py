"""What a group is."""

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Finding, Place
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


def left_out(spec: dict[str, Any]) -> tuple[str, ...]:
    """The lists of members that are not there, although others are."""
    members = spec.get("members")
    return tuple(f"members.{key}" for key in ("users", "groups") if key not in members) if members else ()


def rules(spec: dict[str, Any], document: int) -> list[Finding]:
    """A list that is not there: to leave something out must not remove everybody."""
    members = spec.get("members")
    if members is None or "users" in members or "groups" in members:
        return []
    hint = "write `users: []` if nobody belongs to it, or leave out `members` to leave them to the live side"
    return [Finding("RC212", f"the members are {members['mode']}, but none are listed", Place(document, ("spec", "members")), hint)]  # fmt: skip
