"""The last step of every plan: from changes to a plan in order, judged, with what stands against it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core import guards
from reconciler.core import guards as overrides
from reconciler.core.conditions import Expiring
from reconciler.core.matching import ordered
from reconciler.core.model import Key, Record
from reconciler.core.plan import Action, Change, Plan, Problem, Revision, counted, fingerprint_of
from reconciler.core.ports.store import Store
from reconciler.kinds.canonical import is_readable, refs_after
from reconciler.kinds.registry import KINDS
from reconciler.services.access_objections import judge
from reconciler.services.clashes import clashes
from reconciler.services.objections import objections
from reconciler.services.plan_access import access_changes
from reconciler.services.plan_options import PlanOptions
from reconciler.services.recipients import recipient_notices
from reconciler.services.unresolved import bounds_problem

if TYPE_CHECKING:
    from reconciler.services.covering import Covering


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
    lost = guards.lost_store(store.lost())
    problems = [around.emptied] if around.emptied else []
    problems += _of_source(revision, changes, options)
    problems += objections(
        changes,
        live,
        store,
        adopt=options.adopt,
        deletes=guards.too_many_deletes(changes, owned, options.max_deletes, WORDS),
    )
    problems += clashes(changes, live) if revision.past else ()
    problems += bounds_problem(changes, options.bounds)
    in_order = ordered(changes, tuple(KINDS), {change.key: _refs(change) for change in changes})
    access = access_changes(in_order, live, store, around.covering, options.actor, options.now) if options.now else None
    judgement = judge(in_order, live, store, options.limits, access, options.now)
    plan = Plan(
        revision,
        options.target,
        options.owner,
        in_order,
        (*([lost] if lost else ()), *judgement.problems, *problems),
        owned.total(),
        around.kept,
        counted(in_order),
        access,
        judgement.basis,
        (*judgement.notices, *recipient_notices(in_order)),
        around.expiring,
    )
    return _settled(plan, options)


WORDS = {kind.name: kind.word for kind in KINDS.values()}


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
