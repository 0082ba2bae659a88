"""Make a plan: what would take the live state to the desired state."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.core import guards
from reconciler.core.access import Target
from reconciler.core.drift import Moved
from reconciler.core.matching import Bore, Identity, Match, match, match_past
from reconciler.core.model import Key, Record, Resource, owned_by
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.ports.source import Desired, FindsUnread, Source
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import latest_of
from reconciler.kinds.access import live_target, target_of
from reconciler.kinds.drift import identities, paired
from reconciler.services.changes import compare, elsewhere_of, is_nothing
from reconciler.services.completing import WORDS, Around, complete
from reconciler.services.plan_options import PlanOptions
from reconciler.services.policy_changes import dated_in, expiring_of, with_expired
from reconciler.services.rotation import with_rotated_secrets
from reconciler.services.scope import Scope
from reconciler.services.token_changes import KnownTokens, with_due_tokens
from reconciler.services.undeleting import undeleted

if TYPE_CHECKING:
    from reconciler.services.covering import Covering


def make_plan(
    desired: Desired,
    source: Source,
    store: Store,
    options: PlanOptions,
    tokens: KnownTokens | None = None,
    scope: Scope | None = None,
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
    if options.secrets is not None:
        changes = with_rotated_secrets(changes, desired.resources, live, store, options.secrets, options.progress)
    if tokens is not None:
        changes = with_due_tokens(changes, desired.resources, live, options.owner, tokens)

    def covering() -> "Covering":
        from reconciler.services.covering import Covering

        targets = _targets(desired, store, whole=options.prune or desired.past is None)
        return Covering(targets, scope.beyond() if scope else None)

    dated = dated_in(desired.resources, options.now) if scope is None or scope.dated is None else scope.dated
    around = Around(
        covering, owned, emptied or guards.defined_elsewhere(lost, WORDS), kept, expiring_of(dated, options.now)
    )
    plan = complete(changes, scope.around(changes) if scope else live, store, options, source.revision(), around)
    return replace(plan, confirmed=tuple(_confirmed(compared, changes)))


def _looked_at(
    scope: Scope | None, store: Store, desired: Desired, owner: str
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


def _targets(desired: Desired, store: Store, *, whole: bool) -> Iterator[Target]:
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
