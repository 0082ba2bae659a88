"""Changes of values of secrets: of those that are others now, and of those that the store has lost."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Action, Change
from reconciler.core.ports.abilities import LacksSecrets
from reconciler.core.ports.source import Sealer, SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.errors import SecretUnavailable
from reconciler.kinds.canonical import may_hold_far_references, may_hold_references
from reconciler.kinds.common import SecretField
from reconciler.kinds.drift import path_of, secret_paths
from reconciler.kinds.registry import KINDS
from reconciler.services.due_changes import add_fields
from reconciler.services.secret_uses import Unresolved, forbidden_in, refuse_unresolved


def with_rotated_secrets(
    changes: list[Change],
    desired: Mapping[Key, Resource],
    live: Mapping[Key, Record],
    store: Store,
    secrets: SecretBackend,
    progress: Progress = UNTOLD,
) -> list[Change]:
    """`changes`, and an update for every record whose secrets are not what their references lead to now.

    Raises:
        SecretUnavailable: references that lead to nothing, all of them in the details.
        SecretRefused: references that nobody may follow; nothing was read then.
    """
    states = store.secret_states()
    sealer = store.sealer() if states else None
    by_key = {change.key: change for change in changes if change.action is not Action.DELETE}
    bodies = ((key, resource.body, partial(_fields, resource)) for key, resource in desired.items())
    refuse_unresolved(forbidden_in(bodies, secrets.refuse))
    missing: list[Unresolved] = []
    secrets.prefetch(_far_references(desired.values()), progress)
    for key, resource in told(desired.items(), "secrets", len(desired), progress):
        record = by_key[key].record if key in by_key else live.get(key)
        if not may_hold_references(resource.body) or (record is None and key not in by_key):
            continue
        if record is None:  # what is new has no stored values, but its references have to lead somewhere too
            _rotated(resource, {}, None, secrets, missing)
            continue
        fields = _rotated(resource, states.get(record.uid, {}), sealer, secrets, missing)
        if fields:
            by_key[key] = add_fields(by_key.get(key), resource, record, fields, store)
    refuse_unresolved(missing)
    return [*by_key.values(), *(change for change in changes if change.action is Action.DELETE)]


def with_lacking_secrets(
    changes: list[Change], desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str, store: Store
) -> list[Change]:
    """`changes`, and an update for every record whose secrets the store has lost; what they are now is not asked here."""
    lacking = store.lacking_secrets() if isinstance(store, LacksSecrets) else frozenset()
    owned = {key: record for key, record in live.items() if record.uid in lacking and record.owner == owner}
    taken = {change.record.uid for change in changes if change.record}
    for key in sorted(owned.keys() & desired.keys()):
        resource, record = desired[key], owned[key]
        paths = secret_paths(key.kind, resource.content.value)
        fields = tuple(
            FieldChange(path_of(field.address, paths), MISSING, field.reference, Origin.SECRET, secret=True)
            for field in _fields(resource)
        )
        if fields and record.uid not in taken:
            changes = [*changes, add_fields(None, resource, record, fields, store)]
    return changes


def _fields(resource: Resource) -> Iterable[SecretField]:
    return KINDS[resource.key.kind].secret_fields(resource.content.value["spec"])


def _far_references(resources: Iterable[Resource]) -> Iterator[Mapping[str, str]]:
    """The secret references of resources of which some lead to another program or machine."""
    for resource in resources:
        if may_hold_far_references(resource.body):
            yield from (field.reference for field in _fields(resource))


def _rotated(
    resource: Resource,
    stored: Mapping[str, str],
    sealer: Sealer | None,
    secrets: SecretBackend,
    missing: list[Unresolved],
) -> tuple[FieldChange, ...]:
    """Secrets with another value than the stored one, and those that the store does not hold at all."""
    fields = []
    body = resource.content.value
    paths = secret_paths(resource.key.kind, body)
    for field in KINDS[resource.key.kind].secret_fields(body["spec"]):
        try:
            value = secrets.resolve(field.reference)
        except SecretUnavailable as failure:
            missing.append(Unresolved(resource.key, field, failure))
            continue
        path = path_of(field.address, paths)
        before = stored.get(field.address)
        if before is None or sealer is None:
            fields.append(FieldChange(path, MISSING, field.reference, Origin.SECRET, secret=True))
        elif before != (now := sealer.fingerprint(value)):
            fields.append(FieldChange(path, before, now, Origin.SECRET, secret=True))
    return tuple(fields)
