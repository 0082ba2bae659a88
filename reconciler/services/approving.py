"""Who could approve: the groups and users that hold certain permissions."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from reconciler.core.access import Access
from reconciler.core.permit import Needs, holds
from reconciler.core.verdicts import Approvers


class Approving:
    """Looks for those who hold permissions, by the policies of one revision.

    A group counts when whoever belongs to it, and to nothing else, holds them all, and somebody belongs to it.
    """

    def __init__(self, access: Access, now: datetime) -> None:
        """Index groups by a member that each of them alone has."""
        self.now = now
        groups = [replace(group, users=group.users | {_only(name)}) for name, group in access.groups.items()]
        self._access = Access(access.policies.values(), groups)
        self._plain = access
        self._found: dict[object, Approvers] = {}
        self._groups: dict[str, frozenset[str]] | None = None

    def of(self, needs: Needs) -> Approvers:
        """All who hold them; a group inside of another one that is named is left out."""
        # names decide nothing, so that one look serves all that is filed and labelled alike
        key = tuple(
            (need.permission, need.target and (need.target.categories, tuple(sorted(need.target.labels.items()))))
            for need in needs
        )
        if key not in self._found:
            self._found[key] = self._look(needs)
        return self._found[key]

    def _look(self, needs: Needs) -> Approvers:
        able_to = self._holder(needs)
        members = self._members()
        able = {name for name in members if members[name] and able_to(_only(name))}
        above = {name: frozenset(self._access.groups_of(_only(name))) - {name} for name in able}
        highest = {
            name for name in able if not any(other in able and name not in above[other] for other in above[name])
        }
        covered = frozenset().union(*(members[name] for name in able))
        users = sorted(user for user in self._plain.users() - covered if able_to(user))
        return Approvers(tuple(sorted(highest)), tuple(users))

    def _holder(self, needs: Needs) -> Callable[[str], bool]:
        """Whether somebody holds them; asked once for all whom the same policies are for."""
        answers: dict[frozenset[str], bool] = {}

        def able(user: str) -> bool:
            policies = frozenset(policy.name for _, policy in self._access.policies_of(user))
            if policies not in answers:
                answers[policies] = bool(policies) and holds(self._access, user, needs, self.now)
            return answers[policies]

        return able

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
