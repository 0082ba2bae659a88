"""Make a plan: what would take the live state to the desired state."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core import guards
from reconciler.core.diff import MISSING, FieldChange, Origin, at, diff, origin
from reconciler.core.matching import Match, match
from reconciler.core.model import Bodies, Key, Record, Resource
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.ports import Desired, SecretBackend, Source, Store
from reconciler.kinds.access import target_of
from reconciler.kinds.canonical import decode, encode, readable
from reconciler.kinds.merging import declares_anew, effective, is_plain, is_secret_value, revoked_since
from reconciler.services.completing import Around, complete
from reconciler.services.plan_options import PlanOptions
from reconciler.services.policy_changes import created, expiring_in, notes_on, with_expired
from reconciler.services.rotation import with_rotated_secrets
from reconciler.services.token_changes import KnownTokens, with_due_tokens


def make_plan(
    desired: Desired,
    source: Source,
    store: Store,
    options: PlanOptions,
    secrets: SecretBackend | None = None,
    tokens: KnownTokens | None = None,
) -> Plan:
    """Compare and order. `desired` has no errors.

    Args:
        secrets: when given, all secrets are resolved and compared, so that a rotated value is a change.
        tokens: when given, access tokens that are missing or about to expire are changes.

    Raises:
        SecretUnavailable: `secrets` is given and a reference leads to nothing.
    """
    live = store.records()
    matches = list(match(desired.resources, live, options.owner, adopt=options.adopt))
    owned = sum(record.owner == options.owner for record in live.values())
    emptied = guards.empty_source(desired.documents, owned)
    if not options.prune or emptied:
        matches = [found for found in matches if found.action is not Action.DELETE]
    kept = _kept(desired.resources, live, options.owner, matches)
    matches += list(with_expired(desired.resources, live, matches, options.owner, options.now))
    compared = list(_changes(matches, store, options.now))
    changes = [change for change in compared if not _is_nothing(change)]
    if secrets is not None:
        changes = with_rotated_secrets(changes, desired.resources, live, store, secrets)
    if tokens is not None:
        changes = with_due_tokens(changes, desired.resources, live, options.owner, tokens)
    targets = (target_of(key, resource.content()) for key, resource in desired.resources.items())
    around = Around(targets, emptied, kept, expiring_in(desired.resources, options.now))
    plan = complete(changes, live, store, options, source.revision(), around)
    return replace(plan, confirmed=tuple(_confirmed(compared, changes)))


def _kept(desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str, matches: Iterable[Match]) -> int:
    gone = {found.record.key for found in matches if found.record}
    return sum(record.owner == owner and key not in desired and key not in gone for key, record in live.items())


def _changes(matches: list[Match], store: Store, now: str) -> Iterable[Change]:
    bodies = store.bodies(found.record.uid for found in matches if found.record)
    for found in matches:
        before = bodies.get(found.record.uid, _NO_BODIES) if found.record else _NO_BODIES
        yield _change(found, before, now)


def _is_nothing(change: Change) -> bool:
    """Whether the live record is what git declares, however it came to be so."""
    if change.action is not Action.UPDATE or change.fields:
        return False
    return _UNREADABLE not in change.notes and _DECLARED_ANEW not in change.notes


def _confirmed(compared: Iterable[Change], changes: Iterable[Change]) -> Iterator[Change]:
    """Records that others have made what git declares now, and that something else was last applied to."""
    taken = {change.key for change in changes}
    for change in compared:
        record, resource = change.record, change.resource
        if record is None or resource is None or change.key in taken or not _is_nothing(change):
            continue
        if record.applied != resource.fingerprint:
            yield change


_NO_BODIES = Bodies({}, None, {})
_UNREADABLE = "the live record is not as a record should be; it is written anew"
_DECLARED_ANEW = "who is declared has changed; the live members stay as they are"


def change_of(found: Match, bodies: Bodies, now: str) -> Change | None:
    """What is to be done about a match; None for nothing.

    Args:
        now: when; grants that have ended by then are left out.
    """
    change = _change(found, bodies, now)
    return None if _is_nothing(change) else change


def _change(found: Match, bodies: Bodies, now: str) -> Change:
    resource, record = found.resource, found.record
    if resource is None:
        assert record is not None
        return Change(Action.DELETE, record.key, None, record, None, readable(record.key.kind, bodies.live)[0])
    if record is None:
        body, content, said = created(resource, now)
        notes = _tls_notes(resource.body, None) + said
        return Change(Action.CREATE, resource.key, resource, None, body, after=content, notes=notes)
    kind = resource.key.kind
    live, valid = readable(kind, bodies.live)
    after, body, applied = resource.content(), resource.body, bodies.applied
    plain = is_plain(kind, body)
    if not plain:
        after = effective(kind, after, live if valid else None, applied, now)
        merged = encode(after)
        body = resource.body if merged == resource.body else merged
    if kind == "PermissionPolicy" and valid:
        applied = revoked_since(applied, live, now)
    fields = tuple(_field_changes(live, applied, after, _origin_by_fingerprint(resource, record)))
    anew = declares_anew(kind, resource.content(), applied) if not fields and not plain else False
    notes = _tls_notes(body, after) + ((_UNREADABLE,) if not valid else ()) + ((_DECLARED_ANEW,) if anew else ())
    if valid and kind in ("Group", "PermissionPolicy"):
        notes += notes_on(kind, resource.content(), fields, now)
    return Change(found.action, resource.key, resource, record, body, live, after, fields, notes)


def _origin_by_fingerprint(resource: Resource, record: Record) -> Origin:
    """Who moved a record whose last applied body is lost, or which never had one."""
    if not record.applied:
        return Origin.GIT
    return Origin.DRIFT if record.applied == resource.fingerprint else Origin.BOTH


def _field_changes(
    live: dict[str, Any], applied: dict[str, Any] | None, after: dict[str, Any], unknown: Origin
) -> Iterable[FieldChange]:
    for path, old, new in diff(live, after, is_secret_value):
        last = at(applied, path) if applied is not None else MISSING
        secret = is_secret_value(path, old) or is_secret_value(path, new)
        came = origin(old, new, last) if applied is not None else unknown
        yield FieldChange(path, old, new, came, secret)


def _tls_notes(body: bytes, content: dict[str, Any] | None) -> tuple[str, ...]:
    """That certificates are not verified. Another kind has no such key, and a sample may have it."""
    if b'"verify":false' not in body:
        return ()
    tls = (content or decode(body))["spec"].get("tls", {})
    return (f"TLS verification is off: {tls.get('reason', 'no reason given')}",) if tls.get("verify") is False else ()
