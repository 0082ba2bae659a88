"""Secrets whose value changed behind an unchanged reference."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from msgspec.structs import replace

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Action, Change
from reconciler.core.ports.source import Sealer, SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.errors import SecretUnavailable
from reconciler.kinds.canonical import may_hold_far_references, may_hold_references, readable
from reconciler.kinds.common import SecretField
from reconciler.kinds.drift import path_of, secret_paths
from reconciler.kinds.registry import KINDS
from reconciler.services.unresolved import Unresolved, forbidden_in, refuse_unresolved


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
        if record is None or not may_hold_references(resource.body):
            continue
        fields = _rotated(resource, states.get(record.uid, {}), sealer, secrets, missing)
        if fields:
            by_key[key] = add_fields(by_key.get(key), resource, record, fields, store)
    refuse_unresolved(missing)
    return [*by_key.values(), *(change for change in changes if change.action is Action.DELETE)]


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


def add_fields(
    change: Change | None, resource: Resource, record: Record, fields: tuple[FieldChange, ...], store: Store
) -> Change:
    """`change`, or an update that does nothing else, with secrets that have new values."""
    if change is not None:
        known = {field.path for field in change.fields}
        return replace(change, fields=change.fields + tuple(field for field in fields if field.path not in known))
    live, _ = readable(resource.key.kind, store.bodies([record.uid])[record.uid].live)
    written = None if live.body == resource.body else live
    return Change(Action.UPDATE, resource.key, resource, record, written, live, fields)
