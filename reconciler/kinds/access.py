"""From the bodies of groups, policies and other records to what decisions are made of."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.access import Access, AccessTarget, Grant, Membership, Policy
from reconciler.core.model import Key

AREA_OF_KIND = {
    "Connector": "connectors",
    "Category": "categories",
    "Group": "groups",
    "PermissionPolicy": "policies",
    "AccessTest": "policies",  # it says what policies have to do
}


def make_access(bodies: Iterable[tuple[Key, Mapping[str, Any]]]) -> Access:
    """The access that some records give.

    Args:
        bodies: kind and name with the canonical body, {"metadata": ..., "spec": ...}; other kinds are left out.
            A body that is no body, because somebody wrote it outside of a run, gives nothing.
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


def makes_super_admins(body: Any) -> bool | None:
    """Whether the body of a policy makes super admins; None when that cannot be told, as it is no body."""
    spec = body.get("spec") if isinstance(body, dict) else None
    if not isinstance(spec, dict) or not isinstance(spec.get("superAdmin", False), bool):
        return None
    return spec.get("superAdmin") is True


def live_target(key: Key, body: Any) -> AccessTarget:
    """`target_of` of a live record, which others may have written: what cannot be read it does not have."""
    try:
        target = target_of(key, body)
        hash(tuple(target.labels.items()))
    except (KeyError, TypeError, AttributeError, ValueError):
        return AccessTarget(AREA_OF_KIND[key.kind], key.name)
    return target


def target_of(key: Key, body: Mapping[str, Any]) -> AccessTarget:
    """A record as something to be decided about."""
    labels = body.get("metadata", {}).get("labels", {})
    if key.kind == "Connector":
        categories = _texts(body["spec"].get("categories", ()))
    else:
        categories = frozenset((key.name,)) if key.kind == "Category" else frozenset()
    return AccessTarget(AREA_OF_KIND[key.kind], key.name, categories, dict(labels))


def _membership(name: str, spec: Mapping[str, Any]) -> Membership:
    members = spec.get("members", {})
    return Membership(name, _texts(members.get("users", ())), _texts(members.get("groups", ())))


def _policy(name: str, spec: Mapping[str, Any]) -> Policy:
    subjects = spec["subjects"]
    return Policy(
        name,
        _texts([subject["user"] for subject in subjects if "user" in subject]),
        _texts([subject["group"] for subject in subjects if "group" in subject]),
        spec.get("superAdmin") is True,
        tuple(_grants(spec.get("grants", ()))),
    )


def _grants(listed: Any) -> Iterator[Grant]:
    """The grants that are grants; another one gives nothing, lest it gives more than somebody meant."""
    for index, grant in enumerate(listed if isinstance(listed, list) else ()):
        try:
            yield _grant(index, grant)
        except (KeyError, TypeError, AttributeError, ValueError):
            continue


def _grant(index: int, grant: Mapping[str, Any]) -> Grant:
    on = grant.get("on", {})
    if grant.keys() - _GRANT or on.keys() - _ON or ("on" in grant and not on):
        raise ValueError  # what is misspelt may have been meant to narrow it
    expires = datetime.fromisoformat(grant["expires"]) if "expires" in grant else None
    if expires is not None and expires.tzinfo is None:
        raise ValueError
    return Grant(
        index,
        _texts(grant["permissions"]),
        _texts(on["categories"]) if "categories" in on else None,
        dict(on.get("labels", {})),
        expires,
        _texts(on["connectors"]) if "connectors" in on else None,
    )


_GRANT = frozenset(("permissions", "on", "expires"))
_ON = frozenset(("connectors", "categories", "labels"))


def _texts(listed: Any) -> frozenset[str]:
    """A list of texts as a set; a text is no list of texts.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(listed, list | tuple) or not all(isinstance(item, str) for item in listed):
        raise TypeError
    return frozenset(listed)
