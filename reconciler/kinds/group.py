"""What a group is."""

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Finding, Place
from reconciler.kinds.common import Defaults, Reference, canonical_lifecycle, in_order, without

_DEFAULTS: Defaults = (("description", ""),)
_OF_MEMBERS: Defaults = (("users", []), ("groups", []))


def canonical(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: members sorted, defaults left out."""
    made = without(spec, _DEFAULTS)
    members = made.get("members", {})
    listed = {key: in_order(members[key]) for key, _ in _OF_MEMBERS if key in members}
    if listed:
        made = {**made, "members": without({**members, **listed}, _OF_MEMBERS)}
    return canonical_lifecycle(made)


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
