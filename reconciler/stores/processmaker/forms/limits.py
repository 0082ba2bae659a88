"""What an instance cannot hold of definitions, each with what to do instead."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.core.model import Key
from reconciler.diagnostics import Finding, Path, Place
from reconciler.kinds.registry import address
from reconciler.stores.processmaker.facts import Facts
from reconciler.stores.processmaker.forms.connector_limits import of_connector
from reconciler.stores.processmaker.forms.names import compared, markup_in, signs_not_of_names
from reconciler.stores.processmaker.wire.options import Options

Body = Mapping[str, Any]


def objections(declared: Mapping[Key, Body], options: Options, facts: Facts) -> Iterator[tuple[Key, Finding]]:
    """Why bodies cannot be held as they are; see `core.ports.live.Limits`."""
    for key, body in declared.items():
        judge = _KINDS.get(key.kind)
        if judge is not None:
            yield from ((key, finding) for finding in judge(body["spec"], options, facts))
    yield from _same_names(declared)


UNSEEN_ACCESS = (
    "ProcessMaker gives rights that no policy shows: those that a user has without a group, of super admins that were made"
    " there by hand, and all permissions but those to view, create, edit and delete connectors, categories and groups"
)
"""What answers by live policies do not see."""


def ends_by_apply(bodies: Iterable[Body]) -> tuple[str, ...]:
    """That grants which are written end by an apply alone; nothing where none ends.

    Args:
        bodies: of policies, and of others.
    """
    ends = sorted(grant["expires"] for body in bodies for grant in body["spec"].get("grants", ()) if "expires" in grant)
    if not ends:
        return ()
    those = "a grant ends" if len(ends) == 1 else f"{len(ends):,} grants end"
    first = f"on {ends[0]}" if len(ends) == 1 else f"the first on {ends[0]}"
    return (
        f"{those} by an apply alone, {first}: ProcessMaker keeps the permissions until somebody runs one after that",
    )


def _name(spec: Body) -> Iterator[Finding]:
    signs = signs_not_of_names(spec["displayName"])
    if signs:
        shown = " ".join(signs[:_FEW])
        message = f"the display name holds {shown}, which ProcessMaker refuses in names"
        hint = "use letters and digits of any script, blanks and - _ . '"
        yield Finding("RC901", message, Place(0, ("spec", "displayName")), hint)


def _description(spec: Body, facts: Facts) -> Iterator[Finding]:
    part = markup_in(spec.get("description", ""), facts.profile)
    if part is not None:
        message = "ProcessMaker takes this for markup or a placeholder, and drops it from the description"
        hint = "put it in other words, or put a blank behind the sign"
        yield Finding("RC902", message, Place(0, ("spec", "description"), part=part), hint)


def _of_category(spec: Body, options: Options, facts: Facts) -> Iterator[Finding]:
    yield from _name(spec)
    if spec.get("description"):
        message = "a category has no description in ProcessMaker"
        yield Finding("RC903", message, Place(0, ("spec", "description")), "write it as a comment, or as a label")


def _of_connector(spec: Body, options: Options, facts: Facts) -> Iterator[Finding]:
    yield from _name(spec)
    yield from _description(spec, facts)
    yield from of_connector(spec, options)
    if facts.profile == _EARLY:
        yield from _without_patience(spec.get("endpoints", {}))


def _without_patience(endpoints: Body) -> Iterator[Finding]:
    """Versions before 2023 keep how long to wait and how often to try, and do neither."""
    for purpose, endpoint in endpoints.items():
        for key in ("timeoutSeconds", "retry"):
            if endpoint.get(key):
                message = f"this version of ProcessMaker keeps `{key}` and does not go by it"
                place = Place(0, ("spec", "endpoints", purpose, key), at_key=True)
                yield Finding("RC915", message, place, "leave it out until the instance is upgraded")


_USER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$*+=^_`|~-@")


def _of_group(spec: Body, options: Options, facts: Facts) -> Iterator[Finding]:
    yield from _name(spec)
    yield from _description(spec, facts)
    if facts.profile == _EARLY and spec.get("members", {}).get("groups"):
        message = "members of a group in a group get no rights from it in this version of ProcessMaker"
        hint = "name them as users of this group"
        yield Finding("RC915", message, Place(0, ("spec", "members", "groups"), at_key=True), hint)
    first: dict[str, str] = {}
    for index, user in enumerate(spec.get("members", {}).get("users", ())):
        place = Place(0, ("spec", "members", "users", index))
        if len(user) < 2 or not _USER.issuperset(user):
            hint = "a user name there has 2 to 255 letters, digits and . ! # $ * + = ^ _ ` | ~ - @"
            yield Finding("RC904", f"no user of ProcessMaker can be called '{user}'", place, hint)
        elif (other := first.setdefault(user.lower(), user)) != user:
            message = f"'{user}' is the user '{other}': ProcessMaker does not tell them apart"
            yield Finding("RC904", message, place, "name the user once")


def _of_policy(spec: Body, options: Options, facts: Facts) -> Iterator[Finding]:
    grants = spec.get("grants", [])
    for index, subject in enumerate(spec["subjects"] if grants else ()):
        if "user" in subject:
            message = "the permissions of a single user cannot be read from ProcessMaker, and a write would replace all that the user has"  # fmt: skip
            hint = "grant them to a group that the user belongs to"
            yield Finding("RC911", message, Place(0, ("spec", "subjects", index, "user")), hint)
    for index, grant in enumerate(grants):
        path = ("spec", "grants", index)
        if "on" in grant:
            message = "a permission in ProcessMaker is for all connectors and categories, and cannot be narrowed"
            yield Finding("RC911", message, Place(0, (*path, "on")), "grant it for all, or not at all")
        if "expires" in grant and options.expiry != "byApply":
            message = "nothing in ProcessMaker ends a permission: it would stay until the next apply"
            hint = "leave `expires` out; or run applies on a schedule, and say so by  processmaker: {expiry: byApply}  in the target"  # fmt: skip
            yield Finding("RC912", message, Place(0, (*path, "expires")), hint)
        for position, permission in enumerate(grant["permissions"]):
            yield from _permission(permission, (*path, "permissions", position), facts)


def _permission(permission: str, path: Path, facts: Facts) -> Iterator[Finding]:
    if permission == "connectors:call":
        message = "ProcessMaker has no permission to call connectors: whoever runs a process may"
        yield Finding("RC911", message, Place(0, path), "leave it out")
    elif permission.startswith("policies:"):
        message = f"what '{permission}' says is the right to edit users in ProcessMaker, as good as a super admin's"
        yield Finding("RC911", message, Place(0, path), "leave it out; give that right by hand, to very few")
    elif facts.is_known and permission not in facts.permissions:
        message = f"this instance has no permission that means '{permission}'"
        hint = "leave it out; after an upgrade of ProcessMaker run: reconciler store check"
        yield Finding("RC913", message, Place(0, path), hint)


def _same_names(declared: Mapping[Key, Body]) -> Iterator[tuple[Key, Finding]]:
    """Display names that differ for us (RC303), and not for the server."""
    first: dict[tuple[str, str], Key] = {}
    for key, body in declared.items():
        name = body["spec"].get("displayName") if key.kind in _KINDS else None
        if name is None:
            continue
        other = first.setdefault((key.kind, compared(name)), key)
        if other != key:
            message = f"ProcessMaker takes the display name for that of {address(*other)}"
            hint = "choose one that differs by more than case, accents, and letters such as æ for ae"
            yield key, Finding("RC905", message, Place(0, ("spec", "displayName")), hint)


_FEW = 10
_EARLY = "2020"
"""What facts call versions that do without much of today's."""
_KINDS: dict[str, Callable[[Body, Options, Facts], Iterable[Finding]]] = {
    "Category": _of_category,
    "Connector": _of_connector,
    "Group": _of_group,
    "PermissionPolicy": _of_policy,
}
