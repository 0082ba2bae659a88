"""Find drift, and what git would have to say for it to be so declared."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from reconciler.core.diff import MISSING
from reconciler.core.drift import (
    Adoption,
    AdoptionRefusal,
    Conflict,
    Deed,
    Definition,
    DriftOfAll,
    IsSecret,
    Sides,
    WritesDefinitions,
)
from reconciler.core.history import KeepsHistory, Trail
from reconciler.core.matching import Match, match
from reconciler.core.model import Bodies, Key, Record, Resource
from reconciler.core.plan import Action
from reconciler.core.ports.abilities import Expects
from reconciler.core.ports.source import Desired
from reconciler.core.ports.store import Store
from reconciler.diagnostics import Finding, Place
from reconciler.errors import UsageError
from reconciler.kinds.canonical import readable
from reconciler.kinds.merge import document, effective, explicit
from reconciler.kinds.registry import KINDS, address
from reconciler.services.drift import merge


def secrets_in(content: object, is_secret: IsSecret, known: frozenset[str]) -> list[Finding]:
    """That the value of a secret stands somewhere in the clear, alone or as a word.

    Args:
        known: texts that need not be looked at.
    """
    for text in texts_of(content):
        if text not in known and any(map(is_secret, {text, *text.split()})):
            hint = "give a reference in its place, and change the secret: others may have seen it"
            return [Finding("RC210", "the value of a secret stands in it in the clear", Place(0, ("spec",)), hint)]
    return []


def texts_of(value: Any) -> Iterator[str]:
    """All texts in a value, keys not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)


class AdoptOptions(Struct, frozen=True):
    """What to adopt.

    Attributes:
        owner: on whose behalf.
        keys: addresses that were named; empty for all that drifted.
        theirs: whether live values win where git has moved too.
        now: RFC 3339.
    """

    owner: str
    keys: frozenset[Key]
    theirs: bool
    now: str


class _Search(Struct):
    """What was found so far, and what it takes to look."""

    options: AdoptOptions
    store: Store
    history: KeepsHistory
    writer: WritesDefinitions
    is_secret: IsSecret
    adoptions: list[Adoption] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    refusals: list[AdoptionRefusal] = field(default_factory=list)
    pending: list[Key] = field(default_factory=list)


def find_drift(
    desired: Desired,
    store: Store,
    history: KeepsHistory,
    writer: WritesDefinitions,
    is_secret: IsSecret,
    options: AdoptOptions,
) -> DriftOfAll:
    """What differs because somebody changed the live side, and what git would have to declare. `desired` is valid.

    Raises:
        UsageError: something is named that neither git nor the store has.
    """
    if isinstance(store, Expects):
        store.expect(desired.resources)
    live = store.records()
    for key in sorted(options.keys):
        if key not in live and key not in desired.resources:
            hint = f"list what is live with: reconciler get {KINDS[key.kind].word}"
            raise UsageError(f"neither git nor the store has a {KINDS[key.kind].word} '{key.name}'", hint=hint)
    search = _Search(options, store, history, writer, is_secret)
    matches = [found for found in match(desired.resources, live, options.owner, {}) if _is_wanted(found, options.keys)]
    _look_at_changed([found for found in matches if found.action in (Action.UPDATE, Action.RENAME)], search)
    _look_at_deleted([found.resource for found in matches if found.action is Action.CREATE and found.resource], search)
    defined = {found.record.key for found in matches if found.action is Action.RENAME and found.record}
    others = [record for key, record in live.items() if key not in desired.resources and key not in defined]
    _look_at_undefined([record for record in others if record.key in options.keys], search)
    for found in matches:
        if found.action is Action.ADOPT and found.record and options.keys:
            hint = "take it over with: reconciler apply --adopt"
            search.refusals.append(
                AdoptionRefusal(found.record.key, f"it belongs to {found.record.owner or 'nobody'}", hint)
            )
    unmanaged = sum(not record.owner and record.key not in options.keys for record in others)
    return DriftOfAll(
        tuple(search.adoptions),
        tuple(search.conflicts),
        tuple(search.refusals),
        tuple(search.pending),
        unmanaged,
    )


def _is_wanted(found: Match, keys: frozenset[Key]) -> bool:
    named = {side.key for side in (found.resource, found.record) if side is not None}
    return not keys or bool(named & keys)


def _look_at_changed(matches: list[Match], search: _Search) -> None:
    """Records that differ from what is declared of them."""
    bodies = search.store.bodies(found.record.uid for found in matches if found.record)
    for found in matches:
        resource, record = found.resource, found.record
        assert resource is not None and record is not None
        held = bodies[record.uid]
        left, valid = readable(resource.key.kind, held.live)
        if not valid:
            hint = "an apply writes it anew, as git declares it"
            search.refusals.append(AdoptionRefusal(resource.key, "the live record is not as a record should be", hint))
            continue
        # A declaration that is lost was the present one, if that has its fingerprint.
        applied = held.applied or (resource.content.value if record.applied == resource.fingerprint else None)
        merged = merge(resource, left.value, applied, theirs=search.options.theirs, now=search.options.now)
        if merged.conflicts:
            search.conflicts.append(Conflict(resource.key, resource, tuple(merged.conflicts)))
        if merged.pending:
            search.pending.append(resource.key)
        if not merged.taken:
            continue
        content = merged.content()
        findings = _faults(resource, content.value, search)
        if findings:
            search.refusals.append(_unfit(resource.key, findings))
        elif content.body != resource.body:
            search.adoptions.append(Adoption(Deed.UPDATE, resource.key, resource, content, fields=tuple(merged.taken)))


def _faults(resource: Resource, content: dict[str, Any], search: _Search) -> list[Finding]:
    """Why git must not declare a body: it would not be valid, or a secret would stand in it."""
    kind = KINDS[resource.key.kind]
    references = {found.address for found in kind.secret_fields(resource.content.value["spec"])}
    written = search.writer.write(resource.key, explicit(kind.name, content), references)
    faults = written if isinstance(written, list) else []
    known = frozenset(texts_of(resource.content.value))
    return faults + secrets_in(content, search.is_secret, known)


def _unfit(key: Key, findings: list[Finding]) -> AdoptionRefusal:
    hint = "put it right where it lives, or take it back with an apply"
    return AdoptionRefusal(key, "what is live is no valid definition", hint, tuple(findings))


def _look_at_deleted(resources: list[Resource], search: _Search) -> None:
    """Definitions without a record: of some it is known that they had one, which somebody removed."""
    if not resources:
        return
    trails: dict[Key, Trail] = {}
    for trail in search.history.trails_of(sorted({resource.key.kind for resource in resources})):
        if trail.live is None and trail.rows and trail.rows[-1].fingerprint:
            trails[trail.rows[-1].key] = trail
    found = [(resource, trails[resource.key]) for resource in resources if resource.key in trails]
    runs = {run.id: run for run in search.history.runs(ids=[trail.rows[-1].run for _, trail in found])}
    for resource, trail in found:
        if runs[trail.rows[-1].run].owner != search.options.owner:
            continue
        if search.options.theirs or _is_as_applied(resource, trail, search.options.now):
            search.adoptions.append(Adoption(Deed.REMOVE, resource.key, resource, None))
        else:
            sides = Sides((), "as it was", "changed since", MISSING)
            search.conflicts.append(Conflict(resource.key, resource, (sides,)))


def _is_as_applied(resource: Resource, trail: Trail, now: str) -> bool:
    """Whether git declares what a record held before others changed it."""
    if trail.drift is None:
        return False
    left, valid = readable(resource.key.kind, trail.drift.body)
    return valid and effective(resource.key.kind, resource.content.value, left.value, None, now) == left.value


def _look_at_undefined(records: list[Record], search: _Search) -> None:
    """Records that were named and that git does not define."""
    bodies = search.store.bodies(record.uid for record in records)
    for record in sorted(records, key=lambda record: record.key):
        found = _undefined(record, bodies, search)
        if isinstance(found, AdoptionRefusal):
            search.refusals.append(found)
        else:
            search.adoptions.append(Adoption(Deed.CREATE, record.key, None, found.resource.content, found))


def _undefined(record: Record, bodies: Mapping[str, Bodies], search: _Search) -> Definition | AdoptionRefusal:
    key, word = record.key, address(*record.key)
    if record.owner not in ("", search.options.owner):
        return AdoptionRefusal(key, f"it belongs to {record.owner}", "only its own repository can declare it")
    if record.applied:
        hint = f"see what an apply would do: reconciler plan; if it is to stay: reconciler export {word} --out ."
        return AdoptionRefusal(key, "it was applied once, and git does not define it under this name", hint)
    held = bodies[record.uid]
    live, valid = readable(key.kind, held.live)
    content = explicit(key.kind, live.value) if valid else live.value
    written = search.writer.write(key, content, held.secrets)
    faults = written if isinstance(written, list) else secrets_in(content, search.is_secret, frozenset())
    if isinstance(written, list) or faults or not valid:
        return _unfit(key, faults)
    text, resource = written
    return Definition(key, record.owner, text, document(key.kind, key.name, content), resource)
