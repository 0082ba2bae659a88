"""Make a plan: what would take the live state to the desired state."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core import guards
from reconciler.core.diff import MISSING, FieldChange, Origin, at, diff, origin
from reconciler.core.matching import Match, match
from reconciler.core.model import Bodies, Key, Record, Resource
from reconciler.core.plan import Action, Change, Plan, Problem, counted, ordered
from reconciler.core.ports import Desired, SecretBackend, Source, Store
from reconciler.errors import ExitCode, SecretUnavailable
from reconciler.kinds.canonical import encode
from reconciler.kinds.merging import effective, is_plain, is_secret_value
from reconciler.kinds.registry import KINDS, address

_WORDS = {kind.name: kind.word for kind in KINDS.values()}


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan.

    Attributes:
        target, owner: where to, and on whose behalf.
        prune: whether records that git no longer defines are deleted.
        adopt: whether records of other owners may be taken over.
        max_deletes: a number or a share; see `guards.too_many_deletes`.
        max_deletes_given: whether the user set it.
    """

    target: str
    owner: str
    prune: bool = True
    adopt: bool = False
    max_deletes: str = guards.DEFAULT_MAX_DELETES
    max_deletes_given: bool = False


def make_plan(
    desired: Desired, source: Source, store: Store, options: PlanOptions, secrets: SecretBackend | None = None
) -> Plan:
    """Compare and order. `desired` has no errors.

    Args:
        secrets: when given, all secrets are resolved and compared, so that a rotated value is a change.

    Raises:
        SecretUnavailable: `secrets` is given and a reference leads to nothing.
    """
    live = store.records()
    matches = list(match(desired.resources, live, options.owner))
    owned = sum(record.owner == options.owner for record in live.values())
    emptied = guards.empty_source(desired.documents, owned)
    if not options.prune or emptied:
        matches = [found for found in matches if found.action is not Action.DELETE]
    kept = _kept(desired.resources, live, options.owner, matches)
    changes = list(_changes(matches, store))
    if secrets is not None:
        changes = _with_rotated_secrets(changes, desired.resources, live, store, secrets)
    problems = [emptied] if emptied else []
    problems += _problems(changes, live, store, options, owned)
    ordered_changes = ordered(changes, tuple(KINDS))
    return Plan(
        source.revision(), options.target, options.owner, ordered_changes, tuple(problems), owned, kept,
        counted(ordered_changes),
    )  # fmt: skip


def _kept(desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str, matches: Iterable[Match]) -> int:
    gone = {found.record.key for found in matches if found.record}
    return sum(record.owner == owner and key not in desired and key not in gone for key, record in live.items())


def _changes(matches: list[Match], store: Store) -> Iterable[Change]:
    bodies = store.bodies(found.record.uid for found in matches if found.record)
    for found in matches:
        before = bodies[found.record.uid] if found.record and found.record.uid in bodies else Bodies({}, None, {})
        change = _change(found, before)
        if change is not None:
            yield change


def _change(found: Match, bodies: Bodies) -> Change | None:
    resource, record = found.resource, found.record
    if resource is None:
        assert record is not None
        return Change(Action.DELETE, record.key, None, record, None, before=bodies.live)
    if record is None:
        return Change(Action.CREATE, resource.key, resource, None, resource.body, notes=_notes(resource))
    after, body = resource.content(), resource.body
    if not is_plain(body):
        after = effective(resource.key.kind, after, bodies.live, bodies.applied)
        body = encode(after)
        body = resource.body if body == resource.body else body
    fields = tuple(_field_changes(bodies, after, resource.key.kind))
    if found.action is Action.UPDATE and not fields and encode(bodies.live) == body:
        return None
    return Change(found.action, resource.key, resource, record, body, bodies.live, after, fields, _notes(resource))


def _field_changes(bodies: Bodies, after: dict[str, Any], kind: str) -> Iterable[FieldChange]:
    applied = bodies.applied
    for path, old, new in diff(bodies.live, after, is_secret_value):
        last = at(applied, path) if applied is not None else MISSING
        secret = is_secret_value(path, old) or is_secret_value(path, new)
        came = origin(old, new, last) if applied is not None else Origin.GIT
        yield FieldChange(path, old, new, came, secret)


def _notes(resource: Resource) -> tuple[str, ...]:
    if resource.key.kind != "Connector" or b'"verify":false' not in resource.body:
        return ()
    tls = resource.content()["spec"].get("tls", {})
    return (f"TLS verification is off: {tls.get('reason', 'no reason given')}",) if tls.get("verify") is False else ()


# secrets whose value changed behind an unchanged reference


def _with_rotated_secrets(
    changes: list[Change],
    desired: Mapping[Key, Resource],
    live: Mapping[Key, Record],
    store: Store,
    secrets: SecretBackend,
) -> list[Change]:
    """`changes`, and an update for every record one of whose secrets has another value now."""
    states = store.secret_states()
    sealer = store.sealer() if states else None
    by_key = {change.key: change for change in changes}
    missing: list[str] = []
    for key, resource in desired.items():
        record = live.get(key)
        if record is None or sealer is None or record.uid not in states:
            continue
        fields = []
        for field in KINDS[key.kind].secret_fields(resource.content()["spec"]):
            try:
                now = sealer.fingerprint(secrets.resolve(field.reference))
            except SecretUnavailable as failure:
                missing.append(f"{address(*key)} {field.address}: {failure.message}")
                continue
            before = states[record.uid].get(field.address)
            if before is not None and before != now:
                path = ("spec", *field.address.split("."))
                fields.append(FieldChange(path, before, now, Origin.SECRET, secret=True))
        if fields:
            by_key[key] = _add_fields(by_key.get(key), resource, record, tuple(fields), store)
    if missing:
        raise SecretUnavailable("secrets cannot be resolved", hint="set them, or plan without --secrets check", details=tuple(missing))  # fmt: skip
    return list(by_key.values())


def _add_fields(
    change: Change | None, resource: Resource, record: Record, fields: tuple[FieldChange, ...], store: Store
) -> Change:
    if change is not None:
        return replace(change, fields=change.fields + fields)
    live = store.bodies([record.uid])[record.uid].live
    content = json.loads(encode(live))
    body = resource.body if encode(live) == resource.body else encode(live)
    return Change(Action.UPDATE, resource.key, resource, record, body, live, content, fields, _notes(resource))


# what stands against the plan


def _problems(
    changes: list[Change], live: Mapping[Key, Record], store: Store, options: PlanOptions, owned: int
) -> Iterable[Problem]:
    found = [
        guards.too_many_deletes(changes, owned, options.max_deletes, given=options.max_deletes_given),
        guards.protected(changes, _WORDS),
        None if options.adopt else guards.not_owned(changes, _WORDS),
        _display_conflicts(changes, live),
        _still_referred_to(changes, store),
    ]
    return [problem for problem in found if problem]


def _display_conflicts(changes: list[Change], live: Mapping[Key, Record]) -> Problem | None:
    """Display names that a live record outside of the plan has already."""
    touched = {change.record.key for change in changes if change.record}
    taken = {
        (key.kind, record.display): record for key, record in live.items() if record.display and key not in touched
    }
    details = []
    for change in changes:
        other = taken.get((change.key.kind, change.resource.display)) if change.resource else None
        if other is not None and other.key != change.key:
            owner = other.owner or "nobody"
            details.append(
                f"{address(*change.key)} has the display name of {address(*other.key)}, which belongs to {owner}"
            )
    if not details:
        return None
    return Problem(ExitCode.CONFLICT, "display names are taken", "choose another display name", tuple(details))


def _still_referred_to(changes: list[Change], store: Store) -> Problem | None:
    """Records that would go although something outside of the plan refers to them."""
    gone = [change.record.key for change in changes if change.action is Action.DELETE and change.record]
    gone += [change.record.key for change in changes if change.record and change.record.key != change.key]
    touched = {change.record.key for change in changes if change.record}
    details = [
        f"{address(*referrer)} refers to {address(*target)}"
        for referrer, target in store.referrers(gone)
        if referrer not in touched
    ]
    if not details:
        return None
    return Problem(ExitCode.CONFLICT, "records in use would be deleted", "delete or change what refers to them first", tuple(details))  # fmt: skip
