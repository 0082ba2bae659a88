"""What a permission policy is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.diagnostics import Finding, Place
from reconciler.kinds.common import Defaults, Reference, canonical_lifecycle, each, exists, in_order, without
from reconciler.kinds.expiry import has_expired

_DEFAULTS: Defaults = (("description", ""), ("superAdmin", False), ("grants", []))


def canonical(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: sets sorted, defaults left out."""
    made = {**spec, "subjects": in_order(spec["subjects"], key=lambda subject: sorted(subject.items()))}
    if "grants" in spec:
        made["grants"] = each(spec["grants"], _canonical_grant)
    return canonical_lifecycle(without(made, _DEFAULTS))


def _canonical_grant(grant: dict[str, Any]) -> dict[str, Any]:
    made = {**grant, "permissions": in_order(grant["permissions"])}
    on = grant.get("on", {})
    if "categories" in on:
        made["on"] = {**on, "categories": in_order(on["categories"])}
    return made


def references(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups it is for and the categories that narrow its grants."""
    for index, subject in enumerate(spec["subjects"]):
        if "group" in subject:
            yield Reference("Group", subject["group"], ("spec", "subjects", index, "group"))
    for index, grant in enumerate(spec.get("grants", ())):
        for position, name in enumerate(grant.get("on", {}).get("categories", ())):
            yield Reference("Category", name, ("spec", "grants", index, "on", "categories", position))


def left_out(spec: dict[str, Any]) -> tuple[str, ...]:
    """The grants, where they are not there."""
    return () if "grants" in spec else ("grants",)


def rules(spec: dict[str, Any], document: int) -> list[Finding]:
    """Dates that do not exist, and permissions that have no effect without view."""
    grants = spec.get("grants", [])
    found = []
    if not spec.get("superAdmin") and "grants" not in spec:
        hint = "add grants, or write `grants: []` if it is meant to give nothing"
        found.append(Finding("RC608", "the policy gives nothing", Place(document, ("spec",)), hint))
    for index, grant in enumerate(grants):
        path = ("spec", "grants", index)
        if "expires" in grant and not exists(grant["expires"]):
            place = Place(document, (*path, "expires"))
            found.append(Finding("RC211", "there is no such date or time", place))
        if spec.get("superAdmin"):
            continue
        for position, permission in enumerate(grant["permissions"]):
            kind, _, verb = permission.partition(":")
            if verb != "view" and not _views(kind, grant, grants):
                message = f"'{permission}' has no effect without '{kind}:view'"
                place = Place(document, (*path, "permissions", position))
                found.append(Finding("RC604", message, place, f"add '{kind}:view'"))
    return found


def ended(spec: dict[str, Any], document: int, now: str) -> list[Finding]:
    """Grants that have ended."""
    if not now:
        return []
    moment = datetime.fromisoformat(now)
    hint = "remove the grant, or give it another end"
    return [
        Finding(
            "RC607",
            f"the grant ended on {grant['expires']}",
            Place(document, ("spec", "grants", index, "expires")),
            hint,
        )
        for index, grant in enumerate(spec.get("grants", ()))
        if has_expired(grant, moment)
    ]


def _views(kind: str, grant: dict[str, Any], grants: list[dict[str, Any]]) -> bool:
    """Whether one of `grants` gives view of `kind` wherever and as long as `grant` holds."""
    return any(
        f"{kind}:view" in other["permissions"]
        and ("on" not in other or other["on"] == grant.get("on"))
        and ("expires" not in other or other["expires"] == grant.get("expires"))
        for other in grants
    )
