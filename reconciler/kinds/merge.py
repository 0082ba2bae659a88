"""What a live record should hold, and what a definition has to declare so that it stays as it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.core.diff import MISSING, Path, at
from reconciler.core.secret import REFERENCE_KEYS
from reconciler.kinds import registry
from reconciler.kinds.common import without
from reconciler.kinds.policies import has_expired, may_expire, without_expired
from reconciler.kinds.registry import API_VERSION, KINDS, SCHEMA_FILES


def effective(
    kind: str,
    desired: dict[str, Any],
    live: dict[str, Any] | None,
    applied: dict[str, Any] | None,
    now: str = "",
    *,
    protect: bool = False,
) -> dict[str, Any]:
    """The body to write, canonical as `desired` and `live` are; `desired` itself where nothing is to be merged.

    Args:
        live: None when it is no body that anything could be taken from.
        now: when; grants that have ended by then are left out. "" leaves them in.
        protect: whether the record stays protected, whatever is declared.
    """
    spec = desired["spec"]
    if live is not None:
        spec = _with_live(kind, spec, live, applied)
    if protect:
        spec = {**spec, "lifecycle": {**spec.get("lifecycle", {}), "protect": True}}
    if kind == "PermissionPolicy":
        spec, _ = without_expired(spec, now)
    return desired if spec is desired["spec"] else {**desired, "spec": spec}


def _with_live(kind: str, spec: dict[str, Any], live: dict[str, Any], applied: dict[str, Any] | None) -> dict[str, Any]:
    """A spec with what is left to the live side taken over."""
    ignored, live_spec = spec.get("lifecycle", {}).get("ignore", ()), live["spec"]
    for field in ignored:
        steps = field.split(".")
        spec = _taken_over(spec, at(live_spec, tuple(steps)), steps)
    if ignored:
        spec = KINDS[kind].canonical(spec)  # what is left of a block may be nothing
    if _is_additive(kind, spec):
        listed = {
            field: _added(
                spec["members"], _members(live_spec, field), _members((applied or {}).get("spec"), field), field
            )
            for field in ("users", "groups")
        }
        kept = {key: value for key, value in spec["members"].items() if key not in listed}
        return {**spec, "members": kept | {field: members for field, members in listed.items() if members}}
    if kind == "Group" and "members" not in spec and "members" in live_spec:
        return {**spec, "members": live_spec["members"]}
    return spec


def revoked_since(applied: dict[str, Any] | None, live: dict[str, Any], now: str) -> dict[str, Any] | None:
    """What was last applied to a policy, without the grants that an apply has taken out since as they had ended."""
    if applied is None or not isinstance(applied.get("spec"), dict):
        return applied
    grants, kept = applied["spec"].get("grants"), live["spec"].get("grants", [])
    if now and isinstance(grants, list):
        moment = datetime.fromisoformat(now)
        left = [grant for grant in grants if grant in kept or not has_expired(grant, moment)]
        return {**applied, "spec": without({**applied["spec"], "grants": left}, (("grants", []),))}
    return applied


def declares_anew(kind: str, desired: dict[str, Any], applied: dict[str, Any] | None) -> bool:
    """Whether an additive group declares other members than before.

    Even when the live members stay as they are this has to be kept: a member that was live already and
    is declared now goes when it is declared no longer.
    """
    if applied is None or not _is_additive(kind, desired["spec"]):
        return False
    before = applied.get("spec")
    return any(_members(desired["spec"], field) != _members(before, field) for field in ("users", "groups"))


def _is_additive(kind: str, spec: dict[str, Any]) -> bool:
    return kind == "Group" and spec.get("members", {}).get("mode") == "additive"


def _members(spec: Any, field: str) -> frozenset[str]:
    """The users or groups of a group, of which the live ones may be anything."""
    members = spec.get("members") if isinstance(spec, dict) else None
    listed = members.get(field) if isinstance(members, dict) else None
    return frozenset(item for item in listed if isinstance(item, str)) if isinstance(listed, list) else frozenset()


def leaves_fields(spec: dict[str, Any]) -> bool:
    """Whether fields are left to the live side."""
    return bool(spec.get("lifecycle", {}).get("ignore"))


def is_plain(kind: str, body: bytes) -> bool:
    """Whether a canonical body is sure to be its own effective body: a test without decoding it."""
    if kind == "Group" and b'"members":{' not in body:
        return False
    return b'"ignore":[' not in body and b'"mode":"additive"' not in body and not may_expire(body)


_MADE_OF_OPTIONAL_KEYS = frozenset(("tls", "retry", "sample"))
_REQUIRED = frozenset(("displayName", "categories", "subjects", "mode", "method", "url"))


def _taken_over(node: Any, value: Any, steps: Sequence[str]) -> Any:
    """`node` with the field at `steps` as it is live: `value`, or gone where that is missing.

    What git does not declare at all, such as the endpoint that the field belongs to, is not brought back.
    """
    step, *rest = steps
    if isinstance(node, list):  # of parameters or headers, by name
        for index, item in enumerate(node):
            if isinstance(item, dict) and item.get("name") == step:
                kept = [_taken_over(item, value, rest)] if rest else [] if value is MISSING else [value]
                return [*node[:index], *kept, *node[index + 1 :]]
    if not isinstance(node, dict):
        return node
    if rest:
        below = node.get(step, {} if step in _MADE_OF_OPTIONAL_KEYS and value is not MISSING else MISSING)
        return node if below is MISSING else {**node, step: _taken_over(below, value, rest)}
    if value is not MISSING:
        return {**node, step: value}
    return node if step in _REQUIRED else {key: item for key, item in node.items() if key != step}


def _added(desired: dict[str, Any], live: frozenset[str], applied: frozenset[str], field: str) -> list[str]:
    """The members that are declared, and those that others have added."""
    ours = frozenset(desired.get(field, ()))
    return sorted((live - (applied - ours)) | ours)


_SECRET_STEPS = frozenset(
    ("username", "password", "token", "clientId", "clientSecret", "value", "ca", "clientCertificate", "clientKey")
)


def is_secret_value(path: Path, value: Any) -> bool:
    """Whether the value at `path` of a body is a secret reference."""
    if not isinstance(value, dict) or len(value) != 1 or not path or path[-1] not in _SECRET_STEPS:
        return False
    return "sample" not in path[:-1] and next(iter(value)) in REFERENCE_KEYS


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
    schema = registry.load(SCHEMA_FILES[kind])
    whole = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": content["spec"],
    }
    found: dict[str, Any] = registry.arranged(whole, schema, schema)
    return found
