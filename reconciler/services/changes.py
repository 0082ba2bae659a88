"""From a resource and its record to a change: what differs, and who moved it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.diff import MISSING, FieldChange, Origin, at, diff, origin
from reconciler.core.drift import Moved
from reconciler.core.matching import Match
from reconciler.core.model import Bodies, Content, Key, Record, Resource, content_of
from reconciler.core.plan import Action, Change
from reconciler.core.ports.store import Store
from reconciler.core.progress import UNTOLD, Progress
from reconciler.kinds.canonical import readable
from reconciler.kinds.drift import addressing, drifted, is_protected, kept_apart, secrets_moved
from reconciler.kinds.merge import declares_anew, effective, is_plain, is_secret_value, revoked_since
from reconciler.services.due_changes import notes_on, without_ended

NO_BODIES = Bodies({}, None, {})
_AT_ONCE = 500  # as many bodies are held decoded
_UNREADABLE = "the live record is not as a record should be; it is written anew"
_DECLARED_ANEW = "who is declared has changed; the live members stay as they are"
_STAYS_PROTECTED = "it stays protected, as git does not lift that; `lifecycle: {protect: false}` would"


class Elsewhere(Struct, frozen=True):
    """What others did to records since they were last applied.

    Attributes:
        moved: by uid.
        gone: by the address that a record had.
    """

    moved: Mapping[str, Moved]
    gone: Mapping[Key, Moved]


def elsewhere_of(moved: Iterable[Moved], store: Store, owner: str, *, others: bool) -> Elsewhere:
    """What others did to records, outside of a run (`moved`) and by runs of other owners.

    Args:
        others: whether another owner, or nobody, has some of the records.
    """
    known = {one.uid: one for one in moved}
    if others:
        known = {one.uid: one for one in store.taken_over(owner)} | known
    gone = {one.before.key: one for one in known.values() if one.before and one.now is None}
    return Elsewhere(known, gone)


def compare(
    matches: list[Match], store: Store, elsewhere: Elsewhere, now: str, progress: Progress = UNTOLD
) -> Iterator[Change]:
    """A change for each match, also for those that come to nothing."""
    progress.tell("comparing", 0, len(matches))
    few = len(matches) <= _AT_ONCE
    for start in range(0, len(matches), _AT_ONCE):
        part = matches[start : start + _AT_ONCE]
        uids = [found.record.uid for found in part if found.record]
        bodies = store.bodies(uids) if uids else {}
        for found in part:
            known = bodies.get(found.record.uid, NO_BODIES) if found.record else NO_BODIES
            change = _compared(found, known, elsewhere, now)
            yield change if few else _small(change, found.resource)
        progress.tell("comparing", start + len(part), len(matches))


def _small(change: Change, resource: Resource | None) -> Change:
    """Without values, and without a body that lies elsewhere: of very many they would take too much memory."""
    written, live = (content and Content(content.body) for content in (change.written, change.live))
    return replace(change, resource=resource, written=written, live=live)


def is_nothing(change: Change) -> bool:
    """Whether the live record is what git declares, however it came to be so."""
    if change.action is not Action.UPDATE or change.fields or change.came is not None:
        return False
    return _UNREADABLE not in change.notes and _DECLARED_ANEW not in change.notes


def change_of(found: Match, bodies: Bodies, elsewhere: Elsewhere, now: str) -> Change | None:
    """What is to be done about a match; None for nothing.

    Args:
        now: when; grants that have ended by then are left out.
    """
    change = _compared(found, bodies, elsewhere, now)
    return None if is_nothing(change) else change


def _compared(matched: Match, bodies: Bodies, elsewhere: Elsewhere, now: str) -> Change:
    record, action = matched.record, matched.action
    if record is None:
        assert matched.resource is not None
        return _create(matched.resource, elsewhere.gone.get(matched.resource.key), now)
    moved = elsewhere.moved.get(record.uid)
    if matched.resource is None:
        return _delete(record, bodies, moved, now)
    content, kind = matched.resource.content.at_hand(), matched.resource.key.kind
    resource = replace(matched.resource, stored=content)
    found, valid = readable(kind, bodies.live)
    live = found.value
    last = moved.before if moved else None
    declared = last.last_declared if last else bodies.applied
    applied = declared if isinstance(declared, dict) else None
    written, plain = None, is_plain(kind, content.body)
    stays = _stays_protected(resource, content.value, live, last.body if last else None)
    if stays or not plain:
        after = effective(kind, content.value, live if valid else None, applied, now, protect=stays)
        merged = content if after is content.value else content_of(after)
        written = None if merged.body == content.body else merged
    after = (written or content).value
    if kind == "PermissionPolicy" and valid:
        applied = revoked_since(applied, live, now)
    base = _base(kind, applied, last.body if last else live, live if valid else None)
    fields = tuple(_field_changes(live, base, after, _origin_by_fingerprint(resource, record, moved)))
    aside, notes = _beside(resource, record, moved, after) if moved else ((), ())
    fields = (*aside, *(field for field in fields if field.path not in {other.path for other in aside}))
    anew = declares_anew(kind, content.value, applied) if not fields and not plain else False
    came = None
    if moved and action is Action.UPDATE and not fields and not anew:
        other = moved.before is None or moved.replaced
        came = Origin.DRIFT if notes or other or not valid else None
    notes += tls_notes(written or content) + ((_UNREADABLE,) if not valid else ()) + ((_DECLARED_ANEW,) if anew else ())
    notes += (_STAYS_PROTECTED,) if stays else ()
    if valid and kind in ("Group", "PermissionPolicy"):
        notes += notes_on(kind, content.value, fields, now)
    return Change(action, resource.key, resource, record, written, found, fields, notes, moved, came)


def _create(resource: Resource, gone: Moved | None, now: str) -> Change:
    declared = resource.content
    content, said = without_ended(resource.key.kind, declared, now)
    notes = tls_notes(content) + said
    came = None
    if gone is not None and gone.before is not None:
        came = Origin.DRIFT if gone.before.applied == resource.fingerprint else Origin.BOTH
    written = None if content is declared else content
    return Change(Action.CREATE, resource.key, resource, None, written, notes=notes, moved=gone, came=came)


def _delete(record: Record, bodies: Bodies, moved: Moved | None, now: str) -> Change:
    live, _ = readable(record.key.kind, bodies.live)
    came = None
    if moved is not None and drifted(moved, now) is not None:
        came = Origin.BOTH if moved.before else Origin.DRIFT
    return Change(Action.DELETE, record.key, None, record, live=live, moved=moved, came=came)


def _base(kind: str, declared: dict[str, Any] | None, body: Any, live: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a plan would have made of the record if git had not moved: what it is compared with to tell who did.

    That is what was declared then, with what is left to the live side, and with the protection that it had all the same.
    """
    protect = is_protected(body)
    if declared is None or not (protect or kind == "Group" or at(declared, ("spec", "lifecycle")) is not MISSING):
        return declared
    wanted, known = readable(kind, declared)
    return effective(kind, wanted.value, live, declared, protect=protect) if known else declared


def _stays_protected(resource: Resource, desired: Mapping[str, Any], *bodies: Any) -> bool:
    """Whether a record is protected and git neither says so any more nor lifts it."""
    return not resource.unprotects and not is_protected(desired) and any(map(is_protected, bodies))


def _beside(
    resource: Resource, record: Record, moved: Moved, after: Mapping[str, Any]
) -> tuple[tuple[FieldChange, ...], tuple[str, ...]]:
    """What others did to all but the body: name and owner, stored secrets, and what the store keeps apart."""
    before, now = moved.before, moved.now
    if before is None or now is None:
        return (), ()
    fields = []
    for field in addressing(before, now):
        wanted = {"name": resource.key.name, "kind": resource.key.kind}.get(str(field.path[-1]), field.before)
        if wanted != field.after:
            came = origin(field.after, wanted, field.before)
            fields.append(FieldChange(field.path, field.after, wanted, came, applied=field.before))
    fields += [
        FieldChange(
            field.path, field.after, field.before, Origin.DRIFT, secret=True, printed=True, applied=field.before
        )
        for field in secrets_moved(before, now)
        if field.before is MISSING or isinstance(at(after, field.path), dict)
    ]
    if moved.run is not None:
        return tuple(fields), ()
    notes = tuple(f"{said}; it is written anew" for said in kept_apart(before, now))
    return tuple(fields), notes


def _origin_by_fingerprint(resource: Resource, record: Record, moved: Moved | None) -> Origin:
    """Who moved a record whose last applied body is lost, or which never had one."""
    if not record.applied:
        return Origin.DRIFT if moved else Origin.GIT
    return Origin.DRIFT if record.applied == resource.fingerprint else Origin.BOTH


def _field_changes(
    live: dict[str, Any], applied: dict[str, Any] | None, after: dict[str, Any], unknown: Origin
) -> Iterable[FieldChange]:
    for path, old, new in diff(live, after, is_secret_value):
        last = at(applied, path) if applied is not None else MISSING
        secret = is_secret_value(path, old) or is_secret_value(path, new)
        came = origin(old, new, last) if applied is not None else unknown
        yield FieldChange(path, old, new, came, secret, applied=MISSING if came is Origin.GIT else last)


def tls_notes(content: Content) -> tuple[str, ...]:
    """That certificates are not verified, or plain http is allowed. Another kind has no such key; a sample may have it."""
    if b'"verify":false' not in content.body and b'"allowPlainHttp":true' not in content.body:
        return ()
    tls = content.value["spec"].get("tls", {})
    risks = (
        ("TLS verification is off", tls.get("verify") is False),
        ("credentials may go over plain http", tls.get("allowPlainHttp") is True),
    )
    return tuple(f"{said}: {tls.get('reason', 'no reason given')}" for said, taken in risks if taken)
