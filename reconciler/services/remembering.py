"""What the store may remember once a plan is carried out: that live is then just what git declares."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.core.baseline import Baseline, Declared, Memory, PartialSource, TracksChanges, Trees, Unprovable
from reconciler.core.model import Key, Resource
from reconciler.core.plan import Plan
from reconciler.core.ports.source import Desired
from reconciler.kinds.authorization import can_be_fetched
from reconciler.services.narrowing import Narrow, refuse_undecodable
from reconciler.services.policy_changes import dated_in


def memory_of_all(plan: Plan, desired: Desired, source: TracksChanges, revision: int, rules: str, now: str) -> Memory:
    """After a plan that looked at everything.

    Args:
        revision: of the store that was planned with.

    Raises:
        Unprovable: something will be left to do, or the definitions are not those of a commit.
    """
    _refuse_unfinished(plan)
    refuse_undecodable(desired.files)
    counts = Counter(key.kind for key in desired.resources)
    base = Baseline(
        source.proven(desired.files),
        rules,
        revision,
        counts,
        now,
        desired.diagnostics,
        dated_in(desired.resources, now),
    )
    return Memory(plan.owner, base, list(_declared(desired.resources)), None)


def memory_of_part(plan: Plan, narrow: Narrow, source: PartialSource, rules: str, now: str) -> Memory:
    """After a plan that looked at what moved.

    Raises:
        Unprovable: something will be left to do, or the definitions are not those of a commit.
    """
    _refuse_unfinished(plan)
    if not source.as_committed(narrow.files):
        raise Unprovable("the files are not those of the commit")
    desired = narrow.desired
    trees: Trees = source.trees
    dated = dated_in(desired.resources, now) if narrow.dated is None else narrow.dated
    base = Baseline(trees, rules, narrow.revision, narrow.declared, now, desired.diagnostics, dated)
    return Memory(plan.owner, base, list(_declared(desired.resources)), narrow.files)


def _refuse_unfinished(plan: Plan) -> None:
    if plan.problems or plan.kept:
        raise Unprovable("something will be left to do")
    if plan.revision.dirty or not plan.revision.commit:
        raise Unprovable("the definitions are not those of a commit")


def _declared(resources: Mapping[Key, Resource]) -> Iterator[Declared]:
    for key, resource in resources.items():
        odd = key.kind in ("Category", "Connector") and not resource.is_plain
        yield Declared(key, resource.file, odd, _takes_token(resource), resource.previously)


def _takes_token(resource: Resource) -> bool:
    if not resource.needs_token or not resource.active:
        return False
    return can_be_fetched(resource.content.value["spec"])
