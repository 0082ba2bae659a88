"""What a plan says of policies and groups beside what differs: grants that end, and which lists are exact."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.baseline import DatedGrant
from reconciler.core.conditions import Expiring
from reconciler.core.diff import FieldChange
from reconciler.core.matching import Match
from reconciler.core.model import Content, Key, Record, Resource, content_of
from reconciler.core.plan import Action
from reconciler.kinds.policies import dated_grants, expiring, has_expired, may_expire, without_expired

_MEMBERS = ("spec", "members")
_MODES = {
    "authoritative": "authoritative: members that are not listed are removed",
    "additive": "additive: members that others added stay",
}


def with_expired(
    desired: Mapping[Key, Resource], live: Mapping[Key, Record], matches: Iterable[Match], owner: str, now: str
) -> Iterator[Match]:
    """The policies that are as declared, and so matched by nothing, but of which grants have ended since."""
    matched = {found.resource.key for found in matches if found.resource}
    for resource in _dated(desired, now):
        record = live.get(resource.key)
        if record is not None and record.owner == owner and resource.key not in matched:
            moment = datetime.fromisoformat(now)
            if any(has_expired(grant, moment) for grant in resource.content.value["spec"]["grants"]):
                yield Match(Action.UPDATE, resource, record)


def dated_in(desired: Mapping[Key, Resource], now: str) -> tuple[DatedGrant, ...]:
    """The grants that git declares and that end some time."""
    return tuple(grant for policy in _dated(desired, now) for grant in dated_grants(policy))


def expiring_of(grants: Iterable[DatedGrant], now: str) -> tuple[Expiring, ...]:
    """Those that end soon, the first to end first."""
    found = expiring(grants, datetime.fromisoformat(now)) if now else ()
    return tuple(sorted(found, key=lambda item: (datetime.fromisoformat(item.expires), item.policy, item.index)))


def _dated(desired: Mapping[Key, Resource], now: str) -> Iterator[Resource]:
    for key, resource in desired.items():
        if now and key.kind == "PermissionPolicy" and may_expire(resource.body):
            yield resource


def without_ended(kind: str, content: Content, now: str) -> tuple[Content, tuple[str, ...]]:
    """What a new record holds, which may be less than what is declared, and what to say of it."""
    if kind != "PermissionPolicy" or not may_expire(content.body):
        return content, ()
    value = content.value
    spec, gone = without_expired(value["spec"], now)
    if not gone:
        return content, ()
    return content_of({**value, "spec": spec}), (f"grants that have ended are left out: {_listed(gone)}",)


def notes_on(kind: str, declared: Mapping[str, Any], fields: Iterable[FieldChange], now: str) -> tuple[str, ...]:
    """What a reviewer should see beside the fields of a policy or group that changes."""
    if kind == "Group":
        members = declared["spec"].get("members", {})
        changed = any(field.path[:2] == _MEMBERS for field in fields)
        return (f"members are {_MODES[members['mode']]}",) if changed and "mode" in members else ()
    if kind != "PermissionPolicy" or not now:
        return ()
    moment = datetime.fromisoformat(now)
    ended = [grant for grant in declared["spec"].get("grants", ()) if has_expired(grant, moment)]
    held = [
        grant
        for field in fields
        if field.path == ("spec", "grants") and isinstance(field.before, list)
        for grant in field.before
    ]
    gone = [grant for grant in ended if grant in held]
    return (f"grants that have ended are revoked: {_listed(gone)}",) if gone else ()


def _listed(grants: Iterable[Mapping[str, Any]]) -> str:
    return "; ".join(f"{', '.join(grant['permissions'])} (ended {grant['expires']})" for grant in grants)
