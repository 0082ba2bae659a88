"""What a definition has to declare so that a live record stays as it is.

Mostly that is what the record holds. Of a group the live side may hold more than anybody declared, and an empty
list that the canonical form leaves out has to be written: to leave it out means something else.
"""

from typing import Any

from msgspec import Struct

from reconciler.kinds import schemas
from reconciler.kinds.registry import API_VERSION, SCHEMA_FILES


class Declaration(Struct, frozen=True):
    """What to declare.

    Attributes:
        content: canonical labels and spec, with the lists that must not be left out.
        undeclared: members that are left to the live side, in words; "" for none.
    """

    content: dict[str, Any]
    undeclared: str = ""


def declaration(kind: str, live: dict[str, Any], applied: dict[str, Any] | None) -> Declaration:
    """What to declare of a canonical live body. The arguments are not changed.

    Args:
        applied: what was last declared, or None when nothing was.
    """
    if kind == "Group" and applied is not None:
        return _group(live, applied)
    return Declaration(explicit(kind, live))


def _group(live: dict[str, Any], applied: dict[str, Any]) -> Declaration:
    members, declared = live["spec"].get("members"), applied["spec"].get("members")
    if members is None:
        return Declaration(explicit("Group", live))
    if declared is None:
        content = {**live, "spec": {key: value for key, value in live["spec"].items() if key != "members"}}
        return Declaration(explicit("Group", content), "its members, which nobody declares")
    if not isinstance(members, dict) or members.get("mode") != "additive":
        return Declaration(explicit("Group", live))
    kept = {"mode": members["mode"]}
    others: list[str] = []
    for field in ("users", "groups"):
        listed, before = members.get(field, []), declared.get(field, [])
        kept |= {field: [name for name in listed if name in before]} if set(listed) & set(before) else {}
        others += [name for name in listed if name not in before]
    said = f"members that others added: {', '.join(others)}" if others else ""
    return Declaration(explicit("Group", {**live, "spec": {**live["spec"], "members": kept}}), said)


def explicit(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """A canonical body with the empty lists that a definition must not leave out; `content` is not changed."""
    spec = content["spec"]
    if kind == "PermissionPolicy" and "grants" not in spec and not spec.get("superAdmin"):
        return {**content, "spec": {**spec, "grants": []}}
    members = spec.get("members") if kind == "Group" else None
    if isinstance(members, dict) and members.keys() == {"mode"}:
        return {**content, "spec": {**spec, "members": {**members, "users": []}}}
    return content


def document(kind: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    """The definition of a body, its keys in the order of the schema."""
    metadata = content.get("metadata", {})
    schema = schemas.load(SCHEMA_FILES[kind])
    whole = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": content["spec"],
    }
    found: dict[str, Any] = schemas.arranged(whole, schema, schema)
    return found
