"""The pull request gate: may this person make this change, judged by the policies at the base and nothing of the head."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from reconciler.core.access import Access, AccessTarget, alike
from reconciler.core.diff import Path, diff
from reconciler.core.model import Key, Resource
from reconciler.core.permit import SETTINGS, Need, Needs, Ruling, holds
from reconciler.core.verdicts import Approvers, Comparison, GateStep, Judged, Verdict
from reconciler.kinds.access import AREA_OF_KIND, make_access, target_of
from reconciler.kinds.access_tests import only_of
from reconciler.kinds.merge import is_secret_value


class Approving:
    """Looks for those who hold permissions, by the policies of one revision.

    A group counts when whoever belongs to it, and to nothing else, holds them all, and somebody belongs to it.
    """

    def __init__(self, access: Access, now: datetime) -> None:
        """Index groups by a member that each of them alone has."""
        self.now = now
        groups = [replace(group, users=group.users | {only_of(name)}) for name, group in access.groups.items()]
        self._access = Access(access.policies.values(), groups)
        self._plain = access
        self._found: dict[object, Approvers] = {}
        self._groups: dict[str, frozenset[str]] | None = None
        grants = [grant for policy in access.policies.values() for grant in policy.grants]
        self._named = frozenset().union(*(grant.connectors for grant in grants if grant.connectors is not None))

    def of(self, needs: Needs) -> Approvers:
        """All who hold them; a group inside of another one that is named is left out."""
        key = tuple((need.permission, need.target and self._alike(need.target)) for need in needs)
        if key not in self._found:
            self._found[key] = self._look(needs)
        return self._found[key]

    def _alike(self, target: AccessTarget) -> tuple[object, ...]:
        """What decides: one look serves all that is filed and labelled alike, and that no grant names."""
        name = target.name if target.name in self._named else ""
        return name, target.categories, tuple(sorted(target.labels.items()))

    def _look(self, needs: Needs) -> Approvers:
        able_to = self._holder(needs)
        members = self._members()
        able = {name for name in members if members[name] and able_to(only_of(name))}
        above = {name: frozenset(self._access.groups_of(only_of(name))) - {name} for name in able}
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


Resources = Mapping[Key, Resource]


Found = tuple[Judged, Needs]
"""A change that is not judged yet, and what it takes."""


def access_of(resources: Resources) -> Access:
    """The access that the groups and policies among some resources give."""
    kinds = ("Group", "PermissionPolicy")
    return make_access((key, resource.content.value) for key, resource in resources.items() if key.kind in kinds)


def changes_of(comparison: Comparison, ruling: Ruling) -> Iterator[Found]:
    """All changes. The same content in another file is none."""
    for file, why in comparison.settings.items():
        yield Judged(GateStep.SETTINGS, None, None, file, why=why), (Need(SETTINGS, "becomes", None),)
    for step, old, new in _steps(comparison):
        yield _unjudged(step, old, new), ruling.needs(_target(old), _target(new))
    for key, file, resource in _leaning(comparison):
        why = f"{'its contract is' if file == resource.contract else 'a secret of it comes from'} {file}"
        target = _target(resource)
        yield Judged(GateStep.UPDATE, key, None, resource.file, why=why), ruling.needs(target, target)


def _unjudged(step: GateStep, old: Resource | None, new: Resource | None) -> Judged:
    """A change that is not judged yet."""
    there = new or old
    assert there is not None
    was = old.key if old is not None and old.key != there.key else None
    return Judged(step, there.key, was, there.file, _fields(old, new) if old and new else ())


def _steps(comparison: Comparison) -> Iterator[tuple[GateStep, Resource | None, Resource | None]]:
    """What becomes of what: a resource before, and after."""
    before, after = comparison.before.changed, comparison.after.changed
    renamed = {old: new for new, old in _renames(before, after)}
    made = set(renamed.values())
    for key, resource in after.items():
        old = before.get(key)
        if old is None and key not in made:
            yield GateStep.CREATE, None, resource
        elif old is not None and _differ(old, resource):
            yield GateStep.UPDATE, old, resource
    for key, resource in before.items():
        if key in renamed:
            yield GateStep.RENAME, resource, after[renamed[key]]
        elif key not in after:
            yield GateStep.DELETE, resource, None


def _renames(before: Resources, after: Resources) -> Iterator[tuple[Key, Key]]:
    """Pairs of the new key and the old one, as the plan pairs them."""
    taken: set[Key] = set()
    for key, resource in after.items():
        if key in before:
            continue
        for name in resource.previously:
            old = Key(key.kind, name)
            if old in before and old not in after and old not in taken:
                taken.add(old)
                yield key, old
                break


def _differ(old: Resource, new: Resource) -> bool:
    return old.fingerprint != new.fingerprint or old.previously != new.previously or old.unprotects != new.unprotects


def _fields(old: Resource, new: Resource) -> tuple[Path, ...]:
    found = tuple(path for path, _, _ in diff(old.content.value, new.content.value, is_secret_value))
    if not found and old.unprotects != new.unprotects:
        found = (("spec", "lifecycle", "protect"),)
    return found if old.previously == new.previously else (("metadata", "previously"), *found)


def _leaning(comparison: Comparison) -> Iterator[tuple[Key, str, Resource]]:
    """Connectors that stay as they are, but of which a secret or the contract changes that lies in the repository."""
    for key, (file, resource) in comparison.leaned_on.items():
        before, after = comparison.before.changed.get(key), comparison.after.changed.get(key)
        if (before is None) == (after is None) and not (before and after and _differ(before, after)):
            yield key, file, resource  # else it is a change anyway


def _target(resource: Resource | None) -> AccessTarget | None:
    if resource is None:
        return None
    if resource.key.kind not in AREA_OF_KIND:  # of a kind that no permission is about: it is judged as policies are
        return AccessTarget("policies")
    return target_of(resource.key, resource.content.value)


def has_super_admin(access: Access) -> bool:
    """Whether a policy makes super admins.

    A policy for an empty group counts: emptying it must not open the gate to everybody.
    """
    return any(policy.super_admin for policy in access.policies.values())


def judge(comparison: Comparison, actor: str, approvals: Sequence[str], moment: str) -> Verdict:
    """May `actor` take the base to the head?

    Args:
        comparison: without faults.
        approvals: who else stands for the change: what is refused to the actor passes when one of these holds
            all that it takes.
        moment: when, RFC 3339.
    """
    access = access_of(comparison.before.policies)
    bootstrap = not has_super_admin(access)
    ruling = Ruling(access, access_of(comparison.after.policies))
    changes = list(changes_of(comparison, ruling))
    if bootstrap:
        judged = [change for change, _ in changes]
    else:
        judged = _judged(changes, ruling, Approving(access, datetime.fromisoformat(moment)), actor, approvals)
    known = actor in access.users()
    return Verdict(
        actor=actor,
        base=comparison.base,
        head=comparison.head,
        merged=comparison.merged,
        bootstrap=bootstrap,
        known=known,
        alike="" if known else alike(actor, access.users()),
        moment=moment,
        changes=tuple(sorted(judged, key=_order)),
        approvals=tuple(approvals),
    )


def _order(change: Judged) -> tuple[bool, Key, str]:
    return change.key is not None, change.key or Key("", ""), change.file


def _judged(
    changes: Sequence[Found], ruling: Ruling, approving: Approving, actor: str, approvals: Sequence[str]
) -> list[Judged]:
    judged = []
    for change, needs in changes:
        permit = ruling.judge(actor, approvals, needs, approving.now)
        found = replace(change, permit=permit)
        judged.append(found if permit.granted else replace(found, approvers=approving.of(needs)))
    return judged
