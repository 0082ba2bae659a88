"""Who may change what in a store that has a super admin, judged by the policies that are live before the change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from reconciler.core.access import Access, AccessTarget, alike, is_super_admin, odd_characters
from reconciler.core.conditions import Basis
from reconciler.core.model import Bodies, Key, LiveConnector, Record
from reconciler.core.permit import Need, Needs, Ruling, Wanted
from reconciler.core.plan import Change, Problem
from reconciler.core.ports.store import Store
from reconciler.errors import ExitCode, NotPermitted
from reconciler.kinds.access import AREA_OF_KIND, live_target, make_access, makes_super_admins
from reconciler.kinds.registry import address
from reconciler.services.gate import Approving

POLICY, GROUP = "PermissionPolicy", "Group"
NAME_YOURSELF = "say who makes the change: --as ACTOR, RECONCILER_AS, or the pipeline's own variable"


class AccessStanding(Struct, frozen=True):
    """The policies and groups that are live.

    Attributes:
        enforced: whether a policy makes super admins, or may have before somebody else wrote over it.
        makers: the policies that do.
        groups: whether the groups were read too.
    """

    access: Access
    enforced: bool
    makers: frozenset[Key]
    records: tuple[Record, ...]
    groups: bool

    @property
    def ruling(self) -> Ruling:
        """What is to be judged by it that changes no policy and no group."""
        return self.ruling_to(self.access)

    def ruling_to(self, after: Access) -> Ruling:
        """What changes are judged by that lead to `after`."""
        return Ruling(self.access, after, ((AREA_OF_KIND[key.kind], key.name) for key in self.makers))


def standing(live: Mapping[Key, Record], store: Store, *, groups: bool = False) -> AccessStanding:
    """Read them. Without a super admin the groups are read only if `groups` says so.

    A policy that makes super admins counts even when nobody belongs to its groups: emptying a group must not open
    the store to everybody.
    """
    found = [record for key, record in live.items() if key.kind == POLICY]
    bodies = store.bodies(record.uid for record in found)
    makers = frozenset(record.key for record in found if _makes(bodies.get(record.uid)))
    wanted = groups or bool(makers)
    if wanted:
        members = [record for key, record in live.items() if key.kind == GROUP]
        bodies |= store.bodies(record.uid for record in members)
        found += members
    access = make_access((record.key, bodies[record.uid].live) for record in found if record.uid in bodies)
    return AccessStanding(access, bool(makers), makers, tuple(found), wanted)


def _makes(bodies: Bodies | None) -> bool:
    """Whether a policy makes super admins; one that others have made unreadable does what it did before, or may."""
    live = makes_super_admins(bodies.live) if bodies else None
    if live is None and bodies is not None and bodies.applied is not None:
        live = makes_super_admins(bodies.applied)
    return live is not False


def basis_of(found: AccessStanding, actor: str, now: datetime, approvals: tuple[str, ...] = ()) -> Basis:
    """What the apply checks again in its transaction."""
    kinds = (POLICY, GROUP) if found.groups else (POLICY,)
    records = frozenset((record.key, record.uid, record.version) for record in found.records)
    ends = [
        grant.expires
        for policy in found.access.policies.values()
        for grant in policy.grants
        if found.enforced and grant.expires is not None and grant.expires > now
    ]
    return Basis(found.enforced, actor, kinds, records, min(ends).isoformat() if ends else "", approvals)


def super_admins_only(store: Store, named: str, now: str, *, who: str, may: str) -> Basis | None:
    """What the permission of a super admin rests on; None in a store that has none, where everybody may.

    Args:
        named: whom somebody named, or "".
        who: and `may`: in words, who does what.

    Raises:
        NotPermitted: nobody is named, or no super admin.
    """
    found = standing(store.records(), store)
    if not found.enforced:
        return None
    if not named:
        raise NotPermitted(f"this store has a super admin, so {who} has to be known", hint=NAME_YOURSELF)
    if not is_super_admin(found.access, named):
        hint = Judge(found.ruling, named, moment_of(now)).hint("let a super admin do it")
        raise NotPermitted(f"'{named}' may not {may}: it takes a super admin", hint=hint)
    return basis_of(found, named, moment_of(now))


def moment_of(now: str) -> datetime:
    """The time to judge at; without one the end of all time, when every grant that can end has ended."""
    return datetime.fromisoformat(now) if now else datetime.max.replace(tzinfo=UTC)


def needs_of(change: Change, ruling: Ruling, unread: Mapping[str, Bodies]) -> Needs:
    """What a change takes.

    Args:
        unread: the live bodies, by uid, of records whose change does not hold them.
    """
    was = _target_before(change, unread)
    if change.is_token_only and was is not None:
        return (Need(f"{AREA_OF_KIND[change.key.kind]}:call", "was", was),)
    return ruling.needs(was, _target_after(change))


def _target_before(change: Change, unread: Mapping[str, Bodies]) -> AccessTarget | None:
    if change.record is None:
        return None
    kept = unread.get(change.record.uid) if change.live is None else None
    return live_target(change.record.key, kept.live if kept else change.before)


def _target_after(change: Change) -> AccessTarget | None:
    after = change.after
    return live_target(change.key, after) if after is not None else None


class Judge:
    """Finds what somebody may not do, nor anybody who approved it, and who may."""

    def __init__(self, ruling: Ruling, actor: str, now: datetime, approvals: Sequence[str] = ()) -> None:
        """Judge `actor` by the access that the ruling starts from."""
        self._ruling = ruling
        self._actor = actor
        self._now = now
        self._approvals = approvals
        self.passes = any(is_super_admin(ruling.access, name) for name in (actor, *approvals))
        self._approving: Approving | None = None

    def refused(self, what: str, needs: Needs) -> list[str]:
        """A line for each permission that is wanting."""
        if self.passes:
            return []
        permit = self._ruling.judge(self._actor, self._approvals, needs, self._now)
        if permit.allowed:
            return []
        sides = len({wanted.on for wanted in permit.wanted}) > 1
        lines = [
            f"{what} takes {_wanted_words(wanted, sides=sides)}: {wanted.refusal}"
            for wanted in permit.wanted
            if wanted.refusal
        ]
        return [f"{line}; {self._who(needs)}" for line in lines]

    def _who(self, needs: Needs) -> str:
        if self._approving is None:
            self._approving = Approving(self._ruling.access, self._now)
        able = self._approving.of(needs)
        parts = [f"group {name}" for name in able.groups] + list(able.users)
        return f"who may: {', '.join(parts)}" if parts else "nobody may"

    def hint(self, who: str) -> str:
        """What to do about a refusal; `who` says whom to ask."""
        known = self._ruling.access.users()
        if self._actor in known:
            return f"{who}, or have a policy changed first"
        odd, other = odd_characters(self._actor), alike(self._actor, known)
        strange = f", and holds {odd}" if odd else ""
        looks = f"; it looks like '{other}', which is another name" if other else ""
        return f"no policy or group names this actor{strange}{looks}"


_SIDES = {"was": " of it as it is", "becomes": " of what it becomes"}


def _wanted_words(wanted: Wanted, *, sides: bool) -> str:
    where = f" in {wanted.category}" if wanted.category else ""
    return f"{wanted.permission}{where}{_SIDES[wanted.on] if sides else ''}"


def refused_changes(
    changes: Sequence[Change],
    found: AccessStanding,
    store: Store,
    people: tuple[str, Sequence[str]],
    now: datetime,
) -> Problem | None:
    """What of a plan the actor may not do; None when nothing, or when the store has no super admin.

    Args:
        people: the actor, and who approved it.
    """
    if not found.enforced:
        return None
    actor, approvals = people
    ruling = found.ruling_to(_access_after(changes, found))
    judge = Judge(ruling, actor, now, approvals)
    if judge.passes:
        return None
    unread = store.bodies(change.record.uid for change in changes if change.record and change.live is None)
    by_change = [judge.refused(_words(change), needs_of(change, ruling, unread)) for change in changes]
    refused = [lines for lines in by_change if lines]
    if not refused:
        return None
    details = tuple(line for lines in refused for line in lines)
    message = f"'{actor}' may not make {len(refused):,} of {len(by_change):,} changes"
    hint = judge.hint("let somebody who may do it apply this, or approve it: --approved-by")
    return Problem(ExitCode.NOT_PERMITTED, message, hint, details)


def _access_after(changes: Sequence[Change], found: AccessStanding) -> Access:
    """The access that the changes of policies and groups leave behind."""
    policies, groups = dict(found.access.policies), dict(found.access.groups)
    touching = [change for change in changes if change.key.kind in (POLICY, GROUP)]
    for change in touching:
        if change.record is not None:
            (policies if change.key.kind == POLICY else groups).pop(change.record.key.name, None)
    left = make_access((change.key, after) for change in touching if (after := change.after) is not None)
    return Access((policies | left.policies).values(), (groups | left.groups).values())


def _words(change: Change) -> str:
    if change.is_token_only:
        return f"fetch the token of {address(*change.key)}"
    was = f" from {address(*change.record.key)}" if change.record and change.record.key != change.key else ""
    return f"{change.action.value} {address(*change.key)}{was}"


class Caller(Struct, frozen=True):
    """Who sends requests with the credentials of connectors; "" when nobody was named."""

    actor: str
    now: str

    def permit(self, store: Store, connectors: Iterable[LiveConnector], what: str) -> None:
        """Stop unless the caller has connectors:call of each.

        Args:
            what: is to be done, such as "call".

        Raises:
            NotPermitted: for all that are refused, when the store has a super admin.
        """
        wanted = list(connectors)
        found = standing(store.records(), store) if wanted else None
        if found is None or not found.enforced:
            return
        if not self.actor:
            raise NotPermitted("this store has a super admin, so who sends requests has to be known", hint=NAME_YOURSELF)  # fmt: skip
        judge = Judge(found.ruling, self.actor, moment_of(self.now))
        details = [line for item in wanted for line in judge.refused(f"{what} {_name(item)}", _call_needs(item))]
        if details:
            message = f"'{self.actor}' may not {what} {_name(wanted[0]) if len(wanted) == 1 else 'these connectors'}"
            raise NotPermitted(message, hint=judge.hint("ask somebody who may"), details=tuple(details))


def _name(connector: LiveConnector) -> str:
    return address("Connector", connector.name)


def _call_needs(connector: LiveConnector) -> Needs:
    body = {"metadata": {"labels": connector.labels}, "spec": connector.spec}
    return (Need("connectors:call", "was", live_target(Key("Connector", connector.name), body)),)
