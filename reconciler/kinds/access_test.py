"""What an access test is."""

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Finding, Place
from reconciler.kinds.common import Defaults, Reference, canonical_lifecycle, each, exists, in_order, whole, without

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


def canonical(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: sets sorted, defaults left out."""
    made = {**without(spec, _DEFAULTS), "expect": each(spec["expect"], _canonical_expectation)}
    return canonical_lifecycle(made)


def _canonical_expectation(expectation: dict[str, Any]) -> dict[str, Any]:
    made = {**whole(expectation, "atMost")}
    for key in ("separationOfDuty", "except"):
        if key in made:
            made[key] = in_order(made[key])
    return made


def references(spec: dict[str, Any]) -> Iterator[Reference]:
    """The groups and resources that expectations are about."""
    for index, expectation in enumerate(spec["expect"]):
        if "group" in expectation:
            yield Reference("Group", expectation["group"], ("spec", "expect", index, "group"))
        if "on" in expectation:
            word, _, name = expectation["on"].partition("/")
            yield Reference(_KINDS[word], name, ("spec", "expect", index, "on"))


def rules(spec: dict[str, Any], document: int) -> list[Finding]:
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
