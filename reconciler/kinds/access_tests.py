"""Access tests, judged by the policies and groups beside them, and which grants none explains."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.access import Access, AccessTarget, Route, Where, alike, decide, reason, scope
from reconciler.core.access_diff import SUPER_ADMIN, entitlements
from reconciler.core.model import Coverage, Key, Resource
from reconciler.diagnostics import Path
from reconciler.kinds.access import make_access, target_of
from reconciler.kinds.crosscheck import Clash
from reconciler.kinds.registry import WORDS

_SHOWN = 5
"""How many people one expectation names; there may be thousands."""
_NEAR = 0.9
"""How much alike two names are of which one may be meant for the other, as difflib measures it."""

Ground = tuple[str, int | None, str]
"""What access rests on: policy, index of the grant and permission; (policy, None, "") makes super admins."""


class Tested(Struct, frozen=True):
    """What access tests found.

    Attributes:
        clashes: expectations that do not hold, and those about people whom nobody knows.
        grounds: what the expectations rest on that say what somebody can do.
    """

    clashes: tuple[Clash, ...]
    grounds: frozenset[Ground]


def run_access_tests(resources: Mapping[Key, Resource], now: str, where: Where) -> Tested:
    """Judge every expectation of every access test.

    Args:
        resources: the whole of a desired state, which is valid.
        now: the time for expectations that name none, RFC 3339.
        where: the lines of grants, for messages.
    """
    bench = _Bench(resources, where)
    clashes = []
    for key in sorted(resources):
        if key.kind != "AccessTest":
            continue
        for index, expectation in enumerate(resources[key].content.value["spec"]["expect"]):
            for fault in bench.judge(expectation, datetime.fromisoformat(expectation.get("at", now))):
                path = ("spec", "expect", index, fault.key)
                clashes.append(Clash(resources[key], fault.code, fault.message, "path", hint=fault.hint, path=path))
    return Tested(tuple(clashes), frozenset(bench.grounds))


class _Fault(NamedTuple):
    """What is wrong with an expectation, at one of its keys."""

    code: str
    key: str
    message: str
    hint: str = ""


class _Bench:
    """Judges expectations, and collects what those rest on that say what somebody can do."""

    def __init__(self, resources: Mapping[Key, Resource], where: Where) -> None:
        self._resources = resources
        self._where = where
        bodies = [
            (key, item.content.value) for key, item in resources.items() if key.kind in ("Group", "PermissionPolicy")
        ]
        plain = make_access(bodies)
        self._people = sorted(plain.users())
        groups = [replace(group, users=group.users | {only_of(name)}) for name, group in plain.groups.items()]
        self._access = Access(plain.policies.values(), groups)  # each group has a member that belongs to it alone
        self._known: dict[tuple[object, ...], bool] = {}
        self.grounds: set[Ground] = set()

    def judge(self, expectation: dict[str, Any], moment: datetime) -> Iterator[_Fault]:
        """The faults of one expectation at a time."""
        on = expectation.get("on", "")
        if "atMost" in expectation:
            yield from self._at_most(expectation, on, moment)
        elif "separationOfDuty" in expectation:
            yield from self._separation(expectation, on, moment)
        elif "can" in expectation:
            yield from self._can(expectation, on, moment)
        else:
            yield from self._cannot(expectation, on, moment)
            if "user" in expectation:
                yield from self._strangers("user", [expectation["user"]])
        yield from self._strangers("except", expectation.get("except", ()))

    def _can(self, expectation: dict[str, Any], on: str, moment: datetime) -> Iterator[_Fault]:
        permission, (who, said) = expectation["can"], _subject(expectation)
        view = f"{permission.partition(':')[0]}:view"
        decision = decide(self._access, who, permission, self._target(permission, on), moment)
        for route, name in ((decision.route, permission), (decision.view, view)):
            if decision.allowed and route is not None:
                self.grounds.add((route.policy, route.grant.index, name) if route.grant else (route.policy, None, ""))
        if not decision.allowed:
            near = f": {self._because(said, decision.route)}" if decision.route else ""
            wanted = f"{permission} on {on or 'all ' + permission.partition(':')[0]}"
            meant = self._meant(who) if "user" in expectation else ""
            hint = f"did you mean '{meant}'?" if meant else "grant it, or correct the expectation"
            yield _Fault("RC701", "can", f"{said} does not have {wanted}: {decision.refusal}{near}", hint)

    def _cannot(self, expectation: dict[str, Any], on: str, moment: datetime) -> Iterator[_Fault]:
        permission, (who, said) = expectation["cannot"], _subject(expectation)
        found = self._route(who, permission, on, moment)
        others: list[str] = []
        if found is None:  # no member has it by the group; one may have it otherwise
            members = self._members.get(expectation.get("group", ""), ())
            others = [user for user in members if self._has(user, permission, on, moment)]
            if others:
                said, found = others[0], self._route(others[0], permission, on, moment)
        if found is not None:
            message = f"{said} has {permission}{_about(on)}: {self._because(said, found)}"
            if others[1:]:
                message += f"; so {'has' if len(others) == 2 else 'have'} {_names(others[1:])}"
            yield _Fault("RC702", "cannot", message, "take the grant back, or correct the expectation")

    def _at_most(self, expectation: dict[str, Any], on: str, moment: datetime) -> Iterator[_Fault]:
        permission, most = expectation["can"], expectation["atMost"]
        having = [user for user in self._counted(expectation) if self._has(user, permission, on, moment)]
        if len(having) > most:
            counted = "1 person has" if len(having) == 1 else f"{len(having):,} people have"
            message = f"{counted} {permission}{_about(on)}, and at most {most:,} may: {_names(having)}"
            hint = f"`reconciler who-can {permission}{f' {on}' if on else ''}` says why"
            yield _Fault("RC703", "atMost", message, hint)

    def _separation(self, expectation: dict[str, Any], on: str, moment: datetime) -> Iterator[_Fault]:
        having: dict[str, list[str]] = {}
        for user in self._counted(expectation):
            held = [name for name in expectation["separationOfDuty"] if self._has(user, name, on, moment)]
            if len(held) > 1:
                having[user] = held
        named = list(having)
        for user in named[:_SHOWN]:
            routes = [(name, self._route(user, name, on, moment)) for name in having[user]]
            told = dict.fromkeys(self._because(user, route) for _, route in routes)
            message = f"{user} has {' and '.join(having[user])}{_about(on)}: {'; '.join(told)}"
            yield _Fault("RC704", "separationOfDuty", message, "take one of them back, or list the user under `except`")
        if len(named) > _SHOWN:
            rest = named[_SHOWN:]
            message = f"{len(rest):,} more hold two of these permissions{_about(on)}: {_names(rest)}"
            yield _Fault("RC704", "separationOfDuty", message)

    def _strangers(self, key: str, names: Iterable[str]) -> Iterator[_Fault]:
        for name in names:
            meant = self._meant(name)
            if meant:
                yield _Fault("RC705", key, f"no policy and no group names '{name}'", f"did you mean '{meant}'?")

    def _meant(self, name: str) -> str:
        """Whom a name that nobody knows may be meant for, or ""."""
        if name in self._people:
            return ""
        return alike(name, self._people) or next(iter(get_close_matches(name, self._people, n=1, cutoff=_NEAR)), "")

    def _counted(self, expectation: dict[str, Any]) -> list[str]:
        spared = frozenset(expectation.get("except", ()))
        return [user for user in self._people if user not in spared]

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        """Who belongs to each group, directly or through others."""
        found: dict[str, list[str]] = {}
        for user in self._people:
            for group in self._access.groups_of(user):
                found.setdefault(group, []).append(user)
        return found

    def _has(self, user: str, permission: str, on: str, moment: datetime) -> bool:
        """Asked once for all whom the same policies are for: there may be thousands."""
        key = (frozenset(policy.name for _, policy in self._access.policies_of(user)), permission, on, moment)
        if key not in self._known:
            self._known[key] = self._route(user, permission, on, moment) is not None
        return self._known[key]

    def _route(self, user: str, permission: str, on: str, moment: datetime) -> Route | None:
        """How somebody comes to a permission on `on`, or on anything at all."""
        if on:
            decision = decide(self._access, user, permission, self._target(permission, on), moment)
            return decision.route if decision.allowed else None
        held = entitlements(self._access.policies_of(user), moment)
        found = held.get(SUPER_ADMIN) or held.get(permission)
        return found[0].route if found else None

    def _target(self, permission: str, on: str) -> AccessTarget:
        if not on:
            return AccessTarget(permission.partition(":")[0])
        word, _, name = on.partition("/")
        key = Key(WORDS[word], name)
        return target_of(key, self._resources[key].content.value)

    def _because(self, said: str, route: Route | None) -> str:
        if route is None:
            return ""
        narrowed = scope(route.grant)
        return reason(said, route, self._where) + (f" ({narrowed})" if narrowed else "")


def only_of(group: str) -> str:
    """The name of a member that only this group has; no user is called so."""
    return f"\0{group}"


def _subject(expectation: dict[str, Any]) -> tuple[str, str]:
    """Whom `can` or `cannot` is about, and how to say it."""
    if "group" in expectation:
        return only_of(expectation["group"]), f"a member of {expectation['group']}"
    return expectation["user"], expectation["user"]


def _about(on: str) -> str:
    return f" on {on}" if on else ""


def _names(users: Sequence[str]) -> str:
    """The first of them by name; 5 of 5, but 4 of more."""
    if len(users) <= _SHOWN:
        return " and ".join([", ".join(users[:-1]), users[-1]]) if len(users) > 1 else users[0]
    return f"{', '.join(users[: _SHOWN - 1])} and {len(users) - _SHOWN + 1:,} more"


_HINT = "add an expectation with `can` that fails without it, or remove what nobody needs"


def coverage(resources: Mapping[Key, Resource], grounds: frozenset[Ground]) -> tuple[Coverage, list[Clash]]:
    """Count, and point at what is not explained.

    Args:
        grounds: what expectations rest on.
    """
    grants = explained = 0
    clashes = []
    for key in sorted(resources):
        if key.kind != "PermissionPolicy":
            continue
        spec = resources[key].content.value["spec"]
        if spec.get("superAdmin"):  # it gives everything, so its grants give nothing more
            held: list[tuple[list[str], int | None, Path]] = [([""], None, ("spec", "superAdmin"))]
        else:
            held = [(grant["permissions"], index, ("spec", "grants", index)) for index, grant in enumerate(spec.get("grants", ()))]  # fmt: skip
        for permissions, index, path in held:
            missing = [name for name in permissions if (key.name, index, name) not in grounds]
            grants += 1
            explained += not missing
            if missing:
                what = "this grant" if len(missing) == len(permissions) else ", ".join(missing)
                message = "no access test explains " + ("these super admins" if index is None else what)
                clashes.append(Clash(resources[key], "RC706", message, "path", hint=_HINT, path=path))
    return Coverage(grants, explained), clashes
