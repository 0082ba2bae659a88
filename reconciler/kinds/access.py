"""From the bodies of groups, policies and other records to what decisions are made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.access import Access, Grant, Membership, Policy, Target
from reconciler.core.model import Key

AREA_OF_KIND = {"Connector": "connectors", "Category": "categories", "Group": "groups", "PermissionPolicy": "policies"}


def make_access(bodies: Iterable[tuple[Key, Mapping[str, Any]]]) -> Access:
    """The access that some records give.

    Args:
        bodies: kind and name with the canonical body, {"metadata": ..., "spec": ...}; other kinds are left out.
            A body that is no body, because somebody wrote it around the tool, gives nothing.
    """
    policies: list[Policy] = []
    groups: list[Membership] = []
    for key, body in bodies:
        try:
            if key.kind == "Group":
                groups.append(_membership(key.name, body["spec"]))
            elif key.kind == "PermissionPolicy":
                policies.append(_policy(key.name, body["spec"]))
        except (KeyError, TypeError, AttributeError, ValueError):
            continue
    return Access(policies, groups)


def target_of(key: Key, body: Mapping[str, Any]) -> Target:
    """A record as something to be decided about."""
    labels = body.get("metadata", {}).get("labels", {})
    if key.kind == "Connector":
        categories = frozenset(body["spec"].get("categories", ()))
    else:
        categories = frozenset((key.name,)) if key.kind == "Category" else frozenset()
    return Target(AREA_OF_KIND[key.kind], key.name, categories, dict(labels))


def _membership(name: str, spec: Mapping[str, Any]) -> Membership:
    members = spec.get("members", {})
    return Membership(name, frozenset(members.get("users", ())), frozenset(members.get("groups", ())))


def _policy(name: str, spec: Mapping[str, Any]) -> Policy:
    subjects = spec["subjects"]
    return Policy(
        name,
        frozenset(subject["user"] for subject in subjects if "user" in subject),
        frozenset(subject["group"] for subject in subjects if "group" in subject),
        spec.get("superAdmin") is True,
        tuple(_grant(index, grant) for index, grant in enumerate(spec.get("grants", ()))),
    )


def _grant(index: int, grant: Mapping[str, Any]) -> Grant:
    on = grant.get("on", {})
    categories = on.get("categories")
    expires = grant.get("expires")
    return Grant(
        index,
        frozenset(grant["permissions"]),
        frozenset(categories) if categories is not None else None,
        dict(on.get("labels", {})),
        datetime.fromisoformat(expires) if expires else None,
    )
