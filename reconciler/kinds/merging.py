"""What a live record should hold, given what git declares, what it holds and what was last applied.

Mostly that is what git declares. Two things differ: fields that `lifecycle.ignore` leaves to the live
side, and lists in additive mode, which others may add to.
"""

from typing import Any

from reconciler.core.diff import Path


def effective(
    kind: str, desired: dict[str, Any], live: dict[str, Any], applied: dict[str, Any] | None
) -> dict[str, Any]:
    """The body to write. `desired` is changed and returned."""
    spec, live_spec = desired["spec"], live.get("spec", {})
    for field in spec.get("lifecycle", {}).get("ignore", ()):
        _take_over(spec, live_spec, field.split("."))
    if kind == "Group" and spec.get("members", {}).get("mode") == "additive":
        applied_spec = (applied or {}).get("spec", {})
        for field in ("users", "groups"):
            _add_members(spec["members"], live_spec.get("members", {}), applied_spec.get("members", {}), field)
    return desired


def is_plain(spec_text: bytes) -> bool:
    """Whether a canonical body is sure to be its own effective body: a test without decoding it."""
    return b'"ignore":[' not in spec_text and b'"mode":"additive"' not in spec_text


def _take_over(spec: dict[str, Any], live: dict[str, Any], steps: list[str]) -> None:
    """Give the field at `steps` its live value, or remove it when there is none."""
    *parents, last = steps
    for step in parents:
        below = live.get(step)
        live = below if isinstance(below, dict) else {}
        if not isinstance(spec.get(step), dict):
            if last not in live:
                return
            spec[step] = {}
        spec = spec[step]
    if last in live:
        spec[last] = live[last]
    else:
        spec.pop(last, None)


def _add_members(desired: dict[str, Any], live: dict[str, Any], applied: dict[str, Any], field: str) -> None:
    ours = set(desired.get(field, ()))
    dropped = set(applied.get(field, ())) - ours
    members = sorted((set(live.get(field, ())) - dropped) | ours)
    if members:
        desired[field] = members
    else:
        desired.pop(field, None)


_SECRET_STEPS = frozenset(("username", "password", "token", "clientId", "clientSecret", "value"))


def is_secret_value(path: Path, value: Any) -> bool:
    """Whether the value at `path` of a body is a secret reference."""
    if not isinstance(value, dict) or len(value) != 1 or not path or path[-1] not in _SECRET_STEPS:
        return False
    return "sample" not in path[:-1] and next(iter(value)) in ("env", "file")
