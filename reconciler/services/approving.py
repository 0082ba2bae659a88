"""Who could approve: the groups and users that hold certain permissions."""

from collections.abc import Callable
from datetime import datetime

from reconciler.core.access import Access, Target, decide, is_super_admin
from reconciler.core.gate import SETTINGS, Approvers
from reconciler.value_class import replace

Needs = tuple[tuple[str, Target | None], ...]
"""Permissions with what they are wanted on; no target for project settings."""


class Approving:
    """Looks for those who hold permissions, by the policies of one revision.

    A group counts when whoever belongs to it, and to nothing else, holds them all, and somebody belongs to it.
    """

    def __init__(self, access: Access, now: datetime) -> None:
        """Index groups by a member that each of them alone has."""
        self._now = now
        groups = [replace(group, users=group.users | {_only(name)}) for name, group in access.groups.items()]
        self._access = Access(access.policies.values(), groups)
        self._plain = access
        self._found: dict[object, Approvers] = {}
        self._groups: dict[str, frozenset[str]] | None = None

    def of(self, needs: Needs) -> Approvers:
        """All who hold them; a group inside of another one that is named is left out."""
        key = tuple(
            (name, target and (target.area, target.name, target.categories, tuple(sorted(target.labels.items()))))
            for name, target in needs
        )
        if key not in self._found:
            self._found[key] = self._look(needs)
        return self._found[key]

    def _look(self, needs: Needs) -> Approvers:
        holds = self._holder(needs)
        members = self._members()
        able = {name for name in members if members[name] and holds(_only(name))}
        above = {name: frozenset(self._access.groups_of(_only(name))) - {name} for name in able}
        highest = {
            name for name in able if not any(other in able and name not in above[other] for other in above[name])
        }
        covered = frozenset().union(*(members[name] for name in able))
        users = sorted(user for user in self._plain.users() - covered if holds(user))
        return Approvers(tuple(sorted(highest)), tuple(users))

    def _holder(self, needs: Needs) -> Callable[[str], bool]:
        """Whether somebody holds them; asked once for all whom the same policies are for."""
        answers: dict[frozenset[str], bool] = {}

        def holds(user: str) -> bool:
            policies = frozenset(policy.name for _, policy in self._access.policies_of(user))
            if policies not in answers:
                answers[policies] = bool(policies) and all(self._allowed(user, *need) for need in needs)
            return answers[policies]

        return holds

    def _allowed(self, user: str, permission: str, target: Target | None) -> bool:
        if permission == SETTINGS or target is None:
            return is_super_admin(self._access, user)
        return decide(self._access, user, permission, target, self._now).allowed

    def _members(self) -> dict[str, frozenset[str]]:
        """Everybody in each group that a policy names, directly or through others."""
        if self._groups is None:
            named = {name for policy in self._plain.policies.values() for name in policy.groups}
            found: dict[str, set[str]] = {name: set() for name in named if name in self._plain.groups}
            for user in self._plain.users():
                for name in self._plain.groups_of(user):
                    if name in found:
                        found[name].add(user)
            self._groups = {name: frozenset(users) for name, users in found.items()}
        return self._groups


def _only(group: str) -> str:
    """A member that no user can be: no name holds this character."""
    return f"\0{group}"
