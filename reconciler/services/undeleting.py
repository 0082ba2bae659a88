"""Changes that bring deleted records back, under the identity that they had."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from reconciler.core.diff import FieldChange, diff
from reconciler.core.matching import Match
from reconciler.core.model import Bodies, Key, Resource, encode
from reconciler.core.plan import Action, Change
from reconciler.core.ports.source import Past
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Revival
from reconciler.core.secret import SealedSecret
from reconciler.errors import RecordConflict
from reconciler.kinds.canonical import may_hold_references, readable
from reconciler.kinds.merge import is_secret_value
from reconciler.kinds.registry import KINDS, address
from reconciler.services.changes import tls_notes
from reconciler.services.policy_changes import without_ended


def undeleted(matches: Iterable[Match], store: Store, past: Mapping[Key, Past] | None, now: str) -> Iterator[Change]:
    """The changes for those matches that are of deleted records.

    What git declares anew is written as it is declared, with its secrets resolved. What comes back from the past is
    written as it was, with the sealed secrets that the quarantine has of it.
    """
    found = [item for item in matches if item.action is Action.RESTORE and item.resource and item.revival]
    kept = store.deleted_bodies(item.revival.uid for item in found if item.revival) if found else {}
    for item in found:
        assert item.resource is not None and item.revival is not None
        yield _undeleted(item.resource, item.revival, kept.get(item.revival.uid), past, now)


def _undeleted(
    resource: Resource, revival: Revival, kept: Bodies | None, past: Mapping[Key, Past] | None, now: str
) -> Change:
    kind = resource.key.kind
    declared = resource.content
    wanted, said = without_ended(kind, declared if past is None else past[resource.key].content, now)
    after = wanted.value
    revival = replace(revival, quarantined=kept is not None)
    if past is not None and kept is not None and may_hold_references(wanted.body):
        revival = replace(revival, secrets=tuple(_unchanged_secrets(kind, after, kept)))
    fields = tuple(_differing(readable(kind, kept.live)[0].value, after)) if kept is not None else ()
    notes = (*tls_notes(wanted), _note(revival), *said)
    written = None if wanted.body == declared.body else wanted
    return Change(Action.RESTORE, resource.key, resource, None, written, None, fields, notes, revival=revival)


def _unchanged_secrets(kind: str, after: dict[str, Any], kept: Bodies) -> Iterator[str]:
    for field in KINDS[kind].secret_fields(after["spec"]):
        state = kept.secrets.get(field.address)
        if state is not None and state.reference == encode(field.reference).decode():
            yield field.address


def _differing(before: dict[str, Any], after: dict[str, Any]) -> Iterator[FieldChange]:
    for path, old, new in diff(before, after, is_secret_value):
        yield FieldChange(path, old, new, secret=is_secret_value(path, old) or is_secret_value(path, new))


def _note(revival: Revival) -> str:
    when = f" at {revival.deleted_at}" if revival.deleted_at else ""
    by = f" by run {revival.run}" if revival.run else " outside of a run"
    count = len(revival.secrets)
    secrets = f", and with {count} sealed secret{'s' if count > 1 else ''}" if count else ""
    return f"was deleted{when}{by}; comes back under the identity that it had{secrets}"


def kept_secrets(changes: Sequence[Change], store: Store) -> dict[str, dict[str, SealedSecret]]:
    """The sealed secrets that changes bring back: uid to address to secret.

    Raises:
        RecordConflict: they are not there any more.
    """
    wanted = {change.revival.uid: change for change in changes if change.revival and change.revival.secrets}
    found = store.deleted_secrets(wanted) if wanted else {}
    kept: dict[str, dict[str, SealedSecret]] = {}
    gone = []
    for uid, change in wanted.items():
        assert change.revival is not None
        held = found.get(uid, {})
        kept[uid] = {place: held[place] for place in change.revival.secrets if place in held}
        if len(kept[uid]) < len(change.revival.secrets):
            gone.append(f"{address(*change.key)} was restored or purged")
    if gone:
        raise RecordConflict(
            "the plan is stale: deleted records moved after planning; nothing was changed",
            hint="run the command again",
            details=tuple(gone),
        )
    return kept
