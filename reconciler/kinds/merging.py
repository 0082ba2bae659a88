"""What a live record should hold, given what git declares, what it holds and what was last applied.

Mostly that is what git declares. Five things differ: fields that `lifecycle.ignore` leaves to the live
side, lists in additive mode, which others may add to, members of a group that are not declared at all,
grants that have ended, and a protection that git does not lift.
"""

from datetime import datetime
from typing import Any

from reconciler.core.diff import MISSING, Path, at
from reconciler.core.sensitive import REFERENCE_KEYS
from reconciler.kinds.common import drop_default
from reconciler.kinds.expiry import has_expired, may_expire, without_expired
from reconciler.kinds.registry import KINDS


def effective(
    kind: str,
    desired: dict[str, Any],
    live: dict[str, Any] | None,
    applied: dict[str, Any] | None,
    now: str = "",
    *,
    protect: bool = False,
) -> dict[str, Any]:
    """The body to write, canonical as `desired` and `live` are. `desired` is changed and returned.

    Args:
        live: None when it is no body that anything could be taken from.
        now: when; grants that have ended by then are left out. "" leaves them in.
        protect: whether the record stays protected, whatever is declared.
    """
    if live is not None:
        _take_live(kind, desired, live, applied)
    if protect:
        desired["spec"].setdefault("lifecycle", {})["protect"] = True
    if kind == "PermissionPolicy":
        without_expired(desired["spec"], now)
    return desired


def _take_live(kind: str, desired: dict[str, Any], live: dict[str, Any], applied: dict[str, Any] | None) -> None:
    """Take over what is left to the live side."""
    spec, live_spec = desired["spec"], live["spec"]
    for field in spec.get("lifecycle", {}).get("ignore", ()):
        _take_over(spec, live_spec, field.split("."))
    KINDS[kind].canonical(spec)  # what is left of a block may be nothing
    if _is_additive(kind, desired):
        for field in ("users", "groups"):
            theirs, ours_before = _members(live, field), _members(applied or {}, field)
            _add_members(spec["members"], theirs, ours_before, field)
    elif kind == "Group" and "members" not in spec and "members" in live_spec:
        spec["members"] = live_spec["members"]


def revoked_since(applied: dict[str, Any] | None, live: dict[str, Any], now: str) -> dict[str, Any] | None:
    """What was last applied to a policy, without the grants that an apply has taken out since as they had ended.

    `applied` is changed and returned.
    """
    if applied is None or not isinstance(applied.get("spec"), dict):
        return applied
    grants, kept = applied["spec"].get("grants"), live["spec"].get("grants", [])
    if now and isinstance(grants, list):
        moment = datetime.fromisoformat(now)
        applied["spec"]["grants"] = [grant for grant in grants if grant in kept or not has_expired(grant, moment)]
        drop_default(applied["spec"], "grants", [])
    return applied


def declares_anew(kind: str, desired: dict[str, Any], applied: dict[str, Any] | None) -> bool:
    """Whether an additive group declares other members than before.

    Even when the live members stay as they are this has to be kept: a member that was live already and
    is declared now goes when it is declared no longer.
    """
    if applied is None or not _is_additive(kind, desired):
        return False
    return any(_members(desired, field) != _members(applied, field) for field in ("users", "groups"))


def _is_additive(kind: str, body: dict[str, Any]) -> bool:
    return kind == "Group" and body["spec"].get("members", {}).get("mode") == "additive"


def _members(body: dict[str, Any], field: str) -> frozenset[str]:
    """The users or groups of a group, of which the live ones may be anything."""
    members = body.get("spec", {}).get("members")
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


def _take_over(spec: dict[str, Any], live: dict[str, Any], steps: list[str]) -> None:
    """Give the field at `steps` its live value, or remove it when there is none.

    What git does not declare at all, such as the endpoint that the field belongs to, is not brought back.
    """
    *parents, last = steps
    value = at(live, tuple(steps))
    node: Any = spec
    for step in parents:
        if isinstance(node, dict) and step in _MADE_OF_OPTIONAL_KEYS and value is not MISSING:
            node.setdefault(step, {})
        node = at(node, (step,))
    if isinstance(node, dict):
        if value is MISSING and last not in _REQUIRED:
            node.pop(last, None)
        elif value is not MISSING:
            node[last] = value
    elif isinstance(node, list):  # of parameters or headers, by name
        for index, item in enumerate(node):
            if isinstance(item, dict) and item.get("name") == last:
                node[index : index + 1] = [] if value is MISSING else [value]
                return


def _add_members(desired: dict[str, Any], live: frozenset[str], applied: frozenset[str], field: str) -> None:
    ours = frozenset(desired.get(field, ()))
    members = sorted((live - (applied - ours)) | ours)
    if members:
        desired[field] = members
    else:
        desired.pop(field, None)


_SECRET_STEPS = frozenset(
    ("username", "password", "token", "clientId", "clientSecret", "value", "ca", "clientCertificate", "clientKey")
)


def is_secret_value(path: Path, value: Any) -> bool:
    """Whether the value at `path` of a body is a secret reference."""
    if not isinstance(value, dict) or len(value) != 1 or not path or path[-1] not in _SECRET_STEPS:
        return False
    return "sample" not in path[:-1] and next(iter(value)) in REFERENCE_KEYS
