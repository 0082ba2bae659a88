"""What groups, permission policies and access tests are: canonical form, references and rules; and which grants end."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.baseline import DatedGrant
from reconciler.core.conditions import Expiring
from reconciler.core.model import Resource
from reconciler.diagnostics import Finding, Place
from reconciler.kinds.common import Defaults, Reference, canonical_lifecycle, each, exists, in_order, whole, without

_GROUP_DEFAULTS: Defaults = (("description", ""),)
_OF_MEMBERS: Defaults = (("users", []), ("groups", []))


def canonical_group(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: members sorted, defaults left out."""
    made = without(spec, _GROUP_DEFAULTS)
    members = made.get("members", {})
    listed = {key: in_order(members[key]) for key, _ in _OF_MEMBERS if key in members}
    if listed:
        made = {**made, "members": without({**members, **listed}, _OF_MEMBERS)}
    return canonical_lifecycle(made)


def references_of_group(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups that belong to it."""
    for index, name in enumerate(spec.get("members", {}).get("groups", ())):
        yield Reference("Group", name, ("spec", "members", "groups", index))


def left_out_of_group(spec: dict[str, Any]) -> tuple[str, ...]:
    """The lists of members that are not there, although others are."""
    members = spec.get("members")
    return tuple(f"members.{key}" for key in ("users", "groups") if key not in members) if members else ()


def rules_of_groups(spec: dict[str, Any], document: int) -> list[Finding]:
    """A list that is not there: to leave something out must not remove everybody."""
    members = spec.get("members")
    if members is None or "users" in members or "groups" in members:
        return []
    hint = "write `users: []` if nobody belongs to it, or leave out `members` to leave them to the live side"
    return [Finding("RC212", f"the members are {members['mode']}, but none are listed", Place(document, ("spec", "members")), hint)]  # fmt: skip


SOON = timedelta(days=14)


def may_expire(body: bytes) -> bool:
    """Whether a canonical body may be of a policy with grants that end: a test without decoding it."""
    return b'"expires":"' in body


def without_expired(spec: dict[str, Any], now: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The spec of a policy without the grants that have expired, and these; the same spec where there are none."""
    grants = spec.get("grants")
    if not now or not isinstance(grants, list):
        return spec, []
    moment = datetime.fromisoformat(now)
    gone = [grant for grant in grants if has_expired(grant, moment)]
    if not gone:
        return spec, []
    left = [grant for grant in grants if grant not in gone]
    kept = {key: value for key, value in spec.items() if key != "grants"}
    return {**kept, "grants": left} if left else kept, gone


def has_expired(grant: Any, now: datetime) -> bool:
    """Whether a grant has ended. One whose end cannot be read, as others have written it, has not."""
    end = _end(grant)
    return end is not None and now >= end


def dated_grants(policy: Resource) -> Iterator[DatedGrant]:
    """The grants of a policy that end, or have ended."""
    for index, grant in enumerate(policy.content.value["spec"].get("grants", ())):
        if _end(grant) is not None:
            yield DatedGrant(policy.key.name, policy.file, index, tuple(grant["permissions"]), grant["expires"])


def expiring(grants: Iterable[DatedGrant], now: datetime) -> Iterator[Expiring]:
    """Those that end within `SOON`."""
    for grant in grants:
        end = datetime.fromisoformat(grant.expires)
        if now < end <= now + SOON:
            yield Expiring(grant.policy, grant.file, grant.index, grant.permissions, grant.expires, (end - now).days)


def _end(grant: Any) -> datetime | None:
    expires = grant.get("expires") if isinstance(grant, dict) else None
    if not isinstance(expires, str):
        return None
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        return None
    return end if end.tzinfo else None


_NARROWING = (("connectors", "Connector"), ("categories", "Category"))
"""Keys that narrow a grant by names, and the kind that these are of."""
_POLICY_DEFAULTS: Defaults = (("description", ""), ("superAdmin", False), ("grants", []))


def canonical_policy(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: sets sorted, defaults left out."""
    made = {**spec, "subjects": in_order(spec["subjects"], key=lambda subject: sorted(subject.items()))}
    if "grants" in spec:
        made["grants"] = each(spec["grants"], _canonical_grant)
    return canonical_lifecycle(without(made, _POLICY_DEFAULTS))


def _canonical_grant(grant: dict[str, Any]) -> dict[str, Any]:
    made = {**grant, "permissions": in_order(grant["permissions"])}
    on = grant.get("on", {})
    listed = {key: in_order(on[key]) for key, _ in _NARROWING if key in on}
    return {**made, "on": {**on, **listed}} if listed else made


def references_of_policy(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups it is for, and the connectors and categories that narrow its grants."""
    for index, subject in enumerate(spec["subjects"]):
        if "group" in subject:
            yield Reference("Group", subject["group"], ("spec", "subjects", index, "group"))
    for index, grant in enumerate(spec.get("grants", ())):
        for key, kind in _NARROWING:
            for position, name in enumerate(grant.get("on", {}).get(key, ())):
                yield Reference(kind, name, ("spec", "grants", index, "on", key, position))


def left_out_of_policy(spec: dict[str, Any]) -> tuple[str, ...]:
    """The grants, where they are not there."""
    return () if "grants" in spec else ("grants",)


def rules_of_policies(spec: dict[str, Any], document: int) -> list[Finding]:
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
            place = Place(document, (*path, "permissions", position))
            if missed := _missed(permission, grant.get("on", {})):
                message = f"'{permission}' has no effect where the grant is narrowed to {missed}"
                found.append(Finding("RC309", message, place, "give it in a grant of its own"))
            elif verb != "view" and not _views(kind, grant, grants):
                message = f"'{permission}' has no effect without '{kind}:view'"
                found.append(Finding("RC604", message, place, f"add '{kind}:view'"))
    return found


def _missed(permission: str, on: dict[str, Any]) -> str:
    """What narrows a grant so that nothing is left of a permission, or "". Named connectors are there, so none is made."""
    kind, _, verb = permission.partition(":")
    if "connectors" in on and (kind != "connectors" or verb == "create"):
        return "connectors by name"
    return "categories" if "categories" in on and kind in ("groups", "policies") else ""


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
        and _may_hold(other.get("on", {}), grant.get("on", {}))
        and ("expires" not in other or other["expires"] == grant.get("expires"))
        for other in grants
    )


def _may_hold(on: dict[str, Any], narrower: dict[str, Any]) -> bool:
    """Whether a scope may be one that holds another: what a connector named is filed under is not known here."""
    return all(
        set(narrower[key]) <= set(on[key]) if key in narrower else "connectors" in narrower
        for key in ("connectors", "categories")
        if key in on
    ) and ("connectors" in narrower or on.get("labels", {}).items() <= narrower.get("labels", {}).items())


_KINDS = {"connector": "Connector", "category": "Category", "group": "Group", "policy": "PermissionPolicy"}
_AREAS = {"connector": "connectors", "category": "categories", "group": "groups", "policy": "policies"}
_FORMS = (
    ({"user", "can"}, {"on", "at"}),
    ({"user", "cannot"}, {"on", "at"}),
    ({"group", "can"}, {"on", "at"}),
    ({"group", "cannot"}, {"on", "at"}),
    ({"can", "atMost"}, {"except", "on", "at"}),
    ({"separationOfDuty"}, {"except", "on", "at"}),
)
"""Keys that an expectation has, and keys that it may have."""
_DEFAULTS: Defaults = (("description", ""),)
_HINT = "write `user` or `group` with `can` or `cannot`; or `can` with `atMost`; or `separationOfDuty`"


def canonical_access_test(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: sets sorted, defaults left out."""
    made = {**without(spec, _DEFAULTS), "expect": each(spec["expect"], _canonical_expectation)}
    return canonical_lifecycle(made)


def _canonical_expectation(expectation: dict[str, Any]) -> dict[str, Any]:
    made = {**whole(expectation, "atMost")}
    for key in ("separationOfDuty", "except"):
        if key in made:
            made[key] = in_order(made[key])
    return made


def references_of_access_test(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups and resources that expectations are about."""
    for index, expectation in enumerate(spec["expect"]):
        if "group" in expectation:
            yield Reference("Group", expectation["group"], ("spec", "expect", index, "group"))
        if "on" in expectation:
            word, _, name = expectation["on"].partition("/")
            yield Reference(_KINDS[word], name, ("spec", "expect", index, "on"))


def rules_of_access_tests(spec: dict[str, Any], document: int) -> list[Finding]:
    """Keys that do not go together, and times that do not exist."""
    found = []
    for index, expectation in enumerate(spec["expect"]):
        path = ("spec", "expect", index)
        keys = expectation.keys()
        if not any(needed <= keys <= needed | free for needed, free in _FORMS):
            message = f"these keys make no expectation: {', '.join(sorted(keys))}"
            found.append(Finding("RC707", message, Place(document, path), _HINT))
        for permission in permissions_of(expectation):
            word = expectation.get("on", "").partition("/")[0]
            if word and not permission.startswith(f"{_AREAS[word]}:"):
                message = f"{permission} is not about {expectation['on']}"
                hint = f"name a permission of {_AREAS[word]}, or leave out `on`"
                found.append(Finding("RC707", message, Place(document, (*path, "on")), hint))
        if "at" in expectation and not exists(expectation["at"]):
            found.append(Finding("RC211", "there is no such date or time", Place(document, (*path, "at"))))
    return found


def permissions_of(expectation: dict[str, Any]) -> list[str]:
    """The permissions that an expectation is about."""
    single = [expectation[key] for key in ("can", "cannot") if key in expectation]
    return [*single, *expectation.get("separationOfDuty", ())]
