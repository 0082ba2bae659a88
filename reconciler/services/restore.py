"""Bring deleted records back, under the identity that they had."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from reconciler.core.diff import FieldChange, diff
from reconciler.core.history import KeepsHistory
from reconciler.core.matching import Match
from reconciler.core.model import Bodies, Content, Key, Resource, encode
from reconciler.core.plan import Action, Change, Revision
from reconciler.core.ports.abilities import Remakes
from reconciler.core.ports.source import Desired, Past
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Deleted, Revival
from reconciler.core.secret import SealedSecret, masked
from reconciler.diagnostics import has_errors
from reconciler.errors import GuardStopped, RecordConflict, UsageError
from reconciler.kinds.canonical import may_hold_references, readable
from reconciler.kinds.merge import is_secret_value
from reconciler.kinds.registry import KINDS, address
from reconciler.services.changes import tls_notes
from reconciler.services.due_changes import without_ended
from reconciler.services.history import PastState, resource_of

KNOWN_FROM = "quarantine"


def deleted_named(store: Store, keys: Sequence[Key], owner: str, run: int | None) -> list[Deleted]:
    """The deleted record of each address: the one that was deleted last, or by a run.

    Raises:
        UsageError: there is none.
        GuardStopped: it belonged to another owner.
    """
    known = store.deleted()
    return [_named(known, key, store, owner, run) for key in dict.fromkeys(keys)]


def _named(known: Sequence[Deleted], key: Key, store: Store, owner: str, run: int | None) -> Deleted:
    bore = [item for item in known if item.key == key]
    found = [item for item in bore if run is None or item.run == run]
    mine = [item for item in found if item.owner == owner]
    if mine:
        return mine[-1]
    if found:
        raise GuardStopped(f"{address(*key)} belonged to {found[-1].owner or 'nobody'}", hint="restore it from that repository")  # fmt: skip
    if bore:
        runs = ", ".join(str(item.run) for item in bore)
        raise UsageError(f"run {run} did not delete {address(*key)}", hint=f"it was deleted by run {runs}")
    if key in store.records():
        raise UsageError(f"{address(*key)} is live, and no deleted record bore that name", hint=f"see: reconciler history {address(*key)}")  # fmt: skip
    hint = f"what there is: reconciler restore; what was purged comes back with rollback, see: reconciler history {address(*key)}"
    raise UsageError(f"there is no deleted {address(*key)}", hint=hint)


def deleted_state(chosen: Sequence[Deleted], store: Store, history: KeepsHistory) -> PastState:
    """The deleted records as they were when they were deleted.

    Raises:
        RecordConflict: one was no record any more.
    """
    bodies = store.deleted_bodies(item.uid for item in chosen)
    resources: dict[Key, Resource] = {}
    past: dict[Key, Past] = {}
    notices: list[str] = []
    for item in chosen:
        resource, body, said = _as_it_was(item, bodies[item.uid])
        resources[item.key] = resource
        past[item.key] = Past(item.uid, body, Revival(item.uid, item.deleted_at, item.run, quarantined=True))
        notices += said
    desired = Desired(resources, (), len(resources), (), past=past)
    commits = {_commit(history, item) for item in chosen}
    commit = commits.pop() if len(commits) == 1 else ""
    revision = Revision(commit.removesuffix("-dirty"), dirty=commit.endswith("-dirty"), past=f"the {KNOWN_FROM}")
    return PastState(desired, revision, tuple(notices))


def _as_it_was(item: Deleted, bodies: Bodies) -> tuple[Resource, Content, list[str]]:
    """What was declared of it, what it held, and what to say."""
    live, fine = _writable(item.key.kind, bodies.live)
    applied, known = _writable(item.key.kind, bodies.applied)
    if not fine and not known:
        hint = "bring it back with rollback, to a run before"
        raise RecordConflict(f"what {address(*item.key)} held when it was deleted is not as a record should be", hint=hint)  # fmt: skip
    resource = resource_of(item.key, (applied if known else live).value, KNOWN_FROM)
    if not fine:
        said = "had drifted to what no record may hold; it comes back as it was last applied"
        return resource, resource.content, [f"{address(*item.key)} {said}"]
    return resource, Content(live.body), []


def _writable(kind: str, body: Any) -> tuple[Content, bool]:
    """A body in its canonical form, and whether it may be written: it has one, and no secret in the clear."""
    content, valid = readable(kind, body)
    return content, valid and masked(content.value) == content.value


def _commit(history: KeepsHistory, item: Deleted) -> str:
    """The commit that it had last been applied from, as a run has it."""
    for trail in history.trails_named(item.key):
        row = trail.set_by(item.run - 1) if trail.uid == item.uid else None
        if row is not None:
            return next((run.commit for run in history.runs(ids=[row.run])), "")
    return ""


def standing_in_git(state: PastState, declared: Desired) -> Iterator[str]:
    """What the next apply makes of what comes back."""
    for key, resource in state.desired.resources.items():
        name = address(*key)
        found = declared.resources.get(key)
        if has_errors(list(declared.diagnostics)):
            yield f"the definitions are not valid, so it is not known whether they hold {name}; see: reconciler validate"
        elif found is None:
            yield (
                f"git does not declare {name}: the next apply deletes it again, unless its definition is put back"
                f" (git revert, or: reconciler export {name} --out .)"
            )
        elif found.fingerprint == resource.fingerprint:
            yield f"git declares {name} as it comes back, in {found.file}"
        else:
            yield f"git declares {name} otherwise: the next apply makes it what {found.file} says"


def undeleted(matches: Iterable[Match], store: Store, past: Mapping[Key, Past] | None, now: str) -> Iterator[Change]:
    """The changes for those matches that are of deleted records.

    What git declares anew is written as it is declared, with its secrets resolved. What comes back from the past is
    written as it was, with the sealed secrets that the quarantine has of it.
    """
    found = [item for item in matches if item.action is Action.RESTORE and item.resource and item.revival]
    kept = store.deleted_bodies(item.revival.uid for item in found if item.revival) if found else {}
    how = store.remade() if isinstance(store, Remakes) else "under the identity that it had"
    for item in found:
        assert item.resource is not None and item.revival is not None
        yield _undeleted(item.resource, item.revival, kept.get(item.revival.uid), past, now, how)


def _undeleted(
    resource: Resource, revival: Revival, kept: Bodies | None, past: Mapping[Key, Past] | None, now: str, how: str
) -> Change:
    kind = resource.key.kind
    declared = resource.content
    wanted, said = without_ended(kind, declared if past is None else past[resource.key].content, now)
    after = wanted.value
    revival = replace(revival, quarantined=kept is not None)
    if past is not None and kept is not None and may_hold_references(wanted.body):
        revival = replace(revival, secrets=tuple(_unchanged_secrets(kind, after, kept)))
    fields = tuple(_differing(readable(kind, kept.live)[0].value, after)) if kept is not None else ()
    notes = (*tls_notes(wanted), _note(revival, how), *said)
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


def _note(revival: Revival, how: str) -> str:
    when = f" at {revival.deleted_at}" if revival.deleted_at else ""
    by = f" by run {revival.run}" if revival.run else " outside of a run"
    count = len(revival.secrets)
    secrets = f", and with {count} sealed secret{'s' if count > 1 else ''}" if count else ""
    return f"was deleted{when}{by}; comes back {how}{secrets}"


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
