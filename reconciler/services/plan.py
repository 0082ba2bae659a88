"""Make a plan, of what moved since the baseline or of everything."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core import guards
from reconciler.core.access import AccessTarget
from reconciler.core.baseline import KeepsBaselines, Memory, TracksChanges, Unprovable
from reconciler.core.drift import Moved
from reconciler.core.matching import Bore, Identity, Match, match, match_past
from reconciler.core.model import Key, Record, Resource, owned_by
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.ports.abilities import Expects, LacksSecrets
from reconciler.core.ports.source import Desired, FindsUnread, Source
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import latest_of
from reconciler.diagnostics import Diagnostic
from reconciler.errors import SourceUnavailable
from reconciler.kinds.access import live_target, target_of
from reconciler.kinds.drift import identities, paired
from reconciler.services.changes import compare, elsewhere_of, is_nothing
from reconciler.services.due_changes import (
    KnownTokens,
    dated_in,
    expiring_of,
    with_due_tokens,
    with_expired,
)
from reconciler.services.judgement import WORDS, Around, PlanOptions, complete
from reconciler.services.narrowing import narrow
from reconciler.services.renames import with_likely_renames
from reconciler.services.restore import undeleted
from reconciler.services.scope import PlanScope, memory_of_all, memory_of_part, scope_of
from reconciler.services.secret_changes import with_lacking_secrets, with_rotated_secrets
from reconciler.services.selection import selected

if TYPE_CHECKING:
    from reconciler.services.shifts import Covering


def make_plan(
    desired: Desired,
    source: Source,
    store: Store,
    options: PlanOptions,
    tokens: KnownTokens | None = None,
    scope: PlanScope | None = None,
) -> Plan:
    """Compare and order. `desired` has no errors.

    Args:
        tokens: when given, access tokens that are missing or about to expire are changes.
        scope: when given, `desired` and its records are all that may have moved.

    Raises:
        SecretUnavailable: all secrets are compared and a reference leads to nothing.
    """
    live, owned, others = _looked_at(scope, store, desired, options.owner)
    moved = paired(store.moved() if scope is None else scope.moved)
    matches = list(_matches(desired, live, store, options, moved))
    emptied = guards.empty_source(desired.documents, owned.total())
    if not options.prune or emptied:
        matches = [found for found in matches if found.action is not Action.DELETE]
    lost = _unread(source, matches) if desired.past is None else {}
    matches = [found for found in matches if found.record is None or found.record.key not in lost]
    kept = _kept(desired.resources, live, options.owner, matches) if desired.past is None else 0
    matches += list(with_expired(desired.resources, live, matches, options.owner, options.now))
    elsewhere = elsewhere_of(moved, store, options.owner, others=others)
    compared = list(undeleted(matches, store, desired.past, options.now))
    compared += compare(
        [found for found in matches if found.revival is None], store, elsewhere, options.now, options.progress
    )
    changes = [change for change in compared if not is_nothing(change)]
    if desired.past is None:
        changes = with_likely_renames(changes)
    if isinstance(store, LacksSecrets) and desired.past is None:
        changes = with_lacking_secrets(changes, desired.resources, live, options.owner, store)
    if options.secrets is not None:
        changes = with_rotated_secrets(changes, desired.resources, live, store, options.secrets, options.progress)
    if tokens is not None:
        changes = with_due_tokens(changes, desired.resources, live, options.owner, tokens)
    count = len(changes)
    if options.only:
        changes = selected(changes, options.only)

    def covering() -> "Covering":
        from reconciler.services.shifts import Covering

        whole = (options.prune or desired.past is None) and not options.only
        targets = _targets(desired, store, whole=whole)
        return Covering(targets, scope.beyond() if scope else None)

    dated = dated_in(desired.resources, options.now) if scope is None or scope.dated is None else scope.dated
    around = Around(
        covering, owned, emptied or guards.defined_elsewhere(lost, WORDS), kept, expiring_of(dated, options.now)
    )
    plan = complete(changes, scope.around(changes) if scope else live, store, options, source.revision(), around)
    confirmed = _confirmed(compared, changes)
    if options.only:
        confirmed = (change for change in confirmed if change.key in options.only)
    return replace(plan, confirmed=tuple(confirmed), only=tuple(sorted(options.only)), left=count - len(changes))


def _looked_at(
    scope: PlanScope | None, store: Store, desired: Desired, owner: str
) -> tuple[Mapping[Key, Record], Counter[str], bool]:
    """The records to be matched, how many of each kind the owner has of all, and whether others have some of them."""
    if scope is not None:
        return scope.live, scope.owned, any(record.owner != owner for record in scope.live.values())
    live = store.records(desired.resources)
    owned = owned_by(live, owner)
    return live, owned, owned.total() < len(live)


def _matches(
    desired: Desired, live: Mapping[Key, Record], store: Store, options: PlanOptions, moved: Sequence[Moved]
) -> Iterator[Match]:
    if desired.past is not None:
        return match_past(desired.resources, desired.past, live, options.owner, desired.spared)
    deleted = latest_of(store.deleted(), options.owner)
    identity = Identity(identities(moved, options.owner), _bore(store))
    return match(desired.resources, live, options.owner, deleted, adopt=options.adopt, identity=identity)


def _unread(source: Source, matches: Iterable[Match]) -> dict[Key, str]:
    """Records that would be deleted and are defined in a file that is not read, with the file."""
    gone = {found.record.key for found in matches if found.action is Action.DELETE and found.record}
    if not gone or not isinstance(source, FindsUnread):
        return {}
    return {key: path for key, path in source.unread().items() if key in gone}


def _targets(desired: Desired, store: Store, *, whole: bool) -> Iterator[AccessTarget]:
    """What permissions can be about after the changes.

    Args:
        whole: whether `desired` is all that there will be; else it comes to what is live.
    """
    if not whole:
        yield from (live_target(Key(found.kind, found.name), found.content) for found in store.search(None, None))
    yield from (target_of(key, resource.content.value) for key, resource in desired.resources.items())


def _kept(desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str, matches: Iterable[Match]) -> int:
    gone = {found.record.key for found in matches if found.record}
    return sum(live[key].owner == owner for key in live if key not in desired and key not in gone)


def _confirmed(compared: Iterable[Change], changes: Iterable[Change]) -> Iterator[Change]:
    """Records that others have made what git declares now, and that something else was last applied to."""
    taken = {change.key for change in changes}
    for change in compared:
        record, resource = change.record, change.resource
        if record is None or resource is None or change.key in taken or not is_nothing(change):
            continue
        before = change.moved.before if change.moved else None
        if record.applied != resource.fingerprint or (before is not None and before.key != record.key):
            yield change


def _bore(store: Store) -> Bore:
    return lambda record: store.earlier_names(record.uid)


KnowTokens = Callable[[Desired], KnownTokens | None]
"""From what is declared to what the store holds of its tokens."""


class Planned(Struct, frozen=True):
    """A plan, and what is told and remembered beside it.

    Attributes:
        memory: None where the store is to remember nothing.
        files, records: how many were looked at.
        narrowed: whether those are what something moved of, and not all.
    """

    plan: Plan
    warnings: tuple[Diagnostic, ...]
    memory: Memory | None
    files: int
    records: int
    narrowed: bool = False


class Asked(Struct, frozen=True):
    """What both ways of planning take.

    Attributes:
        rules: stands for what definitions are judged by.
        tokens: None to leave access tokens alone.
        remember: whether the plan is going to be carried out.
    """

    options: PlanOptions
    rules: str
    tokens: KnowTokens | None
    remember: bool


def plan_part(source: Source, store: Store, asked: Asked) -> Planned:
    """Plan what moved since the baseline.

    Raises:
        Unprovable: everything has to be looked at; the message says why.
    """
    if not isinstance(source, TracksChanges) or not isinstance(store, KeepsBaselines):
        raise Unprovable("the store or the source does not keep track")
    if asked.options.secrets is not None:
        raise Unprovable("all secrets are looked at")
    options = asked.options
    parts, index = source.parts(), store.index(options.owner)
    moved = store.moved()
    if any(one.before is None or one.now is None or one.before.key != one.now.key for one in moved):
        raise Unprovable("records were made, removed or renamed outside of a run")
    try:
        found = narrow(parts, index, options.owner, asked.rules, options.now, tokens=asked.tokens is not None)
    except SourceUnavailable as failure:
        raise Unprovable(failure.message) from failure
    known = asked.tokens(found.desired) if asked.tokens else None
    plan = make_plan(found.desired, source, store, options, known, scope_of(found, index, moved))
    memory = None
    base = index.baseline()
    still = base is not None and not found.files and (base.trees, base.revision) == (parts.trees, found.revision)
    if asked.remember and not still:
        memory = _or_none(lambda: memory_of_part(plan, found, parts, asked.rules, options.now))
    return Planned(plan, found.desired.diagnostics, memory, len(found.files), len(found.live), narrowed=True)


def plan_all(desired: Desired, source: Source, store: Store, asked: Asked) -> Planned:
    """Plan everything. `desired` has no errors.

    Raises:
        SecretUnavailable: see `make_plan`.
    """
    options = asked.options
    if isinstance(store, Expects):
        store.expect(desired.resources)
    known = asked.tokens(desired) if asked.tokens else None
    plan = make_plan(desired, source, store, options, known)
    memory = None
    if asked.remember and isinstance(source, TracksChanges) and isinstance(store, KeepsBaselines) and desired.resources:
        revision = store.index(options.owner).revision()
        memory = _or_none(lambda: memory_of_all(plan, desired, source, revision, asked.rules, options.now))
    return Planned(plan, desired.diagnostics, memory, len(desired.files), plan.owned)


def _or_none(make: Callable[[], Memory]) -> Memory | None:
    try:
        return make()
    except (Unprovable, SourceUnavailable):
        return None
