"""The last step of every plan: changes in order, with what stands against them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core import guards
from reconciler.core import guards as overrides
from reconciler.core.conditions import Expiring
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.guards import Override
from reconciler.core.matching import ordered
from reconciler.core.model import Key, Record
from reconciler.core.plan import Action, Change, Plan, Problem, Revision, counted, fingerprint_of
from reconciler.core.ports.source import SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.quarantine import waiting
from reconciler.core.references import Bounds
from reconciler.core.witness import Testimony
from reconciler.errors import ExitCode
from reconciler.kinds.canonical import display_after, is_readable, refs_after
from reconciler.kinds.registry import KINDS, address
from reconciler.services.access_objections import AccessLimits, access_changes, judge
from reconciler.services.elsewhere import missing_elsewhere
from reconciler.services.limits import beyond_limits
from reconciler.services.secret_uses import bounds_problem, recipient_notices

if TYPE_CHECKING:
    from reconciler.services.shifts import Covering


WORDS = {kind.name: kind.word for kind in KINDS.values()}
_FEW = 5


def objections(
    changes: list[Change], live: Mapping[Key, Record], store: Store, *, adopt: bool, deletes: Problem | None
) -> list[Problem]:
    """Every reason why the changes may not be applied.

    Args:
        adopt: whether records of other owners may be taken over.
        deletes: what the guard of deletes says.
    """
    found = [
        deletes,
        guards.protected(changes, WORDS),
        None if adopt else guards.not_owned(changes, WORDS),
        _display_conflicts(changes, live),
        _still_referred_to(changes, store),
        _lost_by_omission(changes),
    ]
    return [problem for problem in found if problem]


def _display_conflicts(changes: list[Change], live: Mapping[Key, Record]) -> Problem | None:
    """Display names that a live record outside of the plan has already, or that two in the plan would have.

    Definitions do not clash; a display name that is left to the live side can.
    """
    if not changes:
        return None
    touched = {change.record.key for change in changes if change.record}
    wanted = {(change.key.kind, display_after(change)) for change in changes}
    taken = {
        place: record
        for key, record in live.items()
        if (place := (key.kind, record.display)) in wanted and record.display and key not in touched
    }
    details = []
    chosen: dict[tuple[str, str], Key] = {}
    for change in changes:
        display = (change.key.kind, display_after(change))
        first = chosen.setdefault(display, change.key)
        if display[1] and first != change.key:
            details.append(f"{address(*change.key)} would have the display name of {address(*first)}")
        other = taken.get(display)
        if other is not None and other.key != change.key:
            owner = other.owner or "nobody"
            details.append(
                f"{address(*change.key)} has the display name of {address(*other.key)}, which belongs to {owner}"
            )
    if not details:
        return None
    return Problem(ExitCode.CONFLICT, "display names are taken", "choose another display name", tuple(details))


def _still_referred_to(changes: list[Change], store: Store) -> Problem | None:
    """Records that would go although something refers to them still."""
    after = {change.key for change in changes if change.action is not Action.DELETE}
    gone = {change.record.key for change in changes if change.record} - after
    touched = {change.record.key for change in changes if change.record}
    pairs = {(referrer, target) for referrer, target in store.referrers(sorted(gone)) if referrer not in touched}
    pairs |= {(change.key, ref) for change in changes for ref in refs_after(change) if ref in gone}
    if not pairs:
        return None
    details = tuple(f"{address(*referrer)} refers to {address(*target)}" for referrer, target in sorted(pairs))
    hint = "change or delete what refers to them first"
    return Problem(ExitCode.CONFLICT, "records in use would be deleted or renamed", hint, details)


def _lost_by_omission(changes: list[Change]) -> Problem | None:
    """Lists of which something would go because git does not mention them; an empty list says that it is meant.

    What others put live into a list that git has never mentioned is drift, and is taken back.
    """
    details = []
    for change in changes:
        left_out = change.resource.left_out if change.resource else ()
        for one in change.fields if left_out else ():
            name = ".".join(map(str, one.path[1:]))
            if name in left_out and one.origin in (Origin.GIT, Origin.BOTH):
                details.append(f"{address(*change.key)} leaves out {name}: {_going(one)} would go")
    if not details:
        return None
    hint = "leaving a list out removes nothing: write down what is to stay, or an empty list such as `groups: []`"
    return Problem(ExitCode.GUARDED, "something would be removed by leaving it out", hint, tuple(details))


def _going(field: FieldChange) -> str:
    before = field.before if isinstance(field.before, list) else []
    after = field.after if isinstance(field.after, list) else []
    gone = [item for item in before if item not in after]
    names = [item for item in gone if isinstance(item, str)]
    if not names or len(names) > _FEW:
        return f"{len(gone):,} of them"
    return ", ".join(names)


def clashes(changes: Sequence[Change], live: Mapping[Key, Record]) -> Iterator[Problem]:
    """Names that others bear now, and references to what is not there."""
    gone = {change.record.key for change in changes if change.record}
    after = {change.key for change in changes if change.resource}
    taken = tuple(
        f"{address(*change.key)} is live, and belongs to {live[change.key].owner or 'nobody'}"
        for change in changes
        if change.resource and change.key in live and change.key not in gone
    )
    if taken:
        hint = "rename or delete the live record first, where it is declared"
        yield Problem(ExitCode.CONFLICT, "names are borne by other records now", hint, taken)
    missing = tuple(
        f"{address(*change.key)} refers to {address(*ref)}"
        for change in changes
        for ref in sorted(refs_after(change))
        if ref not in after and (ref not in live or ref in gone)
    )
    if missing:
        names = ", ".join(sorted({line.rpartition(" ")[2] for line in missing}))
        yield Problem(ExitCode.CONFLICT, f"what is referred to is not there: {names}", _hint(missing), missing)


def _hint(missing: Sequence[str]) -> str:
    first = missing[0].rpartition(" ")[2]
    return f"bring it back first, such as with: reconciler restore {first}"


class PlanOptions(Struct, frozen=True):
    """How to plan.

    Attributes:
        target, owner: where to, and on whose behalf.
        prune: whether records that git no longer defines are deleted.
        adopt: whether records of other owners may be taken over.
        max_deletes: a number or a share, or None for the default; see `guards.too_many_deletes`.
        actor, now: whose plan it is, and when it is made; without a time nothing is said about access.
        limits: of permissions and of losing access.
        overrides: the guards that somebody has overridden.
        require_commit: whether the definitions have to be just those of a commit.
        bounds: what secret references may lead to.
        secrets: when given, all secrets are resolved and compared, so that a rotated value is a change.
        only: the records that the plan is about, with what they refer to; empty for all.
        progress: told how far planning has come.
        elsewhere: what others define, and definitions may refer to.
        testimony: what was noted outside of the store says of it.
    """

    target: str
    owner: str
    prune: bool = True
    adopt: bool = False
    max_deletes: str | None = None
    actor: str = ""
    now: str = ""
    limits: AccessLimits = field(default_factory=AccessLimits)
    overrides: tuple[Override, ...] = ()
    require_commit: bool = False
    bounds: Bounds = field(default_factory=lambda: Bounds("/"))
    secrets: SecretBackend | None = None
    only: frozenset[Key] = frozenset()
    progress: Progress = UNTOLD
    elsewhere: frozenset[Key] = frozenset()
    testimony: Testimony = Testimony()


class Around(Struct, frozen=True):
    """What a plan says beside its changes.

    Attributes:
        covering: what permissions can be about, after the changes; called only when access changes.
        owned: how many live records of each kind the owner has, of all.
        emptied: that the source seems to lack what it had, when that is so.
        kept, expiring: as `Plan` has them.
    """

    covering: "Callable[[], Covering]"
    owned: Counter[str]
    emptied: Problem | None = None
    kept: int = 0
    expiring: tuple[Expiring, ...] = ()


def complete(
    changes: list[Change], live: Mapping[Key, Record], store: Store, options: PlanOptions, revision: Revision, around: Around
) -> Plan:  # fmt: skip
    """Order the changes, judge them, and look for whatever stands against them."""
    owned = around.owned
    stands = [problem for problem in (guards.lost_store(store.lost()), options.testimony.problem) if problem]
    problems = [around.emptied] if around.emptied else []
    problems += _of_source(revision, changes, options)
    problems += objections(
        changes,
        live,
        store,
        adopt=options.adopt,
        deletes=guards.too_many_deletes(changes, owned, options.max_deletes, WORDS),
    )
    problems += missing_elsewhere(changes, live, store, options.elsewhere)
    problems += clashes(changes, live) if revision.past else ()
    problems += bounds_problem(changes, options.bounds)
    problems += beyond_limits(changes, store, options.target)
    in_order = ordered(changes, tuple(KINDS), {change.key: _refs(change) for change in changes})
    access = access_changes(in_order, live, store, around.covering, options.actor, options.now) if options.now else None
    judgement = judge(in_order, live, store, options.limits, access, options.now)
    plan = Plan(
        revision,
        options.target,
        options.owner,
        in_order,
        (*stands, *judgement.problems, *problems),
        owned.total(),
        around.kept,
        counted(in_order),
        access,
        judgement.basis,
        (*judgement.notices, *recipient_notices(in_order), *options.testimony.notices),
        around.expiring,
    )
    return _settled(plan, options)


def _settled(plan: Plan, options: PlanOptions) -> Plan:
    """With the overrides taken into account; what they were is kept with the run."""
    used: tuple[str, ...] = ()
    problems: Sequence[Problem] = plan.problems
    if plan.problems or (options.overrides and plan.changes):
        problems, used = overrides.settle(plan.problems, options.overrides, fingerprint_of(plan))
    adopted = plan.counts.get(Action.ADOPT, 0)
    if adopted and options.adopt:
        used = (*used, f"adopt={adopted}")
    return replace(plan, problems=tuple(problems), overridden=used)


def _of_source(revision: Revision, changes: Sequence[Change], options: PlanOptions) -> list[Problem]:
    problem = guards.no_commit(revision) if options.require_commit and changes and not revision.past else None
    return [problem] if problem else []


def _refs(change: Change) -> frozenset[Key]:
    """What orders the change: references after it, or before it for a delete."""
    if change.action is not Action.DELETE:
        return refs_after(change)
    kind, live = KINDS[change.key.kind], change.before
    if live is None or not is_readable(kind.name, live):
        return frozenset()
    return frozenset(Key(ref.kind, ref.name) for ref in kind.references(live["spec"]))


def waiting_notice(store: Store, owner: str, days: int, now: str) -> tuple[str, ...]:
    """That deleted records wait to be purged."""
    count = len(waiting(store.deleted(), owner, days, now))
    if not count:
        return ()
    records = "record was" if count == 1 else "records were"
    return (f"{count:,} {records} deleted {days} days ago or longer; to destroy for good: reconciler store purge",)
